"""Panel beside the map: the selection, its figures, its chart and its records, all of one scope."""

from dash import html

from dashboard.components import record_rows
from dashboard.components.kind_screens import screens_of
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
from dashboard.components.table import Row, TableColumn, TableState, table
from dashboard.components.unit_cards import priority
from dashboard.components.unit_refs import name, unit_link
from dashboard.pages.map import layer_data
from dashboard.pages.map.bars import bars
from dashboard.pages.map.layers import shown
from dashboard.pages.map.marks import title
from dashboard.pages.map.spots import spots
from dashboard.pages.map.view import TABS, MapView
from dashboard.query.map import Scope, in_scope
from dashboard.query.records import ORDERS
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.events.kinds import DOCUMENT, FEEDBACK, MEETING, Kind
from schemas.figures import BY_CODE, UNKNOWN, Reading, Readings

PREFIX = "records_"
PAGE_SIZE = 12
NAMED = 3
"""Most communes of a selection that are named rather than counted."""
TOP_FLOWS = 8
GONE = {"unit": None, "box": None, "record": None, f"{PREFIX}page": None}
"""Changes of an address that clear the selection."""


def panel(context: PageContext, request: PageRequest, view: MapView) -> list[Part]:
    """Build the parts of the panel."""
    translator, scope = request.translator, view.scope(context.place, spots(context.place))
    if view.unknown:
        gone = html.A(translator("map_whole"), href=request.with_(**GONE))
        codes = ", ".join(view.unknown)
        return [
            html.H1(codes),
            nothing(translator("not_found"), translator("no_unit", code=codes)),
            html.P(gone, className="more"),
        ]
    figures = [BY_CODE[code] for code in screens_of(view.kind).map_figures]
    found = layer_data.cached(
        context,
        view,
        ("figures", view.kind.name, scope),
        lambda: layer_data.store(context).overview(scope, figures, TABS),
    )
    return [
        _heading(context, request, view),
        *(
            [html.P(translator(view.problem), className="problem", role="alert")]
            if view.problem
            else []
        ),
        *([_record(request, *view.record)] if view.record else []),
        _kinds(request, view, found),
        _cards(context, request, view, found),
        *_course(context, request, view, scope),
        *_flows(context, request, view),
        _records(context, request, view, scope),
    ]


def _heading(context: PageContext, request: PageRequest, view: MapView) -> html.Header:
    translator = request.translator
    words, details = _chosen(context, request, view)
    times = f"{translator.full(view.since)} – {translator.full(view.until)}"
    away = html.A(
        ["×", html.Span(translator("map_unchoose"), className="hidden")],
        href=request.with_(**GONE),
        id="unchoose",
        title=translator("map_unchoose_hint"),
    )
    unit = view.agency or (
        view.communes[0] if len(view.communes) == 1 else "" if view.chosen else context.place.code
    )
    facts: list[Part] = [
        *([details, " · "] if details else []),
        html.Span(times, className="times"),
    ]
    if unit and context.place.known:
        facts += [" · ", link(request, translator("map_unit_page"), f"/unit/{unit}")]
    heading = html.Div(
        [html.H1(words), *([away] if view.chosen or view.record else [])], className="chosen"
    )
    return html.Header([heading, html.P(facts, className="facts")])


def _chosen(context: PageContext, request: PageRequest, view: MapView) -> tuple[str, Part]:
    """Return the name and the details of the selection."""
    translator = request.translator
    if view.box:
        inside = view.inside(spots(context.place))
        return translator("map_box"), translator("map_box_has", n=translator.number(len(inside)))
    if view.agency:
        return name(view.agency, context.place, translator), view.agency
    if len(view.communes) == 1:
        return name(view.communes[0], context.place, translator), view.communes[0]
    if view.communes:
        links = listed(unit_link(request, context.place, code) for code in view.communes[:NAMED])
        more = [f" +{len(view.communes) - NAMED}"] if len(view.communes) > NAMED else []
        return translator(
            "map_communes_chosen", n=translator.number(len(view.communes))
        ), html.Span([*links, *more])
    return context.place.full_name(request.language), ""


def _record(request: PageRequest, kind: Kind, entity: str) -> html.P:
    words = [
        html.I(className="pin"),
        html.Span(request.translator("map_marked", kind=kind.label(request.language))),
        record_rows.record_link(request, kind, entity),
    ]
    gone = html.A(
        ["×", html.Span(request.translator("close"), className="hidden")],
        href=request.with_(record=None),
    )
    return html.P([*words, gone], className="marked")


