"""Sheets of a workbook.

What a cell shows is what is read, and what cannot be read is told by sheet, row and cell.
"""

import io
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from ingest.importer import values
from ingest.importer.delimited import csv_rows
from ingest.importer.documents import json_rows
from ingest.importer.mapping import Mapping
from ingest.importer.mapping_file import load
from ingest.importer.refused import RefusedRows
from ingest.importer.rows import FileError, Layout, Row
from ingest.importer.run import ConvertedRow, convert, send_rows
from ingest.importer.sheets import is_xlsx, sheet_rows
from ingest.importer.summary import Summary
from ingest.mappings import indicators_form
from ingest.mappings.indicators_form import COLUMNS
from schemas.events.envelope import Reader, RefusalCategory
from schemas.reference import indicator
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


def one(file: io.BytesIO) -> Any:
    """Return the data of the only event."""
    (found,) = taken(file)
    assert found.refusal is None, found.refusal
    (event,) = found.events
    return event.read.data


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


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        (73.5, "General", 73.5),
        (73.5, "0.00", 73.5),
        (0.735, "0.0%", 73.5),
        (0.735, '0.0"%"', 0.735),
        (0.28999999999999998, "0%", 29.0),
        (73.125, "General", 73.125),
        (1234567.5, "#,##0.0", 1234567.5),
        (1e16, "General", 1e16),
        (0, "General", 0.0),
        (-2.5, "General", -2.5),
        ("73,5", "@", 73.5),
        ("73,5%", "@", 73.5),
        (" 1.234,5 ", "@", 1234.5),
        ("1.234.567", "@", 1234567.0),
    ],
)
def test_numbers_and_percentages_are_read_as_they_are_shown(
    value: Any, form: str, expected: float
) -> None:
    assert one(book(COLUMNS, changed(VALUE=value), formats={"E2": form})).value == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize(
    ("period", "form", "expected"),
    [
        (2026, "General", "2026"),
        ("2026-Q4", "@", "2026-Q4"),
        (date(2026, 11, 1), "mm/yyyy", "2026-11"),
        (date(2026, 11, 1), "[$-42A]mmm\\-yy;@", "2026-11"),
        (date(2026, 11, 22), "dd/mm/yyyy", "2026-11-22"),
        (date(2026, 11, 1), "yyyy", "2026"),
        ("22/11/2026", "@", "2026-11-22"),
        ("5/1/2026", "@", "2026-01-05"),
        ("11/2026", "@", "2026-11"),
        ("Tháng 9/2026", "@", "2026-09"),
        ("Quý IV/2026", "@", "2026-Q4"),
        ("quý 3 - 2026", "@", "2026-Q3"),
        ("Q1/2026", "@", "2026-Q1"),
        ("Năm 2026", "@", "2026"),
    ],
)
def test_periods_are_read_in_the_ways_that_offices_write_them(
    period: Any, form: str, expected: str
) -> None:
    assert one(book(COLUMNS, changed(PERIOD=period), formats={"D2": form})).period == expected


@pytest.mark.parametrize(
    "reported", [datetime(2026, 11, 3), date(2026, 11, 3), "03/11/2026", "03/11/2026 00:00"]
)
def test_a_day_of_a_report_is_a_date_or_a_text(reported: Any) -> None:
    assert one(book(COLUMNS, changed(REPORTED=reported))).reported_at == datetime.fromisoformat(
        "2026-11-03T00:00:00+07:00"
    )


