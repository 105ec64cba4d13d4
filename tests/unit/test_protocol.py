"""The order of work, simulated in one process with a fake log and a fake store: seeded, with crashes at every step, zombies that
write late, resends, late and reordered events. Whatever happens, the store ends as the log says. A failing seed fails again."""

import random
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.codes import MeetingState
from schemas.envelope import Reader, Refusal, body, identity, write
from schemas.events import Meeting
from schemas.kinds import MEETING, Kind
from streams import fold
from streams.batch import Batch
from streams.batch import write as write_batch
from streams.engine import Engine
from streams.fold import Checkpoint, minute_of
from streams.rows import BODY, IDENTITY, OFFSET, Cell, Columns, Row

START = datetime(2026, 11, 2, 1, tzinfo=UTC)


@dataclass
class Record:
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Crash(Exception):
    """The process dies here."""


@dataclass
class FakeStore:
    """ClickHouse as the engine sees it: rows keyed by offset, window values of which the newest offset wins."""

    events: dict[int, Row] = field(default_factory=dict)
    windows: dict[tuple[int, Cell], tuple[int, list[int]]] = field(default_factory=dict)
    letters: set[int] = field(default_factory=set)
    done: int = -1

    def write_dead_letters(self, rows: list[tuple[Any, ...]]) -> None:
        self.letters |= {row[2] for row in rows}

    def checkpoint(self, kind: Kind, partition: int) -> Checkpoint:
        return Checkpoint(self.done, max((start for start, _ in self.windows), default=-1))

    def read_windows(self, minutes: set[int]) -> tuple[int, list[tuple[int, Cell, list[int]]]]:
        return self.done, [(start, cell, [*v, upto]) for (start, cell), (upto, v) in self.windows.items() if start in minutes]

    def identities(self, kind: Kind, partition: int, minutes: set[int], upto: int) -> list[tuple[int, int, int]]:
        rows = sorted(
            (row for row in self.events.values() if minute_of(row) in minutes and row[OFFSET] <= upto), key=lambda r: -r[OFFSET]
        )
        return [(minute_of(row), row[IDENTITY], row[BODY]) for row in rows]

    def write_events(self, kind: Kind, columns: Columns) -> None:
        self.events |= {row[OFFSET]: row for row in zip(*columns, strict=True)}

    def write_windows(self, kind: Kind, columns: Columns) -> None:
        cut = 2 + len(kind.dimensions)
        for start, _partition, *rest in zip(*columns, strict=True):
            cell, values, upto = tuple(rest[: cut - 2]), rest[cut - 2 : -1], rest[-1]
            if start == 0:
                self.done = max(self.done, upto)
            elif upto >= self.windows.get((start, cell), (-1, []))[0]:
                self.windows[start, cell] = (upto, values)


class View:
    """One worker's connection to the store: it can break before or after each write, and only for that worker."""

    def __init__(self, store: FakeStore, rng: random.Random, rate: float) -> None:
        self._store, self._rng, self._rate = store, rng, rate

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            if self._rng.random() < self._rate:
                raise Crash(f"before {name}")
            if name == "windows":
                return self._store.read_windows(arguments[2])
            answer = getattr(self._store, name)(*arguments)
            if name.startswith("write") and self._rng.random() < self._rate:
                raise Crash(f"after {name}")
            return answer

        return call


def a_log(rng: random.Random, count: int) -> list[Record]:
    """A partition's log: mostly in order, some late by days, some repeated, some contradicting, some broken."""
    log: list[Record] = []
    sent: list[bytes] = []
    for number in range(count):
        time = START + timedelta(seconds=number * 7 + rng.randrange(60))
        if rng.random() < 0.1:
            time -= timedelta(days=rng.randrange(1, 400))
        entity = f"M{rng.randrange(5)}"
        event = Meeting(
            agency=rng.choice("AB"),
            commune=rng.choice("xy"),
            meeting_id=entity,
            state=rng.choice(list(MeetingState)),
            starts_at=time,
        )
        value = write(MEETING, event, id=str(number), source="/s", time=time)
        chance = rng.random()
        if sent and chance < 0.15:
            value = rng.choice(sent)
        elif sent and chance < 0.18:
            value = rng.choice(sent).replace(b'"title":""', b'"title":"other"')
        elif chance < 0.2:
            value = b"{broken"
        else:
            sent.append(value)
        key = entity.encode()
        if value != b"{broken":
            key = MEETING.entity_id(Reader().read(value).data).encode()
        log.append(Record(number, 0, key, value))
    return log


