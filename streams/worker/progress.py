"""Detect partitions that stall, by comparing Kafka's offsets with ClickHouse's checkpoints.

A partition can stall while its worker lives and other partitions proceed: then heartbeats pass and
screens would stay green. So progress is measured at both ends of the path, not reported by the code
in between. A stall is visible in the log (when it begins and when it ends), in the metrics, in
/readyz, and in the table `progress`, which the screens read.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import faust
from faust.types import TP

from schemas.events.kinds import KINDS
from schemas.moments import from_milliseconds
from schemas.settings import Settings
from streams.worker import metrics
from streams.worker.store import WorkerStore
from streams.worker.table_rows import ProgressRow

log = logging.getLogger(__name__)
CHECK_INTERVAL_SECONDS = 2.0
"""Seconds between two checks."""
ANSWER_SECONDS = 10.0
"""Seconds that Kafka and ClickHouse have to answer."""
MAX_SEEN = 512
"""Number of log ends remembered per partition; beyond it every second one is forgotten."""


class KindPartition(NamedTuple):
    """A partition of a kind's topic."""

    kind: str
    partition: int

    def __str__(self) -> str:
        """Return the partition's name for logs, such as `filing[0]`."""
        return f"{self.kind}[{self.partition}]"


class OffsetRange(NamedTuple):
    """The extent of a partition's log according to Kafka, in offsets."""

    end: int
    """Offset of the next record."""
    stable: int
    """Start of the oldest open transaction, else the end; only records before it can be read."""
    unreadable: tuple[int, int] = (0, 0)
    """`[from, to)`: the range read last, which holds only markers and aborted records."""

    def passed(self, written: int) -> int:
        """Return `written`, or a later offset if no record can be read in between."""
        since, until = self.unreadable
        return until if since <= written < until else written


@dataclass
class PartitionProgress:
    """The progress of a partition; times are seconds of a monotonic clock."""

    moved: float
    """When it was last written to, or had no lag."""
    written: int = 0
    """Offset up to which, exclusive, records are written or cannot be read."""
    end: int = 0
    """Offset of the next record."""
    stable: int = 0
    """Start of the oldest open transaction, else the end."""
    waits: deque[tuple[float, int]] = field(default_factory=deque)
    """(first seen, end) of log ends that are not written yet, oldest first."""
    stalled: bool = False
    """Whether the partition stalls."""

    @property
    def lag(self) -> int:
        """Return the number of records that are not written yet."""
        return max(self.end - self.written, 0)

    @property
    def held(self) -> bool:
        """Return whether the whole lag is due to an open transaction of a sender."""
        return self.stable <= self.written < self.end


class StallDetector:
    """Tracks the progress of partitions; no I/O, no clock."""

    def __init__(self, stale_after: float) -> None:
        """Track no partition yet.

        Args:
            stale_after: Seconds without progress after which a partition with a lag stalls.
        """
        self._stale_after = stale_after
        self.partitions: dict[KindPartition, PartitionProgress] = {}

    def update(
        self,
        now: float,
        ranges: Mapping[KindPartition, OffsetRange],
        written: Mapping[KindPartition, int],
    ) -> list[str]:
        """Update the progress of the partitions of `ranges`; stop tracking all others.

        A partition stalls if it has had a lag for `stale_after` seconds and nothing was written in
        that time.

        Args:
            now: The time, in seconds of a monotonic clock.
            ranges: How far each assigned partition reaches.
            written: The offset of the next record to write, by partition.

        Returns:
            A line for the log for each partition that begins to stall, or that recovers.
        """
        lines = []
        self.partitions = {
            name: self.partitions.get(name) or PartitionProgress(now) for name in ranges
        }
        for name, one in self.partitions.items():
            one.stable = ranges[name].stable
            passed = ranges[name].passed(written.get(name, one.written))
            self._update(one, now, ranges[name].end, passed)
            idle = now - one.moved
            stalled = bool(one.waits) and idle >= self._stale_after
            if stalled and not one.stalled:
                why = "; a sender holds a transaction open" if one.held else ""
                lines.append(
                    f"{name} is stalled: lag {one.lag:,} records, "
                    f"nothing written for {idle:.0f} s{why}"
                )
            elif one.stalled and not stalled:
                lines.append(f"{name} is no longer stalled")
            one.stalled = stalled
        return lines

    def _update(self, one: PartitionProgress, now: float, end: int, written: int) -> None:
        one.end = end
        if written > one.written or not one.waits:
            one.moved = now
        one.written = max(written, one.written)
        while one.waits and one.waits[0][1] <= one.written:
            one.waits.popleft()
        if end > max(one.written, one.waits[-1][1] if one.waits else 0):
            if len(one.waits) >= MAX_SEEN:
                one.waits = deque(list(one.waits)[::2])
            one.waits.append((now, end))

    def stalled(self) -> list[str]:
        """Return phrases about the partitions that stall, for /readyz."""
        stalled = [(str(name), one) for name, one in self.partitions.items() if one.stalled]
        stuck = [name for name, one in stalled if not one.held]
        held = [
            f"{one.lag:,} records of {name} wait until a sender ends its transaction"
            for name, one in stalled
            if one.held
        ]
        return [*([f"nothing is written of {', '.join(stuck)}"] if stuck else []), *held]

    def rows(
        self, now: float, now_ms: int, received_ms: Mapping[KindPartition, int], worker: str
    ) -> list[ProgressRow]:
        """Return rows of the table `progress`.

        Args:
            now: The time, in seconds of the monotonic clock.
            now_ms: The same time, in milliseconds since 1970.
            received_ms: When the newest written record of each partition arrived.
            worker: The name of this worker.
        """

        def at(moment: float) -> datetime:
            return from_milliseconds(now_ms - round((now - moment) * 1000))

        return [
            ProgressRow(
                kind=name.kind,
                partition=name.partition,
                worker=worker,
                written=one.written,
                end=one.end,
                received_at=from_milliseconds(received_ms[name]) if name in received_ms else None,
                waits_since=at(one.waits[0][0]) if one.waits else None,
                moved_at=at(one.moved),
                at=from_milliseconds(now_ms),
            )
            for name, one in self.partitions.items()
        ]


