"""The order of work: whatever happens to workers, the store ends as the logs say."""

import random
import re
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from schemas.clickhouse.tables import events_table
from schemas.events.envelope import Reader, identity
from schemas.events.kinds import INDICATOR, MEETING
from streams.worker import fold
from streams.worker.batch import Batch, Chunk
from streams.worker.batch import write as write_batch
from streams.worker.engine import Engine
from streams.worker.rows import IDENTITY, Cell
from tests.sealing import SEALER
from tests.unit import crashing
from tests.unit.crashing import START, FakeStore, Kept, a_log, minute_of, simulate, truth

RUNS = 2000


def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, "MAX_CELLS", 20)
    monkeypatch.setattr(fold, "MAX_IDENTITIES", 30)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_the_store_ends_as_the_logs_say_whatever_happens(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_memory(monkeypatch)
    for seed in range(block * RUNS // 10, (block + 1) * RUNS // 10):
        store, logs = simulate(seed)
        for (kind, number), log in logs.items():
            right, kept = truth(kind, log), store.kept[kind, number]
            assert set(kept.events) == right.counted, f"seed {seed}: raw rows"
            assert {key: values[0] for key, (_, values) in kept.windows.items()} == dict(
                right.steps
            ), f"seed {seed}: windows"
            if kind is MEETING:
                assert {key: values[1] for key, (_, values) in kept.windows.items()} == dict(
                    right.live
                ), f"seed {seed}: windows"
            assert kept.letters == right.bad, f"seed {seed}: dead letters"


@pytest.mark.slow
def test_a_seed_replays_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    small_memory(monkeypatch)
    for seed in range(50):
        one, other = simulate(seed), simulate(seed)
        assert (one[0].kept, one[1]) == (other[0].kept, other[1]), seed


def test_the_logs_hold_all_that_can_go_wrong() -> None:
    """So that the test above is one.

    Repeats, conflicts, broken, late and future events are in the logs.
    """
    rng = random.Random(1)
    for kind in (MEETING, INDICATOR):
        log = a_log(rng, kind, 1000)
        read = [Reader().read(record.value or b"") for record in log if record.value != b"{broken"]
        right = truth(kind, log)
        assert len(log) - len(read) > 5, "broken"
        assert len(right.bad) - (len(log) - len(read)) > 5, "conflicts"
        assert len(read) - len(right.counted) - len(right.bad) > 5, "repeats"
        assert sum(one.time < START - timedelta(hours=12) for one in read) > 5, "late"
        assert sum(one.time > START + timedelta(hours=12) for one in read) > 5, "future"
        assert sum(one.time > two.time for one, two in pairwise(read)) > 5, "out of order"


@pytest.mark.slow
def test_the_simulation_notices_a_wrong_order_of_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """If windows were written before raw rows, some run would end wrong.

    The test above can fail.
    """

    def wrong(store: Any, batch: Batch) -> None:
        for kind, windows in batch.windows.items():
            store.write_windows(kind, windows)
        for kind, events in batch.events.items():
            store.write_events(kind, events)

    monkeypatch.setattr(crashing, "write_batch", wrong)
    outcomes = []
    for seed in range(100):
        store, logs = simulate(seed)
        outcomes += [
            set(store.kept[key].events) == truth(key[0], log).counted for key, log in logs.items()
        ]
    assert not all(outcomes)


@pytest.mark.slow
def test_where_the_log_starts_may_move_on_while_a_gap_is_looked_into(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Retention removes what was asked for, and more of it between two fetches.

    The worker goes on from what there is.
    """
    log = a_log(random.Random(3), MEETING, 250)
    caplog.set_level("ERROR")
    for seed in range(100):
        rng = random.Random(seed)
        store = FakeStore()
        engine = Engine(store, "t.", Reader(), SEALER)  # type: ignore[arg-type]
        write_batch(store, engine.take([(MEETING, 0, log[:10])]))  # type: ignore[arg-type]
        begin, fetch, since, fetches = 40, 40, 40, 0
        ahead: list[
            Chunk
        ] = []  # What was fetched before the worker asked to go back, and comes all the same.
        while store.kept[MEETING, 0].done < len(log) - 1:
            fetches += 1
            assert fetches < 200, f"seed {seed}: it goes back for ever"
            for _ in range(rng.randrange(1, 4)):
                if fetch < len(log):
                    ahead.append(Chunk(since, log[fetch : fetch + 10], begin))
                    fetch = since = fetch + len(ahead[-1])
            batch = engine.take([(MEETING, 0, chunk) for chunk in ahead[:2]])
            del ahead[:2]
            write_batch(store, batch)  # type: ignore[arg-type]
            engine.written(batch)
            if batch.gaps:
                begin = min(begin + rng.choice([0, 0, 7, 25]), 200)
                since = batch.gaps[MEETING, 0]
                fetch = max(since, begin)
                if rng.random() < 0.5:
                    ahead.clear()
        kept = store.kept[MEETING, 0]
        spans = re.findall(r"no longer has offsets (\d+) to (\d+)", caplog.text)
        told = [range(int(first), int(last) + 1) for first, last in spans]
        assert told[0].start == 10 and told[0].stop >= 40, f"seed {seed}: the loss is told"
        assert not any(offset in lost for lost in told for offset in kept.events), (
            f"seed {seed}: no more than the loss is told"
        )
        caplog.clear()
        there = [record for record in log[:10] + log[begin:] if record.offset not in kept.letters]
        assert {key: values[0] for key, (_, values) in kept.windows.items()} == windows_of(kept), (
            f"seed {seed}"
        )
        seen = {row[IDENTITY] for row in kept.events.values()}
        assert all(
            identity(Reader().read(record.value or b"").event_id) in seen for record in there
        ), f"seed {seed}: what there is, is counted"


def windows_of(kept: Kept) -> dict[tuple[int, Cell], int]:
    """Return steps per window of the rows that are kept."""
    position = [column.name for column in events_table(MEETING).columns]
    return dict(
        Counter(
            (minute_of(row), tuple(row[position.index(d)] for d in MEETING.dimensions))
            for row in kept.events.values()
        )
    )


def test_a_batch_that_is_tried_again_proves_no_gap() -> None:
    """The chunk that showed the gap comes again, as its batch could not be written.

    It is no news from Kafka.
    """
    log = a_log(random.Random(5), MEETING, 60)
    store = FakeStore()
    engine = Engine(store, "t.", Reader(), SEALER)  # type: ignore[arg-type]
    write_batch(store, engine.take([(MEETING, 0, log[:10])]))  # type: ignore[arg-type]
    for _ in range(3):
        assert engine.take([(MEETING, 0, log[20:40])]).gaps == {(MEETING, 0): 10}
        engine.forget()
    write_batch(store, engine.take([(MEETING, 0, log[10:60])]))  # type: ignore[arg-type]
    assert set(store.kept[MEETING, 0].events) == truth(MEETING, log).counted


def test_offsets_without_a_record_are_no_gap_but_records_that_went_astray_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What lies between is a transaction's marker, or aborted.

    The transport tells, and nothing is fetched again for it.
    """
    log = a_log(random.Random(7), MEETING, 60)
    del log[10:20]
    store = FakeStore()
    engine = Engine(store, "t.", Reader(), SEALER)  # type: ignore[arg-type]
    write_batch(store, engine.take([(MEETING, 0, Chunk(0, log[:10]))]))  # type: ignore[arg-type]
    assert engine.take([(MEETING, 0, Chunk(12, log[10:20]))]).gaps == {(MEETING, 0): 10}, (
        "nobody read 10 and 11"
    )
    batch = engine.take([(MEETING, 0, Chunk(10, log[10:20])), (MEETING, 0, Chunk(30, log[20:]))])
    write_batch(store, batch)  # type: ignore[arg-type]
    assert batch.gaps == {} and set(store.kept[MEETING, 0].events) == truth(MEETING, log).counted
    assert not caplog.records, "nothing is said to be lost"
