"""Tables of the desk: in groups, in the order of dictionaries, as files without formulas."""

import csv
import io
from datetime import UTC, date, datetime

from dashboard.components.sheet import Sheet, written
from dashboard.components.table import TableColumn, TableState, table
from dashboard.i18n.translator import sort_key
from dashboard.request.address import PageRequest

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_a_file_is_read_by_spreadsheets_and_nothing_in_it_is_a_formula() -> None:
    hostile = ("=1+1", "+84", "-x", "@a", "\tx", "ổn", -3.25, None, date(2026, 11, 24), NOW)
    body = written(Sheet("x", ("Trạng thái", "=head"), [hostile]))
    assert body.startswith(b"\xef\xbb\xbf")
    head, row = csv.reader(io.StringIO(body.decode("utf-8-sig")))
    assert head == ["Trạng thái", "'=head"]
    assert row == [
        "'=1+1",
        "+84",
        "'-x",
        "'@a",
        "'\tx",
        "ổn",
        "-3.25",
        "",
        "2026-11-24",
        "2026-11-24 16:00",
    ]


def test_a_table_stands_in_groups_with_a_heading_each() -> None:
    columns = (TableColumn("name", "Name", lambda row: row["name"]),)
    rows = [{"name": "a", "of": "1"}, {"name": "b", "of": "1"}, {"name": "c", "of": "2"}]
    shown = table(
        PageRequest("/x"),
        columns,
        rows,
        TableState(),
        group=lambda row: (row["of"], f"group {row['of']}"),
    )
    body = shown.children[0].children.children[2].children
    assert [one.className for one in body] == ["group", "", "", "group", ""]


def test_names_are_sorted_as_dictionaries_have_them() -> None:
    given = ["Vỹ Dạ", "Đan Điền", "Dương Nỗ", "An Cựu", "Ấn", "Áo", "Phú Hồ", "Phú Bài"]
    assert sorted(given, key=sort_key) == [
        "An Cựu",
        "Áo",
        "Ấn",
        "Dương Nỗ",
        "Đan Điền",
        "Phú Bài",
        "Phú Hồ",
        "Vỹ Dạ",
    ]
