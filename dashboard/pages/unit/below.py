"""What is below a unit: the communes and bodies of the province, the agencies of a commune, ranked by any figure."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from dashboard.components.parts import Part, labelled, section, value
from dashboard.components.table import Row, TableColumn, Wish, sorted_rows, table
from dashboard.components.unit_cards import CALLING
from dashboard.components.unit_refs import UnitRef, unit_link, who
from dashboard.i18n.speech import Translator, in_order
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


def below(
    ask: PageContext, asked: PageRequest, unit: UnitRef, units: Mapping[str, Readings]
) -> Part:
    """The table; None for an agency, which has nothing below it."""
    speech = asked.speech
    if unit.what == "agency":
        return None
    bodies = unit.what == "province" and asked.get("level") == "bodies"
    codes = _codes(ask, unit, bodies)
    if not codes:
        return None
    chosen = BY_CODE.get(asked.get("figure"))
    heading = speech(
        "below_bodies"
        if bodies
        else "below_communes"
        if unit.what == "province"
        else "below_agencies"
    )
    rows: list[Row] = [
        {"code": code, "name": found.words(speech), "readings": units.get(code, {})}
        for code in codes
        if (found := who(ask.place, code))
    ]
    shown = columns(asked, ask.place, chosen, short=unit.what == "province" and not bodies)
    wish = Wish.of(asked, PREFIX, usual(chosen), size=PAGE_SIZE)
    aside = _switch(asked, unit, bodies) if unit.what == "province" else None
    rows = sorted_rows(rows, shown, wish)
    outside = units.get(OUTSIDE, {}) if unit.what == "province" and not bodies else {}
    if any(one.value for one in outside.values()):
        rows.append({"code": OUTSIDE, "name": speech("of_no_unit"), "readings": outside})
    return section(
        heading,
        _chooser(asked, chosen),
        table(asked, shown, rows, wish, prefix=PREFIX, label=heading),
        id="units",
        aside=aside,
    )


def columns(
    asked: PageRequest, place: ProvinceContext, chosen: Figure | None, *, short: bool
) -> tuple[TableColumn, ...]:
    """The unit, whose name is short or not, the usual figures, and before them the chosen one."""
    speech = asked.speech
    codes = dict.fromkeys([*([chosen.code] if chosen else []), *USUAL])
    return (
        TableColumn(
            "name",
            speech("unit"),
            lambda row: _name(asked, place, row),
            lambda row: in_order(row["name"]),
            short=short,
        ),
        *(_figure(BY_CODE[code], speech) for code in codes),
    )


def _name(asked: PageRequest, place: ProvinceContext, row: Row) -> Part:
    if row["code"] == OUTSIDE:  # why is told where the sources are
        return dcc.Link(
            row["name"],
            href=asked.link("/sources"),
            title=asked.speech("of_no_unit_hint"),
            className="outside",
        )
    return unit_link(asked, place, row["code"])


def _figure(figure: Figure, speech: Translator) -> TableColumn:
    def reading(row: Row) -> Reading:
        found: Reading = row["readings"].get(figure.code, UNKNOWN)
        return found

    def show(row: Row) -> Part:
        one = reading(row)
        words = value(one, figure, speech)
        if one.stale:
            return html.Span(
                [html.I(className="shape hatch"), " ", words],
                className="quiet",
                title=speech("stale"),
            )
        if not one.value:
            return html.Span(words, className="quiet")
        if figure.code in CALLING:
            return html.Span([html.I(className="shape p2"), " ", html.B(words)])
        return words

    first = "up" if figure.better == "up" else "down"
    return TableColumn(
        figure.code,
        figure.words(speech.language),
        show,
        lambda row: reading(row).value,
        number=True,
        first=first,
    )


def usual(chosen: Figure | None) -> str:
    """Sorted so that the worst is first."""
    if chosen is None:
        return "-filing.overdue"
    return chosen.code if chosen.better == "up" else f"-{chosen.code}"


def _codes(ask: PageContext, unit: UnitRef, bodies: bool) -> Sequence[str]:
    if unit.what == "province":
        return (
            [one.code for one in ask.place.agencies if not one.commune]
            if bodies
            else list(ask.place.names)
        )
    return [one.code for one in ask.place.agencies if one.commune == unit.code]


def _switch(asked: PageRequest, unit: UnitRef, bodies: bool) -> Part:
    """From communes to bodies of the province and back."""
    other = {"level": None if bodies else "bodies", f"{PREFIX}sort": None}
    words = asked.speech("below_communes" if bodies else "below_bodies")
    return dcc.Link(words, href=asked.with_(**other))


def _chooser(asked: PageRequest, chosen: Figure | None) -> html.Form:
    """A form that ranks by any figure: its choice becomes a parameter of the address."""
    speech = asked.speech
    kept = [name for name in (*FRAME, "level") if asked.get(name)]
    options: list[Any] = [html.Option(speech("usual_figures"), value="")]
    for kind in dict.fromkeys(figure.kind for figure in FIGURES):
        of_kind = [
            html.Option(
                one.words(asked.spoken),
                value=one.code,
                selected="selected" if chosen is one else None,
            )
            for one in FIGURES
            if one.kind is kind
        ]
        options.append(html.Optgroup(of_kind, label=kind.words(asked.spoken)))
    return html.Form(
        [
            html.Label([html.Span(speech("rank_by")), html.Select(options, name="figure")]),
            *[dcc.Input(type="hidden", name=name, value=asked.get(name)) for name in kept],
            html.Button(speech("rank"), type="submit"),
        ],
        className="chooser",
        **labelled(speech("rank_by")),
    )
