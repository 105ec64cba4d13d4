"""The layers of the map: each a switch with how much it shows, and below it, while it is on, what its marks mean."""

from collections import Counter
from itertools import pairwise
from typing import Any

from dash import dcc, html

from dashboard.components.list_address import said as values_said
from dashboard.components.parts import Part, chip, labelled, stated
from dashboard.components.source_states import GRAVITY, state_word
from dashboard.pages.map import gathered
from dashboard.pages.map.spots import spots
from dashboard.pages.map.view import LAYERS, MEASURES, Layer, MapView, Style, said
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.figures import MeasureUnit

MAX_CODES = 50
"""As many values a filter of a list takes."""
STYLES: tuple[Style, ...] = ("clusters", "heat", "points")
OF_LAYER: dict[Layer, str] = {
    "communes": "map_communes",
    "feedback": "map_feedback",
    "overdue": "map_overdue",
    "flows": "map_flows",
    "meetings": "map_meetings",
    "sources": "map_sources",
    "alarms": "map_alarms",
}


def layers(ask: PageContext, asked: PageRequest, view: MapView) -> html.Section:
    """The section of the layers."""
    shown = [_layer(ask, asked, view, one) for one in LAYERS]
    return html.Section(
        [html.H2(asked.speech("map_layers")), html.Ul(shown, className="layers")],
        id="layers",
        className="part",
    )


def picked(
    asked: PageRequest,
    name: str,
    options: list[tuple[str, str]],
    value: str,
    words: str,
    *,
    usual: str = "",
) -> html.Label:
    """A list to choose a parameter of the address from; the script follows a choice at once."""
    choices = [html.Option(text, value=code, selected=code == value) for code, text in options]
    data: dict[str, Any] = {"data-choose": name, "data-usual": usual}
    return html.Label(
        [html.Span(words), html.Select(choices, id=f"choose-{name}", **data)], className="picked"
    )


def _layer(ask: PageContext, asked: PageRequest, view: MapView, layer: Layer) -> html.Li:
    on = layer in view.layers
    changed = [one for one in LAYERS if (one in view.layers) != (one == layer)]
    speech = asked.speech
    switch = html.A(
        [
            html.I(className="tick"),
            html.Span(speech(OF_LAYER[layer]), className="named"),
            html.Span(_count(ask, asked, view, layer), className="count"),
        ],
        href=asked.with_(layers=said(changed)),
        role="switch",
        id=f"layer-{layer}",
        className="switch",
        **stated("checked", on),
    )
    return html.Li(
        [
            switch,
            *([html.Div(_legend(ask, asked, view, layer), className="legend-of")] if on else []),
        ]
    )


def _count(ask: PageContext, asked: PageRequest, view: MapView, layer: Layer) -> str:
    number = asked.speech.number
    if layer == "communes":
        return number(len(gathered.communes(ask, view)[1].steps))
    if layer == "feedback":
        return number(reports(ask, view))
    if layer == "overdue":
        return number(sum(one.count for one in gathered.overdue(ask, view)))
    if layer == "flows":
        return number(sum(one.sent for one in gathered.flows(ask, view)))
    if layer == "meetings":
        found = gathered.meetings(ask, view)
        return number(len(found.live) + len(found.coming))
    if layer == "sources":
        return number(sum(len(one.sources) for one in gathered.sources(ask, view)))
    return number(len({alarm.id for one in gathered.calls(ask, view)[0] for alarm in one.alarms}))


def reports(ask: PageContext, view: MapView) -> int:
    """How many reports the map shows in all."""
    found = gathered.categories(ask, view, view.scope(ask.place, spots(ask.place)))
    return found.get(view.category, 0) if view.category else sum(found.values())


def _legend(ask: PageContext, asked: PageRequest, view: MapView, layer: Layer) -> list[Part]:
    return {
        "communes": _communes,
        "feedback": _feedback,
        "overdue": _overdue,
        "flows": _flows,
        "meetings": _meetings,
        "sources": _sources,
        "alarms": _alarms,
    }[layer](ask, asked, view)


def _key(mark: str, words: Part, count: str = "") -> html.Li:
    return html.Li([html.I(className=mark), html.Span(words), *([html.B(count)] if count else [])])


def _communes(ask: PageContext, asked: PageRequest, view: MapView) -> list[Part]:
    speech = asked.speech
    readings, classes = gathered.communes(ask, view)
    options = [(one.code, one.words(asked.spoken)) for one in MEASURES]
    choice = picked(
        asked, "measure", options, view.measure.code, speech("map_measure"), usual="filing.overdue"
    )
    unit = (
        "%"
        if view.measure.unit is MeasureUnit.PERCENT
        else speech("map_in_hours")
        if view.measure.unit is MeasureUnit.HOURS
        else ""
    )

    def words(limit: float) -> str:
        return speech.number(limit, 0 if limit == round(limit) else 1)

    edges = [*(words(one) for one in classes.breaks)]
    spans = [
        speech("map_below", limit=edges[0]) if edges else speech("map_any_value"),
        *(f"{low} – <{high}" for low, high in pairwise(edges)),
        *([f"≥ {edges[-1]}"] if edges else []),
    ]
    steps = [
        _key(f"swatch c{classes.shade(number)}", f"{span} {unit}".strip(), speech.number(count))
        for number, (span, count) in enumerate(zip(spans, classes.counts(), strict=True))
    ]
    silent = sum(found.stale for found in readings.values())
    hatched = [_key("shape hatch", speech("source_lost"), speech.number(silent))] if silent else []
    if not classes.steps:
        return [
            choice,
            html.P(speech("map_no_values"), className="note"),
            *_outside(ask, asked, view),
        ]
    note = speech("map_fixed" if classes.fixed else "map_quantiles")
    return [
        choice,
        html.Ul([*steps, *hatched], className="keys"),
        html.P(note, className="note"),
        *_outside(ask, asked, view),
    ]


