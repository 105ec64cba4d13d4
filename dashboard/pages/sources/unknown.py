"""Unknown codes on `/sources`: field, code, sender, number of records, first time."""

from collections.abc import Sequence

from dash import html

from dashboard.components.parts import Part, nothing
from dashboard.components.record_rows import record_link
from dashboard.components.table import Row, TableColumn, TableState, sorted_rows, table
from dashboard.components.unit_refs import commune_elsewhere, resolve_unit, unit_link
from dashboard.i18n.translator import Translator
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
"""Lifetime of a cached answer: codes are as wrong a minute later."""


def is_known(place: ProvinceContext, field: str, code: str) -> bool:
    """Tell whether a code is known here: a unit of the province, a body, a category, an indicator.

    A commune of another province is unknown here: no unit of this province counts its records.
    Units are not judged for a place that has no communes of its own.
    """
    if field == "commune":
        found = resolve_unit(place, code)
        return not place.names or (found is not None and found.what == "commune")
    if field == "agency":
        return not place.names or is_agency(code)
    if field == "category":
        return code in {one.code for one in categories()}
    if field == "indicator":
        return code in {one.code for one in indicators()}
    return not place.names or is_unit(code) or resolve_unit(place, code) is not None


def unknown_codes(context: PageContext, chosen: str = "") -> Sequence[UnknownCode]:
    """Return the unknown codes of one agency or of all; they are queried once a minute."""
    store = UnknownStore(
        context.connection, lambda field, code: is_known(context.place, field, code)
    )
    return context.cached(
        ("unknown codes", chosen),
        lambda: store.codes(context.clock, agency=chosen),
        seconds=CACHE_SECONDS,
    )


def unknown_table(context: PageContext, request: PageRequest, chosen: str) -> Part:
    """Build the table of unknown codes, each with a link to an example; a line without any."""
    translator, found = request.translator, unknown_codes(context, chosen)
    if not found:
        return nothing(translator("no_unknown_codes"))
    columns = (
        TableColumn(
            "code",
            translator("unknown_value"),
            lambda row: _code(context.place, row["of"], translator),
            lambda row: row["of"].code,
        ),
        TableColumn(
            "field",
            translator("unknown_what"),
            lambda row: _field(row["of"], request),
            lambda row: (row["of"].kind.name, row["of"].field),
        ),
        TableColumn(
            "agency",
            translator("agency"),
            lambda row: unit_link(request, context.place, row["of"].agency),
            lambda row: row["of"].agency,
        ),
        TableColumn(
            "records",
            translator("unknown_records"),
            lambda row: translator.number(row["of"].records),
            lambda row: row["of"].records,
            number=True,
            first="down",
        ),
        TableColumn(
            "since",
            translator("unknown_since"),
            lambda row: translator.day(row["of"].since.astimezone(HERE)),
            lambda row: row["of"].since,
            number=True,
            first="down",
        ),
        TableColumn(
            "example",
            translator("unknown_example"),
            lambda row: record_link(request, row["of"].kind, row["of"].example),
        ),
    )
    rows: list[Row] = [{"of": one} for one in found]
    table_state = TableState.of(request, PREFIX, "-records", size=PAGE_SIZE)
    rows = sorted_rows(rows, columns, table_state)
    label = translator("unknown_codes")
    grid = table(
        request,
        columns,
        table_state.rows_of_page(rows),
        table_state,
        prefix=PREFIX,
        total=len(rows),
        label=label,
    )
    return [grid, html.P(translator("unknown_hint"), className="hint")]


def _code(place: ProvinceContext, one: UnknownCode, translator: Translator) -> Part:
    elsewhere = (
        commune_elsewhere(one.code, place, translator) if one.field in ("commune", *LISTS) else ""
    )
    words = (
        translator("unknown_elsewhere", unit=elsewhere) if elsewhere else translator("not_in_lists")
    )
    return [html.B(one.code), " ", html.Small(words)]


def _field(one: UnknownCode, request: PageRequest) -> Part:
    return [
        request.translator(f"field_{one.field}"),
        html.Br(),
        html.Small(one.kind.label(request.language)),
    ]
