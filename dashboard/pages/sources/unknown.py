"""Codes that nobody knows, as `/sources` lists them: which field, which code, from whom, of how many records, since when."""

from collections.abc import Sequence

from dash import html

from dashboard.components.parts import Part, nothing
from dashboard.components.record_rows import record_link
from dashboard.components.table import Row, TableColumn, Wish, sorted_rows, table
from dashboard.components.unit_refs import commune_elsewhere, unit_link, who
from dashboard.i18n.speech import Translator
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.store import HERE
from dashboard.query.unknown_codes import LISTS, UnknownCode, UnknownStore
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import categories, indicators
from schemas.reference.unknown import is_agency, is_unit

PREFIX = "unknown_"
PAGE_SIZE = 10
CACHE_SECONDS = 60.0
"""How long an answer is good enough: codes are as wrong a minute later."""


def is_known(place: ProvinceContext, field: str, code: str) -> bool:
    """Return whether a code of a field means something here: a unit of this place, a body, a category, an indicator.

    A commune of another province is none of this place: no commune here counts its records. Of a place without communes of its own
    units are not judged.
    """
    if field == "commune":
        found = who(place, code)
        return not place.names or (found is not None and found.what == "commune")
    if field == "agency":
        return not place.names or is_agency(code)
    if field == "category":
        return code in {one.code for one in categories()}
    if field == "indicator":
        return code in {one.code for one in indicators()}
    return not place.names or is_unit(code) or who(place, code) is not None


def unknown_codes(ask: PageContext, chosen: str = "") -> Sequence[UnknownCode]:
    """Return the codes that nobody knows, of one agency or all; asked once a minute."""
    store = UnknownStore(ask.connection, lambda field, code: is_known(ask.place, field, code))
    return ask.once(
        ("unknown codes", chosen),
        lambda: store.codes(ask.clock, agency=chosen),
        seconds=CACHE_SECONDS,
    )


def unknown_table(ask: PageContext, asked: PageRequest, chosen: str) -> Part:
    """Return the table of them, with an example of each to open; that there are none where so it is."""
    speech, found = asked.speech, unknown_codes(ask, chosen)
    if not found:
        return nothing(speech("no_unknown_codes"))
    columns = (
        TableColumn(
            "code",
            speech("unknown_value"),
            lambda row: _code(ask.place, row["of"], speech),
            lambda row: row["of"].code,
        ),
        TableColumn(
            "field",
            speech("unknown_what"),
            lambda row: _field(row["of"], asked),
            lambda row: (row["of"].kind.name, row["of"].field),
        ),
        TableColumn(
            "agency",
            speech("agency"),
            lambda row: unit_link(asked, ask.place, row["of"].agency),
            lambda row: row["of"].agency,
        ),
        TableColumn(
            "records",
            speech("unknown_records"),
            lambda row: speech.number(row["of"].records),
            lambda row: row["of"].records,
            number=True,
            first="down",
        ),
        TableColumn(
            "since",
            speech("unknown_since"),
            lambda row: speech.day(row["of"].since.astimezone(HERE)),
            lambda row: row["of"].since,
            number=True,
            first="down",
        ),
        TableColumn(
            "example",
            speech("unknown_example"),
            lambda row: record_link(asked, row["of"].kind, row["of"].example),
        ),
    )
    rows: list[Row] = [{"of": one} for one in found]
    wish = Wish.of(asked, PREFIX, "-records", size=PAGE_SIZE)
    rows = sorted_rows(rows, columns, wish)
    start = (wish.page - 1) * wish.size
    label = speech("unknown_codes")
    grid = table(
        asked,
        columns,
        rows[start : start + wish.size],
        wish,
        prefix=PREFIX,
        total=len(rows),
        label=label,
    )
    return [grid, html.P(speech("unknown_hint"), className="hint")]


def _code(place: ProvinceContext, one: UnknownCode, speech: Translator) -> Part:
    elsewhere = (
        commune_elsewhere(one.code, place, speech) if one.field in ("commune", *LISTS) else ""
    )
    words = speech("unknown_elsewhere", unit=elsewhere) if elsewhere else speech("not_in_lists")
    return [html.B(one.code), " ", html.Small(words)]


def _field(one: UnknownCode, asked: PageRequest) -> Part:
    return [asked.speech(f"field_{one.field}"), html.Br(), html.Small(one.kind.words(asked.spoken))]
