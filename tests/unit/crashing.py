"""Workers that crash, simulated in one process with a fake log and a fake store.

Seeded, with crashes at every step, zombies that write late, resends, late, reordered, contradicting
and future events, offsets without a record, chunks that get lost, two kinds and two partitions.
A failing seed fails again: `simulate(seed)` replays it.
"""

import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from schemas.events.codes import MeetingState
from schemas.events.envelope import Reader, RefusalError, body, identity, write
from schemas.events.kinds import INDICATOR, MEETING, Kind
from schemas.events.payloads import Event, Indicator, Meeting
from streams.worker.batch import Batch, Chunk
from streams.worker.batch import write as write_batch
from streams.worker.engine import Engine
from streams.worker.fold import Checkpoint
from streams.worker.rows import (
    BODY,
    IDENTITY,
    OCCURRED_AT,
    OFFSET,
    PARTITION,
    Cell,
    Columns,
    Row,
    folder,
)
from streams.worker.store import WorkerStore
from streams.worker.table_rows import DeadLetter
from tests.records import Record
from tests.sealing import SEALER
from tests.unit.repeatable import columns_of

START = datetime(2026, 11, 2, 1, tzinfo=UTC)
Key = tuple[Kind, int]
KEYS: tuple[Key, ...] = ((MEETING, 0), (MEETING, 1), (INDICATOR, 0))


