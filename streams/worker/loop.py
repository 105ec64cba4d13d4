"""The loop that takes batches of chunks through the engine and into the store: it never raises and never gives up.

While a batch is being written the next one is taken in: the one waits for ClickHouse, the other is Python's work.
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
from streams.worker.progress import Progress
from streams.worker.pulse import HeartbeatWriter
from streams.worker.store import WorkerStore
from streams.worker.table_rows import DeadLetter

log = logging.getLogger(__name__)
T = TypeVar("T")
LINGER = 0.05
"""Seconds to wait for more chunks once there is one: fewer, larger inserts."""
MAX_RECORDS = 40_000
"""Records in a batch, about: one insert of so many costs ClickHouse two thirds of what two of half as many do."""
MAX_CHUNKS = 8
"""Chunks that wait, of a MB each at most, when no more are fetched."""


class AppStoppedError(Exception):
    """The app stops: what is in hand will be read again by the partition's next owner."""


class Work:
    """Chunks come in by `put`, are written by `run`, and then acknowledged. Those of heartbeats go their own way: `pulse`."""

    def __init__(self, app: faust.App, settings: Settings, progress: Progress) -> None:
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
        self.pulse = HeartbeatWriter(app, settings, lambda: not self.stands_still())
        # clickhouse-driver wants a thread for each connection, and the event loop must breathe: heartbeats to Kafka, the web port.
        self._taking = ThreadPoolExecutor(1, thread_name_prefix="take")
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._written: list[Batch] = []
        self._rebalanced = False
        self._begun: deque[float] = deque()
        self._patience = settings.stale_after_seconds / 2
        self._last_written = 0.0
        self._failing = 0

    @property
    def in_hand_since(self) -> float | None:
        """When the oldest batch in hand was begun (monotonic clock); None between batches. A store that hangs raises nothing."""
        return self._begun[0] if self._begun else None

    def stands_still(self) -> bool:
        """Whether a batch is in hand and none gets written: a try failed, or the last is long ago."""
        since = self.in_hand_since
        return self._failing > 0 or (
            since is not None and time.monotonic() - max(since, self._last_written) > self._patience
        )

    def is_urgent(self, tp: TP) -> bool:
        """Whether what comes from a partition goes ahead of what waits."""
        return bool(tp.topic == self._prefix + HEARTBEATS)

    @property
    def wants_urgent(self) -> bool:
        """Whether there is room for more of it."""
        return not self.pulse.full

    async def room(self, seconds: float) -> bool:
        """Whether there is room for more chunks, or is within so many seconds: memory stays bounded while the engine is behind."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._room.wait()
        return self._room.is_set()

    def put(self, event: Any) -> None:
        """Queue a chunk."""
        if self.is_urgent(event.message.tp):
            self.pulse.put(event)
        else:
            self._chunks.put_nowait(event)
            self._mark_room()

    def _mark_room(self) -> None:
        if self._chunks.qsize() < MAX_CHUNKS:
            self._room.set()
        else:
            self._room.clear()

    def rebalanced(self) -> None:
        """Partitions came or went: what is remembered of them may be outdated."""
        self._rebalanced = True

    async def run(self) -> None:
        """Take in batches until the app stops."""
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
                        del event.value[
                            :-1
                        ]  # What was taken in is in the batch; the last record tells how far that is.
                await writing
                writing = asyncio.ensure_future(self._write(batch, events))
        except AppStoppedError:
            pass
        finally:
            with suppress(AppStoppedError):
                await writing

    async def _gather(self) -> list[Any]:
        events = [await self._chunks.get()]
        self._mark_room()
        records = len(events[0].value)
        deadline = asyncio.get_running_loop().time() + LINGER
        while records < MAX_RECORDS and (left := deadline - asyncio.get_running_loop().time()) > 0:
            try:
                event = await asyncio.wait_for(self._chunks.get(), left)
            except TimeoutError:
                break
            self._mark_room()
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
                await asyncio.wait([writing])  # What is loaded anew must hold what was in hand.
                self._rebalanced = False
                self._engine.forget()
            failed = True
            return await self._in(self._taking, take)

        def take() -> Batch:
            while self._written:
                self._engine.written(self._written.pop())
            return self._engine.take(chunks)

        with metrics.TAKE_SECONDS.time():
            return await self._insist(attempt)

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
            # The copies before the checkpoint moves past them: after it, one that failed would not be made again.
            await self._insist(lambda: self._copy(batch.dead))
            await self._insist(lambda: self._tell_repeats(batch))
            await self._insist(lambda: self._in(self._writing, attempt))
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
            # A partition may have moved to another worker meanwhile: what was written stands, its new owner acknowledges.
            if tp in mine and key not in batch.gaps:
                event.message.ack(self._app.consumer)
                metrics.progress(tp, event.value[-1])
                self._progress.wrote(tp, received_ms(event.value[-1]))

    async def _insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until it succeeds. Raises `AppStoppedError` when the app stops and it still does not."""
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
                        "not written, trying again in %.1f s: %s",
                        wait,
                        str(error).partition("Stack trace")[0].strip(),
                    )
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, 5)
        finally:
            self._failing -= failed

    async def _copy(self, letters: list[DeadLetter]) -> None:
        """Tell other readers of dead letters, by their topic."""
        topic = self._prefix + DEAD_LETTERS
        sent = [
            await self._app.producer.send(
                topic,
                f"{one.topic}/{one.partition}/{one.offset}".encode(),
                one.copy(),
                None,
                None,
                None,
            )
            for one in letters
        ]
        await asyncio.gather(*sent)

    async def _tell_repeats(self, batch: Batch) -> None:
        """Tell who sent them of records that were dropped as repeats."""
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
        """Fetch again what a rebalance or a restart of the fetcher let slip."""
        for (kind, number), offset in batch.gaps.items():
            tp = TP(kind.topic(self._prefix), number)
            log.warning(
                "%s[%d]: a chunk is missing, fetching again from %d", tp.topic, number, offset
            )
            await self._insist(partial(self._seek, tp, offset))

    async def _seek(self, tp: TP, offset: int) -> None:
        # In the consumer's own thread, which is not in the middle of a fetch then. The partition may move this very moment.
        with suppress(IllegalStateError):
            if tp in self._app.consumer.assignment():
                await self._app.consumer.seek_wait({tp: offset})

    async def _in(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, work)
