"""Legend of each layer, shown below its switch while it is on."""

from collections import Counter
from itertools import pairwise
from typing import Any

from dash import dcc, html

from dashboard.components.list_address import MAX_VALUES, join_values
from dashboard.components.parts import Part, chip, labelled, stated
from dashboard.components.source_states import GRAVITY, state_word
from dashboard.pages.map import layer_data
from dashboard.pages.map.view import MEASURES, MapView, Style
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.figures import MeasureUnit

STYLES: tuple[Style, ...] = ("clusters", "heat", "points")


def picked(
    name: str,
    options: list[tuple[str, str]],
    value: str,
    words: str,
    *,
    usual: str = "",
) -> html.Label:
    """Build a drop-down list for a parameter; the page's script applies a choice at once."""
    choices = [html.Option(text, value=code, selected=code == value) for code, text in options]
    data: dict[str, Any] = {"data-choose": name, "data-usual": usual}
    return html.Label(
        [html.Span(words), html.Select(choices, id=f"choose-{name}", **data)], className="picked"
    )


def key(mark: str, words: Part, count: str = "") -> html.Li:
    """Return a line of a legend: the CSS classes of a mark, what it means, how many there are."""
    return html.Li([html.I(className=mark), html.Span(words), *([html.B(count)] if count else [])])


def communes(context: PageContext, request: PageRequest, view: MapView) -> list[Part]:
    """Explain the shades of the communes."""
    translator = request.translator
    readings, classes = layer_data.communes(context, view)
    options = [(one.code, one.label(request.language)) for one in MEASURES]
    choice = picked(
        "measure",
        options,
        view.measure.code,
        translator("map_measure"),
        usual="filing.overdue",
    )
    unit = (
        "%"
        if view.measure.unit is MeasureUnit.PERCENT
        else translator("map_in_hours")
        if view.measure.unit is MeasureUnit.HOURS
        else ""
    )

    def words(limit: float) -> str:
        return translator.number(limit, 0 if limit == round(limit) else 1)

    edges = [*(words(one) for one in classes.breaks)]
    spans = [
        translator("map_below", limit=edges[0]) if edges else translator("map_any_value"),
        *(f"{low} – <{high}" for low, high in pairwise(edges)),
        *([f"≥ {edges[-1]}"] if edges else []),
    ]
    steps = [
        key(f"swatch c{classes.shade(number)}", f"{span} {unit}".strip(), translator.number(count))
        for number, (span, count) in enumerate(zip(spans, classes.counts(), strict=True))
    ]
    silent = sum(found.stale for found in readings.values())
    hatched = (
        [key("shape hatch", translator("source_lost"), translator.number(silent))] if silent else []
    )
    if not classes.steps:
        return [
            choice,
            html.P(translator("map_no_values"), className="note"),
            *_outside(context, request, view),
        ]
    note = translator("map_fixed" if classes.fixed else "map_quantiles")
    return [
        choice,
        html.Ul([*steps, *hatched], className="keys"),
        html.P(note, className="note"),
        *_outside(context, request, view),
    ]


def _outside(context: PageContext, request: PageRequest, view: MapView) -> list[Part]:
    """Show how much lies outside the communes of the province, with a link to those records."""
    count, codes = layer_data.outside(context, view)
    if not count:
        return []
    translator = request.translator
    to = request.link(f"/records/{view.measure.kind.name}", commune=join_values(codes[:MAX_VALUES]))
    words: list[Part] = [translator("of_no_unit"), ": ", html.B(translator.number(count))]
    return [
        html.P(
            dcc.Link(words, href=to, title=translator("of_no_unit_hint")),
            className="note",
            id="map-outside",
        )
    ]


