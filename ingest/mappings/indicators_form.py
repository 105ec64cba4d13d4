"""Create `examples/indicators.xlsx`, the form of the mapping `indicators`.

Run by `python -m ingest.mappings.indicators_form`. Three sheets: one to fill in, one filled in with
invented figures that shows what cells may look like, and the list of indicators.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from schemas.reference import indicators

COLUMNS = (
    "Mã chỉ tiêu",
    "Mã đơn vị",
    "Mã xã",
    "Kỳ báo cáo",
    "Giá trị",
    "Đơn vị tính",
    "Mã cơ quan",
    "Ngày báo cáo",
)
HEADINGS = (("Chỉ tiêu", 1, 4), ("Số liệu", 5, 6), ("Báo cáo", 7, 8))
TITLE = "Biểu số liệu chỉ tiêu"
EXAMPLES: tuple[tuple[tuple[Any, ...], dict[int, str]], ...] = (
    (
        (
            "health.records",
            "46",
            None,
            "2026-10",
            0.885,
            "%",
            "H57.SYT",
            datetime(2026, 11, 3, 9, 30),
        ),
        {5: "0.0%"},
    ),
    (
        (
            "health.records",
            "19753",
            "19753",
            date(2026, 10, 1),
            91.25,
            "%",
            "H57.19753.UB",
            date(2026, 11, 4),
        ),
        {4: "mm/yyyy"},
    ),
    (
        (
            "health.records",
            "19774",
            "19774",
            "Tháng 10/2026",
            "87,5%",
            "%",
            "H57.19774.UB",
            "04/11/2026",
        ),
        {},
    ),
    (
        (
            "app.installs",
            "46",
            None,
            date(2026, 11, 3),
            795000,
            "lượt",
            "H57.IOC",
            date(2026, 11, 3),
        ),
        {4: "dd/mm/yyyy", 5: "#,##0"},
    ),
    (
        ("economy.digital", "46", None, "Quý III/2026", "12,4", "%", "H57.STC", "20/10/2026 16:00"),
        {},
    ),
    (("rank.dti", "46", None, 2025, 2, "hạng", "H57.SKHCN", "15/07/2026"), {}),
)
"""Rows, and the number formats of their columns. The figures are invented."""


def make() -> Workbook:
    """Return the workbook."""
    book = Workbook()
    form = book.active
    assert isinstance(form, Worksheet)
    form.title = "Số liệu"
    _table(form, TITLE)
    shown = book.create_sheet("Ví dụ")
    _table(shown, f"{TITLE} (ví dụ, số liệu minh họa)")
    for number, (cells, formats) in enumerate(EXAMPLES, 5):
        for column, value in enumerate(cells, 1):
            cell = shown.cell(number, column, value)
            cell.number_format = formats.get(
                column, "dd/mm/yyyy" if isinstance(value, date) else "General"
            )
    listed = book.create_sheet("Chỉ tiêu")
    listed.append(["Mã chỉ tiêu", "Tên chỉ tiêu", "Đơn vị tính", "Tính tự động"])
    for one in indicators():
        listed.append([one.code, one.vi, one.measure_unit, "x" if one.rhythm == "live" else ""])
    for sheet in book.worksheets:
        for column in range(1, 9):
            sheet.column_dimensions[get_column_letter(column)].width = (
                40 if sheet is listed and column == 2 else 20
            )
    return book


def _table(sheet: Worksheet, title: str) -> None:
    sheet["A1"] = title
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.merge_cells("A1:H1")
    for heading, first, last in HEADINGS:
        sheet.cell(3, first, heading).alignment = Alignment(horizontal="center")
        sheet.merge_cells(start_row=3, start_column=first, end_row=3, end_column=last)
    for column, name in enumerate(COLUMNS, 1):
        sheet.cell(4, column, name).font = Font(bold=True)


if __name__ == "__main__":
    target = Path(__file__).parent / "examples" / "indicators.xlsx"
    make().save(target)
    print(f"{target}: {target.stat().st_size} bytes")
