"""The loop that processes batches of chunks and writes them: it never raises and never gives up.

While one batch is being written, the next one is processed: writing waits for ClickHouse,
processing uses Python.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import faust
import msgspec
from aiokafka.errors import IllegalStateError
from faust.types import TP

from schemas.clickhouse.retention import RetentionCheck
from schemas.events.envelope import Reader
from schemas.events.kinds import DEAD_LETTERS, HEARTBEATS, KINDS, REFUSALS, REPEATS, Kind
from schemas.seal import sealer
from schemas.settings import Settings
from streams.worker import metrics
from streams.worker.batch import (
    Batch,
    received_ms,
    refusal_rows,
    repeats_by_partition,
    write,
)
from streams.worker.engine import Engine
from streams.worker.heartbeats import HeartbeatWriter
from streams.worker.progress import Progress
from streams.worker.store import WorkerStore
from streams.worker.table_rows import DeadLetter

log = logging.getLogger(__name__)
T = TypeVar("T")
LINGER_SECONDS = 0.05
"""Seconds to wait for more chunks once there is one, for fewer and larger inserts."""
MAX_RECORDS = 40_000
"""Approximate number of records in a batch.

One insert of this size costs ClickHouse two thirds of what two inserts of half the size cost.
"""
MAX_CHUNKS = 8
"""Number of waiting chunks, of at most a MB each, at which no more are fetched."""


class AppStoppedError(Exception):
    """Raised when the app stops: the partition's next owner will consume the batch again."""


