"""The Faust app: chunks of all topics come in, batches of them go through the engine, then they are acknowledged.

`faust -A streams.app worker` starts it as Faust users expect; `python -m streams worker` does the same with our settings.
"""

import asyncio
import gc
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import faust
from aiokafka.errors import KafkaError
from faust.types import TP
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from schemas.envelope import Reader
from schemas.kinds import DEAD_LETTERS, HEARTBEATS, KINDS, Kind
from schemas.settings import Settings, load
from streams import metrics
from streams.engine import Batch, DeadLetter, Engine, heartbeat_rows
from streams.progress import Progress
from streams.store import Store
from streams.topics import ensure_topics
from streams.transport import ChunkSchema, ChunkTransport

log = logging.getLogger(__name__)
T = TypeVar("T")
LINGER = 0.05
"""Seconds to wait for more chunks once there is one: fewer, larger inserts."""
PATIENCE = 30
"""Seconds with one batch in hand, failing or not answered, after which the worker says that it is not ready."""
MOST_RECORDS = 40_000
"""Records in a batch, about."""


class Work:
    """The loop that takes batches of chunks through the engine; it never raises and never gives up."""

    def __init__(self, app: faust.App, settings: Settings) -> None:
        self._app = app
        self._prefix = settings.topic_prefix
        self._kinds: dict[str, Kind] = {kind.topic(settings.topic_prefix): kind for kind in KINDS}
        self._store = Store(settings.clickhouse_url)
        self._engine = Engine(self._store, settings.topic_prefix, Reader(settings.event_max_bytes))
        self._chunks: asyncio.Queue[Any] = asyncio.Queue(maxsize=8)
        # clickhouse-driver wants one thread, and the event loop must breathe: heartbeats to Kafka, the web port.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._rebalanced = False
        self.in_hand_since: float | None = None
        """When the batch in hand was begun, by the monotonic clock; None between batches. A store that hangs raises nothing."""

    async def put(self, event: Any) -> None:
        """Queue a chunk; waits while the engine is behind, so memory stays bounded."""
        await self._chunks.put(event)

    def rebalanced(self) -> None:
        """Partitions came or went: what is remembered of them may be outdated."""
        self._rebalanced = True

    async def run(self) -> None:
        """Take in batches until the app stops."""
        while not self._app.should_stop:
            events = await self._gather()
            self.in_hand_since = time.monotonic()
            wait = 0.2
            while not self._app.should_stop:
                try:
                    await self._process(events)
                    self.in_hand_since = None
                    break
                except Exception as error:
                    metrics.RETRIES.inc()
                    log.warning("not written, trying again in %.1f s: %s", wait, str(error).partition("Stack trace")[0].strip())
                    self._engine.forget()
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, 5)

    async def _gather(self) -> list[Any]:
        events = [await self._chunks.get()]
        records = len(events[0].value)
        deadline = asyncio.get_running_loop().time() + LINGER
        while records < MOST_RECORDS and (left := deadline - asyncio.get_running_loop().time()) > 0:
            try:
                event = await asyncio.wait_for(self._chunks.get(), left)
            except TimeoutError:
                break
            events.append(event)
            records += len(event.value)
        return events

    async def _process(self, events: list[Any]) -> None:
        if self._rebalanced:
            self._rebalanced = False
            self._engine.forget()
        with metrics.BATCH_SECONDS.time():
            chunks = [
                (self._kinds[e.message.topic], e.message.partition, e.value) for e in events if e.message.topic in self._kinds
            ]
            batch = await self._in_thread(lambda: self._engine.take(chunks))
            await self._copy(batch.dead)  # Before the checkpoint moves past them: after it, a failed copy would not be made again.
            await self._in_thread(lambda: self._write(batch, events))
        metrics.count(batch)
        await self._go_back(batch)
        mine = self._app.consumer.assignment()
        for event in events:
            key, tp = (self._kinds.get(event.message.topic), event.message.partition), event.message.tp
            # A partition may have moved to another worker meanwhile: what was written stands, its new owner acknowledges.
            if tp in mine and key not in batch.gaps:
                event.message.ack(self._app.consumer)
                metrics.progress(tp, event.value[-1])
                progress.wrote(tp, event.value[-1].timestamp)

    def _write(self, batch: Batch, events: list[Any]) -> None:
        self._engine.write(batch)
        beats = heartbeat_rows((e.message.partition, e.value) for e in events if e.message.topic == self._prefix + HEARTBEATS)
        if beats:
            self._store.write_heartbeats(beats)

    async def _copy(self, letters: list[DeadLetter]) -> None:
        """Tell other readers of dead letters, by their topic."""
        topic = self._prefix + DEAD_LETTERS
        sent = [
            await self._app.producer.send(topic, f"{one.topic}/{one.partition}/{one.offset}".encode(), one.copy(), None, None, None)
            for one in letters
        ]
        await asyncio.gather(*sent)

    async def _go_back(self, batch: Batch) -> None:
        """Fetch again what a rebalance or a restart of the fetcher let slip."""
        for (kind, number), offset in batch.gaps.items():
            tp = TP(kind.topic(self._prefix), number)
            log.warning("%s[%d]: a chunk is missing, fetching again from %d", tp.topic, number, offset)
            if tp in self._app.consumer.assignment():
                await self._app.consumer.seek(tp, offset)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class App(faust.App):  # type: ignore[misc]
    """Faust's app with our topics made before the first subscription."""

    async def on_first_start(self) -> None:
        # What a batch makes is freed by its reference counts; searching it for cycles again and again costs a fifth of the time.
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)
        self.conf.datadir.mkdir(parents=True, exist_ok=True)
        while not self.should_stop:
            try:
                await ensure_topics(SETTINGS)
                break
            except KafkaError as error:  # It may be starting, too.
                log.warning("Kafka at %s cannot be used yet, trying again: %s", SETTINGS.kafka_servers, error)
                await self.sleep(1.0)
        await super().on_first_start()


