"""Sheets of a workbook: which is read, where its columns and rows are, and what is told of them."""

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from ingest.importer.delimited import csv_rows
from ingest.importer.refused import RefusedRows
from ingest.importer.rows import FileError, Layout, Row
from ingest.importer.run import convert, send_rows
from ingest.importer.sheets import is_xlsx, sheet_rows
from ingest.importer.summary import Summary
from ingest.mappings import indicators_form
from ingest.mappings.indicators_form import COLUMNS
from schemas.events.envelope import Reader
from schemas.reference import indicator
from tests.sealing import SEALER
from tests.unit.indicator_sheets import INDICATORS, ROW, book, changed, only, taken


def test_a_row_of_real_cells_is_an_event() -> None:
    (found,) = taken(book(COLUMNS, ROW))
    (event,) = found.events
    assert (found.row.number, found.row.position) == (2, "sheet 'Tháng 11', row 2")
    assert event.read.id == "health.records/46/2026-10/2026-11-03T09:30:00/88,5"
    data = event.read.data
    assert (data.indicator, data.unit, data.commune, data.period, data.value) == (
        "health.records",
        "46",
        "",
        "2026-10",
        88.5,
    )
    assert (
        data.reported_at == event.read.time == datetime.fromisoformat("2026-11-03T09:30:00+07:00")
    )


def test_names_of_columns_stand_below_titles_and_over_merged_rows() -> None:
    upper = (
        "Mã chỉ tiêu",
        "Mã đơn vị",
        "Mã xã",
        "Số liệu",
        None,
        None,
        "Mã cơ quan",
        "Ngày báo cáo",
    )
    lower = (None, None, None, "Kỳ\nbáo  cáo", "Giá trị", "Đơn vị tính", None, None)
    file = book(
        ("Biểu số liệu",),
        (),
        upper,
        lower,
        ROW,
        (),
        changed(PERIOD="2026-09"),
        (None, "", None),
        (" ",) * 0,
        merged=("A1:H1", "D3:F3", "A3:A4"),
    )
    assert [(found.row.number, found.refusal) for found in taken(file)] == [(5, None), (7, None)]


def test_a_value_that_is_merged_over_rows_is_not_taken_for_empty() -> None:
    file = book(COLUMNS, ROW, (None, *changed(PERIOD="2026-09")[1:]), merged=("A2:A3",))
    first, second = taken(file)
    assert first.refusal is None and second.refusal is not None
    assert second.refusal.reason == "Cell A3 is merged (A2:A3); write the value into every row."


def test_names_in_decomposed_letters_are_the_same_names() -> None:
    import unicodedata

    file = book(tuple(unicodedata.normalize("NFD", name) for name in COLUMNS), ROW)
    assert only(file).value == 88.5


@pytest.mark.parametrize(
    ("file", "sheet", "told"),
    [
        (
            book(COLUMNS, ROW),
            "Tháng 12",
            "There is no sheet 'Tháng 12'; the workbook has 'Tháng 11'",
        ),
        (
            book(COLUMNS[:-1], ROW),
            None,
            "Sheet 'Tháng 11': the columns 'Ngày báo cáo' of the mapping are in none",
        ),
        (book((*COLUMNS, "Giá trị"), ROW), None, "The column 'Giá trị' is there twice"),
        (book(), None, "are in none of its first"),
        (io.BytesIO(b"PK\x03\x04 and no more"), None, "no XLSX workbook that can be read"),
        (io.BytesIO(b""), None, "no XLSX workbook that can be read"),
    ],
)
def test_a_workbook_that_cannot_be_used_is_told_in_one_sentence(
    file: io.BytesIO, sheet: str | None, told: str
) -> None:
    with pytest.raises(FileError, match=told.replace("(", r"\(")):
        taken(file, sheet=sheet)


def test_a_sheet_is_chosen_by_name_else_the_first_that_is_not_hidden() -> None:
    made = Workbook()
    hidden: Any = made.active
    hidden.sheet_state = "hidden"
    for name, value in (("Số liệu", 1), ("Khác", 2)):
        sheet = made.create_sheet(name)
        sheet.append(COLUMNS)
        sheet.append(changed(VALUE=value))
    saved = io.BytesIO()
    made.save(saved)
    assert [one.events[0].read.data.value for one in taken(saved)] == [1]
    assert [one.events[0].read.data.value for one in taken(saved, sheet="Khác")] == [2]


