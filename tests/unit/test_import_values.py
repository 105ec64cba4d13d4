"""What a text or a cell of a file is taken for.

Times as exact as they are written, codes with all their zeros, keys of rows.
"""

import io
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from ingest.importer.delimited import csv_rows
from ingest.importer.mapping import Mapping, MappingError
from ingest.importer.mapping_file import load
from ingest.importer.refused import RefusedRows
from ingest.importer.rows import FileError, Layout
from ingest.importer.run import convert, convert_file, send_rows
from ingest.importer.sheets import sheet_rows
from ingest.importer.values import time
from schemas.events.envelope import Reader, RefusalError
from schemas.reference import ZONE
from tests.sealing import SEALER

MAPPING = """
kind = "filing"
source = "/test"
times = ["%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y"]
decimal = ","
delimiter = ";"

[fields]
filing_id = { column = "Số hồ sơ" }
procedure = { column = "Mã TTHC" }
agency = { column = "Nơi", lookup = { "Thuận Hóa" = "H57.19774" } }
channel = { constant = 1 }
fee = { column = "Phí", as = "integer", default = 0 }
registered_at = { column = "Ngày tiếp nhận", as = "time" }
due_at = { column = "Ngày hẹn trả", as = "time" }

[[step]]
id = "{Số hồ sơ}/2"
time = "Ngày tiếp nhận"
fields = { status = 2 }
"""
COLUMNS = ("Số hồ sơ", "Mã TTHC", "Nơi", "Phí", "Ngày tiếp nhận", "Ngày hẹn trả")
ROW = ("DD-1", "1.005129", "Thuận Hóa", "", "20/11/2026 08:10", "25/11/2026")


def mapped(folder: Path, text: str = MAPPING) -> Mapping:
    path = folder / "test.toml"
    path.write_text(text, "utf-8")
    return load(str(path))


def data(mapping: Mapping, *cells: str, columns: tuple[str, ...] = COLUMNS) -> Any:
    """Return the event of a row of a CSV file."""
    text = f"{';'.join(columns)}\n{';'.join(cells)}\n"
    (one,) = convert_file(io.BytesIO(text.encode()), mapping, Reader(), SEALER)
    if one.refusal:
        raise one.refusal
    return one.events[0].read


def changed(**cells: str) -> tuple[str, ...]:
    """Return the row with other times."""
    return (*ROW[:4], cells.get("received", ROW[4]), cells.get("due", ROW[5]))


def test_a_time_is_as_exact_as_it_is_written(tmp_path: Path) -> None:
    event = data(mapped(tmp_path), *ROW)
    assert event.data.due_at == datetime(2026, 11, 24, 17, tzinfo=UTC), (
        "the beginning of the day in Viet Nam"
    )
    assert event.data.precision == ["due_at:day", "registered_at:minute", "time:minute"]
    event = data(
        mapped(tmp_path), *changed(received="20/11/2026 08:10:00", due="2026-11-25T10:00:00+07:00")
    )
    assert not event.data.precision
    event = data(mapped(tmp_path), *changed(received="2026-11-20T08:10Z", due="2026-11-25"))
    assert event.data.precision == ["due_at:day", "registered_at:minute", "time:minute"]


@pytest.mark.parametrize(
    ("text", "exact", "at"),
    [
        ("20261125T140530", "second", "14:05:30"),
        ("20261125T140530+0700", "second", "14:05:30"),
        ("20261125 1405", "minute", "14:05"),
        ("20261125", "day", "00:00"),
        ("2026W483T140530", "second", "14:05:30"),
        ("2026-W48-3", "day", "00:00"),
        ("2026-11-25_14:05:30", "second", "14:05:30"),
        ("2026-11-25 14:05:30+07:00", "second", "14:05:30"),
        ("2026-11-25 14:05+07:00", "minute", "14:05"),
    ],
)
def test_iso_8601_is_as_exact_as_it_is_written_in_each_of_its_forms(
    text: str, exact: Any, at: str
) -> None:
    assert time(text, (), ZONE) == (datetime.fromisoformat(f"2026-11-25T{at}+07:00"), exact)


def test_a_mapping_may_say_how_exact_a_time_is(tmp_path: Path) -> None:
    mapping = mapped(
        tmp_path,
        MAPPING.replace(
            '"Ngày hẹn trả", as = "time"', '"Ngày hẹn trả", as = "time", precision = "day"'
        ),
    )
    event = data(mapping, *changed(due="25/11/2026 23:59:59"))
    assert (event.data.due_at, "due_at:day" in event.data.precision) == (
        datetime(2026, 11, 24, 17, tzinfo=UTC),
        True,
    )


