"""Tables as files for spreadsheets, made in pieces: CSV and XLSX (`workbook`).

CSV has a byte-order mark, so that spreadsheets read Vietnamese, and no formulas.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from dashboard.components.table import plain
from dashboard.components.workbook import workbook
from dashboard.query.store import HERE

BLOCK = 2_000
"""Rows per piece."""


@dataclass(frozen=True)
class Sheet:
    """A table to download: file name, header, rows, and the name of its sheet in a workbook."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[object]]
    title: str = ""


def csv_pieces(sheet: Sheet) -> Iterator[bytes]:
    """Yield the CSV file; decimal points and ISO days in any language, for programs to read."""
    rows = iter(sheet.rows)
    block: list[Sequence[object]] = [sheet.header]
    mark = "utf-8-sig"
    while block:
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows(
            [plain(_cell(one)) for one in row] for row in block
        )
        yield text.getvalue().encode(mark)
        block, mark = list(islice(rows, BLOCK)), "utf-8"


def xlsx_pieces(sheet: Sheet) -> Iterator[bytes]:
    """Yield the XLSX file, with typed numbers, days and times."""
    return workbook(sheet.title or sheet.name, sheet.header, sheet.rows)


FORMS: Mapping[str, tuple[str, Callable[[Sheet], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_pieces),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_pieces),
}
"""Media type and writer by file extension."""


def written(sheet: Sheet) -> bytes:
    """Return a short table as one CSV file."""
    return b"".join(csv_pieces(sheet))


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(HERE).isoformat(sep=" ", timespec="minutes")[:16]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return round(value, 4)
    return "" if value is None else value