class Progress:
    """Checks the partitions that are assigned to a worker, and reports their progress."""

    def __init__(self, app: faust.App, settings: Settings) -> None:
        """Prepare a connection and a thread.

        Args:
            app: The worker's app.
            settings: The installation's settings.
        """
        self._app = app
        self._topics = {kind.topic(settings.topic_prefix): kind.name for kind in KINDS}
        self._worker = f"{settings.host}:{settings.worker_port}"
        # A connection and a thread of its own: it must notice that the engine's hangs.
        self._store = WorkerStore(settings.clickhouse_url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="progress")
        self._received: dict[KindPartition, int] = {}
        self._problem = ""
        self.detector = StallDetector(settings.stale_after_seconds)

    def wrote(self, tp: TP, received_ms: int) -> None:
        """Store when the newest written record of a partition arrived."""
        if tp.topic in self._topics:
            self._received[KindPartition(self._topics[tp.topic], tp.partition)] = received_ms

    async def run(self) -> None:
        """Check the partitions until the app stops.

        Never raises: what failed is logged once and tried again.
        """
        while not self._app.should_stop:
            await asyncio.sleep(CHECK_INTERVAL_SECONDS)
            try:
                await self._check()
                self._problem = ""
            except Exception as error:
                problem = (
                    f"{type(error).__name__}: {str(error).partition('Stack trace')[0].strip()}"
                )
                if problem != self._problem:
                    log.warning("partitions could not be checked for stalls: %s", problem)
                self._problem = problem

    async def _check(self) -> None:
        mine = self._app.consumer.assignment()
        held = {
            KindPartition(self._topics[tp.topic], tp.partition): tp
            for tp in mine
            if tp.topic in self._topics
        }
        # Kafka first: what arrives while ClickHouse is queried is not lag.
        ranges = (
            await asyncio.wait_for(self._app.consumer.offset_ranges(held.values()), ANSWER_SECONDS)
            if held
            else {}
        )
        held = {name: tp for name, tp in held.items() if tp in ranges}
        problem, written = None, dict[KindPartition, int]()
        try:
            # A ClickHouse that hangs raises nothing; stalls must be reported all the same.
            query = self._in_thread(
                lambda: {KindPartition(*row[:2]): row[2] + 1 for row in self._store.checkpoints()}
            )
            written = await asyncio.wait_for(query, ANSWER_SECONDS)
        except Exception as error:  # While ClickHouse is away nothing is written: a stall, too.
            problem = error
        now = time.monotonic()
        detector = self.detector
        for line in detector.update(now, {name: ranges[tp] for name, tp in held.items()}, written):
            log.warning(line)
        metrics.set_lag(
            {held[name]: one.lag for name, one in detector.partitions.items()},
            {held[name] for name, one in detector.partitions.items() if one.stalled},
            mine,
        )
        self._received = {name: at for name, at in self._received.items() if name in held}
        rows = detector.rows(now, time.time_ns() // 1_000_000, self._received, self._worker)
        if problem:
            raise problem
        if rows:
            await self._in_thread(lambda: self._store.write_progress(rows))

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
