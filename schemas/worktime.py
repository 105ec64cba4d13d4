"""Working time inside ClickHouse: a moment's position on the working clock, from a table of days.

A position is the number of working milliseconds since the first of January 1990 (`WorkingCalendar.position`): a deadline has passed
when the position of now is beyond its own, a span is the difference of two. So working time costs a subtraction, however many
holidays lie in it. A calendar never changes under its number: one that is announced anew gets a number of its own, and what was
computed by the old one can still be told (a replay uses the calendar that was in force).
"""

from typing import Any

import msgspec
import xxhash

from schemas.columns import Column, Table
from schemas.reference.calendar import WorkingCalendar

MOST_SESSIONS = 3
_SESSION_COLUMNS = tuple(
    column
    for number in range(1, MOST_SESSIONS + 1)
    for column in (
        Column(f"start_{number}", "UInt32", f"When session {number} starts, milliseconds since midnight; 0 for none."),
        Column(f"end_{number}", "UInt32", f"When session {number} ends."),
    )
)
WORKING_DAYS = Table(
    "working_days",
    (
        Column("calendar", "UInt64", "Number of the calendar: a hash of all its days."),
        Column("day", "UInt32", "Days since 1970-01-01, in Viet Nam."),
        Column("before", "Int64", "Working milliseconds from 1990-01-01 to the start of the day."),
        *_SESSION_COLUMNS,
    ),
    "ENGINE = ReplacingMergeTree\nORDER BY (calendar, day)",
    "Working hours of each day, by calendar",
)
_DAY, _OFFSET = 86_400_000, 25_200_000


def calendar_rows(calendar: WorkingCalendar) -> tuple[int, list[tuple[Any, ...]]]:
    """The number of a calendar, and its rows of `WORKING_DAYS`. Raises `ValueError` for more sessions in a day than it holds."""
    days = calendar.days()
    number = xxhash.xxh3_64_intdigest(msgspec.msgpack.encode(days))
    rows = []
    for day, before, sessions in days:
        if len(sessions) > MOST_SESSIONS:
            raise ValueError(f"a day has {len(sessions)} sessions of work; {MOST_SESSIONS} are provided for")
        flat = [edge for session in sessions for edge in session]
        rows.append((number, day, before, *flat, *[0] * (2 * MOST_SESSIONS - len(flat))))
    return number, rows


def days_sql(calendar: int) -> str:
    """The definition of `days` that `position_sql` reads, for a WITH clause: all days of a calendar as arrays."""
    arrays = ", ".join(f"groupArray({column.name})" for column in WORKING_DAYS.columns[1:])
    return f"(SELECT ({arrays}) FROM (SELECT * FROM working_days WHERE calendar = {calendar} ORDER BY day LIMIT 1 BY day)) AS days"


def position_sql(milliseconds: str) -> str:
    """A moment, given as an expression in milliseconds since 1970, on the working clock; needs `days_sql` in the WITH clause."""
    local = f"({milliseconds} + {_OFFSET})"
    index = f"least(greatest(intDiv({local}, {_DAY}) - days.1[1] + 1, 1), length(days.1))"
    within = f"({local} % {_DAY})"
    sessions = (
        f"least(greatest({within} - days.{2 * number + 1}[{index}], 0), "
        f"toInt64(days.{2 * number + 2}[{index}]) - days.{2 * number + 1}[{index}])"
        for number in range(1, MOST_SESSIONS + 1)
    )
    return f"(days.2[{index}] + {' + '.join(sessions)})"