class WorkLoop:
    """Queues chunks, processes and writes them in batches, and acknowledges them.

    Chunks of heartbeats have a queue of their own, `heartbeats`.
    """

    def __init__(self, app: faust.App, settings: Settings, progress: Progress) -> None:
        """Prepare the engine, two connections and two threads.

        Args:
            app: The worker's app.
            settings: The installation's settings.
            progress: Gets the time of arrival of the newest written records.

        Raises:
            SealError: If the key that encrypts reporters' identities is missing or unusable.
        """
        self._app = app
        self._progress = progress
        self._prefix = settings.topic_prefix
        self._kinds: dict[str, Kind] = {kind.topic(settings.topic_prefix): kind for kind in KINDS}
        reader = Reader(settings.event_max_bytes)
        store, keeping = WorkerStore(settings.clickhouse_url), RetentionCheck.by(settings)
        self._engine = Engine(store, settings.topic_prefix, reader, sealer(settings), keeping)
        self._store = WorkerStore(settings.clickhouse_url)
        self._chunks: asyncio.Queue[Any] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()
        self.heartbeats = HeartbeatWriter(app, settings, lambda: not self.is_stuck())
        # clickhouse-driver needs a thread for each connection, and the event loop must stay
        # responsive: for Kafka's heartbeats and the web port.
        self._taking = ThreadPoolExecutor(1, thread_name_prefix="take")
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._written: list[Batch] = []
        self._rebalanced = False
        self._begun: deque[float] = deque()
        self._stuck_seconds = settings.stale_after_seconds / 2
        self._last_written = 0.0
        self._failing = 0

    @property
    def in_hand_since(self) -> float | None:
        """Return when the oldest unwritten batch was begun (monotonic); None if there is none.

        A store that hangs raises nothing, so this is how a hang is noticed.
        """
        return self._begun[0] if self._begun else None

    def is_stuck(self) -> bool:
        """Return whether batches are not written: an attempt failed, or none succeeded lately."""
        since = self.in_hand_since
        return self._failing > 0 or (
            since is not None
            and time.monotonic() - max(since, self._last_written) > self._stuck_seconds
        )

    def is_urgent(self, tp: TP) -> bool:
        """Return whether records of a partition go ahead of waiting ones."""
        return bool(tp.topic == self._prefix + HEARTBEATS)

    @property
    def wants_urgent(self) -> bool:
        """Return whether there is room for more urgent chunks."""
        return not self.heartbeats.full

    async def room(self, seconds: float) -> bool:
        """Return whether there is room for more chunks; wait for it up to so many seconds.

        This bounds the memory while the engine lags.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._room.wait()
        return self._room.is_set()

    def put(self, event: Any) -> None:
        """Queue a chunk."""
        if self.is_urgent(event.message.tp):
            self.heartbeats.put(event)
        else:
            self._chunks.put_nowait(event)
            self._update_room()

    def _update_room(self) -> None:
        if self._chunks.qsize() < MAX_CHUNKS:
            self._room.set()
        else:
            self._room.clear()

    def rebalanced(self) -> None:
        """Note that partitions were reassigned: the memory of them may be outdated."""
        self._rebalanced = True

    async def run(self) -> None:
        """Process and write batches until the app stops."""
        writing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        writing.set_result(None)
        try:
            while not self._app.should_stop:
                events = await self._gather()
                self._begun.append(time.monotonic())
                batch = await self._take(events, writing)
                await self._go_back(batch)
                for event in events:
                    if event.message.topic in self._kinds:
                        # Free the records: their events are in the batch. The last one is kept for
                        # its offset and time.
                        del event.value[:-1]
                await writing
                writing = asyncio.ensure_future(self._write(batch, events))
        except AppStoppedError:
            pass
        finally:
            with suppress(AppStoppedError):
                await writing

    async def _gather(self) -> list[Any]:
        events = [await self._chunks.get()]
        self._update_room()
        records = len(events[0].value)
        deadline = asyncio.get_running_loop().time() + LINGER_SECONDS
        while records < MAX_RECORDS and (left := deadline - asyncio.get_running_loop().time()) > 0:
            try:
                event = await asyncio.wait_for(self._chunks.get(), left)
            except TimeoutError:
                break
            self._update_room()
            events.append(event)
            records += len(event.value)
        return events

    async def _take(self, events: list[Any], writing: asyncio.Future[None]) -> Batch:
        chunks = [
            (self._kinds[e.message.topic], e.message.partition, e.value)
            for e in events
            if e.message.topic in self._kinds
        ]
        failed = False

        async def attempt() -> Batch:
            nonlocal failed
            if self._rebalanced or failed:
                await asyncio.wait([writing])  # What is loaded again must include that batch.
                self._rebalanced = False
                self._engine.forget()
            failed = True
            return await self._in(self._taking, take)

        def take() -> Batch:
            while self._written:
                self._engine.written(self._written.pop())
            return self._engine.take(chunks)

        with metrics.TAKE_SECONDS.time():
            return await self._retry(attempt)

    async def _write(self, batch: Batch, events: list[Any]) -> None:
        refused = refusal_rows(
            (e.message.partition, e.value)
            for e in events
            if e.message.topic == self._prefix + REFUSALS
        )

        def attempt() -> None:
            write(self._store, batch)
            if refused:
                self._store.write_refusals(refused)

        with metrics.WRITE_SECONDS.time():
            # Copies are published before the checkpoint is written: after it, a failed copy would
            # not be retried.
            await self._retry(lambda: self._copy(batch.dead))
            await self._retry(lambda: self._publish_repeats(batch))
            await self._retry(lambda: self._in(self._writing, attempt))
        metrics.count(batch)
        batch.events.clear()
        batch.windows.clear()
        batch.repeated.clear()
        self._written.append(batch)
        self._begun.popleft()
        self._last_written = time.monotonic()
        mine = self._app.consumer.assignment()
        for event in events:
            key, tp = (
                (self._kinds.get(event.message.topic), event.message.partition),
                event.message.tp,
            )
            # A partition may have been reassigned meanwhile: what was written stands, and its new
            # owner acknowledges.
            if tp in mine and key not in batch.gaps:
                event.message.ack(self._app.consumer)
                metrics.mark_written(tp, event.value[-1])
                self._progress.wrote(tp, received_ms(event.value[-1]))

    async def _retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Call `attempt` until it succeeds.

        Raises:
            AppStoppedError: If the app stops before it succeeds.
        """
        wait, failed = 0.2, False
        try:
            while True:
                try:
                    return await attempt()
                except AppStoppedError:
                    raise
                except Exception as error:
                    if self._app.should_stop:
                        raise AppStoppedError from error
                    self._failing, failed = self._failing + (not failed), True
                    metrics.RETRIES.inc()
                    log.warning(
                        "batch not written, trying again in %.1f s: %s",
                        wait,
                        str(error).partition("Stack trace")[0].strip(),
                    )
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, 5)
        finally:
            self._failing -= failed

    async def _copy(self, letters: list[DeadLetter]) -> None:
        """Publish copies of dead letters to their topic, for other readers."""
        topic = self._prefix + DEAD_LETTERS
        sent = [
            await self._app.producer.send(
                topic,
                one.name.encode(),
                one.copy(),
                None,
                None,
                None,
            )
            for one in letters
        ]
        await asyncio.gather(*sent)

    async def _publish_repeats(self, batch: Batch) -> None:
        """Publish notices about the records that were dropped as repeats, for their senders."""
        sent = [
            await self._app.producer.send(
                self._prefix + REPEATS,
                f"{one.topic}/{one.partition}".encode(),
                value,
                None,
                None,
                None,
            )
            for one in repeats_by_partition(batch, self._prefix)
            if (value := msgspec.json.encode(one))
        ]
        await asyncio.gather(*sent)

    async def _go_back(self, batch: Batch) -> None:
        """Seek back to records that were lost in a rebalance or a restart of the fetcher."""
        for (kind, number), offset in batch.gaps.items():
            tp = TP(kind.topic(self._prefix), number)
            log.warning(
                "%s[%d]: a chunk is missing, fetching again from offset %d",
                tp.topic,
                number,
                offset,
            )
            await self._retry(partial(self._seek, tp, offset))

    async def _seek(self, tp: TP, offset: int) -> None:
        # This runs in the consumer's own thread, so not during a fetch. The partition may be
        # reassigned at this very moment.
        with suppress(IllegalStateError):
            if tp in self._app.consumer.assignment():
                await self._app.consumer.seek_wait({tp: offset})

    async def _in(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, work)