def truth(log: list[Record]) -> tuple[set[int], Counter[tuple[int, Cell]], set[int]]:
    """Offsets that count, steps per window, and offsets of dead letters, by the plainest code: the first of an identity counts."""
    seen: dict[int, int] = {}
    counted: set[int] = set()
    bad: set[int] = set()
    told: set[int] = set()
    steps: Counter[tuple[int, Cell]] = Counter()
    for record in log:
        try:
            read = Reader().read(record.value or b"")
        except Refusal:
            bad.add(record.offset)
            continue
        if seen.setdefault(identity(read.event_id), body(read)) != body(read):
            bad.add(record.offset)
        elif identity(read.event_id) not in told:
            told.add(identity(read.event_id))
            counted.add(record.offset)
            steps[int(read.time.timestamp()) // 60 * 60, (read.data.agency, read.data.commune)] += 1
    return counted, steps, bad


class Worker:
    """A worker as it runs: the next batch may be taken in while one is being written; both die together."""

    def __init__(self, view: View, log: list[Record], start: int) -> None:
        self._view, self._log, self._next = view, log, start
        self._engine = Engine(view, "t.", Reader())  # type: ignore[arg-type]
        self.held: list[Batch] = []

    def take(self, rng: random.Random) -> None:
        """Take in some chunks, at times some that were taken before; a gap is fetched again."""
        chunks, end = [], max(0, min(self._next, len(self._log) - 1) - (rng.randrange(20) if rng.random() < 0.2 else 0))
        for _ in range(rng.randrange(1, 5)):  # A batch may hold several chunks of a partition.
            chunks.append(self._log[end : end + rng.randrange(1, 20)])
            end += len(chunks[-1])
        try:
            batch = self._engine.take([(MEETING, 0, chunk) for chunk in chunks if chunk])
        except Crash:
            self.write_all()
            self._engine.forget()
            return
        self._next = batch.gaps.get((MEETING, 0), end)
        self.held.append(batch)

    def write(self) -> None:
        """Write the oldest batch in hand, which may break anywhere; it is kept until it is written."""
        write_batch(self._view, self.held[0])  # type: ignore[arg-type]
        self._engine.written(self.held.pop(0))

    def write_all(self) -> None:
        """Write what is in hand, however often it breaks."""
        while self.held:
            with suppress(Crash):
                self.write()


def simulate(seed: int) -> tuple[FakeStore, list[Record]]:
    rng = random.Random(seed)
    log = a_log(rng, rng.randrange(1, 200))
    store = FakeStore()
    rate = rng.choice([0, 0.02, 0.15])
    workers = [Worker(View(store, rng, rate), log, 0) for _ in range(rng.randrange(1, 4))]
    zombies: list[Worker] = []
    while store.done < len(log) - 1 or zombies:
        which = rng.randrange(len(workers))
        worker, chance = workers[which], rng.random()
        if zombies and chance < 0.3:  # A zombie wakes up and writes what it held, however old.
            zombies.pop(rng.randrange(len(zombies))).write_all()
        elif chance < 0.4:  # It is stopped here, or dies: what it held is written later, or never.
            if worker.held and rng.random() < 0.5:
                zombies.append(worker)
            workers[which] = Worker(View(store, rng, rate), log, store.done + 1)
        elif len(worker.held) < 2 and chance < 0.7:
            worker.take(rng)
        elif worker.held:
            with suppress(Crash):
                worker.write()
    return store, log


@pytest.mark.parametrize("block", range(10))
def test_the_store_ends_as_the_log_says_whatever_happens(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, "MOST_CELLS", 20)
    monkeypatch.setattr(fold, "MOST_IDENTITIES", 30)
    for seed in range(block * 100, block * 100 + 100):
        store, log = simulate(seed)
        counted, steps, bad = truth(log)
        assert set(store.events) == counted, f"seed {seed}: raw rows"
        assert {key: values[0] for key, (_, values) in store.windows.items()} == dict(steps), f"seed {seed}: windows"
        assert store.letters == bad, f"seed {seed}: dead letters"


def test_the_simulation_notices_a_wrong_order_of_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """If windows were written before raw rows, some run would end wrong: the test above can fail."""

    def wrong(store: Any, batch: Batch) -> None:
        for kind, windows in batch.windows.items():
            store.write_windows(kind, windows)
        for kind, events in batch.events.items():
            store.write_events(kind, events)

    monkeypatch.setattr(sys.modules[__name__], "write_batch", wrong)
    outcomes = []
    for seed in range(300):
        store, log = simulate(seed)
        outcomes.append(set(store.events) == truth(log)[0])
    assert not all(outcomes)