@pytest.mark.parametrize(
    ("form", "text", "right"),
    [
        ("epoch", "1796000000", "2026-11-30T07:53:20+07:00"),
        ("%s", "1796000000", "2026-11-30T07:53:20+07:00"),
        ("epoch", "1796000000.5", "2026-11-30T07:53:20.500+07:00"),
        ("epoch_ms", "1796000000250", "2026-11-30T07:53:20.250+07:00"),
    ],
)
def test_seconds_and_milliseconds_since_1970_are_times(
    tmp_path: Path, form: str, text: str, right: str
) -> None:
    mapping = mapped(tmp_path, MAPPING.replace('"%d/%m/%Y %H:%M:%S"', f'"{form}"'))
    event = data(mapping, *changed(received=text))
    assert event.time == datetime.fromisoformat(right) and event.data.precision == ["due_at:day"]
    with pytest.raises(RefusalError, match="not between"):
        data(mapping, *changed(received="1"))


def test_a_form_that_is_none_is_told_before_any_row(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="'%Q' is no form of a time"):
        mapped(tmp_path, MAPPING.replace("%d/%m/%Y %H:%M:%S", "%Q"))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_texts_that_look_the_same_are_the_same(tmp_path: Path, form: Any) -> None:
    cells = [
        unicodedata.normalize(form, one)
        for one in ("DD-1\u00a0", "1.005129", "Thuận\u00a0Hóa ", "", *ROW[4:])
    ]
    other = unicodedata.normalize("NFD" if form == "NFC" else "NFC", MAPPING)
    for text in (MAPPING, other):
        event = data(mapped(tmp_path, text), *cells)
        assert (event.id, event.data.filing_id, event.data.agency) == (
            "DD-1/2",
            "DD-1",
            "H57.19774",
        )


def book(*rows: tuple[Any, ...], formats: dict[str, str] | None = None) -> io.BytesIO:
    made = Workbook()
    sheet: Any = made.active
    for row in (COLUMNS, *rows):
        sheet.append(row)
    for place, form in (formats or {}).items():
        sheet[place].number_format = form
    saved = io.BytesIO()
    made.save(saved)
    saved.seek(0)
    return saved


def code(mapping: Mapping, procedure: Any, form: str = "General", number: Any = "DD-1") -> Any:
    """Return the procedure and number of a filing with these cells, or why it is refused."""
    file = book((number, procedure, *ROW[2:]), formats={"B2": form})
    (one,) = convert(sheet_rows(file, mapping), mapping, Reader(), SEALER)
    return (
        one.refusal.reason
        if one.refusal
        else (one.events[0].read.data.procedure, one.events[0].read.data.filing_id)
    )


def test_a_numeric_code_is_read_if_it_is_certain_and_refused_if_zeros_may_be_lost(
    tmp_path: Path,
) -> None:
    mapping = mapped(tmp_path)
    assert code(mapping, 1.005129) == ("1.005129", "DD-1"), "as the reference data knows it"
    assert code(mapping, "1.010100") == ("1.010100", "DD-1")
    assert code(mapping, 1.0101, "0.000000") == ("1.010100", "DD-1"), "as it is shown"
    assert "Cell B2 (column 'Mã TTHC') holds the number 1.0101 where a code is meant" in code(
        mapping, 1.0101
    )
    assert code(mapping, "1.005129", number=4711) == ("1.005129", "4711")
    assert "Cell A2 (column 'Số hồ sơ') holds the number 1234567890123460" in code(
        mapping, "1.005129", number=1234567890123456
    )


def test_a_code_is_looked_for_among_the_known_ones_where_the_mapping_says_so(
    tmp_path: Path,
) -> None:
    mapping = mapped(
        tmp_path,
        MAPPING.replace('{ column = "Mã TTHC" }', '{ column = "Mã TTHC", known = "procedures" }'),
    )
    assert data(mapping, *ROW).data.procedure == "1.005129"
    with pytest.raises(RefusalError, match=r"value '1.010199' is not among the procedures"):
        data(mapping, ROW[0], "1.010199", *ROW[2:])


