"""Record what the screens showed.

A snapshot has the figures of the province and its units at a moment, and their hash. It is taken
from the live tables, at a moment when exactly the events that had arrived by then were counted. So
a replay of that moment, as known then, must have the same hash, whatever arrived late and whatever
was recomputed since.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import xxhash

from schemas.clickhouse import derivation
from schemas.clickhouse.columns import MOMENT, Column, Table
from schemas.clickhouse.lives import LIVES
from schemas.clickhouse.query import Query
from schemas.clickhouse.rows import RowCodec
from schemas.figures import FIGURES, Reading
from schemas.figures.aging import UNITS
from schemas.figures.questions import Execute, QueryMoment, ask_each
from schemas.reference import WorkingCalendar

DIGITS = 6
"""Decimals that count; beyond, sums of shares differ by the order in which they are added."""

SNAPSHOTS = Table(
    "snapshots",
    (
        Column("moment", MOMENT, "Moment of the snapshot: the newest arrival that was counted."),
        Column(
            "hash", "UInt64", "xxh3 of all figures of the province, its communes and its agencies."
        ),
        Column(
            "rules",
            "UInt64",
            "xxh3 of the queries: snapshots recorded by other rules cannot be compared.",
        ),
        Column("readings", "UInt32", "Number of these figures."),
        Column(
            "figures",
            "String",
            "Figures of the province, as JSON: code, then value, part and whole.",
        ),
        Column("taken_at", MOMENT, "Time at which it was taken."),
    ),
    "ENGINE = ReplacingMergeTree(taken_at)\nORDER BY moment",
    "Recorded snapshots of what the screens showed",
)


@dataclass(frozen=True)
class RecordedSnapshot:
    """The figures at a moment: their hash, their number, and those of the province."""

    hash: int
    readings: int
    figures: str


@dataclass(frozen=True, kw_only=True)
class SnapshotRow:
    """A snapshot as stored."""

    moment: datetime
    hash: int
    rules: int
    readings: int
    figures: str
    taken_at: datetime


SNAPSHOT_ROWS = RowCodec(table=SNAPSHOTS, of=SnapshotRow)


def take(execute: Execute, at: datetime, calendar: WorkingCalendar) -> RecordedSnapshot:
    """Query all figures at a moment.

    Args:
        execute: Runs each query, on the live tables or on those of a moment of the past.
        at: The moment.
        calendar: The working time.
    """
    answers = ask_each(execute, FIGURES, QueryMoment.of(at, calendar), UNITS, units="today")
    found = {
        "/".join(key): {code: _numbers(reading) for code, reading in readings.items()}
        for key, readings in answers.items()
    }
    text = json.dumps(found, sort_keys=True, separators=(",", ":"))
    province = json.dumps(found.get("", {}), sort_keys=True, separators=(",", ":"))
    return RecordedSnapshot(
        xxhash.xxh3_64_intdigest(text.encode()), sum(map(len, found.values())), province
    )


def rules(calendar: WorkingCalendar, number: int) -> int:
    """Return a hash of the queries; only snapshots with equal hashes can be compared.

    `number` is that of the calendar in `working_weeks`.
    """
    moment = QueryMoment.of(datetime.fromisoformat("2026-01-01T00:00:00+07:00"), calendar)
    queries: list[str] = []

    def collect(question: Query) -> Iterable[Sequence[Any]]:
        """Collect a query and return no rows."""
        queries.append(question.live)
        return ()

    ask_each(collect, FIGURES, moment, UNITS, units="today")
    derived = [derivation.rules(life, number) for life in LIVES]
    return xxhash.xxh3_64_intdigest("\n".join([*queries, *derived, str(DIGITS)]).encode())


def _numbers(reading: Reading) -> list[float | None]:
    return [
        None if one is None else round(one, DIGITS) + 0.0
        for one in (reading.value, reading.part, reading.whole)
    ]
