"""What the screens showed, recorded as it was: figures of the province and its units at a moment, and a hash of all of them.

A snapshot is taken of the live tables, at a moment by which all that had arrived was counted and nothing else was: so a replay of
that moment, as known then, has to come to the same hash, whatever came late and whatever was computed anew since.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import xxhash

from schemas.clickhouse import derivation
from schemas.clickhouse.columns import MOMENT, Column, Table
from schemas.clickhouse.lives import LIVES
from schemas.clickhouse.rows import RowCodec
from schemas.figures import FIGURES, Reading
from schemas.figures.aging import UNITS
from schemas.figures.questions import AskedMoment, ask_each
from schemas.reference import WorkingCalendar

DIGITS = 6
"""Decimals that count: sums of shares differ beyond by the order in which they are added."""

SNAPSHOTS = Table(
    "snapshots",
    (
        Column("moment", MOMENT, "The moment that it shows: the newest arrival that was counted."),
        Column(
            "hash", "UInt64", "xxh3 of all figures of the province, its communes and its agencies."
        ),
        Column(
            "rules",
            "UInt64",
            "xxh3 of how they were asked for: what was recorded by other rules cannot be compared.",
        ),
        Column("readings", "UInt32", "How many figures that is."),
        Column(
            "figures", "String", "Those of the province, as JSON: code, then value, part and whole."
        ),
        Column("taken_at", MOMENT, "When it was taken."),
    ),
    "ENGINE = ReplacingMergeTree(taken_at)\nORDER BY moment",
    "What the screens showed, as it was recorded",
)


@dataclass(frozen=True)
class RecordedSnapshot:
    """All figures at a moment, in short."""

    hash: int
    readings: int
    figures: str


@dataclass(frozen=True, kw_only=True)
class SnapshotRow:
    """A snapshot as it is kept."""

    moment: datetime
    hash: int
    rules: int
    readings: int
    figures: str
    taken_at: datetime


SNAPSHOT_ROWS = RowCodec(table=SNAPSHOTS, of=SnapshotRow)


def take(
    execute: Callable[[str], Iterable[Sequence[Any]]], at: datetime, calendar: WorkingCalendar
) -> RecordedSnapshot:
    """Ask for all figures at a moment; `execute` runs each question, on the live tables or on those of a moment of the past."""
    asked = ask_each(execute, FIGURES, AskedMoment.of(at, calendar), UNITS, units="today")
    found = {
        "/".join(key): {code: _numbers(reading) for code, reading in readings.items()}
        for key, readings in asked.items()
    }
    text = json.dumps(found, sort_keys=True, separators=(",", ":"))
    province = json.dumps(found.get("", {}), sort_keys=True, separators=(",", ":"))
    return RecordedSnapshot(
        xxhash.xxh3_64_intdigest(text.encode()), sum(map(len, found.values())), province
    )


def rules(calendar: WorkingCalendar, number: int) -> int:
    """What tells whether two snapshots were asked for in the same way; `number` is that of the calendar in `working_weeks`."""
    moment = AskedMoment.of(datetime.fromisoformat("2026-01-01T00:00:00+07:00"), calendar)
    asked: list[str] = []

    def hear(question: str) -> Iterable[Sequence[Any]]:
        asked.append(question)
        return ()

    ask_each(hear, FIGURES, moment, UNITS, units="today")
    derived = [derivation.rules(life, number) for life in LIVES]
    return xxhash.xxh3_64_intdigest("\n".join([*asked, *derived, str(DIGITS)]).encode())


def _numbers(reading: Reading) -> list[float | None]:
    return [
        None if one is None else round(one, DIGITS) + 0.0
        for one in (reading.value, reading.part, reading.whole)
    ]
