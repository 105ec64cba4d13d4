"""Chart of what began and was closed over a period; each bar links to its part of the period."""

from collections.abc import Sequence
from datetime import datetime

from dash import html

from dashboard.components.parts import Part, labelled, stated
from dashboard.pages.map.view import written
from dashboard.query.map import Pair
from dashboard.query.store import HERE
from dashboard.request.address import PageRequest
from schemas.figures.series import SeriesStep

TICKS = 5


def bars(
    request: PageRequest,
    pairs: Sequence[Pair],
    since: datetime,
    step: SeriesStep,
    begun: str,
    closed: str,
) -> Part:
    """Draw the chart; `begun` and `closed` name what is counted."""
    translator = request.translator
    most = max((max(one.begun, one.closed) for one in pairs), default=0)
    starts = [since, *(one.at for one in pairs[:-1])]
    drawn = []
    for start, one in zip(starts, pairs, strict=True):
        label = (
            f"{_when(start, step)} – {_when(one.at, step)}: "
            f"{begun.lower()} {translator.number(one.begun)}, "
            f"{closed.lower()} {translator.number(one.closed)}"
        )
        heights = [
            html.I(className=name, style={"height": f"{100 * n / (most or 1):.1f}%"})
            for name, n in (("begun", one.begun), ("closed", one.closed))
        ]
        href = request.with_(
            **{"window": None, "from": written(start), "to": written(one.at), "records_page": None}
        )
        drawn.append(html.A(heights, href=href, title=label, **labelled(label)))
    places = (
        sorted({round(number * (len(pairs) - 1) / (TICKS - 1)) for number in range(TICKS)})
        if pairs
        else []
    )
    ticks = [
        html.Span(
            _tick(starts[number], step), style={"left": f"{100 * (number + 0.5) / len(pairs):.2f}%"}
        )
        for number in places
    ]
    sums = [
        (name, words, sum(getattr(one, name) for one in pairs))
        for name, words in (("begun", begun), ("closed", closed))
    ]
    keys = [
        html.Li([html.I(className=f"bar-key {name}"), words, html.B(translator.number(total))])
        for name, words, total in sums
    ]
    return html.Div(
        [
            html.Ul(keys, className="keys"),
            html.Div(
                [
                    html.Span(translator.number(most), className="most"),
                    html.Div(
                        drawn,
                        className="bars-of",
                        role="group",
                        **labelled(translator("map_course")),
                    ),
                    html.Div(ticks, className="ticks plot", **stated("hidden", True)),
                ],
                className="drawn",
            ),
        ],
        className="bars",
    )


def _when(at: datetime, step: SeriesStep) -> str:
    return (
        f"{at.astimezone(HERE):%d/%m/%Y}"
        if step is SeriesStep.MONTH
        else f"{at.astimezone(HERE):%H:%M %d/%m}"
    )


def _tick(at: datetime, step: SeriesStep) -> str:
    local = at.astimezone(HERE)
    if step is SeriesStep.MONTH:
        return f"{local:%m/%Y}"
    return f"{local:%d/%m}" if step is SeriesStep.DAY else f"{local:%H:%M}"
