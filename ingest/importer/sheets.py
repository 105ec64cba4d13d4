"""Read the rows of a sheet in an XLSX workbook, each cell as the text that a CSV file would have.

Only stored values are read, no formula is ever computed. Names of columns may stand in any of the
first rows, below titles, and span several rows that are merged.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain, islice
from typing import Any, BinaryIO

from openpyxl.utils import get_column_letter

from ingest.importer.mapping import Mapping
from ingest.importer.rows import FileError, Layout, Row, check_unique, join_names
from ingest.importer.values import column_name, format_number
from ingest.importer.workbook import Hidden, Workbook
from schemas.events.envelope import RefusalCategory, RefusalError
from schemas.reference import Known, known

MAX_HEADER_ROW = 20
"""Last row in which the names of the columns may stand."""
HEADER_ROWS = 3
"""Number of rows that the names may span."""
MAX_EXACT = 10**15
"""Whole numbers from here on have lost digits: spreadsheets keep fifteen."""
_DECIMALS = re.compile(r"0+\.(0{3,})")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_WORDS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
"""The literal texts, colours and conditions in a number format."""


@dataclass(frozen=True)
class _Reading:
    """How the rows of a sheet are read."""

    header: dict[int, str]
    """Index of a column → its name."""
    wanted: dict[int, str]
    """The same of those that the mapping reads."""
    hidden: Hidden
    decimal: str
    numbers: frozenset[str]
    """Columns read as numbers: they have the mapping's decimal sign, texts have a point."""
    codes: dict[str, Known | None]

    def sign(self, name: str) -> str:
        """Return the decimal sign for the numbers of a column."""
        return self.decimal if name in self.numbers else "."


def is_xlsx(name: str, head: bytes) -> bool:
    """Return whether a file is a workbook, by its name or its first bytes.

    Raises:
        FileError: it is of the old format, or encrypted.
    """
    if head.startswith(_OLE) or name.lower().endswith(".xls"):
        raise FileError(
            f"{name} is a workbook of the old format, or has a password; "
            "save it as .xlsx without one."
        )
    return head.startswith(_ZIP) or name.lower().endswith((".xlsx", ".xlsm"))


def sheet_rows(
    file: BinaryIO, mapping: Mapping, sheet: str | None = None, layout: Layout | None = None
) -> Iterator[Row]:
    """Yield the rows of a sheet, with the numbers that a spreadsheet shows.

    Args:
        file: the workbook.
        mapping: names the columns.
        sheet: the sheet's name; by default the first that is not hidden.
        layout: is filled while the file is read.

    Raises:
        FileError: the file is no workbook, has no such sheet, or no header with the mapping's
            columns.
    """
    layout = layout if layout is not None else Layout()
    layout.unit, layout.encoding, layout.delimiter = (
        "rows of the sheet",
        mapping.encoding,
        mapping.csv_delimiter,
    )
    book = Workbook(file)
    try:
        chosen = _choose(book.sheets, sheet)
        worksheet = book.sheets[chosen]
        worksheet.reset_dimensions()  # Programs that write workbooks get them wrong.
        rows = _read(worksheet)
        top = list(islice(rows, MAX_HEADER_ROW))
        header, begins = _header(top, mapping, chosen)
        layout.lines = layout.header = begins
        layout.columns = layout.titles = list(dict.fromkeys(header.values()))
        wanted = mapping.columns()
        reading = _Reading(
            header,
            {index: name for index, name in header.items() if name in wanted},
            book.hidden(chosen),
            mapping.decimal,
            mapping.columns_read_as("number", "integer"),
            mapping.code_columns(),
        )
        for number, cells in enumerate(chain(top[begins:], rows), begins + 1):
            layout.lines = number
            row = _row(number, cells, reading)
            if row is None:
                layout.blank += 1
            else:
                yield row
    finally:
        book.close()


def _choose(sheets: dict[str, Any], sheet: str | None) -> str:
    if sheet is not None:
        if sheet not in sheets:
            names = join_names([repr(one) for one in sheets])
            raise FileError(f"There is no sheet {sheet!r}; the workbook has {names}.")
        return sheet
    visible = [title for title, one in sheets.items() if one.sheet_state == "visible"]
    if not visible:
        raise FileError("The workbook has no sheet of cells that is not hidden.")
    return visible[0]


