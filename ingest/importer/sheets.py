"""From a sheet of an XLSX workbook to its rows: what a cell shows, as the text that a CSV file of the same mapping would have.

Only stored values are read, no formula is ever computed. Names of columns may stand in any of the first rows, below titles, and
over several rows that are merged.
"""

import re
import warnings
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from io import BytesIO
from itertools import chain, islice
from typing import Any, BinaryIO

import openpyxl
from openpyxl.utils import get_column_letter

from ingest.importer.mapping import Mapping
from ingest.importer.rows import FileError, Layout, Row, check_unique
from ingest.importer.values import column_name, written
from schemas.envelope import Category, Refusal

HEADER_WITHIN = 20
"""Rows at the top that may hold the names of the columns."""
HEADER_ROWS = 3
"""Rows that the names may stand over."""
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_WORDS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
"""What of a number format is shown as it stands, and colours and conditions."""


def is_xlsx(name: str, head: bytes) -> bool:
    """Whether a file is a workbook, by its name or its first bytes. Raises `FileError` for the old format, or an encrypted one."""
    if head.startswith(_OLE) or name.lower().endswith(".xls"):
        raise FileError(f"{name} is a workbook of the old format, or has a password; save it as .xlsx without one.")
    return head.startswith(_ZIP) or name.lower().endswith((".xlsx", ".xlsm"))


def sheet_rows(file: BinaryIO, mapping: Mapping, sheet: str | None = None, layout: Layout | None = None) -> Iterator[Row]:
    """The rows of a sheet, by default the first that is not hidden, with the numbers that a spreadsheet shows.

    Raises `FileError` for what is no workbook, a sheet it does not have, and when no header has the columns of the mapping.
    """
    layout = layout if layout is not None else Layout()
    layout.unit, layout.encoding, layout.delimiter = "rows of the sheet", mapping.encoding, mapping.csv_delimiter
    content = file if file.seekable() else BytesIO(file.read())
    book = _load(content, read_only=True, data_only=True)
    try:
        chosen = _choose(book, sheet)
        worksheet = book[chosen]
        worksheet.reset_dimensions()  # Programs that write workbooks get them wrong.
        rows = _read(worksheet)
        top = list(islice(rows, HEADER_WITHIN))
        header, begins = _header(top, mapping, chosen)
        layout.lines = layout.header = begins
        layout.columns = list(dict.fromkeys(header.values()))
        layout.titles = layout.columns
        hidden, wanted = _Hidden(content, chosen), mapping.columns()
        for number, cells in enumerate(chain(top[begins:], rows), begins + 1):
            layout.lines = number
            row = _row(number, cells, header, mapping.decimal, wanted, hidden)
            if row is None:
                layout.blank += 1
            else:
                yield row
    finally:
        book.close()


def _load(content: BinaryIO, **how: bool) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of styles and extensions, which do not matter here.
            content.seek(0)
            return openpyxl.load_workbook(content, **how)
    except Exception as error:  # A damaged file fails in as many ways as there are parts in it.
        raise FileError(f"The file is no XLSX workbook that can be read ({type(error).__name__}: {error}).") from None


def _choose(book: Any, sheet: str | None) -> str:
    names = [one.title for one in book.worksheets]
    if sheet is not None:
        if sheet not in names:
            raise FileError(f"There is no sheet {sheet!r}; the workbook has {', '.join(map(repr, names))}.")
        return sheet
    visible = [one.title for one in book.worksheets if one.sheet_state == "visible"]
    if not visible:
        raise FileError("The workbook has no sheet of cells that is not hidden.")
    return str(visible[0])


def _read(worksheet: Any) -> Iterator[tuple[Any, ...]]:
    try:
        yield from worksheet.iter_rows()
    except Exception as error:  # As above.
        raise FileError(f"The sheet {worksheet.title!r} cannot be read any further ({type(error).__name__}: {error}).") from None


