"""`/search?q=`: the units, agencies and records that a text may mean, in groups; the one record of exactly that number first."""

from dash import dcc, html

from dashboard.components import record_rows
from dashboard.components.parts import Part, link, marked, nothing, section
from dashboard.components.table import Wish, table
from dashboard.components.unit_search import MIN_LETTERS, found_agencies, found_units
from dashboard.query.records import FoundRecords
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.events.kinds import Kind
from schemas.places import Commune, Province
from schemas.reference import Agency
from schemas.text import normalise

MAX_HITS = 12


def content(ask: PageContext, asked: PageRequest) -> Part:
    """The page."""
    speech, text = asked.speech, " ".join(normalise(asked.get("q")).split())[:200]
    heading = html.H1(speech("search_for", text=text) if text else speech("search"))
    if not text:
        return [heading, nothing(speech("search_empty"), speech("search_help"))]
    records = (
        ask.once(("numbered", text), lambda: ask.records.numbered(ask.clock, text))
        if len(text) >= MIN_LETTERS
        else {}
    )
    units, bodies = found_units(ask.place, text), found_agencies(ask.place.agencies, text)
    parts = [
        _exact(ask, asked, text, records),
        _units(asked, units),
        _agencies(asked, bodies),
        *(_records(ask, asked, text, kind, found) for kind, found in records.items()),
    ]
    shown = [part for part in parts if part is not None]
    return [
        heading,
        *(shown or [nothing(speech("search_nothing", text=text), speech("search_help"))]),
    ]


def exact(text: str, records: dict[Kind, FoundRecords]) -> tuple[Kind, str] | None:
    """The one record whose number is exactly the text, in any case; None for none or several."""
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


def _exact(
    ask: PageContext, asked: PageRequest, text: str, records: dict[Kind, FoundRecords]
) -> Part:
    hit = exact(text, records)
    if hit is None:
        return None
    kind, entity = hit
    words = kind.words(asked.spoken)
    to = record_rows.record_link(
        asked,
        kind,
        entity,
        [html.Small(words), html.B(entity), html.Small(asked.speech("open_record"))],
    )
    # The page puts the keyboard on what is marked so: Enter then leads on.
    return html.Div(to, className="part exact", **marked("first"))


def _units(asked: PageRequest, units: list[Province | Commune]) -> Part:
    if not units:
        return None
    speech = asked.speech
    rows = [
        html.Li(
            [
                link(
                    asked,
                    one.full_name_en if asked.spoken == "en" else one.full_name,
                    f"/unit/{one.code}",
                ),
                html.Small(one.code),
            ]
        )
        for one in units[:MAX_HITS]
    ]
    return _group(asked, speech("found_units"), rows, len(units))


def _agencies(asked: PageRequest, agencies: list[Agency]) -> Part:
    if not agencies:
        return None
    rows = [
        html.Li([link(asked, one.words(asked.spoken), f"/unit/{one.code}"), html.Small(one.code)])
        for one in agencies[:MAX_HITS]
    ]
    return _group(asked, asked.speech("found_agencies"), rows, len(agencies))


def _group(asked: PageRequest, heading: str, rows: list[Part], total: int) -> Part:
    speech = asked.speech
    rest = (
        [html.P(speech("more_of_them", n=speech.number(total - MAX_HITS)), className="quiet")]
        if total > MAX_HITS
        else []
    )
    return section(f"{heading} ({speech.number(total)})", html.Ul(rows, className="hits"), *rest)


def _records(
    ask: PageContext, asked: PageRequest, text: str, kind: Kind, found: FoundRecords
) -> Part:
    speech = asked.speech
    words = kind.words(asked.spoken)
    shown = record_rows.columns(asked, ask.place, kind, ask.clock.now(), sort=False)
    rest = found.total - len(found.rows)
    return section(
        f"{words} ({speech.number(found.total)})",
        table(asked, shown, found.rows, Wish(), label=words, paging=False),
        *(
            [
                html.P(
                    dcc.Link(
                        speech("more_of_them", n=speech.number(rest)),
                        href=asked.link(f"/records/{kind.name}", text=text),
                    )
                )
            ]
            if rest
            else []
        ),
    )
