"""Beside the map: what is chosen, its figures, what happened to it over the window, its records; all of one scope."""

from collections.abc import Mapping

from dash import html

from dashboard.components import record_rows
from dashboard.components.parts import (
    Part,
    labelled,
    link,
    listed,
    marked,
    nothing,
    reading,
    section,
    stated,
)
from dashboard.components.table import Row, TableColumn, Wish, table
from dashboard.components.unit_cards import calls
from dashboard.components.unit_refs import name, unit_link
from dashboard.pages.map import gathered
from dashboard.pages.map.bars import bars
from dashboard.pages.map.drawn import title
from dashboard.pages.map.spots import spots
from dashboard.pages.map.view import TABS, MapView
from dashboard.query.map import Scope, in_scope
from dashboard.query.records import ORDERS
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind
from schemas.figures import BY_CODE, UNKNOWN, Reading, Readings

SHOWN: Mapping[Kind, tuple[str, ...]] = {
    FEEDBACK: ("feedback.received", "feedback.open", "feedback.overdue", "feedback.on_time"),
    FILING: ("filing.registered", "filing.open", "filing.overdue", "filing.on_time"),
    DOCUMENT: ("document.sent", "document.waiting", "document.overdue", "document.receive_p50"),
    MEETING: ("meeting.live", "meeting.scheduled", "meeting.missing", "meeting.connected"),
}
PREFIX = "records_"
PAGE_SIZE = 12
NAMED = 3
"""Communes of a choice that are named; of more only how many."""
TOP_FLOWS = 8
GONE = {"unit": None, "box": None, "record": None, f"{PREFIX}page": None}
"""What taking the choice away changes in an address."""


def panel(ask: PageContext, asked: PageRequest, view: MapView) -> list[Part]:
    """The parts of the panel."""
    speech, scope = asked.speech, view.scope(ask.place, spots(ask.place))
    if view.unknown:
        gone = html.A(speech("map_whole"), href=asked.with_(**GONE))
        codes = ", ".join(view.unknown)
        return [
            html.H1(codes),
            nothing(speech("not_found"), speech("no_unit", code=codes)),
            html.P(gone, className="more"),
        ]
    figures = [BY_CODE[code] for code in SHOWN[view.kind]]
    found = gathered.once(
        ask,
        view,
        ("figures", view.kind.name, scope),
        lambda: gathered.store(ask).overview(scope, figures, TABS),
    )
    return [
        _heading(ask, asked, view),
        *(
            [html.P(speech(view.problem), className="problem", role="alert")]
            if view.problem
            else []
        ),
        *([_record(asked, *view.record)] if view.record else []),
        _kinds(asked, view, found),
        _cards(ask, asked, view, found),
        *_course(ask, asked, view, scope),
        *_flows(ask, asked, view),
        _records(ask, asked, view, scope),
    ]


def _heading(ask: PageContext, asked: PageRequest, view: MapView) -> html.Header:
    speech = asked.speech
    words, said = _chosen(ask, asked, view)
    times = f"{speech.full(view.since)} – {speech.full(view.until)}"
    away = html.A(
        ["×", html.Span(speech("map_unchoose"), className="hidden")],
        href=asked.with_(**GONE),
        id="unchoose",
        title=speech("map_unchoose_hint"),
    )
    unit = view.agency or (
        view.communes[0] if len(view.communes) == 1 else "" if view.chosen else ask.place.code
    )
    facts: list[Part] = [*([said, " · "] if said else []), html.Span(times, className="times")]
    if unit and ask.place.known:
        facts += [" · ", link(asked, speech("map_unit_page"), f"/unit/{unit}")]
    heading = html.Div(
        [html.H1(words), *([away] if view.chosen or view.record else [])], className="chosen"
    )
    return html.Header([heading, html.P(facts, className="facts")])


def _chosen(ask: PageContext, asked: PageRequest, view: MapView) -> tuple[str, Part]:
    """The name of what is chosen, and what is to be said of it."""
    speech = asked.speech
    if view.box:
        inside = view.inside(spots(ask.place))
        return speech("map_box"), speech("map_box_has", n=speech.number(len(inside)))
    if view.agency:
        return name(view.agency, ask.place, speech), view.agency
    if len(view.communes) == 1:
        return name(view.communes[0], ask.place, speech), view.communes[0]
    if view.communes:
        links = listed(unit_link(asked, ask.place, code) for code in view.communes[:NAMED])
        more = [f" +{len(view.communes) - NAMED}"] if len(view.communes) > NAMED else []
        return speech("map_communes_chosen", n=speech.number(len(view.communes))), html.Span(
            [*links, *more]
        )
    return ask.place.full_name(asked.spoken), ""


def _record(asked: PageRequest, kind: Kind, entity: str) -> html.P:
    words = [
        html.I(className="pin"),
        html.Span(asked.speech("map_marked", kind=kind.words(asked.spoken))),
        record_rows.record_link(asked, kind, entity),
    ]
    gone = html.A(
        ["×", html.Span(asked.speech("close"), className="hidden")], href=asked.with_(record=None)
    )
    return html.P([*words, gone], className="marked")