def _outside(ask: PageContext, asked: PageRequest, view: MapView) -> list[Part]:
    """What lies in none of the communes, as it has a code that is of no unit here: how many, and a list of them."""
    count, codes = gathered.outside(ask, view)
    if not count:
        return []
    speech = asked.speech
    to = asked.link(f"/records/{view.measure.kind.name}", commune=values_said(codes[:MAX_CODES]))
    words: list[Part] = [speech("of_no_unit"), ": ", html.B(speech.number(count))]
    return [
        html.P(
            dcc.Link(words, href=to, title=speech("of_no_unit_hint")),
            className="note",
            id="map-outside",
        )
    ]


def _feedback(ask: PageContext, asked: PageRequest, view: MapView) -> list[Part]:
    speech = asked.speech
    tabs = [
        html.A(
            speech(f"map_as_{one}"),
            href=asked.with_(**{"as": None if one == "clusters" else one}),
            className="here" if one == view.style else "",
            id=f"as-{one}",
            **stated("current", one == view.style),
        )
        for one in STYLES
    ]
    keys: dict[Style, list[html.Li]] = {
        "clusters": [
            _key("ring", speech("map_key_cluster")),
            _key("ring late", speech("map_key_cluster_late")),
        ],
        "heat": [_key("heat", speech("map_key_heat"))],
        "points": [
            _key("point open", speech("map_state_open")),
            _key("shape p2", speech("map_state_overdue")),
            _key("point closed", speech("map_state_closed")),
        ],
    }
    return [
        html.Nav(tabs, className="tabs", **labelled(speech("map_feedback"))),
        html.Ul(keys[view.style], className="keys"),
    ]


def _overdue(ask: PageContext, asked: PageRequest, view: MapView) -> list[Part]:
    speech = asked.speech
    most = max((one.count for one in gathered.overdue(ask, view)), default=0)
    if not most:
        return [html.P(speech("map_no_overdue"), className="note")]
    return [
        html.Ul(
            [_key("sized", speech("map_key_overdue", most=speech.number(most)))], className="keys"
        )
    ]


def _flows(ask: PageContext, asked: PageRequest, view: MapView) -> list[Part]:
    speech, found = asked.speech, gathered.flows(ask, view)
    if not found:
        return [html.P(speech("map_no_flows"), className="note")]
    hours = speech.number(gathered.SLOW_HOURS)
    keys = [
        _key("line", speech("map_key_flow", most=speech.number(found[0].sent))),
        _key(
            "line slow",
            speech("map_key_slow", hours=hours),
            speech.number(sum(one.slow for one in found)),
        ),
        _key(
            "line late",
            speech("map_key_late"),
            speech.number(sum(bool(one.value("overdue")) for one in found)),
        ),
    ]
    rest = len(found) - gathered.DRAWN_FLOWS
    more = [
        html.P(
            speech(
                "map_more_flows",
                n=speech.number(gathered.DRAWN_FLOWS),
                of=speech.number(len(found)),
            ),
            className="note",
        )
    ]
    return [html.Ul(keys, className="keys"), *(more if rest > 0 else [])]


def _meetings(ask: PageContext, asked: PageRequest, view: MapView) -> list[Part]:
    speech, found = asked.speech, gathered.meetings(ask, view)
    counts = [
        sum(getattr(one, field) for one in found.sites)
        for field in ("connected", "missing", "invited")
    ]
    keys = [
        _key("site connected", speech("map_key_connected"), speech.number(counts[0])),
        _key("site missing", speech("map_key_missing"), speech.number(counts[1])),
        _key("site coming", speech("map_key_coming"), speech.number(counts[2])),
    ]
    told = speech(
        "map_meetings_told",
        live=speech.number(len(found.live)),
        coming=speech.number(len(found.coming)),
    )
    return [html.P(told, className="note"), html.Ul(keys, className="keys")]


def _sources(ask: PageContext, asked: PageRequest, view: MapView) -> list[Part]:
    speech = asked.speech
    counts = Counter(one.state for found in gathered.sources(ask, view) for one in found.sources)
    keys = [
        _key(f"feed {state.value}", state_word(state, speech), speech.number(counts[state]))
        for state in GRAVITY
    ]
    return [html.Ul(keys, className="keys"), html.P(speech("map_gravest"), className="note")]


def _alarms(ask: PageContext, asked: PageRequest, view: MapView) -> list[Part]:
    speech = asked.speech
    calls, watched = gathered.calls(ask, view)
    if not watched.alive:
        return [html.P(chip(speech("blind"), "unknown"))]
    counts = Counter(
        priority
        for _, priority in {(alarm.id, alarm.priority) for one in calls for alarm in one.alarms}
    )
    keys = [
        _key(f"shape p{number}", speech(f"priority_{number}"), speech.number(counts[number]))
        for number in (1, 2, 3)
    ]
    return [html.Ul(keys, className="keys")]