def minute_of(row: Row) -> int:
    return int(row[OCCURRED_AT] // 60_000 * 60)


class CrashError(Exception):
    """The process dies here."""


@dataclass
class Kept:
    """What a store keeps of one partition.

    Rows keyed by offset, window values of which the newest offset wins.
    """

    events: dict[int, Row] = field(default_factory=dict)
    windows: dict[tuple[int, Cell], tuple[int, list[int]]] = field(default_factory=dict)
    letters: set[int] = field(default_factory=set)
    done: int = -1


class FakeStore:
    """ClickHouse as the engine sees it."""

    def __init__(self) -> None:
        self.kept: dict[Key, Kept] = {key: Kept() for key in KEYS}

    def write_dead_letters(self, letters: list[DeadLetter]) -> None:
        kinds = {kind.topic("t."): kind for kind, _ in KEYS}
        for one in letters:
            self.kept[kinds[one.topic], one.partition].letters.add(one.offset)

    def checkpoint(self, kind: Kind, partition: int) -> Checkpoint:
        kept = self.kept[kind, partition]
        return Checkpoint(
            kept.done,
            max(
                (minute_of(row) for row in kept.events.values() if row[OFFSET] <= kept.done),
                default=-1,
            ),
        )

    def windows(
        self, kind: Kind, partition: int, minutes: set[int]
    ) -> tuple[int, list[tuple[int, Cell, list[int]]]]:
        kept = self.kept[kind, partition]
        found: dict[int, dict[Cell, list[int]]] = {minute: {} for minute in minutes}
        rows = [
            row
            for row in kept.events.values()
            if row[OFFSET] <= kept.done and minute_of(row) in minutes
        ]
        if rows:
            folder(kind)([minute_of(row) for row in rows], columns_of(rows), found, [])
        return kept.done, [
            (minute, cell, [*counts[:-1], -1])
            for minute, cells in found.items()
            for cell, counts in cells.items()
        ]

    def identities(
        self, kind: Kind, partition: int, minutes: set[int], upto: int
    ) -> list[tuple[int, int, int]]:
        rows = [
            row
            for row in self.kept[kind, partition].events.values()
            if minute_of(row) in minutes and row[OFFSET] <= upto
        ]
        return [
            (minute_of(row), row[IDENTITY], row[BODY])
            for row in sorted(rows, key=lambda row: -row[OFFSET])
        ]

    def write_events(self, kind: Kind, columns: Columns) -> None:
        for row in zip(*columns, strict=True):
            self.kept[kind, row[PARTITION]].events[row[OFFSET]] = row

    def write_windows(self, kind: Kind, columns: Columns) -> None:
        cut = len(kind.dimensions)
        for start, partition, *rest in zip(*columns, strict=True):
            kept = self.kept[kind, partition]
            cell, values, upto = tuple(rest[:cut]), rest[cut:-1], rest[-1]
            if start == 0:
                kept.done = max(kept.done, upto)
            elif upto >= kept.windows.get((start, cell), (-1, []))[0]:
                kept.windows[start, cell] = (upto, values)


class View:
    """One worker's connection to the store.

    It can break before or after each write, and only for that worker.
    """

    def __init__(self, store: FakeStore, rng: random.Random, rate: float) -> None:
        self._store, self._rng, self._rate = store, rng, rate

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            if self._rng.random() < self._rate:
                raise CrashError(f"before {name}")
            answer = getattr(self._store, name)(*arguments)
            if name.startswith("write") and self._rng.random() < self._rate:
                raise CrashError(f"after {name}")
            return answer

        return call


def an_event(rng: random.Random, kind: Kind, time: datetime) -> Event:
    if kind is MEETING:
        said: dict[str, Any] = {
            "meeting_id": f"M{rng.randrange(5)}",
            "state": rng.choice(list(MeetingState)),
            "starts_at": time,
        }
        return Meeting(agency=rng.choice("AB"), commune=rng.choice("xy"), **said)
    said = {
        "indicator": rng.choice("ij"),
        "unit": "46",
        "period": "2026",
        "value": rng.random(),
        "reported_at": time,
    }
    return Indicator(agency=rng.choice("AB"), commune="", **said)


def a_log(rng: random.Random, kind: Kind, count: int) -> list[Record]:
    """Return a partition's log.

    Mostly in order, some late by days, some of the future, some repeated, contradicting or broken.
    """
    log: list[Record] = []
    sent: list[bytes] = []
    for number in range(count):
        time = START + timedelta(seconds=number * 7 + rng.randrange(60))
        if rng.random() < 0.1:
            time -= timedelta(days=rng.randrange(1, 400))
        elif rng.random() < 0.02:
            time += timedelta(days=rng.randrange(1, 400))
        event = an_event(rng, kind, time)
        value = write(kind, event, id=str(number), source="/s", time=time)
        chance = rng.random()
        if sent and chance < 0.15:
            value = rng.choice(sent)
        elif sent and chance < 0.18:
            value = (
                rng.choice(sent)
                .replace(b'"title":""', b'"title":"other"')
                .replace(b'"measure_unit":""', b'"measure_unit":"%"')
            )
        elif chance < 0.2:
            value = b"{broken"
        else:
            sent.append(value)
        key = b"" if value == b"{broken" else kind.entity_id(Reader().read(value).data).encode()
        log.append(Record(number, 0, key, value))
    return log


@dataclass
class Truth:
    """What a log comes to, by the plainest code.

    The first of an identity counts, one that says otherwise is a dead letter.
    """

    counted: set[int] = field(default_factory=set)
    steps: Counter[tuple[int, Cell]] = field(default_factory=Counter)
    live: Counter[tuple[int, Cell]] = field(default_factory=Counter)
    bad: set[int] = field(default_factory=set)


def truth(kind: Kind, log: list[Record]) -> Truth:
    found = Truth()
    seen: dict[int, int] = {}
    for record in log:
        try:
            read = Reader().read(record.value or b"")
        except RefusalError:
            found.bad.add(record.offset)
            continue
        first = identity(read.event_id) not in seen
        if seen.setdefault(identity(read.event_id), body(read)) != body(read):
            found.bad.add(record.offset)
        elif first:
            window = (
                int(read.time.timestamp()) // 60 * 60,
                tuple(getattr(read.data, name) for name in kind.dimensions),
            )
            found.counted.add(record.offset)
            found.steps[window] += 1
            found.live[window] += kind is MEETING and read.data.state is MeetingState.LIVE
    return found


Logs = dict[Key, list[Record]]


class Worker:
    """A worker as it runs: the next batch may be taken in while one is being written.

    Both die together.
    """

    def __init__(self, store: FakeStore, rng: random.Random, rate: float, logs: Logs) -> None:
        self._view: Any = View(store, rng, rate)
        self._rng, self._logs = rng, logs
        self._next = {key: store.kept[key].done + 1 for key in logs}
        self._engine = Engine(cast(WorkerStore, self._view), "t.", Reader(), SEALER)
        self._unreadable: dict[Key, tuple[int, int]] = {}
        self.held: list[Batch] = []

    def _fetch(self, key: Key, start: int, end: int) -> Chunk:
        """Return the records at the offsets `[start, end)`, as the transport gives them."""
        since, until = self._unreadable.get(key, (start, start))
        begin = since if until == start else start
        chunk = Chunk(begin, [record for record in self._logs[key] if start <= record.offset < end])
        self._unreadable[key] = (chunk[-1].offset + 1 if chunk else begin, end)
        return chunk

    def take(self) -> None:
        """Take in some chunks of some partitions, at times what was taken before.

        A gap is fetched again.
        """
        chunks: list[tuple[Kind, int, list[Record]]] = []
        ends: dict[Key, int] = {}
        for _ in range(self._rng.randrange(1, 5)):
            key = self._rng.choice(list(self._logs))
            back = self._rng.randrange(20) if self._rng.random() < 0.2 else 0
            start = ends.get(key, max(0, min(self._next[key], self._logs[key][-1].offset) - back))
            ends[key] = start + self._rng.randrange(1, 20)
            chunk = self._fetch(key, start, ends[key])
            lost = self._rng.random() < 0.05
            chunks += [(*key, chunk)] if chunk and not lost else []
        try:
            batch = self._engine.take(chunks)
        except CrashError:
            self.write_all()
            self._engine.forget()
            return
        self._next |= ends | batch.gaps
        self.held.append(batch)

    def write(self) -> None:
        """Write the oldest batch in hand, which may break anywhere.

        It is kept until it is written.
        """
        write_batch(self._view, self.held[0])
        self._engine.written(self.held.pop(0))

    def write_all(self) -> None:
        """Write what is in hand, however often it breaks."""
        while self.held:
            with suppress(CrashError):
                self.write()


def simulate(seed: int) -> tuple[FakeStore, Logs]:
    rng = random.Random(seed)
    logs = {
        key: a_log(rng, key[0], rng.randrange(1, 90))
        for key in KEYS[: rng.randrange(1, len(KEYS) + 1)]
    }
    for (
        log
    ) in logs.values():  # Markers of transactions, aborted records: offsets that nobody can read.
        log[:] = [record for record in log if rng.random() > 0.2] or log
    store = FakeStore()
    rate = rng.choice([0, 0.02, 0.15])
    workers = [Worker(store, rng, rate, logs) for _ in range(rng.randrange(1, 4))]
    zombies: list[Worker] = []
    while zombies or any(store.kept[key].done < log[-1].offset for key, log in logs.items()):
        which = rng.randrange(len(workers))
        worker, chance = workers[which], rng.random()
        if zombies and chance < 0.3:  # A zombie wakes up and writes what it held, however old.
            zombies.pop(rng.randrange(len(zombies))).write_all()
        elif chance < 0.37:  # It is stopped here, or dies: what it held is written later, or never.
            if worker.held and rng.random() < 0.5:
                zombies.append(worker)
            workers[which] = Worker(store, rng, rate, logs)
        elif len(worker.held) < 2 and chance < 0.7:
            worker.take()
        elif worker.held:
            with suppress(CrashError):
                worker.write()
    return store, logs
