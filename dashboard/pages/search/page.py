"""`/search?q=`: units, agencies and records that match a text, in groups; an exact number first."""

from dash import dcc, html

from dashboard.components import record_rows
from dashboard.components.parts import Part, link, marked, nothing, section
from dashboard.components.table import TableState, table
from dashboard.components.unit_search import MIN_LETTERS, found_agencies, found_units
from dashboard.query.records import FoundRecords
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.events.kinds import Kind
from schemas.places import Commune, Province
from schemas.reference import Agency
from schemas.text import normalise

MAX_HITS = 12


def content(context: PageContext, request: PageRequest) -> Part:
    """Build the page."""
    translator, text = request.translator, " ".join(normalise(request.get("q")).split())[:200]
    heading = html.H1(translator("search_for", text=text) if text else translator("search"))
    if not text:
        return [heading, nothing(translator("search_empty"), translator("search_help"))]
    records = (
        context.cached(("numbered", text), lambda: context.records.numbered(context.clock, text))
        if len(text) >= MIN_LETTERS
        else {}
    )
    units, bodies = found_units(context.place, text), found_agencies(context.place.agencies, text)
    parts = [
        _exact(request, text, records),
        _units(request, units),
        _agencies(request, bodies),
        *(_records(context, request, text, kind, found) for kind, found in records.items()),
    ]
    shown = [part for part in parts if part is not None]
    return [
        heading,
        *(shown or [nothing(translator("search_nothing", text=text), translator("search_help"))]),
    ]


def exact(text: str, records: dict[Kind, FoundRecords]) -> tuple[Kind, str] | None:
    """Return the only record with exactly this number, ignoring case; None for none or several."""
    found = [
        (kind, str(row["entity_id"]))
        for kind, some in records.items()
        for row in some.rows
        if text.casefold()
        in (
            row["entity_id"].casefold(),
            f"{row.get('number', '')}/{row.get('notation', '')}".casefold(),
        )
    ]
    return found[0] if len(found) == 1 else None


def _exact(request: PageRequest, text: str, records: dict[Kind, FoundRecords]) -> Part:
    hit = exact(text, records)
    if hit is None:
        return None
    kind, entity = hit
    words = kind.label(request.language)
    to = record_rows.record_link(
        request,
        kind,
        entity,
        [html.Small(words), html.B(entity), html.Small(request.translator("open_record"))],
    )
    # The page focuses the element with this mark, so that Enter follows its link.
    return html.Div(to, className="part exact", **marked("first"))


def _units(request: PageRequest, units: list[Province | Commune]) -> Part:
    if not units:
        return None
    translator = request.translator
    rows = [
        html.Li(
            [
                link(
                    request,
                    one.full_name_en if request.language == "en" else one.full_name,
                    f"/unit/{one.code}",
                ),
                html.Small(one.code),
            ]
        )
        for one in units[:MAX_HITS]
    ]
    return _group(request, translator("found_units"), rows, len(units))


def _agencies(request: PageRequest, agencies: list[Agency]) -> Part:
    if not agencies:
        return None
    rows = [
        html.Li(
            [link(request, one.label(request.language), f"/unit/{one.code}"), html.Small(one.code)]
        )
        for one in agencies[:MAX_HITS]
    ]
    return _group(request, request.translator("found_agencies"), rows, len(agencies))


def _group(request: PageRequest, heading: str, rows: list[Part], total: int) -> Part:
    translator = request.translator
    rest = (
        [
            html.P(
                translator("more_of_them", n=translator.number(total - MAX_HITS)), className="quiet"
            )
        ]
        if total > MAX_HITS
        else []
    )
    return section(
        f"{heading} ({translator.number(total)})", html.Ul(rows, className="hits"), *rest
    )


def _records(
    context: PageContext, request: PageRequest, text: str, kind: Kind, found: FoundRecords
) -> Part:
    translator = request.translator
    words = kind.label(request.language)
    shown = record_rows.columns(request, context.place, kind, context.clock.now(), sort=False)
    rest = found.total - len(found.rows)
    return section(
        f"{words} ({translator.number(found.total)})",
        table(request, shown, found.rows, TableState(), label=words, paging=False),
        *(
            [
                html.P(
                    dcc.Link(
                        translator("more_of_them", n=translator.number(rest)),
                        href=request.link(f"/records/{kind.name}", text=text),
                    )
                )
            ]
            if rest
            else []
        ),
    )
