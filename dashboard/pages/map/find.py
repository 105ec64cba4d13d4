"""Search on the map: units, agencies and records that match a text, as links that select them."""

from dash import html

from dashboard.components.parts import Part, marked
from dashboard.components.record_rows import short
from dashboard.components.unit_search import MIN_LETTERS, found_agencies, found_units
from dashboard.pages.map.view import TABS
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.text import normalise

MAX_HITS = 6
"""Most hits shown of each group."""


def hits(context: PageContext, request: PageRequest, text: str) -> Part:
    """List the hits, best first, or say that there are none."""
    translator = request.translator
    text = " ".join(normalise(text).split())[:200]
    if not text:
        return []
    records = (
        context.cached(("numbered", text), lambda: context.records.numbered(context.clock, text))
        if len(text) >= MIN_LETTERS
        else {}
    )
    places = [
        _hit(
            request,
            one.full_name_en if request.language == "en" else one.full_name,
            one.code,
            unit=None if one.code == context.place.code else one.code,
        )
        for one in found_units(context.place, text)[:MAX_HITS]
    ]
    bodies = [
        _hit(request, one.label(request.language), one.code, unit=one.code)
        for one in found_agencies(context.place.agencies, text)[:MAX_HITS]
    ]
    numbers = [
        _hit(
            request,
            short(kind, str(row["entity_id"])),
            kind.label(request.language),
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
        else html.P(translator("search_nothing", text=text), className="note", role="status")
    )


def _hit(request: PageRequest, words: str, note: str, **choice: str | None) -> html.Li:
    changes = {"unit": None, "box": None, "record": None, "records_page": None, **choice}
    return html.Li(
        html.A([html.Span(words), html.Small(note)], href=request.with_(**changes), **marked("fit"))
    )
