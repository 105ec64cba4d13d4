"""Tables of a package: their queries for a period, and their rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dashboard.query.connection import Connection
from schemas.clickhouse.replays import REPLAYS
from schemas.clickhouse.sql import at
from schemas.clickhouse.tables import DEAD_LETTERS, HASHES, events_table, windows_table
from schemas.clickhouse.watch_tables import ALARM_STEPS, REFUSALS
from schemas.events.kinds import KINDS
from schemas.figures.snapshots import SNAPSHOTS

BLOCK = 5_000
WITHHELD = {"reporter", "payload", "key", *(column.name for column in HASHES)}
"""Columns left out: reporters and unreadable payloads stay here, and hashes are of no use
elsewhere.
"""
LETTER = "concat(topic, '/', toString(partition), '/', toString(offset))"
"""The name of a dead letter, as `python -m streams dead-letters` takes it."""


@dataclass(frozen=True)
class Extract:
    """A table of a package."""

    name: str
    columns: tuple[str, ...]
    question: str
    what: str
    """Its description in one sentence."""


def extracts(since: datetime, until: datetime) -> list[Extract]:
    """Return the tables of a period: events that happened or arrived, windows, alarms, refusals."""
    start, end = at(since), at(until)

    def within(column: str) -> str:
        return f"({column} >= {start} AND {column} < {end})"

    found = []
    for kind in KINDS:
        events, windows = events_table(kind), windows_table(kind)
        columns = _columns(events)
        found.append(
            Extract(
                f"events_{kind.name}",
                columns,
                f"SELECT {', '.join(columns)} FROM {events.name} FINAL WHERE "
                f"{within('occurred_at')} OR {within('received_at')} "
                "ORDER BY received_at, partition, offset",
                f"{kind.vi}: sự kiện xảy ra hoặc đến trong khoảng này · {kind.en}: events that "
                "happened or arrived in the period",
            )
        )
        columns = _columns(windows)
        condition = (
            f"window_start >= toStartOfMinute({start}) AND window_start < {end} AND "
            "window_start > toDateTime(0)"
        )
        found.append(
            Extract(
                f"windows_{kind.name}",
                columns,
                f"SELECT {', '.join(columns)} FROM {windows.name} FINAL WHERE {condition} ORDER "
                "BY ALL",
                f"{kind.vi}: số lượng theo phút · {kind.en}: counts per minute",
            )
        )
    for name, table, when, what in (
        (
            "alarm_steps",
            ALARM_STEPS,
            "evaluated_at",
            "từng lần đánh giá mỗi cảnh báo · what was said of each alarm, step by step",
        ),
        (
            *("dead_letters", DEAD_LETTERS, "received_at"),
            "bản ghi không đếm được, không kèm nội dung · records that could not be counted, "
            "without what they said",
        ),
        (
            "refusals",
            REFUSALS,
            "since",
            "cổng tiếp nhận đã từ chối gì, bao nhiêu · what gateways refused, counted",
        ),
        (
            *("snapshots", SNAPSHOTS, "moment"),
            "màn hình đã hiện gì, như đã ghi lại, kèm mã băm · what the screens showed, as it "
            "was recorded, with its hash",
        ),
    ):
        columns = _columns(table)
        final = "" if table is ALARM_STEPS else " FINAL"
        question = (
            f"SELECT {', '.join(columns)} FROM {table.name}{final} WHERE {within(when)} ORDER "
            f"BY {when}"
        )
        found.append(Extract(name, columns, question, what))
    done = (
        (
            f"{DEAD_LETTERS.name} FINAL WHERE state != 'open'",
            "changed_at",
            "concat('dead letter ', state)",
            LETTER,
            "reason",
        ),
        (
            f"{REPLAYS.name} FINAL WHERE true",
            "begun_at",
            "concat(mark, ' begun')",
            "name",
            "concat('from ', source)",
        ),
        (
            f"{REPLAYS.name} FINAL WHERE state IN ('stopped', 'removed')",
            "at",
            "concat(mark, ' ', state)",
            "name",
            "said",
        ),
    )
    each = " UNION ALL ".join(
        f"SELECT {when} AS done_at, {what} AS what, {which} AS which, {more} AS more FROM "
        f"{source} AND {within(when)}"
        for source, when, what, which, more in done
    )
    columns = ("done_at", "what", "which", "more")
    question = f"SELECT {', '.join(columns)} FROM ({each}) ORDER BY ALL"
    what = (
        "người trực đã làm gì: sửa và gửi lại bản ghi, chạy lại luồng · "
        "what people did: records mended and sent again, the stream run again"
    )
    found.append(Extract("actions", columns, question, what))
    return found


def rows_of(connection: Connection, one: Extract) -> Iterator[list[object]]:
    """Yield the rows of a table for a CSV file, with nothing rounded.

    Raises:
        dashboard.query.connection.UnreachableError: ClickHouse does not answer.
    """
    for rows in connection.stream(one.question, BLOCK):
        for row in rows:
            yield [cell(value) for value in row]


def cell(value: Any) -> object:
    """Return a value as packages hold it: complete, and with its time zone."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, (list, tuple)):
        return ";".join(map(str, value))
    return value


def _columns(table: Any) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if column.name not in WITHHELD)
