"""`/unit/<code>`: what stands where."""

from functools import partial

from dash import html

from dashboard.components.parts import Part, crumbs, link, listed, nothing, section
from dashboard.components.unit_cards import key_cards, kind_cards
from dashboard.components.unit_refs import UnitRef, unit_link, who
from dashboard.i18n.speech import Translator
from dashboard.pages.unit.below import below
from dashboard.pages.unit.calls import calls
from dashboard.pages.unit.feeds import feeds
from dashboard.pages.unit.points import points
from dashboard.pages.unit.queues import behind, queues
from dashboard.query.concurrent import beside
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas import places
from schemas.figures import FIGURES
from schemas.figures.aging import TIMELY
from schemas.places import Commune, Province
from schemas.reference import agency_today

TREND_SECONDS = 300.0
"""Trends change once a day, but for their last day."""


def content(ask: PageContext, asked: PageRequest) -> Part:
    """The page. Raises `LookupError` for a code that nobody here has."""
    code = asked.path.removeprefix("/unit/").strip("/")
    unit = who(ask.place, code)
    if unit is None:
        raise LookupError(asked.speech("no_unit", code=code))
    trends = beside(
        lambda: ask.once(
            ("trends", code), lambda: ask.figures.trends(ask.clock, unit.what, code), TREND_SECONDS
        )
    )
    calling = beside(partial(calls, ask, asked, unit, ask.clock.now()))
    now, units = ask.clock.now(), ask.units()
    readings = {one: found for one, found in units.get(code, {}).items() if one != TIMELY}
    heading = _heading(ask, asked, unit)
    if unit.elsewhen and not readings:
        why = ("former_unit", "former_hint") if unit.former else ("coming_unit", "coming_hint")
        return [heading, section(asked.speech("figures"), nothing(*map(asked.speech, why)))]
    its_feeds, its_points = (
        beside(partial(feeds, ask, asked, unit, now)),
        beside(partial(points, ask, asked, unit)),
    )
    waiting = queues(ask, asked, unit, readings, now)
    kinds = dict.fromkeys(figure.kind for figure in FIGURES)
    course = trends()
    words = [(kind, kind_cards(asked, unit, ask.place, kind, readings, course)) for kind in kinds]
    # Beside the long table of a province's communes there is no room for them.
    wide = unit.what == "province"
    return [
        heading,
        key_cards(asked, unit, ask.place, readings, course)
        if readings
        else nothing(asked.speech("no_records")),
        behind(ask, asked, unit, now),
        html.Div(
            [
                html.Div(
                    [below(ask, asked, unit, units), *([] if wide else waiting)], className="column"
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
            section(kind.words(asked.spoken), cards, id=f"figures-{kind.name}")
            for kind, cards in words
            if cards
        ],
    ]


def _heading(ask: PageContext, asked: PageRequest, unit: UnitRef) -> html.Header:
    """Where it belongs, its name, and the facts that tell it from others."""
    speech = asked.speech
    return html.Header(
        [
            _above(ask, asked, unit),
            html.H1(unit.words(speech)),
            html.P([*_facts(asked, unit, speech), *_on_map(ask, asked, unit)], className="facts"),
            *(
                [html.P([speech("now_is"), " ", *_heirs(ask, asked, unit)], className="heirs")]
                if unit.former
                else []
            ),
            *(
                [html.P([speech("made_of"), " ", *_origins(ask, asked, unit)], className="heirs")]
                if unit.coming
                else []
            ),
        ],
        className="heading",
    )


def _above(ask: PageContext, asked: PageRequest, unit: UnitRef) -> Part:
    codes = dict.fromkeys(
        code for code in (ask.place.code, unit.commune) if code not in ("", unit.code)
    )
    return crumbs(
        [unit_link(asked, ask.place, code) for code in codes] or [asked.speech("whole_province")],
        asked.speech("above"),
    )


def _facts(asked: PageRequest, unit: UnitRef, speech: Translator) -> list[Part]:
    said = [speech("code_is", code=unit.code)]
    if isinstance(unit.place, Commune | Province) and unit.place.area_km2:
        said.append(f"{speech.number(unit.place.area_km2, 1)} km²")
    of = unit.agency or unit.place
    if of is not None and of.valid_from and of.valid_from.year > 2000:
        said.append(speech("valid_from", day=f"{of.valid_from:%d/%m/%Y}"))
    if unit.agency is not None:
        said.append(speech(f"level_{unit.agency.level}"))
        if unit.agency.owner:
            said.append(f"{unit.agency.owner}: {unit.agency.telephone}")
    return [html.Span(one) for one in said]


def _on_map(ask: PageContext, asked: PageRequest, unit: UnitRef) -> list[Part]:
    """Leads to the map with the unit chosen; a unit that is no more, or not yet, lies on none."""
    code = None if unit.what == "province" else unit.code
    return [] if unit.elsewhen else [link(asked, asked.speech("map_on"), "/map", unit=code)]


def _origins(ask: PageContext, asked: PageRequest, unit: UnitRef) -> list[Part]:
    """What a unit of today, or the commune of an agency, was made of."""
    return listed(
        unit_link(asked, ask.place, one.former) for one in places.predecessors(unit.commune)
    ) or [asked.speech("none")]


def _heirs(ask: PageContext, asked: PageRequest, unit: UnitRef) -> list[Part]:
    """What a former unit became."""
    if unit.agency is not None:
        heir = agency_today(unit.code)
        return [unit_link(asked, ask.place, heir)] if heir else [asked.speech("none")]
    return listed(unit_link(asked, ask.place, one.code) for one in places.successors(unit.code))
