"""Lists as files: a workbook with real numbers, days and times, and the same table as CSV."""

import csv
import io
import itertools
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime

import openpyxl
import pytest
from openpyxl.cell import Cell
from openpyxl.utils.escape import unescape

from dashboard.components.sheet import Sheet, csv_pieces, xlsx_pieces
from dashboard.components.workbook import workbook

CELLS: list[object] = [
    "=cmd|' /C calc'!A0",
    "+84 234",
    "-x",
    "@a",
    "\tx",
    "\rx",
    'he said "ổn"; <b>&amp;</b>',
    "_x0041_",
    "bad\x00\x0bsigns",
    -3.25,
    1_284,
    True,
    None,
    date(2026, 11, 24),
    datetime(2026, 11, 24, 9, 5, 59, tzinfo=UTC),
    float("nan"),
]


def opened(pieces: Iterator[bytes]) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(b"".join(pieces)))


def test_a_workbook_has_texts_numbers_days_and_times_and_no_formula() -> None:
    book = opened(
        xlsx_pieces(
            Sheet("file", ["Cơ quan", *["=head"] * (len(CELLS) - 1)], [CELLS], "Hồ sơ: dịch/vụ")
        )
    )
    assert book.sheetnames == ["Hồ sơ  dịch vụ"]
    head, row = book.active.iter_rows()  # type: ignore[union-attr]
    assert [cell.data_type for cell in (*head, *row) if cell.data_type == "f"] == []
    values = [unescape(cell.value) if isinstance(cell.value, str) else cell.value for cell in row]
    assert values[:8] == CELLS[:8]
    assert values[8] == "bad\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}signs"
    assert values[9:13] == [-3.25, 1284, True, None] and values[15] is None
    assert values[13] == datetime(2026, 11, 24) and row[13].number_format == "dd/mm/yyyy"
    assert values[14] == datetime(2026, 11, 24, 16, 5), "the time of Viet Nam, to the minute"
    assert isinstance(row[14], Cell) and row[14].is_date and head[0].font.b


@pytest.mark.parametrize(("rows", "sheets"), [(0, [1]), (3, [4]), (4, [4, 2]), (7, [4, 4, 2])])
def test_a_sheet_that_is_full_is_followed_by_another(rows: int, sheets: list[int]) -> None:
    book = opened(workbook("Hồ sơ", ["n"], ([number] for number in range(rows)), full=4))
    assert [sheet.max_row for sheet in book] == sheets
    assert [sheet.title for sheet in book] == ["Hồ sơ", "Hồ sơ (2)", "Hồ sơ (3)"][: len(sheets)]
    told = [row[0] for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert [one for one in told if one is not None] == list(range(rows))


def test_a_file_goes_out_while_its_rows_are_read() -> None:
    for pieces in (csv_pieces, xlsx_pieces):
        read_rows = itertools.count()
        rows = ([number, "x" * 50] for number in range(50_000) if next(read_rows) >= 0)
        out = pieces(Sheet("x", ["n", "text"], rows))
        list(itertools.islice(out, 2))
        assert next(read_rows) < 10_000
        out.close()  # type: ignore[attr-defined]


def test_a_csv_file_is_the_same_table() -> None:
    body = b"".join(
        csv_pieces(Sheet("x", ["a", "b"], [[f"n{number}", number] for number in range(5_000)]))
    )
    lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert lines[0] == ["a", "b"] and lines[-1] == ["n4999", "4999"] and len(lines) == 5_001
    assert body.count(b"\xef\xbb\xbf") == 1


def test_a_workbook_is_a_package_that_other_programs_know() -> None:
    with zipfile.ZipFile(io.BytesIO(b"".join(workbook("x", ["a"], [["1"]])))) as file:
        assert file.testzip() is None
        assert {"[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/styles.xml"} <= set(
            file.namelist()
        )
