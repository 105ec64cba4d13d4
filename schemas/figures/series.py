"""Query figures over time and join the answers.

A series has parts of five minutes, hours, days or months.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from schemas.clickhouse.lives import current_table, life_table
from schemas.clickhouse.query import Query
from schemas.figures.definition import Figure, FigurePiece
from schemas.figures.questions import (
    MILLISECOND,
    OF_POINT,
    Instant,
    Key,
    begun,
    kind_of,
    moment_sql,
    named,
    pieces_of,
    reader,
)
from schemas.figures.reading import Reading
from schemas.moments import milliseconds
from schemas.reference import ZONE, WorkingCalendar


class SeriesStep(StrEnum):
    """Length of the parts of a series, in Vietnamese time."""

    MINUTES = "5 minutes"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def series(
    figures: Sequence[Figure],
    step: SeriesStep,
    since: datetime,
    until: datetime,
    calendar: WorkingCalendar,
    by: Sequence[str] = (),
    where: str = "",
) -> tuple[list[datetime], tuple[Query, ...]]:
    """Return the ends of the parts between two moments, and the queries for them.

    `series_readings` joins the answers. A figure of a period is counted in each part; a figure of a
    moment is taken at the end of each part, in the last one at `until`.
    """
    kind = kind_of(figures, by)
    _, ends = parts(step, since, until)
    keys = [f"toString({name}) AS key_{number}" for number, name in enumerate(by)]
    names = [f"key_{number}" for number in range(len(by))]
    condition = f" AND ({where})" if where else ""
    wanted, questions = pieces_of(figures), []
    if moments := list(dict.fromkeys(piece.when for piece in wanted if piece.when)):
        # Entities that began or were closed in a part: one counts once for each of these, however
        # long its history.
        first, last = moment_sql(milliseconds(since)), moment_sql(milliseconds(until))
        within = [f"ifNull({when} >= {first} AND {when} < {last}, false)" for when in moments]
        numbers = [
            f"if({inside}, 1 + {crossed(step, first, f'assumeNotNull({when})')}, 0)"
            for when, inside in zip(moments, within, strict=True)
        ]
        shared, pieces = _own(
            wanted, True, Instant("0", "0", "0"), lambda when: f"which = {moments.index(when)}"
        )
        questions.append(
            Query(
                f"SELECT {', '.join(['part', *keys, *pieces])} "
                f"FROM (SELECT *, [{', '.join(numbers)}] AS numbers "
                f"FROM {current_table(kind).final} WHERE ({' OR '.join(within)}){condition}) "
                f"ARRAY JOIN numbers AS part, {list(range(len(moments)))} AS which "
                f"WHERE part > 0 GROUP BY {', '.join(['part', *names])}",
                (current_table(kind),),
                since=since - MILLISECOND,
                shared=shared,
            )
        )
    if any(not piece.when for piece in wanted):
        shared, pieces = _own(wanted, False, OF_POINT, lambda _: "true")
        points = ", ".join(
            f"({number + 1}, {milliseconds(at)}, {calendar.position(at)}, "
            f"{calendar.position(at - MILLISECOND)})"
            for number, at in enumerate(ends)
        )
        earliest, latest = held_ends(step, since, ends)
        questions.append(
            Query(
                f"SELECT {', '.join(['point.1 AS part', *keys, *pieces])} FROM "
                f"(SELECT *, {earliest} AS earliest_end, {latest} AS latest_end "
                f"FROM {life_table(kind).final} "
                f"WHERE standing != 'closed' AND since < {moment_sql(milliseconds(ends[-1]))} "
                f"AND until > {moment_sql(milliseconds(ends[0]))} AND latest_end >= "
                f"earliest_end{condition}) "
                f"ARRAY JOIN arraySlice([{points}], earliest_end, latest_end - earliest_end + 1) "
                "AS point "
                f"WHERE {begun(kind)} <= fromUnixTimestamp64Milli(toInt64(point.2)) "
                f"GROUP BY {', '.join(['part', *names])}",
                (life_table(kind),),
                since=since - MILLISECOND,
                held=ends[0],
                shared=shared,
            )
        )
    return ends, tuple(questions)


def _own(
    wanted: Sequence[FigurePiece], of_period: bool, instant: Instant, within: Callable[[str], str]
) -> tuple[tuple[str, ...], list[str]]:
    """Return the pieces with a period, or those without, as SQL with their shared expressions.

    The other pieces are NULL.
    """
    shared, selected = named(
        [piece for piece in wanted if bool(piece.when) is of_period], instant, within
    )
    rest = iter(selected)
    return shared, [next(rest) if bool(piece.when) is of_period else "NULL" for piece in wanted]


def series_readings(
    figures: Sequence[Figure],
    ends: Sequence[datetime],
    answers: Iterable[Iterable[Sequence[Any]]],
    by: int = 0,
) -> dict[Key, dict[str, list[tuple[datetime, Reading]]]]:
    """Join the answers to the queries of a series.

    Returns:
        {values of the dimensions: {code: (end of the part, reading) for every part}}.
    """
    wanted = pieces_of(figures)
    found: dict[Key, list[dict[FigurePiece, Any]]] = {}
    for rows in answers:
        for part, *row in rows:
            values = found.setdefault(tuple(row[:by]), [{} for _ in ends])[part - 1]
            values |= {
                piece: value
                for piece, value in zip(wanted, row[by:], strict=True)
                if value is not None
            }
    if not by:
        found.setdefault((), [{} for _ in ends])
    zero = [0 if piece.additive else None for piece in wanted]
    read, joined = reader(figures), dict[Key, dict[str, list[tuple[datetime, Reading]]]]()
    for key, each in found.items():
        course = [
            read([values.get(piece, nothing) for piece, nothing in zip(wanted, zero, strict=True)])
            for values in each
        ]
        joined[key] = {
            one.code: [(at, of[one.code]) for at, of in zip(ends, course, strict=True)]
            for one in figures
        }
    return joined


def parts(
    step: SeriesStep, since: datetime, until: datetime
) -> tuple[list[datetime], list[datetime]]:
    """Return starts and ends of the parts of a series.

    The first starts with `since`, the last ends with `until`.

    Raises:
        ValueError: The period is empty or has more than 1,000 parts.
    """
    begin, end = since.astimezone(ZONE), until.astimezone(ZONE)
    if begin >= end:
        raise ValueError("the period of a series is empty")
    starts, edge = [begin], _NEXT[step](begin)
    while edge < end:
        starts.append(edge)
        edge = _NEXT[step](edge)
        if len(starts) > 1000:
            raise ValueError(f"a series has at most 1,000 parts of {step.value}")
    return starts, [*starts[1:], end]


def _next_month(at: datetime) -> datetime:
    return (
        at.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
    ).replace(day=1)


def crossed(step: SeriesStep, since: str, moment: str) -> str:
    """Return SQL for how many parts begin between one moment and another, both given as SQL.

    The second must not be earlier.
    """
    if step is SeriesStep.MINUTES:
        return f"intDiv(toUnixTimestamp({moment}), 300) - intDiv(toUnixTimestamp({since}), 300)"
    return f"dateDiff('{step.value}', {since}, {moment}, '{ZONE.key}')"


def held_ends(step: SeriesStep, since: datetime, ends: Sequence[datetime]) -> tuple[str, str]:
    """Return SQL for the first and the last end of a series at which a step of a history holds.

    Ends count from 1; the series begins with `since`. If the last comes before the first, as for
    most steps, the step holds at no end. Both numbers are computed without visiting each end.
    """

    def passed(moment: str) -> str:
        """Return SQL for the number of ends before a moment."""
        return crossed(
            step, moment_sql(milliseconds(since)), f"{moment} - toIntervalMillisecond(1)"
        )

    newest = f"if(until > {moment_sql(milliseconds(ends[-1]))}, {len(ends)}, {passed('until')})"
    return f"1 + greatest({passed('since')}, 0)", newest


_NEXT: dict[SeriesStep, Callable[[datetime], datetime]] = {
    SeriesStep.MINUTES: lambda at: (
        at.replace(minute=at.minute // 5 * 5, second=0, microsecond=0) + timedelta(minutes=5)
    ),
    SeriesStep.HOUR: lambda at: at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1),
    SeriesStep.DAY: lambda at: (
        at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    ),
    SeriesStep.MONTH: _next_month,
}