def test_workbooks_are_known_by_name_or_first_bytes_and_old_ones_are_refused() -> None:
    assert is_xlsx("a.XLSX", b"") and is_xlsx("-", b"PK\x03\x04")
    assert not is_xlsx("a.csv", b"a,b")
    for name, head in (("a.xls", b""), ("a.xlsx", b"\xd0\xcf\x11\xe0")):
        with pytest.raises(FileError, match=r"save it as \.xlsx"):
            is_xlsx(name, head)


def test_refused_rows_can_be_mended_and_imported_by_the_same_mapping(tmp_path: Path) -> None:
    wrong = changed(PERIOD="2026-13", VALUE=0.735)
    file = book(COLUMNS, ROW, wrong, formats={"E3": "0.0%"})
    layout = Layout()
    with RefusedRows(tmp_path / "refused.csv", layout) as refused:
        summary = send_rows(
            convert(sheet_rows(file, INDICATORS, None, layout), INDICATORS, Reader(), SEALER),
            None,
            refused,
            lambda _: None,
            1,
        )
    assert (summary.rows, summary.accepted, summary.refused) == (2, 1, 1)
    assert summary.examples["impossible-date"].startswith(
        "sheet 'Tháng 11', row 3: column 'Kỳ báo cáo', value '2026-13'"
    )
    text = (tmp_path / "refused.csv").read_text()
    assert "sheet 'Tháng 11', row 3: " in text
    (row,) = csv_rows(io.BytesIO(text.replace("2026-13,", "2026-12,").encode()), INDICATORS)
    (again,) = convert([row], INDICATORS, Reader(), SEALER)
    assert again.refusal is None
    data = again.events[0].read.data
    assert (data.period, data.value, data.reported_at.isoformat()) == (
        "2026-12",
        73.5,
        "2026-11-03T02:30:00+00:00",
    )


LINE = 'health.records,46,,2026-10,"88,5",%,H57.SYT,03/11/2026 09:30'


@pytest.mark.parametrize(
    "text",
    [
        ",".join(COLUMNS) + "\n" + LINE,
        "\ufeff"
        + ";".join(COLUMNS)
        + "\r\n"
        + LINE.replace(",", ";").replace('"88;5"', "88,5")
        + "\r\n",
        "\t".join(COLUMNS) + "\n" + LINE.replace(",", "\t").replace('"88\t5"', "88,5"),
    ],
    ids=["comma", "semicolon, BOM", "tab"],
)
def test_a_csv_file_is_divided_by_what_its_first_line_has_most_of(text: str) -> None:
    (row,) = csv_rows(io.BytesIO(text.encode()), INDICATORS)
    (found,) = convert([row], INDICATORS, Reader(), SEALER)
    assert found.refusal is None
    assert (found.events[0].read.data.value, found.events[0].read.data.period) == (88.5, "2026-10")


def test_the_form_that_comes_along_can_be_imported_and_names_known_indicators() -> None:
    path = Path(indicators_form.__file__).parent / "examples" / "indicators.xlsx"
    with path.open("rb") as file:
        assert list(sheet_rows(file, INDICATORS)) == []
    with path.open("rb") as file:
        found = list(convert(sheet_rows(file, INDICATORS, "Ví dụ"), INDICATORS, Reader(), SEALER))
    assert [one.refusal for one in found] == [None] * len(indicators_form.EXAMPLES)
    data = [one.events[0].read.data for one in found]
    assert [(one.period, one.value) for one in data] == [
        ("2026-10", 88.5),
        ("2026-10", 91.25),
        ("2026-10", 87.5),
        ("2026-11-03", 795000),
        ("2026-Q3", 12.4),
        ("2025", 2),
    ]
    for one in data:
        listed = indicator(one.indicator)
        assert listed is not None and listed.measure_unit == one.measure_unit


def test_a_row_says_where_it_is() -> None:
    assert (Row(3, {}).position, Row(3, {}, None, "A").position) == ("row 3", "sheet 'A', row 3")
    assert Summary().rows == 0