def _kinds(request: PageRequest, view: MapView, found: Readings) -> html.Nav:
    tabs = [
        html.A(
            [
                request.translator(f"feed_{kind.name}"),
                html.Small(request.translator.number(found[in_scope(kind)].value or 0)),
            ],
            href=request.with_(
                kind=None if kind is FEEDBACK else kind.name, records_sort=None, records_page=None
            ),
            className="here" if kind is view.kind else "",
            id=f"kind-{kind.name}",
            **stated("current", kind is view.kind),
        )
        for kind in TABS
    ]
    return html.Nav(tabs, className="tabs kinds", **labelled(request.translator("map_kinds")))


def _cards(context: PageContext, request: PageRequest, view: MapView, found: Readings) -> html.Div:
    translator = request.translator
    cards = []
    for figure in (BY_CODE[code] for code in screens_of(view.kind).map_figures):
        one: Reading = found.get(figure.code, UNKNOWN)
        when = (
            "map_in_window" if figure.of_period else "map_at_end" if view.past else "map_right_now"
        )
        call = priority(figure, one, context.place.aim(figure.code))
        cards.append(
            reading(figure, one, translator, call=call, detail=html.Span(translator(when)))
        )
    return html.Div(cards, className="cards", id="map-figures")


def _course(context: PageContext, request: PageRequest, view: MapView, scope: Scope) -> list[Part]:
    if view.kind is MEETING:  # a handful a day: their table shows them
        return []
    translator, kind = request.translator, view.kind
    pairs = layer_data.cached(
        context,
        view,
        ("course", kind.name, scope),
        lambda: layer_data.store(context).course(scope, kind),
    )
    drawing = bars(
        request,
        pairs,
        scope.since,
        scope.step,
        translator(f"map_begun_{kind.name}"),
        translator("map_closed"),
    )
    return [section(translator("map_course"), drawing, id="map-course")]


def _flows(context: PageContext, request: PageRequest, view: MapView) -> list[Part]:
    """List the largest flows in words, for viewers who cannot see the lines."""
    if view.kind is not DOCUMENT or "flows" not in [one.name for one in shown(view)]:
        return []
    translator = request.translator
    found = [{"edge": one} for one in layer_data.flows(context, view)[:TOP_FLOWS]]
    if not found:
        return []

    def number(name: str, words: str, digits: int = 0) -> TableColumn:
        return TableColumn(
            name,
            words,
            lambda row: translator.number(row["edge"].value(name) or 0, digits),
            number=True,
        )

    def ends(row: Row) -> str:
        return " → ".join(
            title(context, request, code) for code in (row["edge"].sender, row["edge"].receiver)
        )

    columns = (
        TableColumn("ends", translator("map_flow"), ends),
        number("sent", translator("map_sent")),
        number("receive_p50", translator("map_receive"), 1),
        number("overdue", translator("map_state_overdue")),
    )
    return [
        section(
            translator("map_flows_most"),
            table(
                request,
                columns,
                found,
                TableState(),
                label=translator("map_flows_most"),
                paging=False,
            ),
            id="map-flows",
        )
    ]


def _records(
    context: PageContext, request: PageRequest, view: MapView, scope: Scope
) -> html.Section:
    translator, kind = request.translator, view.kind
    table_state = TableState.of(request, PREFIX, "-started", size=PAGE_SIZE)
    order = table_state.by if table_state.by in ORDERS else "started"
    found = layer_data.cached(
        context,
        view,
        ("records", kind.name, scope, table_state),
        lambda: layer_data.store(context).records(
            context.clock,
            scope,
            kind,
            order=order,
            down=table_state.down,
            limit=table_state.size,
            skip=table_state.skip,
        ),
    )
    heading = translator("map_records", kind=kind.label(request.language))
    if not found.rows:
        gone = html.A(
            translator("map_whole"), href=request.with_(**GONE, category=None, state=None)
        )
        hint = (
            html.P(gone, className="more") if view.chosen or view.category or view.state else None
        )
        return section(
            heading,
            nothing(translator("map_nothing"), translator("map_nothing_hint")),
            hint,
            id="map-records",
        )
    kept = [
        one
        for one in record_rows.columns(request, context.place, kind, context.clock.now(), sort=True)
        if one.name in ("started", "status", "left")
    ]
    pin = TableColumn("pin", "", lambda row: _pin(request, kind, str(row["entity_id"])))
    grid = table(
        request,
        (*kept, pin),
        found.rows,
        table_state,
        prefix=PREFIX,
        total=found.total,
        label=heading,
    )
    return section(heading, grid, id="map-records")


def _pin(request: PageRequest, kind: Kind, entity: str) -> html.A:
    words = request.translator("map_show_record", number=entity)
    return html.A(
        html.I(className="pin"),
        href=request.with_(record=f"{kind.name}/{entity}"),
        title=words,
        **labelled(words),
        **marked("fit"),
    )
