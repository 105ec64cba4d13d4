"""Chart of a figure's course towards its target: reports, target line, forecast to the due day.

Lines are masks over a ground of the page's own colours, so that the theme colours them; all that is
read is text of the page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, floor, log10
from typing import Any
from urllib.parse import quote

from dash import html

from dashboard.components.parts import labelled
from schemas.scores import SeriesPoint

MAX_TICKS, MAX_DAY_TICKS = 5, 7
AIR, EDGE = 0.08, 0.008
"""Free space above and below as a share of the height, and at either side as a share of the width.
"""


@dataclass(frozen=True)
class Course:
    """The data of a chart; `ahead` is the forecast for the day `due`, None if there is none."""

    points: Sequence[SeriesPoint]
    aim: float
    due: date
    today: date
    ahead: float | None = None
    since: SeriesPoint | None = None
    """Where the forecast starts: the newest report."""
    percent: bool = False


@dataclass(frozen=True)
class Axes:
    """The days and values that a chart spans.

    Positions are shares of its width and height, counted from the left and from the top.
    """

    first: date
    last: date
    low: float
    high: float

    def x(self, day: date) -> float:
        """Return the position of a day, as a share of the width."""
        return EDGE + (1 - 2 * EDGE) * (day - self.first).days / max(
            (self.last - self.first).days, 1
        )

    def y(self, value: float) -> float:
        """Return the position of a value, as a share of the height."""
        return 1 - (value - self.low) / (self.high - self.low)


def axes(course: Course) -> Axes:
    """Return axes that hold the whole course with a margin; percentages stay within 0 and 100."""
    values = [
        course.aim,
        *(point.value for point in course.points),
        *([] if course.ahead is None else [course.ahead]),
    ]
    days = [course.today, course.due, *(point.day for point in course.points)]
    low, high = min(values), max(values)
    air = (high - low) * AIR or abs(high) * AIR or 1.0
    low, high = low - air, high + air
    if course.percent:
        low, high = max(low, 0.0), min(high, 100.0)
    first, last = min(days), max(days)
    return Axes(
        first,
        last if last > first else first + timedelta(days=1),
        low,
        high if high > low else low + 1,
    )


def ticks(low: float, high: float) -> list[float]:
    """Return up to `MAX_TICKS` round values between two: steps of 1, 2 or 5 times a power of 10."""
    span = high - low
    power = 10.0 ** floor(log10(span / MAX_TICKS))
    step = next(
        power * one for one in (1, 2, 5, 10) if span / (power * one) <= MAX_TICKS - 1 or one == 10
    )
    return [round(step * number, 10) for number in range(ceil(low / step), floor(high / step) + 1)]


def day_ticks(first: date, last: date) -> list[date]:
    """Return up to `MAX_DAY_TICKS` first days of months; single days for a short span."""
    length = (last - first).days
    if length < 75:
        step = max(1, ceil(length / MAX_DAY_TICKS))
        return [first + timedelta(days=number) for number in range(0, length + 1, step)]
    months, day = [], date(first.year + first.month // 12, first.month % 12 + 1, 1)
    while day <= last:
        months.append(day)
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return months[:: max(1, ceil(len(months) / MAX_DAY_TICKS))]


def drawing(
    course: Course,
    label: str,
    written: Callable[[float], str],
    day_label: Callable[[date], str],
    aim: str,
    today: str,
) -> html.Div:
    """Draw a chart.

    Args:
        course: the data.
        label: read by screen readers.
        written: formats a value.
        day_label: formats a day.
        aim: names the target line.
        today: names the line of the present day.
    """
    span = axes(course)
    line = [(span.x(day), span.y(value)) for day, value in course.points]
    layers = [
        _layer(
            "grid",
            *(_path([(0, span.y(one)), (1, span.y(one))], 1) for one in ticks(span.low, span.high)),
        ),
        _layer("today", _path([(span.x(course.today), 0), (span.x(course.today), 1)], 1, "2 3")),
        _layer("aim", _path([(0, span.y(course.aim)), (1, span.y(course.aim))], 2, "7 4")),
        _layer("course", _path(line, 2), *(_path([at, at], 7) for at in line)),
    ]
    texts = [
        *(_text(written(one), "tick y", top=span.y(one)) for one in ticks(span.low, span.high)),
        *(
            _text(day_label(one), "tick x", left=span.x(one))
            for one in day_ticks(span.first, span.last)
        ),
        _text(aim, "named-aim", top=span.y(course.aim), left=1),
        _text(today, "tick named-today", top=1, left=span.x(course.today)),
        *(
            html.I(
                title=f"{day_label(day)}: {written(value)}",
                className="point",
                style=_at(top=y, left=x),
            )
            for (day, value), (x, y) in zip(course.points, line, strict=True)
        ),
    ]
    if course.ahead is not None and course.since is not None:
        end = (span.x(course.due), span.y(course.ahead))
        start = (span.x(course.since.day), span.y(course.since.value))
        layers.append(_layer("ahead", _path([start, end], 2, "2 5"), _path([end, end], 10)))
        texts.append(
            html.B(
                written(course.ahead), className="named-ahead", style=_at(top=end[1], left=end[0])
            )
        )
    return html.Div(
        html.Div([*layers, *texts], className="plot"),
        className="chart",
        role="img",
        **labelled(label),
    )


def _path(points: Sequence[tuple[float, float]], width: float, dash: str = "") -> str:
    drawn = " ".join(f"{1000 * x:.1f},{1000 * y:.1f}" for x, y in points)
    dashes = f" stroke-dasharray='{dash}'" if dash else " stroke-linecap='round'"
    return (
        f"<polyline points='{drawn}' fill='none' stroke='#000' stroke-width='{width}'{dashes} "
        "stroke-linejoin='round' vector-effect='non-scaling-stroke'/>"
    )


def _layer(name: str, *shapes: str) -> html.Div:
    svg = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1000 1000' "
        f"preserveAspectRatio='none'>{''.join(shapes)}</svg>"
    )
    mask = f'url("data:image/svg+xml,{quote(svg)}")'
    return html.Div(className=f"layer {name}", style={"maskImage": mask, "WebkitMaskImage": mask})


def _at(top: float | None = None, left: float | None = None) -> dict[str, str]:
    return {
        name: f"{100 * part:.2f}%"
        for name, part in (("top", top), ("left", left))
        if part is not None
    }


def _text(words: str, name: str, **at: Any) -> html.Span:
    return html.Span(words, className=name, style=_at(**at))
