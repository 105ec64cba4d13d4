"""The units below a unit, ranked by any figure: communes and bodies of a province, or agencies."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from dashboard.components.parts import Part, kept, labelled, section, value
from dashboard.components.table import Row, TableColumn, TableState, sorted_rows, table
from dashboard.components.unit_cards import URGENT_COUNTS
from dashboard.components.unit_refs import UnitRef, resolve_unit, unit_link
from dashboard.i18n.translator import Translator, sort_key
from dashboard.query.figures import OUTSIDE
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import FRAME, PageRequest
from dashboard.request.context import PageContext
from schemas.figures import BY_CODE, FIGURES, UNKNOWN, Figure, Reading, Readings

USUAL = (
    "filing.overdue",
    "filing.due_soon",
    "filing.on_time",
    "filing.open",
    "feedback.overdue",
    "feedback.open",
    "document.overdue",
    "document.waiting",
)
PREFIX = "units_"
PAGE_SIZE = 200


def children_table(
    context: PageContext, request: PageRequest, unit: UnitRef, units: Mapping[str, Readings]
) -> Part:
    """Build the table; None for an agency, which has no units below it."""
    translator = request.translator
    if unit.what == "agency":
        return None
    bodies = unit.what == "province" and request.get("level") == "bodies"
    codes = _codes(context, unit, bodies)
    if not codes:
        return None
    chosen = BY_CODE.get(request.get("figure"))
    heading = translator(
        "below_bodies"
        if bodies
        else "below_communes"
        if unit.what == "province"
        else "below_agencies"
    )
    rows: list[Row] = [
        {"code": code, "name": found.label(translator), "readings": units.get(code, {})}
        for code in codes
        if (found := resolve_unit(context.place, code))
    ]
    shown = columns(request, context.place, chosen, short=unit.what == "province" and not bodies)
    table_state = TableState.of(request, PREFIX, usual(chosen), size=PAGE_SIZE)
    aside = _switch(request, bodies) if unit.what == "province" else None
    rows = sorted_rows(rows, shown, table_state)
    outside = units.get(OUTSIDE, {}) if unit.what == "province" and not bodies else {}
    if any(one.value for one in outside.values()):
        rows.append({"code": OUTSIDE, "name": translator("of_no_unit"), "readings": outside})
    return section(
        heading,
        _chooser(request, chosen),
        table(request, shown, rows, table_state, prefix=PREFIX, label=heading),
        id="units",
        aside=aside,
    )


def columns(
    request: PageRequest, place: ProvinceContext, chosen: Figure | None, *, short: bool
) -> tuple[TableColumn, ...]:
    """Return the columns: unit (not broken if `short`), chosen figure, the usual figures."""
    translator = request.translator
    codes = dict.fromkeys([*([chosen.code] if chosen else []), *USUAL])
    return (
        TableColumn(
            "name",
            translator("unit"),
            lambda row: _name(request, place, row),
            lambda row: sort_key(row["name"]),
            short=short,
        ),
        *(_figure(BY_CODE[code], translator) for code in codes),
    )


def _name(request: PageRequest, place: ProvinceContext, row: Row) -> Part:
    if row["code"] == OUTSIDE:  # `/sources` says why
        return dcc.Link(
            row["name"],
            href=request.link("/sources"),
            title=request.translator("of_no_unit_hint"),
            className="outside",
        )
    return unit_link(request, place, row["code"])


def _figure(figure: Figure, translator: Translator) -> TableColumn:
    def reading(row: Row) -> Reading:
        found: Reading = row["readings"].get(figure.code, UNKNOWN)
        return found

    def show(row: Row) -> Part:
        one = reading(row)
        words = value(one, figure, translator)
        if one.stale:
            return html.Span(
                [html.I(className="shape hatch"), " ", words],
                className="quiet",
                title=translator("stale"),
            )
        if not one.value:
            return html.Span(words, className="quiet")
        if figure.code in URGENT_COUNTS:
            return html.Span([html.I(className="shape p2"), " ", html.B(words)])
        return words

    first = "up" if figure.better == "up" else "down"
    return TableColumn(
        figure.code,
        figure.label(translator.language),
        show,
        lambda row: reading(row).value,
        number=True,
        first=first,
    )


def usual(chosen: Figure | None) -> str:
    """Return the usual order of a figure: the worst first."""
    if chosen is None:
        return "-filing.overdue"
    return chosen.code if chosen.better == "up" else f"-{chosen.code}"


def _codes(context: PageContext, unit: UnitRef, bodies: bool) -> Sequence[str]:
    if unit.what == "province":
        return (
            [one.code for one in context.place.agencies if not one.commune]
            if bodies
            else list(context.place.names)
        )
    return [one.code for one in context.place.agencies if one.commune == unit.code]


def _switch(request: PageRequest, bodies: bool) -> Part:
    """Link from the communes to the bodies of the province, and back."""
    other = {"level": None if bodies else "bodies", f"{PREFIX}sort": None}
    words = request.translator("below_communes" if bodies else "below_bodies")
    return dcc.Link(words, href=request.with_(**other))


def _chooser(request: PageRequest, chosen: Figure | None) -> html.Form:
    """Build a form that ranks by any figure: its choice becomes a parameter of the address."""
    translator = request.translator
    options: list[Any] = [html.Option(translator("usual_figures"), value="")]
    for kind in dict.fromkeys(figure.kind for figure in FIGURES):
        of_kind = [
            html.Option(
                one.label(request.language),
                value=one.code,
                selected="selected" if chosen is one else None,
            )
            for one in FIGURES
            if one.kind is kind
        ]
        options.append(html.Optgroup(of_kind, label=kind.label(request.language)))
    return html.Form(
        [
            html.Label([html.Span(translator("rank_by")), html.Select(options, name="figure")]),
            *kept(request, (*FRAME, "level")),
            html.Button(translator("rank"), type="submit"),
        ],
        className="chooser",
        **labelled(translator("rank_by")),
    )
