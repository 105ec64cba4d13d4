"""Tables as files that a spreadsheet opens: CSV with a byte-order mark, so that it reads Vietnamese, and without formulas."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from dashboard.desk.table import plain
from dashboard.store import HERE


@dataclass(frozen=True)
class Sheet:
    """A table to be downloaded: the name of its file, its heading, its rows."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[object]]


def written(sheet: Sheet) -> bytes:
    """The file. Numbers have a decimal point and days are written 2026-11-22 in any language, so that programs read them."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    for row in (sheet.header, *sheet.rows):
        lines.writerow([plain(_cell(one)) for one in row])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return f"{value.astimezone(HERE):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return round(value, 4)
    return "" if value is None else value