def _read(worksheet: Any) -> Iterator[tuple[Any, ...]]:
    try:
        yield from worksheet.iter_rows()
    except Exception as error:  # A damaged file fails in as many ways as there are parts in it.
        raise FileError(
            f"The sheet {worksheet.title!r} cannot be read any further "
            f"({type(error).__name__}: {error})."
        ) from None


def _header(top: list[tuple[Any, ...]], mapping: Mapping, sheet: str) -> tuple[dict[int, str], int]:
    """Return index of a column → its name, and how many rows the header ends after."""
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
    missing = ", ".join(map(repr, sorted(wanted - best)))
    raise FileError(
        f"Sheet {sheet!r}: the columns {missing} of the mapping are in none of its first "
        f"{MAX_HEADER_ROW} rows together."
    )


def _names(rows: Iterable[tuple[Any, ...]], wanted: Collection[str]) -> dict[int, str]:
    """Return the names of columns, each from the lowest row that has one.

    A name that is merged downwards stands in the first of its rows.
    """
    names: dict[int, str] = {}
    for cells in rows:
        for index, cell in enumerate(cells):
            if isinstance(cell.value, str) and (name := column_name(cell.value, wanted)):
                names[index] = name
    return names


def _row(number: int, cells: tuple[Any, ...], reading: _Reading) -> Row | None:
    """Return the row, None for one that is empty."""
    found = {
        index: cell
        for index, cell in enumerate(cells)
        if cell.value is not None and cell.value != ""
    }
    header, sheet = reading.header, reading.hidden.sheet
    if not any(index in header for index in found):
        return None
    columns = dict.fromkeys(header.values(), "")
    columns |= {
        header[index]: cell_text(cell, reading.sign(header[index]))
        for index, cell in found.items()
        if index in header
    }
    for index, name in reading.wanted.items():
        if problem := _problem(
            f"{get_column_letter(index + 1)}{number}", name, found.get(index), reading
        ):
            return Row(number, columns, RefusalError(RefusalCategory.WRONG_VALUE, problem), sheet)
    return Row(number, columns, None, sheet)


def _problem(reference: str, name: str, cell: Any, reading: _Reading) -> str:
    """Return why a cell's value cannot be used; empty if it can."""
    if cell is None:
        return reading.hidden.why(reference)
    if cell.data_type == "e":
        return f"Cell {reference} (column {name!r}) holds the error {cell.value}."
    if (
        name in reading.codes
        and isinstance(cell.value, int | float)
        and not isinstance(cell.value, bool)
    ):
        text, where = cell_text(cell), reading.codes[name]
        certain = _fixed(cell) or (float(cell.value).is_integer() and abs(cell.value) < MAX_EXACT)
        if not certain and not (where and text in known(where)):
            problem = f"Cell {reference} (column {name!r}) holds the number {text} where a code is"
            return (
                f"{problem} meant, which may have lost zeros or digits; write the code as a text."
            )
    return ""


def cell_text(cell: Any, decimal: str = ".") -> str:
    """Return the text that a cell shows.

    A share has its percent sign, a code its zeros, a date (ISO 8601) the parts that its format
    shows.
    """
    value, form = cell.value, _format(cell)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        if places := _fixed(cell):
            return f"{value:.{places}f}".zfill(len(form)).replace(".", decimal)
        text = (
            f"{format_number(value, decimal, hundredfold=True)}%"
            if "%" in form
            else format_number(value, decimal)
        )
        return text.zfill(len(form)) if form and not form.strip("0") else text
    if isinstance(value, datetime):
        if "d" not in form and "y" in form:
            return f"{value:%Y-%m}" if "m" in form else f"{value:%Y}"
        return (
            value.isoformat() if value.time() != time() or "h" in form else value.date().isoformat()
        )
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _format(cell: Any) -> str:
    return _WORDS.sub("", str(cell.number_format or "")).lower()


def _fixed(cell: Any) -> int:
    """Return how many decimals a code's cell shows (0.000000); 0 for any other format."""
    found = _DECIMALS.fullmatch(_format(cell))
    return len(found[1]) if found and isinstance(cell.value, int | float) and cell.value >= 0 else 0
