"""Tables with an address: order, filter, columns and page are parameters, so that links keep them.

The query of a table gets the requested order (`TableState`), so that ClickHouse sorts and cuts;
small tables are sorted here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html

from dashboard.components.parts import Part, labelled
from dashboard.request.address import PageRequest
from schemas.spreadsheet import guard_formula

Row = Mapping[str, Any]


@dataclass(frozen=True)
class TableColumn:
    """A column: its name in addresses, label, cell and sort key."""

    name: str
    words: str
    show: Callable[[Row], Part]
    sort: Callable[[Row], Any] | None = None
    number: bool = False
    first: str = "up"
    """The direction of the first click: `up` or `down`."""
    short: bool = False
    """Whether a cell is a name or a word that is not broken."""

    @property
    def classes(self) -> str:
        """The CSS classes of its cells."""
        return "number" if self.number else "short" if self.short else ""


@dataclass(frozen=True)
class TableState:
    """The requested order of a table: column, direction, page, rows per page."""

    by: str = ""
    down: bool = False
    page: int = 1
    size: int = 50

    @classmethod
    def of(cls, request: PageRequest, prefix: str, usual: str, size: int = 50) -> "TableState":
        """Parse the parameters `<prefix>sort=-name` and `<prefix>page=2`."""
        order = request.get(f"{prefix}sort", usual)
        page = request.get(f"{prefix}page", "1")
        return cls(
            order.removeprefix("-"),
            order.startswith("-"),
            int(page) if page.isdecimal() and int(page) > 0 else 1,
            size,
        )

    @property
    def skip(self) -> int:
        """The number of rows on the pages before."""
        return (self.page - 1) * self.size

    def rows_of_page(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows of the page, out of all in their order."""
        return rows[self.skip : self.skip + self.size]


def sorted_rows(
    rows: Iterable[Row], columns: Sequence[TableColumn], table_state: TableState
) -> list[Row]:
    """Sort rows as requested; unknown values come last in either direction."""
    found = list(rows)
    column = next((one for one in columns if one.name == table_state.by and one.sort), None)
    if column is None or column.sort is None:
        return found
    key = column.sort
    known = [row for row in found if key(row) is not None]
    return [
        *sorted(known, key=key, reverse=table_state.down),
        *(row for row in found if key(row) is None),
    ]


def table(
    request: PageRequest,
    columns: Sequence[TableColumn],
    rows: Sequence[Row],
    table_state: TableState,
    *,
    prefix: str = "",
    total: int | None = None,
    label: str = "",
    classes: Callable[[Row], str] = lambda row: "",
    paging: bool = True,
    aside: Part = None,
    counted: str = "",
    group: Callable[[Row], tuple[str, Part]] | None = None,
) -> html.Div:
    """Build a table of the rows of one page; order and pages are links.

    Args:
        request: the page's address.
        columns: the columns.
        rows: the rows of this page.
        table_state: the order and page that were requested.
        prefix: of the table's parameters.
        total: number of rows on all pages; `len(rows)` if None.
        label: read by screen readers.
        classes: returns the CSS classes of a row.
        paging: False for the beginning of a longer table that is shown elsewhere.
        aside: placed at the end of the line of pages.
        counted: begins the line of pages; the number of rows if empty.
        group: returns the group of a row and its heading, placed before the group's first row.
    """
    translator, shown = request.translator, len(rows) if total is None else total
    heads = [
        html.Th(
            _head(request, one, table_state, prefix),
            scope="col",
            className="number" if one.number else "",
            **_sorted(one, table_state),
        )
        for one in columns
    ]
    body, before = [], None
    for row in rows:
        name, heading = group(row) if group else (None, None)
        if name != before:
            body.append(
                html.Tr(html.Th(heading, colSpan=len(columns), scope="rowgroup"), className="group")
            )
            before = name
        cells = [html.Td(one.show(row), className=one.classes) for one in columns]
        body.append(html.Tr(cells, className=classes(row)))
    turns = [
        html.Span(counted or translator("rows", n=translator.number(shown))),
        *_turns(request, table_state, prefix, max(1, -(-shown // table_state.size))),
    ]
    grid = html.Table(
        [html.Caption(label, className="hidden"), html.Thead(html.Tr(heads)), html.Tbody(body)]
    )
    if aside is not None:
        turns.append(aside)
    below = [html.Nav(turns, className="paging", **labelled(translator("pages")))] if paging else []
    return html.Div([scrolled(grid, label), *below])


def scrolled(grid: Part, label: str) -> Part:
    """Make a wide table scrollable; by the keyboard, too, if its rows are no links."""
    return html.Div(grid, className="scroll", tabIndex=0, role="group", **labelled(label))


def _turns(request: PageRequest, table_state: TableState, prefix: str, pages: int) -> list[Part]:
    """Link the first, previous, next and last page."""

    def to(words: str, page: int) -> Part:
        return dcc.Link(
            request.translator(words),
            href=request.with_(**{f"{prefix}page": str(page) if page > 1 else None}),
        )

    translator = request.translator
    return [
        *([to("page_first", 1)] if table_state.page > 2 else []),
        *([to("page_before", table_state.page - 1)] if table_state.page > 1 else []),
        *(
            [
                html.Span(
                    translator(
                        "page_of",
                        page=translator.number(table_state.page),
                        pages=translator.number(pages),
                    )
                )
            ]
            if pages > 1
            else []
        ),
        *([to("page_after", table_state.page + 1)] if table_state.page < pages else []),
        *([to("page_last", pages)] if table_state.page < pages - 1 else []),
    ]


def _sorted(column: TableColumn, table_state: TableState) -> dict[str, Any]:
    """Return the attributes that tell screen readers how a column is sorted."""
    if column.sort is None:
        return {}
    state = (
        "none"
        if table_state.by != column.name
        else "descending"
        if table_state.down
        else "ascending"
    )
    return {"aria-sort": state}


def _head(request: PageRequest, column: TableColumn, table_state: TableState, prefix: str) -> Part:
    if column.sort is None:
        return column.words
    active = table_state.by == column.name
    down = not table_state.down if active else column.first == "down"
    arrow = (" ↓" if table_state.down else " ↑") if active else ""
    href = request.with_(
        **{f"{prefix}sort": f"{'-' if down else ''}{column.name}", f"{prefix}page": None}
    )
    return dcc.Link(column.words + arrow, href=href)


def plain(value: object) -> object:
    """Return a cell for spreadsheets, with text that looks like a formula marked as text."""
    return guard_formula(value) if isinstance(value, str) else value
