"""Sources of a unit: each feed now and over 24 hours, with its contact and telephone."""

from collections.abc import Sequence
from datetime import datetime

from dash import html

from dashboard.components.parts import Part, age, chip, link, section
from dashboard.components.source_states import (
    CHIPS,
    GRAVITY,
    HISTORY,
    state_counts,
    state_word,
    strip,
)
from dashboard.components.unit_refs import UnitRef, unit_link
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import Agency
from schemas.sources.freshness import Source

MAX_FEEDS = 8
"""Feeds listed one by one; of a province the most severe."""


def of_unit(sources: Sequence[Source], unit: UnitRef) -> list[Source]:
    """Return the feeds of a unit, most severe first: a commune has those of its agencies."""
    found = [
        one
        for one in sources
        if unit.what == "province"
        or one.agency == unit.code
        or (unit.what == "commune" and one.commune == unit.code)
    ]
    return sorted(
        found, key=lambda one: (GRAVITY.index(one.state), -one.missed, one.agency, one.kind)
    )


def feeds(context: PageContext, request: PageRequest, unit: UnitRef, now: datetime) -> Part:
    """Build the section."""
    translator, found = request.translator, of_unit(context.current_sources(), unit)
    if not found:
        return section(
            translator("nav_sources"), html.P(translator("no_feeds"), className="quiet"), id="feeds"
        )
    shown = found[:MAX_FEEDS]
    keys = tuple((one.agency, one.kind) for one in shown)
    spans = context.cached(
        ("day", keys), lambda: context.sources.histories(keys, now - HISTORY, now), seconds=60
    )
    rows = [
        html.Li(
            [
                html.Div(
                    [
                        html.B(translator(f"feed_{one.kind}")),
                        *(
                            [
                                html.Span(
                                    unit_link(request, context.place, one.agency),
                                    className="at-unit",
                                )
                            ]
                            if unit.what != "agency"
                            else []
                        ),
                        chip(state_word(one.state, translator), CHIPS[one.state]),
                        age(one.received_at),
                    ]
                ),
                html.Div(
                    [
                        strip(spans[one.agency, one.kind], translator),
                        html.Small(_owner(context.place.agency(one.agency))),
                    ]
                ),
            ]
        )
        for one in shown
    ]
    all_of = link(
        request,
        translator("all_sources"),
        "/sources",
        agency=unit.code if unit.what == "agency" else None,
    )
    summary = [state_counts(found, translator)] if unit.what == "province" else []
    return section(
        translator("nav_sources"),
        *summary,
        html.Ul(rows, className="feeds"),
        id="feeds",
        aside=all_of,
    )


def _owner(found: Agency) -> str:
    return f"{found.owner} · {found.telephone}" if found.owner else ""
