"""The Faust app of a worker: consumes chunks of all topics and hands them to the work loop.

`python -m streams worker` creates the app with `create`; `faust -A streams.worker.app worker` works
as Faust users expect, with the attribute `app`, which this module creates from the settings when it
is first used.
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
from streams.worker.cores import UPDATE_INTERVAL_SECONDS, Cores
from streams.worker.loop import WorkLoop
from streams.worker.progress import Progress
from streams.worker.topics import ensure_topics
from streams.worker.transport import ChunkSchema, ChunkTransport

log = logging.getLogger(__name__)
SHUTDOWN_SECONDS = 12.0
"""Seconds that a worker has to stop in order, before the process exits."""
READY_TIMEOUT_SECONDS = 30
"""Seconds without a successful write after which /readyz answers 503."""


class App(faust.App):  # type: ignore[misc]
    """Faust's app that creates our topics before it subscribes, and always stops."""

    settings: Settings

    async def stop(self) -> None:
        """Stop the app; exit the process if Kafka's client does not stop in time."""

        # Kafka's client may wait forever if it is stopped during a rebalance. Everything that was
        # acknowledged is written, so nothing is lost by exiting.
        def give_up() -> None:
            log.warning(
                "Kafka's client did not stop within %.0f s; exiting without it", SHUTDOWN_SECONDS
            )
            os._exit(0)

        timer = threading.Timer(SHUTDOWN_SECONDS, give_up)
        timer.daemon = True
        timer.start()
        await super().stop()

    async def on_first_start(self) -> None:
        """Tune garbage collection, and create the topics as soon as Kafka answers."""
        # The objects of a batch are freed by their reference counts; searching them for cycles
        # again and again costs a fifth of the time.
        gc.freeze()
        gc.set_threshold(500_000, 50, 100)
        self.conf.datadir.mkdir(parents=True, exist_ok=True)
        while not self.should_stop:
            try:
                await ensure_topics(self.settings)
                break
            except KafkaError as error:  # Kafka may be starting, too.
                log.warning(
                    "Kafka at %s is not available yet, trying again: %s",
                    self.settings.kafka_servers,
                    error,
                )
                await self.sleep(1.0)
        await super().on_first_start()


def create(settings: Settings) -> App:
    """Create an installation's worker app; it does not connect to Kafka before it is started.

    This patches aiokafka and clickhouse-driver for the whole process (`streams.worker.patches`).

    Args:
        settings: The installation's settings.

    Raises:
        SealError: If the key that encrypts reporters' identities is missing or unusable.
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
        # A broker that has just started may not know its topics yet, and then the group assigns no
        # partition: refresh soon, not in 5 minutes.
        consumer_metadata_max_age_ms=3_000,
        broker_commit_interval=1.0,
        # Short, so that a dead worker's partitions are reassigned soon; it does no harm if a slow
        # worker is taken for dead.
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.5,
    )
    app.settings = settings
    progress = Progress(app, settings)
    work = WorkLoop(app, settings, progress)
    app.transport = ChunkTransport(app.conf.broker_consumer, app, app.loop)
    app.transport.intake = work
    _add_tasks(app, settings, work, progress)
    _add_pages(app, work, progress)
    return app


def _add_tasks(app: App, settings: Settings, work: WorkLoop, progress: Progress) -> None:
    names = (*(kind.name for kind in KINDS), HEARTBEATS, REFUSALS)
    topics = app.topic(*(settings.topic_prefix + name for name in names), schema=ChunkSchema())

    @app.agent(topics)
    async def consume(stream: Any) -> None:
        """Put every chunk into the work loop, which acknowledges it when it is written."""
        async for event in stream.noack().events():
            work.put(event)

    @app.task
    async def process() -> None:
        """Run the work loop."""
        await work.run()

    @app.task
    async def write_heartbeats() -> None:
        """Write heartbeats ahead of waiting events."""
        await work.heartbeats.run()

    @app.task
    async def detect_stalls() -> None:
        """Watch whether every partition makes progress."""
        await progress.run()

    @app.task
    async def share_core() -> None:
        """Keep this worker's threads on one core while that is faster."""
        cores = Cores()
        while not app.should_stop:
            cores.update()
            await app.sleep(UPDATE_INTERVAL_SECONDS)

    @app.on_partitions_revoked.connect
    async def on_revoked(sender: Any, revoked: Any, **_: Any) -> None:
        work.rebalanced()

    @app.on_partitions_assigned.connect
    async def on_assigned(sender: Any, assigned: Any, **_: Any) -> None:
        work.rebalanced()


def _add_pages(app: App, work: WorkLoop, progress: Progress) -> None:
    @app.page("/metrics")
    async def show_metrics(web: Any, request: Any) -> Any:
        """Return the Prometheus metrics of this worker."""
        return web.bytes(generate_latest(), content_type=CONTENT_TYPE_LATEST.partition(";")[0])

    @app.page("/healthz")
    async def show_health(web: Any, request: Any) -> Any:
        """Return 200 while the process is alive."""
        return web.json({"status": "ok"})

    @app.page("/readyz")
    async def show_readiness(web: Any, request: Any) -> Any:
        """Return 200 while batches are written.

        Return 503 if the current batch could not be written for a while, or a partition stalls.
        """
        waited = 0.0 if work.in_hand_since is None else time.monotonic() - work.in_hand_since
        if waited > READY_TIMEOUT_SECONDS:
            return web.json(
                {"status": f"nothing could be written for {waited:.0f} s; see the log"}, status=503
            )
        if stalled := progress.detector.stalled():
            return web.json({"status": f"{'; '.join(stalled)}; see the log"}, status=503)
        return web.json({"status": "ok"})


@cache
def _of_environment() -> App:
    return create(load())


def __getattr__(name: str) -> Any:
    """Create `app` when Faust's command line first uses it."""
    if name == "app":
        return _of_environment()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