def _kinds(asked: PageRequest, view: MapView, found: Readings) -> html.Nav:
    tabs = [
        html.A(
            [
                asked.speech(f"feed_{kind.name}"),
                html.Small(asked.speech.number(found[in_scope(kind)].value or 0)),
            ],
            href=asked.with_(
                kind=None if kind is FEEDBACK else kind.name, records_sort=None, records_page=None
            ),
            className="here" if kind is view.kind else "",
            id=f"kind-{kind.name}",
            **stated("current", kind is view.kind),
        )
        for kind in TABS
    ]
    return html.Nav(tabs, className="tabs kinds", **labelled(asked.speech("map_kinds")))


def _cards(ask: PageContext, asked: PageRequest, view: MapView, found: Readings) -> html.Div:
    speech = asked.speech
    cards = []
    for figure in (BY_CODE[code] for code in SHOWN[view.kind]):
        one: Reading = found.get(figure.code, UNKNOWN)
        when = (
            "map_in_window" if figure.of_period else "map_at_end" if view.past else "map_right_now"
        )
        call = calls(figure, one, ask.place.aim(figure.code))
        cards.append(reading(figure, one, speech, call=call, detail=html.Span(speech(when))))
    return html.Div(cards, className="cards", id="map-figures")


def _course(ask: PageContext, asked: PageRequest, view: MapView, scope: Scope) -> list[Part]:
    if view.kind is MEETING:  # a handful a day: their table says it
        return []
    speech, kind = asked.speech, view.kind
    pairs = gathered.once(
        ask, view, ("course", kind.name, scope), lambda: gathered.store(ask).course(scope, kind)
    )
    drawing = bars(
        asked,
        pairs,
        scope.since,
        scope.step,
        speech(f"map_begun_{kind.name}"),
        speech("map_closed"),
    )
    return [section(speech("map_course"), drawing, id="map-course")]


def _flows(ask: PageContext, asked: PageRequest, view: MapView) -> list[Part]:
    """The largest flows in words, for who cannot see lines."""
    if view.kind is not DOCUMENT or "flows" not in view.layers:
        return []
    speech = asked.speech
    found = [{"edge": one} for one in gathered.flows(ask, view)[:TOP_FLOWS]]
    if not found:
        return []

    def number(name: str, words: str, digits: int = 0) -> TableColumn:
        return TableColumn(
            name,
            words,
            lambda row: speech.number(row["edge"].value(name) or 0, digits),
            number=True,
        )

    def ends(row: Row) -> str:
        return " → ".join(
            title(ask, asked, code) for code in (row["edge"].sender, row["edge"].receiver)
        )

    columns = (
        TableColumn("ends", speech("map_flow"), ends),
        number("sent", speech("map_sent")),
        number("receive_p50", speech("map_receive"), 1),
        number("overdue", speech("map_state_overdue")),
    )
    return [
        section(
            speech("map_flows_most"),
            table(asked, columns, found, Wish(), label=speech("map_flows_most"), paging=False),
            id="map-flows",
        )
    ]


def _records(ask: PageContext, asked: PageRequest, view: MapView, scope: Scope) -> html.Section:
    speech, kind = asked.speech, view.kind
    wish = Wish.of(asked, PREFIX, "-started", size=PAGE_SIZE)
    order = wish.by if wish.by in ORDERS else "started"
    found = gathered.once(
        ask,
        view,
        ("records", kind.name, scope, wish),
        lambda: gathered.store(ask).records(
            ask.clock,
            scope,
            kind,
            order=order,
            down=wish.down,
            limit=wish.size,
            skip=(wish.page - 1) * wish.size,
        ),
    )
    heading = speech("map_records", kind=kind.words(asked.spoken))
    if not found.rows:
        gone = html.A(speech("map_whole"), href=asked.with_(**GONE, category=None, state=None))
        hint = (
            html.P(gone, className="more") if view.chosen or view.category or view.state else None
        )
        return section(
            heading,
            nothing(speech("map_nothing"), speech("map_nothing_hint")),
            hint,
            id="map-records",
        )
    kept = [
        one
        for one in record_rows.columns(asked, ask.place, kind, ask.clock.now(), sort=True)
        if one.name in ("started", "status", "left")
    ]
    pin = TableColumn("pin", "", lambda row: _pin(asked, kind, str(row["entity_id"])))
    grid = table(
        asked, (*kept, pin), found.rows, wish, prefix=PREFIX, total=found.total, label=heading
    )
    return section(heading, grid, id="map-records")


def _pin(asked: PageRequest, kind: Kind, entity: str) -> html.A:
    words = asked.speech("map_show_record", number=entity)
    return html.A(
        html.I(className="pin"),
        href=asked.with_(record=f"{kind.name}/{entity}"),
        title=words,
        **labelled(words),
        **marked("fit"),
    )
