"""`/unit/<code>`: the layout of the page."""

from functools import partial

from dash import html

from dashboard.components.parts import Part, crumbs, link, listed, nothing, section
from dashboard.components.unit_cards import key_cards, kind_cards
from dashboard.components.unit_refs import UnitRef, resolve_unit, unit_link
from dashboard.i18n.translator import Translator
from dashboard.pages.unit.alarms import alarms_section
from dashboard.pages.unit.children import children_table
from dashboard.pages.unit.feeds import feeds
from dashboard.pages.unit.queues import behind, queues
from dashboard.pages.unit.scores import score_sections
from dashboard.query.concurrent import run_concurrently
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas import places
from schemas.figures import FIGURES
from schemas.figures.aging import TIMELY
from schemas.places import Commune, Province
from schemas.reference import agency_today

TREND_SECONDS = 300.0
"""Trends change once a day, except for their last day."""


def content(context: PageContext, request: PageRequest) -> Part:
    """Build the page.

    Raises:
        LookupError: no unit of this installation has the code.
    """
    code = request.path.removeprefix("/unit/").strip("/")
    unit = resolve_unit(context.place, code)
    if unit is None:
        raise LookupError(request.translator("no_unit", code=code))
    trends = run_concurrently(
        lambda: context.cached(
            ("trends", code),
            lambda: context.figures.trends(context.clock, unit.what, code),
            TREND_SECONDS,
        )
    )
    calling = run_concurrently(partial(alarms_section, context, request, unit, context.clock.now()))
    now, units = context.clock.now(), context.units()
    readings = {one: found for one, found in units.get(code, {}).items() if one != TIMELY}
    heading = _heading(context, request, unit)
    if unit.elsewhen and not readings:
        why = ("former_unit", "former_hint") if unit.former else ("coming_unit", "coming_hint")
        return [
            heading,
            section(request.translator("figures"), nothing(*map(request.translator, why))),
        ]
    its_feeds, its_points = (
        run_concurrently(partial(feeds, context, request, unit, now)),
        run_concurrently(partial(score_sections, context, request, unit)),
    )
    waiting = queues(context, request, unit, readings, now)
    kinds = dict.fromkeys(figure.kind for figure in FIGURES)
    course = trends()
    words = [
        (kind, kind_cards(request, unit, context.place, kind, readings, course)) for kind in kinds
    ]
    # There is no room for them beside the long table of a province's communes.
    wide = unit.what == "province"
    return [
        heading,
        key_cards(request, unit, context.place, readings, course)
        if readings
        else nothing(request.translator("no_records")),
        behind(context, request, unit, now),
        html.Div(
            [
                html.Div(
                    [children_table(context, request, unit, units), *([] if wide else waiting)],
                    className="column",
                ),
                html.Div(
                    [calling(), *its_points(), its_feeds()],
                    className="column",
                ),
            ],
            className="columns",
        ),
        *([html.Div(waiting, className="pairs")] if wide else []),
        *[
            section(kind.label(request.language), cards, id=f"figures-{kind.name}")
            for kind, cards in words
            if cards
        ],
    ]


def _heading(context: PageContext, request: PageRequest, unit: UnitRef) -> html.Header:
    """Show the unit above it, its name, and what distinguishes it from others."""
    translator = request.translator
    return html.Header(
        [
            _above(context, request, unit),
            html.H1(unit.label(translator)),
            html.P(
                [*_facts(unit, translator), *_on_map(context, request, unit)],
                className="facts",
            ),
            *(
                [
                    html.P(
                        [translator("now_is"), " ", *_heirs(context, request, unit)],
                        className="heirs",
                    )
                ]
                if unit.former
                else []
            ),
            *(
                [
                    html.P(
                        [translator("made_of"), " ", *_origins(context, request, unit)],
                        className="heirs",
                    )
                ]
                if unit.coming
                else []
            ),
        ],
        className="heading",
    )


def _above(context: PageContext, request: PageRequest, unit: UnitRef) -> Part:
    codes = dict.fromkeys(
        code for code in (context.place.code, unit.commune) if code not in ("", unit.code)
    )
    return crumbs(
        [unit_link(request, context.place, code) for code in codes]
        or [request.translator("whole_province")],
        request.translator("above"),
    )


def _facts(unit: UnitRef, translator: Translator) -> list[Part]:
    facts = [translator("code_is", code=unit.code)]
    if isinstance(unit.place, Commune | Province) and unit.place.area_km2:
        facts.append(f"{translator.number(unit.place.area_km2, 1)} km²")
    of = unit.agency or unit.place
    if of is not None and of.valid_from and of.valid_from.year > 2000:
        facts.append(translator("valid_from", day=f"{of.valid_from:%d/%m/%Y}"))
    if unit.agency is not None:
        facts.append(translator(f"level_{unit.agency.level}"))
        if unit.agency.owner:
            facts.append(f"{unit.agency.owner}: {unit.agency.telephone}")
    return [html.Span(one) for one in facts]


def _on_map(context: PageContext, request: PageRequest, unit: UnitRef) -> list[Part]:
    """Link to the map with the unit selected; a unit not in force that day is on no map."""
    code = None if unit.what == "province" else unit.code
    return [] if unit.elsewhen else [link(request, request.translator("map_on"), "/map", unit=code)]


def _origins(context: PageContext, request: PageRequest, unit: UnitRef) -> list[Part]:
    """List the units that a unit of today, or the commune of an agency, was formed from."""
    return listed(
        unit_link(request, context.place, one.former) for one in places.predecessors(unit.commune)
    ) or [request.translator("none")]


def _heirs(context: PageContext, request: PageRequest, unit: UnitRef) -> list[Part]:
    """List what a former unit became."""
    if unit.agency is not None:
        heir = agency_today(unit.code)
        return [unit_link(request, context.place, heir)] if heir else [request.translator("none")]
    return listed(
        unit_link(request, context.place, one.code) for one in places.successors(unit.code)
    )
