"""Finding on the map: the units, agencies and records that a text may mean, as links that choose them there."""

from dash import html

from dashboard.components.parts import Part, marked
from dashboard.components.record_rows import short
from dashboard.components.unit_search import MIN_LETTERS, found_agencies, found_units
from dashboard.pages.map.view import TABS
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.text import normalise

MAX_HITS = 6
"""Hits of each group that are shown."""


def hits(ask: PageContext, asked: PageRequest, text: str) -> Part:
    """What was found, the best first; says so when it is nothing."""
    speech = asked.speech
    text = " ".join(normalise(text).split())[:200]
    if not text:
        return []
    records = (
        ask.once(("numbered", text), lambda: ask.records.numbered(ask.clock, text))
        if len(text) >= MIN_LETTERS
        else {}
    )
    places = [
        _hit(
            asked,
            one.full_name_en if asked.spoken == "en" else one.full_name,
            one.code,
            unit=None if one.code == ask.place.code else one.code,
        )
        for one in found_units(ask.place, text)[:MAX_HITS]
    ]
    bodies = [
        _hit(asked, one.words(asked.spoken), one.code, unit=one.code)
        for one in found_agencies(ask.place.agencies, text)[:MAX_HITS]
    ]
    numbers = [
        _hit(
            asked,
            short(kind, str(row["entity_id"])),
            kind.words(asked.spoken),
            record=f"{kind.name}/{row['entity_id']}",
            kind=kind.name,
        )
        for kind, some in records.items()
        if kind in TABS
        for row in some.rows[:MAX_HITS]
    ]
    found = [*places, *bodies, *numbers]
    return (
        html.Ul(found)
        if found
        else html.P(speech("search_nothing", text=text), className="note", role="status")
    )


def _hit(asked: PageRequest, words: str, told: str, **choice: str | None) -> html.Li:
    changes = {"unit": None, "box": None, "record": None, "records_page": None, **choice}
    return html.Li(
        html.A([html.Span(words), html.Small(told)], href=asked.with_(**changes), **marked("fit"))
    )
