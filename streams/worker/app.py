"""The Faust app: chunks of all topics come in, batches of them go through the engine.

Then they are acknowledged. `python -m streams worker` makes the app by `create`;
`faust -A streams.worker.app worker` starts it as Faust users expect, by the `app` that this module
makes of the settings when it is first asked for.
"""

import gc
import logging
import os
import threading
import time
from functools import cache
from typing import Any

import faust
from aiokafka.errors import KafkaError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from schemas.events.kinds import HEARTBEATS, KINDS, REFUSALS
from schemas.settings import Settings, load
from streams.worker import patches
from streams.worker.cores import LOOK_INTERVAL_SECONDS, Cores
from streams.worker.loop import Work
from streams.worker.progress import Progress
from streams.worker.topics import ensure_topics
from streams.worker.transport import ChunkSchema, ChunkTransport

log = logging.getLogger(__name__)
LAST_SECONDS = 12.0
"""Seconds that a worker has to end in good order once it is told to."""
READY_TIMEOUT_SECONDS = 30
"""Seconds of failure after which the worker says that it is not ready."""


class App(faust.App):  # type: ignore[misc]
    """Faust's app with our topics made before the first subscription, and an end that comes."""

    settings: Settings

    async def stop(self) -> None:
        # Kafka's client may wait for ever when it is to end in the midst of a rebalance. All that
        # was acknowledged is written, so that nothing is lost by ending without it.
        def give_up() -> None:
            log.warning("Kafka's client did not end within %.0f s; ending without it", LAST_SECONDS)
            os._exit(0)

        end = threading.Timer(LAST_SECONDS, give_up)
        end.daemon = True
        end.start()
        await super().stop()

    async def on_first_start(self) -> None:
        # What a batch makes is freed by its reference counts; searching it for cycles again and
        # again costs a fifth of the time.
        gc.freeze()
        gc.set_threshold(500_000, 50, 100)
        self.conf.datadir.mkdir(parents=True, exist_ok=True)
        while not self.should_stop:
            try:
                await ensure_topics(self.settings)
                break
            except KafkaError as error:  # It may be starting, too.
                log.warning(
                    "Kafka at %s cannot be used yet, trying again: %s",
                    self.settings.kafka_servers,
                    error,
                )
                await self.sleep(1.0)
        await super().on_first_start()


def create(settings: Settings) -> App:
    """Make the worker's app of an installation; it asks nothing of Kafka before it is started.

    It changes aiokafka and clickhouse-driver for the whole process (`streams.worker.patches`).

    Raises:
        SealError: The key that encrypts who reported is missing or cannot be used.
    """
    patches.apply()
    app = App(
        settings.worker_group,
        broker=[f"kafka://{server}" for server in settings.kafka_servers.split(",")],
        store="memory://",
        datadir=str(settings.home / "faust" / settings.worker_group),
        web_bind=settings.host,
        web_host=settings.host,
        web_port=settings.worker_port,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        stream_wait_empty=False,
        stream_buffer_maxsize=4,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=1 << 20,
        broker_max_poll_records=5_000,
        broker_max_poll_interval=86_400.0,
        # A broker that just started may not know its topics yet, and the group shares out nothing:
        # look again soon, not in 5 minutes.
        consumer_metadata_max_age_ms=3_000,
        broker_commit_interval=1.0,
        # Short, so that a dead worker's partitions move on soon; a slow one that is thought dead
        # does no harm.
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.5,
    )
    app.settings = settings
    progress = Progress(app, settings)
    work = Work(app, settings, progress)
    app.transport = ChunkTransport(app.conf.broker_consumer, app, app.loop)
    app.transport.intake = work
    _add_tasks(app, settings, work, progress)
    _add_pages(app, work, progress)
    return app


def _add_tasks(app: App, settings: Settings, work: Work, progress: Progress) -> None:
    names = (*(kind.name for kind in KINDS), HEARTBEATS, REFUSALS)
    topics = app.topic(*(settings.topic_prefix + name for name in names), schema=ChunkSchema())

    @app.agent(topics)
    async def consume(stream: Any) -> None:
        """Hand every chunk to the work loop, which acknowledges it when it is written."""
        async for event in stream.noack().events():
            work.put(event)

    @app.task
    async def process() -> None:
        """The work loop."""
        await work.run()

    @app.task
    async def beat() -> None:
        """Heartbeats, ahead of what waits."""
        await work.pulse.run()

    @app.task
    async def watch() -> None:
        """Whether every partition moves."""
        await progress.run()

    @app.task
    async def keep_together() -> None:
        """The threads of this worker on one core."""
        cores = Cores()
        while not app.should_stop:
            cores.look()
            await app.sleep(LOOK_INTERVAL_SECONDS)

    @app.on_partitions_revoked.connect
    async def on_revoked(sender: Any, revoked: Any, **_: Any) -> None:
        work.rebalanced()

    @app.on_partitions_assigned.connect
    async def on_assigned(sender: Any, assigned: Any, **_: Any) -> None:
        work.rebalanced()


def _add_pages(app: App, work: Work, progress: Progress) -> None:
    @app.page("/metrics")
    async def show_metrics(web: Any, request: Any) -> Any:
        """Prometheus metrics of this worker."""
        return web.bytes(generate_latest(), content_type=CONTENT_TYPE_LATEST.partition(";")[0])

    @app.page("/healthz")
    async def show_health(web: Any, request: Any) -> Any:
        """Whether the process is alive."""
        return web.json({"status": "ok"})

    @app.page("/readyz")
    async def show_readiness(web: Any, request: Any) -> Any:
        """Whether batches are written.

        503 once the batch in hand could not be written for a while, or a partition stands still.
        """
        waited = 0.0 if work.in_hand_since is None else time.monotonic() - work.in_hand_since
        if waited > READY_TIMEOUT_SECONDS:
            return web.json(
                {"status": f"nothing could be written for {waited:.0f} s; see the log"}, status=503
            )
        if stalled := progress.watch.stalled():
            return web.json({"status": f"{'; '.join(stalled)}; see the log"}, status=503)
        return web.json({"status": "ok"})


@cache
def _of_environment() -> App:
    return create(load())


def __getattr__(name: str) -> Any:
    """Make `app` when Faust's command line asks for it."""
    if name == "app":
        return _of_environment()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
