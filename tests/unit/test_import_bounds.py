"""Workbooks that are bombs.

What they unpack to is bounded before it is read, and told in a sentence.
"""

import io
import tracemalloc
import zipfile
from typing import Any

import pytest
from openpyxl import Workbook

from ingest.importer.mapping_file import load
from ingest.importer.rows import FileError, Layout, Row
from ingest.importer.sheets import sheet_rows
from ingest.mappings.indicators_form import COLUMNS

INDICATORS = load("indicators")


def book(*places: str) -> io.BytesIO:
    """Return a workbook with the header, a row with empty cells, and a cell at each of those
    places.
    """
    made = Workbook()
    sheet: Any = made.active
    sheet.append(COLUMNS)
    sheet.append(["health.records"])
    for place in places:
        sheet[place].value = 1
    saved = io.BytesIO()
    made.save(saved)
    saved.seek(0)
    return saved


def with_part(
    file: io.BytesIO, name: str, start: bytes, piece: bytes, times: int, end: bytes
) -> io.BytesIO:
    """Return the workbook with another part, which is long and packs well."""
    made = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
        with new.open(name, "w", force_zip64=True) as part:
            part.write(start)
            for _ in range(times):
                part.write(piece)
            part.write(end)
    made.seek(0)
    return made


@pytest.mark.slow
def test_a_cell_far_away_takes_no_memory() -> None:
    file, layout = book("XFD1048576"), Layout()
    assert len(file.getvalue()) < 10_000
    tracemalloc.start()
    rows: list[Row] = list(sheet_rows(file, INDICATORS, None, layout))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [row.number for row in rows] == [2]
    assert layout.lines == 1_048_576 == layout.header + layout.blank + len(rows)
    assert peak < 30 << 20


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("xl/styles.xml", b'<xf numFmtId="0"/>' * 50_000),
        ("xl/workbook.xml", b" " * 1_000_000),
        ("xl/sharedStrings.xml", b" " * 10_000_000),
    ],
)
def test_a_part_that_unpacks_to_more_than_may_be_is_told_before_it_is_read(
    name: str, piece: bytes
) -> None:
    file = with_part(book(), name, b"<x>", piece, 30, b"</x>")
    tracemalloc.start()
    with pytest.raises(FileError, match=f"^The workbook is not read: its part {name} unpacks to"):
        list(sheet_rows(file, INDICATORS))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 << 20


def test_merged_areas_without_end_are_told() -> None:
    made = book()
    with zipfile.ZipFile(made) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    head, end, _ = sheet.partition(b"</sheetData>")
    file = with_part(
        made,
        "xl/worksheets/sheet1.xml",
        head + end,
        b'<mergeCell ref="A1:XFD1048576"/>' * 5_000,
        10,
        b"</worksheet>",
    )
    with pytest.raises(FileError, match="more than 20,000 merged areas"):
        list(sheet_rows(file, INDICATORS))