def feedback(context: PageContext, request: PageRequest, view: MapView) -> list[Part]:
    """Explain the field reports."""
    translator = request.translator
    tabs = [
        html.A(
            translator(f"map_as_{one}"),
            href=request.with_(**{"as": None if one == "clusters" else one}),
            className="here" if one == view.style else "",
            id=f"as-{one}",
            **stated("current", one == view.style),
        )
        for one in STYLES
    ]
    keys: dict[Style, list[html.Li]] = {
        "clusters": [
            key("ring", translator("map_key_cluster")),
            key("ring late", translator("map_key_cluster_late")),
        ],
        "heat": [key("heat", translator("map_key_heat"))],
        "points": [
            key("point open", translator("map_state_open")),
            key("shape p2", translator("map_state_overdue")),
            key("point closed", translator("map_state_closed")),
        ],
    }
    return [
        html.Nav(tabs, className="tabs", **labelled(translator("map_feedback"))),
        html.Ul(keys[view.style], className="keys"),
    ]


def overdue(context: PageContext, request: PageRequest, view: MapView) -> list[Part]:
    """Explain the squares of overdue filings."""
    translator = request.translator
    most = max((one.count for one in layer_data.overdue(context, view)), default=0)
    if not most:
        return [html.P(translator("map_no_overdue"), className="note")]
    return [
        html.Ul(
            [key("sized", translator("map_key_overdue", most=translator.number(most)))],
            className="keys",
        )
    ]


def flows(context: PageContext, request: PageRequest, view: MapView) -> list[Part]:
    """Explain the lines of documents."""
    translator, found = request.translator, layer_data.flows(context, view)
    if not found:
        return [html.P(translator("map_no_flows"), className="note")]
    hours = translator.number(layer_data.SLOW_HOURS)
    keys = [
        key("line", translator("map_key_flow", most=translator.number(found[0].sent))),
        key(
            "line slow",
            translator("map_key_slow", hours=hours),
            translator.number(sum(one.slow for one in found)),
        ),
        key(
            "line late",
            translator("map_key_late"),
            translator.number(sum(bool(one.value("overdue")) for one in found)),
        ),
    ]
    rest = len(found) - layer_data.DRAWN_FLOWS
    more = [
        html.P(
            translator(
                "map_more_flows",
                n=translator.number(layer_data.DRAWN_FLOWS),
                of=translator.number(len(found)),
            ),
            className="note",
        )
    ]
    return [html.Ul(keys, className="keys"), *(more if rest > 0 else [])]


def meetings(context: PageContext, request: PageRequest, view: MapView) -> list[Part]:
    """Explain the marks of meetings."""
    translator, found = request.translator, layer_data.meetings(context, view)
    counts = [
        sum(getattr(one, field) for one in found.sites)
        for field in ("connected", "missing", "invited")
    ]
    keys = [
        key("site connected", translator("map_key_connected"), translator.number(counts[0])),
        key("site missing", translator("map_key_missing"), translator.number(counts[1])),
        key("site coming", translator("map_key_coming"), translator.number(counts[2])),
    ]
    note = translator(
        "map_meetings_told",
        live=translator.number(len(found.live)),
        coming=translator.number(len(found.coming)),
    )
    return [html.P(note, className="note"), html.Ul(keys, className="keys")]


def sources(context: PageContext, request: PageRequest, view: MapView) -> list[Part]:
    """Explain the marks of feeds."""
    translator = request.translator
    counts = Counter(
        one.state for found in layer_data.sources(context, view) for one in found.sources
    )
    keys = [
        key(f"feed {state.value}", state_word(state, translator), translator.number(counts[state]))
        for state in GRAVITY
    ]
    return [html.Ul(keys, className="keys"), html.P(translator("map_gravest"), className="note")]


def alarms(context: PageContext, request: PageRequest, view: MapView) -> list[Part]:
    """Explain the marks of alarms."""
    translator = request.translator
    calls, watched = layer_data.calls(context, view)
    if not watched.alive:
        return [html.P(chip(translator("blind"), "unknown"))]
    counts = Counter(
        priority
        for _, priority in {(alarm.id, alarm.priority) for one in calls for alarm in one.alarms}
    )
    keys = [
        key(f"shape p{number}", translator(f"priority_{number}"), translator.number(counts[number]))
        for number in (1, 2, 3)
    ]
    return [html.Ul(keys, className="keys")]
