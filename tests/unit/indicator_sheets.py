"""Workbooks of indicators for tests, and what becomes of their rows."""

import io
from datetime import datetime
from typing import Any

from openpyxl import Workbook

from ingest.importer.mapping import Mapping
from ingest.importer.mapping_file import load
from ingest.importer.run import ConvertedRow, convert
from ingest.importer.sheets import sheet_rows
from schemas.events.envelope import Reader
from tests.sealing import SEALER

INDICATORS = load("indicators")
ROW: tuple[Any, ...] = (
    "health.records",
    "46",
    None,
    "2026-10",
    88.5,
    "%",
    "H57.SYT",
    datetime(2026, 11, 3, 9, 30),
)
INDICATOR, OF, PERIOD, VALUE, UNIT, REPORTED = 0, 1, 3, 4, 5, 7


def changed(**cells: Any) -> tuple[Any, ...]:
    """Return the row with other cells, by the name of a constant above."""
    row = list(ROW)
    for name, value in cells.items():
        row[globals()[name]] = value
    return tuple(row)


def book(
    *rows: tuple[Any, ...], formats: dict[str, str] | None = None, merged: tuple[str, ...] = ()
) -> io.BytesIO:
    """Return a workbook of one sheet with those rows."""
    made = Workbook()
    sheet: Any = made.active
    sheet.title = "Tháng 11"
    for row in rows:
        sheet.append(row)
    for place, form in (formats or {}).items():
        sheet[place].number_format = form
    for area in merged:
        sheet.merge_cells(area)
    saved = io.BytesIO()
    made.save(saved)
    saved.seek(0)
    return saved


def taken(
    file: io.BytesIO, mapping: Mapping = INDICATORS, sheet: str | None = None
) -> list[ConvertedRow]:
    return list(convert(sheet_rows(file, mapping, sheet), mapping, Reader(), SEALER))


def only(file: io.BytesIO) -> Any:
    """Return the data of the only event."""
    (found,) = taken(file)
    assert found.refusal is None, found.refusal
    (event,) = found.events
    return event.read.data