def _header(top: list[tuple[Any, ...]], mapping: Mapping, sheet: str) -> tuple[dict[int, str], int]:
    """Index of a column → its name, and how many rows the header and what is above it take."""
    wanted = mapping.columns()
    best: set[str] = set()
    for last in range(len(top)):
        for rows in range(1, min(HEADER_ROWS, last + 1) + 1):
            names = _names(top[last - rows + 1 : last + 1], wanted)
            found = wanted & set(names.values())
            if found == wanted:
                check_unique([name for name in names.values() if name in wanted])
                return names, last + 1
            best = max(best, found, key=len)
    lacking = ", ".join(map(repr, sorted(wanted - best)))
    raise FileError(
        f"Sheet {sheet!r}: the columns {lacking} of the mapping are in none of its first {HEADER_WITHIN} rows together."
    )


def _names(rows: Iterable[tuple[Any, ...]], wanted: Collection[str]) -> dict[int, str]:
    """The names of columns, each from the lowest of the rows that has one: one that is merged downwards stands in the first."""
    names: dict[int, str] = {}
    for cells in rows:
        for index, cell in enumerate(cells):
            if isinstance(cell.value, str) and (name := column_name(cell.value, wanted)):
                names[index] = name
    return names


@dataclass
class _Hidden:
    """Why a cell without a value may have one that is not stored in it; looked up once, when the first is met."""

    content: BinaryIO
    sheet: str
    _formulas: frozenset[str] | None = None
    _merged: tuple[Any, ...] = ()

    def why(self, place: str) -> str:
        """A sentence for the cell; empty where it is simply empty."""
        if self._formulas is None:
            worksheet = _load(BytesIO(_content(self.content)), data_only=False)[self.sheet]
            self._merged = tuple(worksheet.merged_cells.ranges)
            self._formulas = frozenset(cell.coordinate for row in worksheet.iter_rows() for cell in row if cell.data_type == "f")
        if place in self._formulas:
            return f"Cell {place} holds a formula whose result is not stored; open the file in a spreadsheet program and save it."
        merged = next((area for area in self._merged if place in area), None)
        return f"Cell {place} is merged ({merged.coord}); write the value into every row." if merged else ""


def _content(file: BinaryIO) -> bytes:
    """All of a file that is being read elsewhere, without moving it."""
    at = file.tell()
    file.seek(0)
    found = file.read()
    file.seek(at)
    return found


def _row(
    number: int, cells: tuple[Any, ...], header: dict[int, str], decimal: str, wanted: set[str], hidden: _Hidden
) -> Row | None:
    """The row, None for one that is empty."""
    values = {index: cell for index, cell in enumerate(cells) if cell.value is not None and cell.value != ""}
    if not any(index in header for index in values):
        return None
    columns = {name: shown(values[index], decimal) if index in values else "" for index, name in header.items()}
    for index, name in header.items():
        if name in wanted:
            place = f"{get_column_letter(index + 1)}{number}"
            if index not in values and (why := hidden.why(place)):
                return Row(number, columns, Refusal(Category.WRONG_VALUE, why), hidden.sheet)
            if index in values and values[index].data_type == "e":
                reason = f"Cell {place} (column {name!r}) holds the error {values[index].value}."
                return Row(number, columns, Refusal(Category.WRONG_VALUE, reason), hidden.sheet)
    return Row(number, columns, None, hidden.sheet)


def shown(cell: Any, decimal: str) -> str:
    """What a cell shows: a share with its sign, a code with its zeros, a date (ISO 8601) as far as its format shows it."""
    value, form = cell.value, _WORDS.sub("", str(cell.number_format or "")).lower()
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        text = f"{written(value, decimal, hundredfold=True)}%" if "%" in form else written(value, decimal)
        return text.zfill(len(form)) if form and not form.strip("0") else text
    if isinstance(value, datetime):
        if "d" not in form and "y" in form:
            return f"{value:%Y-%m}" if "m" in form else f"{value:%Y}"
        return value.isoformat() if value.time() != time() else value.date().isoformat()
    return value.isoformat() if isinstance(value, date | time) else str(value)
