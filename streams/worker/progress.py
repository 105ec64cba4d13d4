"""Is every partition moving? What Kafka holds against what ClickHouse has counted, for the partitions of a worker.

A partition can stand still while its worker lives and the others flow: then heartbeats pass and screens would stay green. So
progress is measured at both ends of the way, not told by the code in between. A stall is said in the log (once when it begins and
once when it ends), in the metrics, in /readyz, and in the table `progress`, from which the screens know.
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
LOOK_INTERVAL_SECONDS = 2.0
"""Seconds between two looks."""
STALL_SECONDS = 10.0
"""Seconds that Kafka has to say where partitions end."""
MAX_SEEN = 512


class KindPartition(NamedTuple):
    """A partition of a kind's topic."""

    kind: str
    partition: int

    def __str__(self) -> str:
        return f"{self.kind}[{self.partition}]"


class OffsetRange(NamedTuple):
    """How far a partition reaches, as Kafka says; offsets."""

    end: int
    """Where the next record will lie."""
    stable: int
    """Where the oldest open transaction begins; the end where there is none. Only what is before it can be read."""
    unreadable: tuple[int, int] = (0, 0)
    """`[from, to)`: read last, and found to hold no record; markers and aborted records of transactions lie there."""

    def passed(self, written: int) -> int:
        """`written`, or further where nothing can be read from there on."""
        since, until = self.unreadable
        return until if since <= written < until else written


@dataclass
class PartitionStanding:
    """How a partition stands; times are seconds of a clock that never jumps."""

    moved: float
    """When it was last written to, or had nothing to write."""
    written: int = 0
    """Offset up to which, itself not included, records are written, or cannot be read."""
    end: int = 0
    stable: int = 0
    """Offset of the oldest open transaction, or the end."""
    waits: deque[tuple[float, int]] = field(default_factory=deque)
    """Ends of the partition that are not written yet, with when they were first seen, oldest first."""
    stalled: bool = False

    @property
    def lag(self) -> int:
        """Records that wait to be written."""
        return max(self.end - self.written, 0)

    @property
    def held(self) -> bool:
        """Whether all that waits waits for a sender to end its transaction."""
        return self.stable <= self.written < self.end


class Watch:
    """Follows partitions from look to look; no I/O, no clock."""

    def __init__(self, stale_after: float) -> None:
        self._stale_after = stale_after
        self.partitions: dict[KindPartition, PartitionStanding] = {}

    def look(
        self,
        now: float,
        extents: Mapping[KindPartition, OffsetRange],
        written: Mapping[KindPartition, int],
    ) -> list[str]:
        """Take in how far the partitions of `extents` reach and are written; others are no longer followed.

        Returns what there is to say: a line for each partition that stands still since, or moves again. One stands still that has
        had records to write for `stale_after` seconds and of which none was written in that time.
        """
        said = []
        self.partitions = {
            place: self.partitions.get(place) or PartitionStanding(now) for place in extents
        }
        for place, one in self.partitions.items():
            one.stable = extents[place].stable
            self._take_in(
                one, now, extents[place].end, extents[place].passed(written.get(place, one.written))
            )
            still = now - one.moved
            stalled = bool(one.waits) and still >= self._stale_after
            if stalled and not one.stalled:
                why = "; their sender holds a transaction open" if one.held else ""
                said.append(
                    f"{place} stands still: {one.lag:,} records wait, none was written for {still:.0f} s{why}"
                )
            elif one.stalled and not stalled:
                said.append(f"{place} moves again")
            one.stalled = stalled
        return said

    def _take_in(self, one: PartitionStanding, now: float, end: int, written: int) -> None:
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
        """What there is to say of the partitions that stand still."""
        still = [(str(place), one) for place, one in self.partitions.items() if one.stalled]
        stuck = [name for name, one in still if not one.held]
        held = [
            f"{one.lag:,} records of {name} wait until a sender ends its transaction"
            for name, one in still
            if one.held
        ]
        return [*([f"nothing is written of {', '.join(stuck)}"] if stuck else []), *held]

    def rows(
        self, now: float, now_ms: int, received_ms: Mapping[KindPartition, int], worker: str
    ) -> list[ProgressRow]:
        """Rows of the table `progress`."""

        def at(moment: float) -> datetime:
            return from_milliseconds(now_ms - round((now - moment) * 1000))

        return [
            ProgressRow(
                kind=place.kind,
                partition=place.partition,
                worker=worker,
                written=one.written,
                end=one.end,
                received_at=from_milliseconds(received_ms[place]) if place in received_ms else None,
                waits_since=at(one.waits[0][0]) if one.waits else None,
                moved_at=at(one.moved),
                at=from_milliseconds(now_ms),
            )
            for place, one in self.partitions.items()
        ]


