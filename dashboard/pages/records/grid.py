"""Table of a list: cells, pages, rows per page, choice of columns."""

from collections.abc import Sequence

from dash import dcc, html

from dashboard.components.list_address import DEFAULT_PAGE_SIZE, PAGE_SIZES, Wanted
from dashboard.components.list_cells import CellFormatter
from dashboard.components.list_fields import FIELDS, ListField
from dashboard.components.parts import Part, labelled
from dashboard.components.table import Row, TableColumn, table
from dashboard.request.address import PageRequest


def grid(
    request: PageRequest, wanted: Wanted, formatter: CellFormatter, rows: Sequence[Row], total: int
) -> html.Div:
    """Build the rows of a page with the controls that turn and sort them."""
    shown = [_column(request, one, formatter) for one in wanted.shown]
    label = formatter.kind.label(request.language)
    return table(
        request,
        shown,
        rows,
        wanted.table_state,
        total=total,
        label=label,
        aside=_sizes(request, wanted),
        counted=range_of(request, wanted, total),
    )


def range_of(request: PageRequest, wanted: Wanted, total: int) -> str:
    """Say which rows of how many are shown."""
    number, first = request.translator.number, wanted.table_state.skip
    return request.translator(
        "range",
        first=number(first + 1),
        last=number(min(first + wanted.size, total)),
        total=number(total),
    )


def _column(request: PageRequest, one: ListField, formatter: CellFormatter) -> TableColumn:
    def itself(row: Row) -> object:
        return row

    return TableColumn(
        one.name,
        request.translator(one.words),
        lambda row: formatter.cell(one, row, request),
        itself if one.sort else None,
        number=one.number,
        first="down" if one.down else "up",
        short=one.short,
    )


def _sizes(request: PageRequest, wanted: Wanted) -> html.Span:
    """Link the numbers of rows per page; another number starts at the first page."""
    translator = request.translator
    links: list[Part] = [
        html.B(str(size))
        if size == wanted.size
        else dcc.Link(
            str(size),
            href=request.with_(size=str(size) if size != DEFAULT_PAGE_SIZE else None, page=None),
        )
        for size in PAGE_SIZES
    ]
    return html.Span(
        [html.Span(translator("sizes")), *links],
        className="sizes",
        role="group",
        **labelled(translator("sizes")),
    )


def columns(request: PageRequest, wanted: Wanted) -> html.Details:
    """Build the choice of columns: a click shows or hides one, an arrow moves it forward."""
    translator, names = request.translator, [one.name for one in wanted.shown]
    usual = [one.name for one in FIELDS[wanted.kind] if one.usual]

    def to(changed: Sequence[str]) -> str:
        return request.with_(columns=None if list(changed) == usual else ",".join(changed))

    shown = []
    for place, one in enumerate(wanted.shown):
        words, rest = translator(one.words), [name for name in names if name != one.name]
        earlier = (
            [*names[: place - 1], one.name, names[place - 1], *names[place + 1 :]]
            if place
            else names
        )
        # The last column stays: a table without columns shows nothing.
        toggle: Part = dcc.Link(_named(words), href=to(rest)) if rest else html.Span(_named(words))
        arrow = (
            [dcc.Link("↑", href=to(earlier), title=translator("column_earlier", name=words))]
            if place
            else []
        )
        shown.append(html.Li([toggle, *arrow], className="on"))
    hidden = [
        html.Li(dcc.Link(_named(translator(one.words)), href=to([*names, one.name])))
        for one in FIELDS[wanted.kind]
        if one.name not in names
    ]
    parts: list[Part] = [html.H3(translator("columns_shown")), html.Ul(shown, className="choices")]
    if hidden:
        parts += [html.H3(translator("columns_hidden")), html.Ul(hidden, className="choices")]
    if names != usual:
        parts.append(
            html.P(
                dcc.Link(translator("columns_usual"), href=request.with_(columns=None)),
                className="more",
            )
        )
    return html.Details(
        [html.Summary(translator("columns")), html.Div(parts, className="menu right")],
        id="choice-columns",
        className="choice",
    )


def _named(words: str) -> list[Part]:
    return [html.I(className="tick"), html.Span(words, className="words")]
