"""What a cell of a workbook shows is what is read; what cannot be read is told by its column."""

import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook

from ingest.importer import values
from ingest.importer.documents import json_rows
from ingest.mappings.indicators_form import COLUMNS
from schemas.events.envelope import RefusalCategory
from tests.unit.indicator_sheets import INDICATORS, ROW, book, changed, only, taken


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
    assert only(book(COLUMNS, changed(VALUE=value), formats={"E2": form})).value == pytest.approx(
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
    assert only(book(COLUMNS, changed(PERIOD=period), formats={"D2": form})).period == expected


@pytest.mark.parametrize(
    "reported", [datetime(2026, 11, 3), date(2026, 11, 3), "03/11/2026", "03/11/2026 00:00"]
)
def test_a_day_of_a_report_is_a_date_or_a_text(reported: Any) -> None:
    assert only(book(COLUMNS, changed(REPORTED=reported))).reported_at == datetime.fromisoformat(
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
    assert only(book(COLUMNS, changed(OF=unit), formats={"B2": form})).unit == code


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
    assert only(file).value == 88.5


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
