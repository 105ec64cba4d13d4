"""Compute working time in ClickHouse.

A position on the working clock is the number of working milliseconds since 1 January 1990
(`WorkingCalendar.position`); it follows from a calendar's weeks. A deadline has passed if the
current position is beyond its own; a duration is the difference of two positions. So working time
costs a subtraction, however many holidays lie in it. A calendar never changes under its number: a
calendar with newly announced days gets a new number, and results of the old one can still be
reproduced (a replay uses the calendar that was in force).

Weeks are stored by their kind, of which there are few: ClickHouse visits constants again and again
while it plans a query. With every day of 110 years among the constants, planning took three times
as long as the work.
"""

from functools import cache
from itertools import chain
from typing import Any

import msgspec
import xxhash

from schemas.clickhouse.columns import Column, Table
from schemas.reference.calendar import WorkingCalendar

MAX_SESSIONS = 3
_SESSION_COLUMNS = tuple(
    column
    for number in range(1, MAX_SESSIONS + 1)
    for column in (
        Column(
            f"start_{number}",
            "Array(UInt32)",
            f"Start of session {number}, in milliseconds since midnight; 0 for none.",
        ),
        Column(f"end_{number}", "Array(UInt32)", f"End of session {number}."),
    )
)
WORKING_WEEKS = Table(
    "working_weeks",
    (
        Column("calendar", "UInt64", "Number of the calendar: a hash of all its days."),
        Column("first_day", "Int64", "First day, in days since 1970-01-01, in Việt Nam."),
        Column("days", "Int64", "Number of days."),
        Column(
            "weeks",
            "Array(Int64)",
            "Working milliseconds before each period of seven days from the first on.",
        ),
        Column("kinds", "Array(UInt16)", "Kind of each period of seven days, from 1."),
        Column(
            "before",
            "Array(Int64)",
            "Working milliseconds since the seven days began, of each day of each kind.",
        ),
        *_SESSION_COLUMNS,
    ),
    "ENGINE = ReplacingMergeTree\nORDER BY calendar",
    "Working hours, by calendar; sessions are those of each day of each kind",
)
_DAY, _OFFSET, _WEEK = 86_400_000, 25_200_000, 7


@cache
def calendar_row(calendar: WorkingCalendar) -> tuple[int, tuple[Any, ...]]:
    """Return the number of a calendar, and its row of `WORKING_WEEKS`.

    Raises:
        ValueError: A day has more sessions than the table provides for.
    """
    days = calendar.days()
    number = xxhash.xxh3_64_intdigest(msgspec.msgpack.encode(days))
    kinds: dict[tuple[tuple[int, ...], ...], int] = {}
    weeks, kind_of = [], []
    for start in range(0, len(days), _WEEK):
        week = days[start : start + _WEEK]
        base = week[0][1]
        its = []
        for _, before, sessions in week:
            if len(sessions) > MAX_SESSIONS:
                raise ValueError(
                    f"a day has {len(sessions)} sessions of work; {MAX_SESSIONS} are provided for"
                )
            flat = [edge for session in sessions for edge in session]
            its.append((before - base, *flat, *[0] * (2 * MAX_SESSIONS - len(flat))))
        weeks.append(base)
        # The last week may be shorter: then it is a kind of its own, the last one.
        kind_of.append(kinds.setdefault(tuple(its), len(kinds) + 1))
    columns = map(list, zip(*chain.from_iterable(kinds), strict=True))
    return number, (number, days[0][0], len(days), weeks, kind_of, *columns)


def days_sql(calendar: int) -> str:
    """Return the definition of `days` that `position_sql` reads, for a WITH clause.

    `days` is the row of a calendar; all its values are arrays, which unlike numbers are never NULL.
    """
    names = ", ".join(
        column.name if column.type.startswith("Array") else f"[{column.name}]"
        for column in WORKING_WEEKS.columns[1:]
    )
    return (
        f"(SELECT ({names}) FROM {WORKING_WEEKS.name} WHERE calendar = {calendar} LIMIT 1) AS days"
    )


def position_sql(milliseconds: str) -> str:
    """Return a moment's position on the working clock as SQL; needs `days_sql` in the WITH clause.

    Args:
        milliseconds: An expression in milliseconds since 1970.
    """
    # Expressions used more than once have a name: ClickHouse would compute them again each time.
    name = xxhash.xxh3_64_hexdigest(milliseconds.encode())
    day, week, kind, within = (f"{part}_of_{name}" for part in ("day", "week", "kind", "within"))
    named = {
        kind: f"(days.4[{week}] - 1) * {_WEEK} + {day} % {_WEEK} + 1",
        week: f"intDiv({day}, {_WEEK}) + 1",
        within: f"({milliseconds} + {_OFFSET}) % {_DAY}",
        day: (
            f"least(greatest(intDiv({milliseconds} + {_OFFSET}, {_DAY}) - days.1[1], 0), "
            "days.2[1] - 1)"
        ),
    }
    sessions = " + ".join(
        f"least(greatest({within} - days.{2 * number + 4}[{kind}], 0), "
        f"toInt64(days.{2 * number + 5}[{kind}]) - days.{2 * number + 4}[{kind}])"
        for number in range(1, MAX_SESSIONS + 1)
    )
    found = f"(days.3[{week}] + days.5[{kind}] + {sessions})"
    for alias, expression in named.items():
        found = found.replace(alias, f"({expression} AS {alias})", 1)
    return found