SETTINGS = load()
app = App(
    SETTINGS.worker_group,
    broker=[f"kafka://{server}" for server in SETTINGS.kafka_servers.split(",")],
    store="memory://",
    datadir=str(SETTINGS.home / "faust" / SETTINGS.worker_group),
    web_host=SETTINGS.host,
    web_port=SETTINGS.worker_port,
    topic_disable_leader=True,
    topic_allow_declare=False,
    table_standby_replicas=0,
    stream_wait_empty=False,
    stream_buffer_maxsize=8,
    consumer_auto_offset_reset="earliest",
    consumer_max_fetch_size=1 << 20,
    broker_max_poll_records=5_000,
    broker_max_poll_interval=86_400.0,
    # A broker that just started may not know its topics yet, and the group shares out nothing: look again soon, not in 5 minutes.
    consumer_metadata_max_age_ms=3_000,
    broker_commit_interval=1.0,
    # Short, so that a dead worker's partitions move on soon; a slow one that is thought dead does no harm.
    broker_session_timeout=6.0,
    broker_heartbeat_interval=1.5,
)
app.transport = ChunkTransport(app.conf.broker_consumer, app, app.loop)
work = Work(app, SETTINGS)
progress = Progress(app, SETTINGS)
names = [SETTINGS.topic_prefix + name for name in (*(kind.name for kind in KINDS), HEARTBEATS)]


@app.agent(app.topic(*names, schema=ChunkSchema()))
async def consume(stream: Any) -> None:
    """Hand every chunk to the work loop, which acknowledges it when it is written."""
    async for event in stream.noack().events():
        await work.put(event)


@app.task
async def process() -> None:
    """The work loop."""
    await work.run()


@app.task
async def watch() -> None:
    """Whether every partition moves."""
    await progress.run()


@app.on_partitions_revoked.connect
async def on_revoked(sender: Any, revoked: Any, **_: Any) -> None:
    work.rebalanced()


@app.on_partitions_assigned.connect
async def on_assigned(sender: Any, assigned: Any, **_: Any) -> None:
    work.rebalanced()


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
    """Whether batches are written: 503 once the batch in hand could not be written for a while, or a partition stands still."""
    waited = 0.0 if work.in_hand_since is None else time.monotonic() - work.in_hand_since
    if waited > PATIENCE:
        return web.json({"status": f"nothing could be written for {waited:.0f} s; see the log"}, status=503)
    if stalled := progress.watch.stalled():
        return web.json({"status": f"nothing is written of {', '.join(stalled)}; see the log"}, status=503)
    return web.json({"status": "ok"})