@pytest.mark.parametrize(
    ("cells", "category", "told"),
    [
        (
            {"VALUE": "73.5"},
            RefusalCategory.WRONG_TYPE,
            "column 'Giá trị', column 'Đơn vị tính', value '%'|numbers are written 1234,5",
        ),
        ({"VALUE": "73.125"}, RefusalCategory.WRONG_TYPE, "it could be 73125 or 73,125"),
        ({"VALUE": "khoảng 70"}, RefusalCategory.WRONG_TYPE, "numbers are written"),
        (
            {"VALUE": "73,5%", "UNIT": "lượt"},
            RefusalCategory.WRONG_TYPE,
            "a percentage does not belong here",
        ),
        ({"VALUE": True}, RefusalCategory.WRONG_TYPE, "value 'TRUE'"),
        ({"VALUE": None}, RefusalCategory.MISSING_FIELD, "column 'Giá trị', value ''"),
        (
            {"VALUE": "=SUM(A1:A9)"},
            RefusalCategory.WRONG_VALUE,
            "Cell E2 holds a formula whose result is not stored",
        ),
        (
            {"INDICATOR": "heath.records"},
            RefusalCategory.WRONG_VALUE,
            "value 'heath.records' is not among the indicators",
        ),
        (
            {"OF": 1},
            RefusalCategory.WRONG_VALUE,
            "column 'Mã đơn vị', value '1' is not among the units",
        ),
        (
            {"PERIOD": "2026-13"},
            RefusalCategory.IMPOSSIBLE_DATE,
            "column 'Kỳ báo cáo', value '2026-13'",
        ),
        ({"PERIOD": "Quý V/2026"}, RefusalCategory.IMPOSSIBLE_DATE, "is no period"),
        ({"PERIOD": 2026.11}, RefusalCategory.IMPOSSIBLE_DATE, "value '2026.11'"),
        (
            {"REPORTED": "2026"},
            RefusalCategory.IMPOSSIBLE_DATE,
            "column 'Ngày báo cáo', value '2026'",
        ),
        (
            {"REPORTED": 46000},
            RefusalCategory.IMPOSSIBLE_DATE,
            "column 'Ngày báo cáo', value '46000'",
        ),
    ],
)
def test_what_is_wrong_is_told_by_column_and_value(
    cells: dict[str, Any], category: RefusalCategory, told: str
) -> None:
    (found,) = taken(book(COLUMNS, changed(**cells)))
    assert found.refusal is not None
    assert found.refusal.category is category
    assert any(part in found.refusal.reason for part in told.split("|")), found.refusal.reason


@pytest.mark.parametrize(
    ("unit", "form", "code"),
    [
        (19753, "General", "19753"),
        (1, "00", "01"),
        ("01", "@", "01"),
        ("H57.SYT", "@", "H57.SYT"),
        (60, "General", "60"),
    ],
)
def test_codes_of_units_keep_their_zeros_and_may_be_of_former_units(
    unit: Any, form: str, code: str
) -> None:
    assert one(book(COLUMNS, changed(OF=unit), formats={"B2": form})).unit == code


def with_formula(file: io.BytesIO, place: str, formula: str) -> io.BytesIO:
    """Return the workbook as a spreadsheet program saves it.

    The cell has its value and the formula it came from.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            content = old.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                before, found, after = content.partition(f'<c r="{place}"')
                assert found
                content = before + found + after.replace("<v>", f"<f>{formula}</f><v>", 1)
            new.writestr(name, content)
    made.seek(0)
    return made


def test_of_a_formula_the_stored_result_is_read_and_nothing_is_computed() -> None:
    file = with_formula(book(COLUMNS, ROW), "E2", 'HYPERLINK("http://example.invalid")')
    assert one(file).value == 88.5


def test_an_error_in_a_cell_is_told() -> None:
    made = Workbook()
    sheet: Any = made.active
    sheet.append(COLUMNS)
    sheet.append(ROW)
    sheet["E2"].value, sheet["E2"].data_type = "#DIV/0!", "e"
    saved = io.BytesIO()
    made.save(saved)
    (found,) = taken(saved)
    assert found.refusal is not None
    assert found.refusal.reason == "Cell E2 (column 'Giá trị') holds the error #DIV/0!."


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
    assert one(file).value == 88.5


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


def test_numbers_of_json_are_no_texts_with_a_decimal_comma() -> None:
    line = (
        '{"Mã chỉ tiêu": "health.records", "Mã đơn vị": "46", "Kỳ báo cáo": "2026-10", "Giá trị": '
        '73.125, "Đơn vị tính": "%"}'
    )
    (row,) = json_rows(io.BytesIO(line.encode()), "lines", INDICATORS)
    assert row.columns["Giá trị"] == "73,125"
    assert values.number(row.columns["Giá trị"], ",") == 73.125


@pytest.mark.parametrize("value", [0.1, 1 / 3, 73.5, 1e-7, 123456789012345.0, 1e22, -0.25, 5.0])
@pytest.mark.parametrize("decimal", [".", ","])
def test_what_is_written_is_read_again(value: float, decimal: str) -> None:
    assert values.number(values.format_number(value, decimal), decimal) == pytest.approx(
        value, rel=1e-14
    )


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