def test_rows_without_a_key_get_one_from_their_place_and_the_content_of_the_file(
    tmp_path: Path,
) -> None:
    text = MAPPING.replace('{ column = "Số hồ sơ" }', '{ template = "{#file}-{#row}" }')
    mapping = mapped(tmp_path, text.replace("{Số hồ sơ}/2", "{#file}-{#row}/2"))
    rows = f"{';'.join(COLUMNS)}\n{';'.join(ROW)}\n{';'.join(ROW)}\n".encode()
    found = list(
        convert_file(io.BytesIO(rows), mapping, Reader(), SEALER, None, Layout(digest="abc"))
    )
    assert [one.events[0].read.id for one in found] == ["abc-2/2", "abc-3/2"]
    with pytest.raises(MappingError, match="is the same in every file"):
        mapped(tmp_path, text.replace("{Số hồ sơ}/2", "{#row}"))


@pytest.mark.parametrize("encoding", ["cp1258", "utf-16", "utf-8-sig", "utf-8"])
def test_refused_rows_are_mended_in_the_encoding_of_their_file_as_often_as_need_be(
    tmp_path: Path, encoding: str
) -> None:
    from ingest.importer.refused import encodable

    mapping = mapped(tmp_path, MAPPING.replace("decimal =", f'encoding = "{encoding}"\ndecimal ='))
    rows = [COLUMNS, ROW, ("=1+1", *ROW[1:5], "31/02/2026"), ("\u200b＝B", *ROW[1:5], "30/02/2026")]
    content = encodable(
        "\n".join(";".join(row) for row in rows).replace("\u200b", ""), encoding
    ).encode(encoding, "replace")
    for turn in range(3):
        layout, path = Layout(), tmp_path / f"{turn}.csv"
        with RefusedRows(path, layout) as refused:
            summary = send_rows(
                convert_file(io.BytesIO(content), mapping, Reader(), SEALER, None, layout),
                None,
                refused,
                lambda _: None,
                1,
            )
        assert (summary.accepted, summary.refused) == ((1 if turn == 0 else 0), 2), summary
        content = path.read_bytes()
        assert content.decode(encoding).splitlines()[1].startswith("'=1+1;")
    mended = content.decode(encoding).replace("31/02/2026", "28/02/2026").encode(encoding)
    first, second = convert_file(io.BytesIO(mended), mapping, Reader(), SEALER)
    assert first.refusal is None and first.events[0].read.data.filing_id == "=1+1"
    assert second.refusal is not None


def test_a_file_of_refused_rows_is_its_owners_and_takes_no_other_files_place(
    tmp_path: Path,
) -> None:
    mapping, path = mapped(tmp_path), tmp_path / "reports.csv.refused.csv"
    path.write_text("mine")
    (row,) = csv_rows(io.BytesIO(f"{';'.join(COLUMNS)}\nx\n".encode()), mapping)
    assert row.refusal is not None
    names = []
    for _ in range(2):
        with RefusedRows(path, Layout()) as refused:
            refused.add(row, row.refusal)
        names.append(refused.path.name)
        assert refused.path.stat().st_mode & 0o777 == 0o600
    assert names == ["reports.csv.refused-2.csv", "reports.csv.refused-3.csv"]
    assert path.read_text() == "mine"


def test_refused_rows_of_a_table_with_a_column_that_is_called_reason_can_be_imported_again(
    tmp_path: Path,
) -> None:
    mapping = mapped(tmp_path, MAPPING.replace('"Phí"', '"reason"'))
    columns = tuple("reason" if one == "Phí" else one for one in COLUMNS)
    content = f"{';'.join(columns)}\n{';'.join((*ROW[:5], '31/02/2026'))}\n".encode()
    for turn in range(2):
        layout, path = Layout(), tmp_path / f"{turn}.csv"
        with RefusedRows(path, layout) as refused:
            send_rows(
                convert_file(io.BytesIO(content), mapping, Reader(), SEALER, None, layout),
                None,
                refused,
                lambda _: None,
                1,
            )
        content = path.read_bytes()
    (one,) = convert_file(
        io.BytesIO(content.replace(b"31/02", b"28/02")), mapping, Reader(), SEALER
    )
    assert one.refusal is None


def test_an_encoding_that_nobody_knows_is_told_in_a_sentence(tmp_path: Path) -> None:
    mapping = mapped(tmp_path, MAPPING.replace("decimal =", 'encoding = "klingon"\ndecimal ='))
    with pytest.raises(FileError, match=r"^The encoding 'klingon' of the mapping is not known\.$"):
        list(csv_rows(io.BytesIO(b"x"), mapping))