class Progress:
    """Looks at the partitions that a worker holds until it stops. Never raises: what cannot be asked is asked again."""

    def __init__(self, app: faust.App, settings: Settings) -> None:
        self._app = app
        self._topics = {kind.topic(settings.topic_prefix): kind.name for kind in KINDS}
        self._worker = f"{settings.host}:{settings.worker_port}"
        # A connection and a thread of its own: it must see that the engine's hangs.
        self._store = WorkerStore(settings.clickhouse_url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="progress")
        self._received: dict[KindPartition, int] = {}
        self._trouble = ""
        self.watch = Watch(settings.stale_after_seconds)

    def wrote(self, tp: TP, received_ms: int) -> None:
        """Note when the newest written record of a partition arrived."""
        if tp.topic in self._topics:
            self._received[KindPartition(self._topics[tp.topic], tp.partition)] = received_ms

    async def run(self) -> None:
        """Look until the app stops."""
        while not self._app.should_stop:
            await asyncio.sleep(LOOK_INTERVAL_SECONDS)
            try:
                await self._look()
                self._trouble = ""
            except Exception as error:
                trouble = (
                    f"{type(error).__name__}: {str(error).partition('Stack trace')[0].strip()}"
                )
                if trouble != self._trouble:
                    log.warning("progress could not be looked at: %s", trouble)
                self._trouble = trouble

    async def _look(self) -> None:
        mine = self._app.consumer.assignment()
        held = {
            KindPartition(self._topics[tp.topic], tp.partition): tp
            for tp in mine
            if tp.topic in self._topics
        }
        # Kafka first: what comes in while ClickHouse is asked is no lag.
        extents = (
            await asyncio.wait_for(self._app.consumer.extents(held.values()), STALL_SECONDS)
            if held
            else {}
        )
        held = {place: tp for place, tp in held.items() if tp in extents}
        problem, written = None, dict[KindPartition, int]()
        try:
            # A ClickHouse that hangs raises nothing: what stands still must be said all the same.
            asked = self._in_thread(
                lambda: {KindPartition(*row[:2]): row[2] + 1 for row in self._store.checkpoints()}
            )
            written = await asyncio.wait_for(asked, STALL_SECONDS)
        except (
            Exception
        ) as error:  # Nothing moves as long as ClickHouse is away: that is seen, too.
            problem = error
        now = time.monotonic()
        for line in self.watch.look(
            now, {place: extents[tp] for place, tp in held.items()}, written
        ):
            log.warning(line)
        metrics.stand(
            {held[place]: one.lag for place, one in self.watch.partitions.items()},
            self._stalled(held),
            mine,
        )
        self._received = {place: at for place, at in self._received.items() if place in held}
        rows = self.watch.rows(now, time.time_ns() // 1_000_000, self._received, self._worker)
        if problem:
            raise problem
        if rows:
            await self._in_thread(lambda: self._store.write_progress(rows))

    def _stalled(self, held: Mapping[KindPartition, TP]) -> set[TP]:
        return {held[place] for place, one in self.watch.partitions.items() if one.stalled}

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
