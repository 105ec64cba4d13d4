"""Properties of the fold: windows are the same however a log is cut, forgotten and ordered."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.clickhouse import tables
from schemas.events.codes import MeetingState
from schemas.events.envelope import Reader, write
from schemas.events.kinds import MEETING
from schemas.events.payloads import Meeting
from streams.worker import fold
from streams.worker.fold import Checkpoint, Judged, Partition, minutes_of
from streams.worker.rows import BODY, IDENTITY, OCCURRED_AT, OFFSET, Columns, Row
from tests.unit.repeatable import columns_of, repeatable, row_of

pytestmark = pytest.mark.slow
START = datetime(2026, 11, 2, tzinfo=UTC)
LOG = st.lists(st.tuples(st.integers(0, 12), st.sampled_from("AAAB")), max_size=40)
"""Which identity a record has (and with it its time), and what it says.

A repeat, or a conflict if it says otherwise.
"""


def a_row(number: int, agency: str, offset: int) -> Row:
    time = START + timedelta(minutes=number * 7 % 5, seconds=number)
    event = Meeting(
        agency=agency,
        commune=str(number % 2),
        meeting_id="M",
        state=list(MeetingState)[number % 4],
        starts_at=START,
    )
    return row_of(
        Reader().read(write(MEETING, event, id=str(number), source="/s", time=time)), offset
    )


def minute_of(row: Row) -> int:
    return int(row[OCCURRED_AT] // 60_000 * 60)


def judged_by(partition: Partition, rows: list[Row]) -> Judged:
    columns = columns_of(rows)
    return partition.judge(minutes_of(columns), columns)


class Store:
    """Raw rows and a checkpoint, from which a partition loads what it let go of."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.checkpoint = Checkpoint()
        self.windows: dict[tuple[Any, ...], tuple[int, ...]] = {}

    def load(self, partition: Partition, rows: list[Row]) -> None:
        missing = partition.missing(map(minute_of, rows))
        mine = [row for row in self.rows if minute_of(row) in missing]
        model = counts(mine)
        partition.load(
            missing,
            [(minute_of(row), row[IDENTITY], row[BODY]) for row in mine],
            [
                (minute, cell, [*values, -1])
                for (minute, *cell_), values in model.items()
                for cell in [tuple(cell_)]
            ],
        )

    def write(self, judged: Judged, written: Columns) -> None:
        self.rows += zip(*judged.columns, strict=True)
        for start, _, agency, commune, *values, upto in zip(*written, strict=True):
            if start:
                self.windows[start, agency, commune] = tuple(values)
            else:
                self.checkpoint = Checkpoint(
                    upto, max((minute_of(row) for row in self.rows), default=-1)
                )


def counts(rows: list[Row]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Return windows of rows, by the plainest code.

    (minute, agency, commune) → (steps, live, ended, cancelled).
    """
    names = [column.name for column in tables.events_table(MEETING).columns]
    found: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        one = dict(zip(names, row, strict=True))
        window = (one["occurred_at"] // 60000 * 60, one["agency"], one["commune"])
        found[(*window, "steps")] += 1
        found[(*window, one["state"])] += 1
    return {
        key[:3]: tuple(found[(*key[:3], what)] for what in ("steps", "live", "ended", "cancelled"))
        for key in found
    }


@settings(repeatable, max_examples=300)
@given(log=LOG, data=st.data())
def test_windows_are_the_same_however_a_log_is_cut_forgotten_and_begun_again(
    log: list[tuple[int, str]], data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold, "MAX_IDENTITIES", data.draw(st.integers(0, 6)))
        patch.setattr(fold, "MAX_CELLS", data.draw(st.integers(0, 6)))
        records = [a_row(number, agency, offset) for offset, (number, agency) in enumerate(log)]
        store, start, partition = Store(), 0, Partition(MEETING, 0, Checkpoint())
        while start < len(records):
            chunk = records[start : start + data.draw(st.integers(1, 15))]
            happens = data.draw(
                st.sampled_from(
                    ["goes on", "goes on", "forgets", "begins again", "dies before it writes"]
                )
            )
            if happens == "begins again":
                partition = Partition(MEETING, 0, store.checkpoint)
            store.load(partition, chunk)
            judged = judged_by(partition, chunk)
            partition.fold(judged, chunk[-1][OFFSET])
            written = partition.changes()
            if happens == "dies before it writes":
                partition = Partition(MEETING, 0, store.checkpoint)
                continue
            store.write(judged, written)
            partition.written = partition.position
            start += len(chunk)
            if happens == "forgets":
                partition.forget_old(1)
    first: dict[int, Row] = {}
    for row in records:
        first.setdefault(row[IDENTITY], row)
    assert store.rows == list(first.values())
    assert store.windows == counts(store.rows)


@settings(repeatable, max_examples=100)
@given(numbers=st.lists(st.integers(0, 30), unique=True, max_size=20), data=st.data())
def test_windows_do_not_depend_on_the_order_in_which_events_come(
    numbers: list[int], data: st.DataObject
) -> None:
    def windows(order: list[int]) -> dict[tuple[Any, ...], tuple[int, ...]]:
        partition, store = Partition(MEETING, 0, Checkpoint()), Store()
        rows = [a_row(number, "A", offset) for offset, number in enumerate(order)]
        store.load(partition, rows)
        if rows:
            judged = judged_by(partition, rows)
            partition.fold(judged, len(rows))
            store.write(judged, partition.changes())
        return store.windows

    assert windows(numbers) == windows(data.draw(st.permutations(numbers)))
