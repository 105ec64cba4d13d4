"""From a sheet of an XLSX workbook to its rows: what a cell shows, as the text that a CSV file of the same mapping would have.

Only stored values are read, no formula is ever computed. Names of columns may stand in any of the first rows, below titles, and
over several rows that are merged.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain, islice
from typing import Any, BinaryIO

from openpyxl.utils import get_column_letter

from ingest.importer.mapping import Mapping
from ingest.importer.rows import FileError, Layout, Row, check_unique, listed
from ingest.importer.values import column_name, written
from ingest.importer.workbook import Hidden, Workbook
from schemas.events.envelope import RefusalCategory, RefusalError
from schemas.reference import Known, known

HEADER_WITHIN = 20
"""Rows at the top that may hold the names of the columns."""
HEADER_ROWS = 3
"""Rows that the names may stand over."""
MAX_EXACT = 10**15
"""Whole numbers from here on have lost digits: spreadsheets keep fifteen."""
_DECIMALS = re.compile(r"0+\.(0{3,})")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_WORDS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
"""What of a number format is shown as it stands, and colours and conditions."""


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
    """Columns that are read as numbers: these have the decimal sign of the mapping, texts a point."""
    codes: dict[str, Known | None]

    def sign(self, name: str) -> str:
        return self.decimal if name in self.numbers else "."


def is_xlsx(name: str, head: bytes) -> bool:
    """Whether a file is a workbook, by its name or its first bytes. Raises `FileError` for the old format, or an encrypted one."""
    if head.startswith(_OLE) or name.lower().endswith(".xls"):
        raise FileError(
            f"{name} is a workbook of the old format, or has a password; save it as .xlsx without one."
        )
    return head.startswith(_ZIP) or name.lower().endswith((".xlsx", ".xlsm"))


def sheet_rows(
    file: BinaryIO, mapping: Mapping, sheet: str | None = None, layout: Layout | None = None
) -> Iterator[Row]:
    """The rows of a sheet, by default the first that is not hidden, with the numbers that a spreadsheet shows.

    Raises `FileError` for what is no workbook, a sheet it does not have, and when no header has the columns of the mapping.
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
        top = list(islice(rows, HEADER_WITHIN))
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
            raise FileError(
                f"There is no sheet {sheet!r}; the workbook has {listed([repr(one) for one in sheets])}."
            )
        return sheet
    visible = [title for title, one in sheets.items() if one.sheet_state == "visible"]
    if not visible:
        raise FileError("The workbook has no sheet of cells that is not hidden.")
    return visible[0]


def _read(worksheet: Any) -> Iterator[tuple[Any, ...]]:
    try:
        yield from worksheet.iter_rows()
    except Exception as error:  # As above.
        raise FileError(
            f"The sheet {worksheet.title!r} cannot be read any further ({type(error).__name__}: {error})."
        ) from None


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


def _row(number: int, cells: tuple[Any, ...], reading: _Reading) -> Row | None:
    """The row, None for one that is empty."""
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
        header[index]: shown(cell, reading.sign(header[index]))
        for index, cell in found.items()
        if index in header
    }
    for index, name in reading.wanted.items():
        if problem := _problem(
            f"{get_column_letter(index + 1)}{number}", name, found.get(index), reading
        ):
            return Row(number, columns, RefusalError(RefusalCategory.WRONG_VALUE, problem), sheet)
    return Row(number, columns, None, sheet)


def _problem(place: str, name: str, cell: Any, reading: _Reading) -> str:
    """Why a cell cannot be read for what it says; empty if it can."""
    if cell is None:
        return reading.hidden.why(place)
    if cell.data_type == "e":
        return f"Cell {place} (column {name!r}) holds the error {cell.value}."
    if (
        name in reading.codes
        and isinstance(cell.value, int | float)
        and not isinstance(cell.value, bool)
    ):
        text, where = shown(cell), reading.codes[name]
        certain = _fixed(cell) or (float(cell.value).is_integer() and abs(cell.value) < MAX_EXACT)
        if not certain and not (where and text in known(where)):
            told = f"Cell {place} (column {name!r}) holds the number {text} where a code is meant"
            return f"{told}, which may have lost zeros or digits; write the code as a text."
    return ""


def shown(cell: Any, decimal: str = ".") -> str:
    """What a cell shows: a share with its sign, a code with its zeros, a date (ISO 8601) as far as its format shows it."""
    value, form = cell.value, _format(cell)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        if places := _fixed(cell):
            return f"{value:.{places}f}".zfill(len(form)).replace(".", decimal)
        text = (
            f"{written(value, decimal, hundredfold=True)}%"
            if "%" in form
            else written(value, decimal)
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
    """How many decimals the format of a code's cell shows, all of them: 0.000000. 0 for any other format."""
    found = _DECIMALS.fullmatch(_format(cell))
    return len(found[1]) if found and isinstance(cell.value, int | float) and cell.value >= 0 else 0
