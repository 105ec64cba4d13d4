"""No line of a file vanishes.

Header, blank, skipped and rows are all of them, whatever the bytes.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.importer.delimited import MAX_QUOTED_LINES, csv_rows
from ingest.importer.documents import Form, json_rows
from ingest.importer.mapping import Mapping
from ingest.importer.mapping_file import load
from ingest.importer.refused import RefusedRows, encodable
from ingest.importer.rows import MAX_LINE_BYTES, FileError, Layout, Row
from ingest.importer.run import convert, convert_file, is_refused_events, send_rows
from ingest.importer.summary import Summary
from schemas import documents
from schemas.events.envelope import Reader
from schemas.events.kinds import FEEDBACK
from tests.sealing import SEALER

MAPPING = """
kind = "feedback"
source = "/test"
times = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]
delimiter = ";"

[fields]
report_id = { column = "Mã" }
agency = { constant = "H57.IOC" }
category = { constant = "traffic" }
reported_at = { column = "Ngày", as = "time" }
address = { column = "Nơi" }
description = { column = "Nội dung" }

[[step]]
id = "{Mã}/r"
time = "Ngày"
fields = { status = "received" }
"""
HEADER = "Mã;Ngày;Nơi;Nội dung"
SKIPPING = (
    MAPPING
    + """
[[skip]]
when = [{ column = "Mã", matches = "[IVX]+[.].*" }, { column = "Ngày", present = false }]

[[skip]]
when = [{ column = "Mã", starts_with = ["Tổng", "Cộng"] }]
"""
)


@pytest.fixture(scope="module")
def mapping(tmp_path_factory: pytest.TempPathFactory) -> Mapping:
    return mapped(tmp_path_factory.mktemp("mapping"), MAPPING)


def mapped(folder: Path, text: str) -> Mapping:
    path = folder / "test.toml"
    path.write_text(text, "utf-8")
    return load(str(path))


def imported(
    content: str | bytes, mapping: Mapping | None, path: Path, form: Form | None = None
) -> tuple[Summary, Layout, list[str]]:
    """Return a check of a file: its summary, its lines, and the ids of its valid events."""
    layout, ids = Layout(), list[str]()
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)

    def noted() -> Iterator[Any]:
        for one in convert_file(file, mapping, Reader(), SEALER, form, layout):
            ids.extend(event.read.id for event in one.events)
            yield one

    with RefusedRows(path, layout) as refused:
        return send_rows(noted(), None, refused, lambda _: None, 1), layout, ids


def row(number: int, text: str = "Rác") -> str:
    return f"Q-{number};01/12/2026;Lê Lợi;{text}"


def test_a_quotation_mark_that_nobody_closes_refuses_its_line_and_no_other(
    mapping: Mapping, tmp_path: Path
) -> None:
    rows = [row(number) for number in range(2, 53)]
    rows[0], rows[40] = row(2, '"Rác trước nhà'), row(42, 'Quán "Bà Ba" xả rác"')
    summary, layout, ids = imported("\n".join([HEADER, *rows]), mapping, tmp_path / "refused.csv")
    assert (summary.rows, summary.accepted, summary.refused, layout.lines, layout.header) == (
        51,
        50,
        1,
        52,
        1,
    )
    assert summary.examples["wrong-value"].startswith("row 2: Line 2 opens a quotation mark")
    assert ids == [f"Q-{number}/r" for number in range(3, 53)]
    assert '"""Rác trước nhà"' in (tmp_path / "refused.csv").read_text("utf-8-sig")


def test_rows_inside_a_field_that_ends_well_are_refused_by_name_as_nobody_can_tell_what_was_meant(
    mapping: Mapping, tmp_path: Path
) -> None:
    rows = [row(2, '"Rác'), row(3), row(4).replace("01/12", "45/12"), row(5, 'Rác số 5"'), row(6)]
    summary, _, ids = imported("\n".join([HEADER, *rows]), mapping, tmp_path / "refused.csv")
    assert (summary.accepted, summary.refused, ids) == (1, 4, ["Q-6/r"])
    assert "Line 2 opens a quotation mark that line 5 closes" in summary.examples["wrong-value"]
    kept = (tmp_path / "refused.csv").read_text("utf-8-sig")
    assert [f"Q-{number};" in kept for number in range(2, 7)] == [True] * 4 + [False]


@pytest.mark.parametrize(
    "text", ['"dòng một\ndòng hai; có dấu\n\n""trích""\ndòng năm"', '"a\r\nb"', '"Số 5;\n12;3/4;x"']
)
def test_a_text_of_several_lines_is_one_field(mapping: Mapping, tmp_path: Path, text: str) -> None:
    content = "\n".join([HEADER, row(2, text), row(3)])
    summary, layout, _ = imported(content, mapping, tmp_path / "refused.csv")
    assert (summary.rows, summary.accepted, summary.unaccounted(layout)) == (2, 2, 0)
    assert layout.lines == len(content.replace("\r\n", "\n").split("\n"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('Q-1;01/12/2026;"Quán "Bà Ba"";x', "text behind a closing quotation mark"),
        ("Q-1;01/12/2026;x", "The row has 3 columns, the header 4"),
        ("Q-1;01/12/2026;x;y;z", "The row has 5 columns, the header 4"),
        ('Q-1;01/12/2026;x;"' + "\n" * (MAX_QUOTED_LINES + 1), "is not closed as it should be"),
    ],
)
def test_a_line_that_is_no_row_is_refused_with_all_its_cells_and_again_until_it_is_mended(
    mapping: Mapping, tmp_path: Path, line: str, told: str
) -> None:
    content = f"{HEADER}\n{row(0)}\n{line}\n{row(2)}\n"
    summary, layout, ids = imported(content, mapping, tmp_path / "refused.csv")
    assert (ids, summary.refused, summary.unaccounted(layout)) == (["Q-0/r", "Q-2/r"], 1, 0)
    assert told in summary.examples["wrong-value"]
    (kept,) = csv_rows((tmp_path / "refused.csv").open("rb"), mapping)
    assert (kept.cells or [*kept.columns.values()]) == line.rstrip("\n").split(";")


def test_a_text_of_several_lines_may_be_the_first_column(mapping: Mapping, tmp_path: Path) -> None:
    content = 'Nội dung;Ngày;Mã;Nơi\n"Rác\nở chợ";01/12/2026;Q-2;x\n'
    assert imported(content, mapping, tmp_path / "refused.csv")[2] == ["Q-2/r"]


def test_bytes_of_another_encoding_refuse_their_row_alone(mapping: Mapping, tmp_path: Path) -> None:
    content = f"{HEADER}\n{row(2)}\n".encode() + b"Q-3;01/12/2026;\xe0\xff;x\n" + row(4).encode()
    summary, _, ids = imported(content, mapping, tmp_path / "refused.csv")
    assert (ids, summary.refused) == (["Q-2/r", "Q-4/r"], 1)
    assert "row 3: The row is not utf-8-sig" in summary.examples["bad-utf8"]
    assert b"\xe0\xff" in (tmp_path / "refused.csv").read_bytes(), "it can be mended as it came"


def test_sections_and_totals_are_skipped_by_rules_of_the_mapping_and_counted(
    tmp_path: Path,
) -> None:
    lines = [
        HEADER,
        "I. ĐẤT ĐAI;;;",
        "",
        row(4),
        "II. HỘ TỊCH",
        row(6),
        "Tổng cộng;2",
        ";;;",
        row(9).replace("Q-9", "IX."),
    ]
    summary, layout, ids = imported(
        "\n".join(lines), mapped(tmp_path, SKIPPING), tmp_path / "refused.csv"
    )
    assert (layout.lines, layout.header, layout.blank, layout.skipped, layout.first_skipped) == (
        9,
        1,
        2,
        3,
        "row 2",
    )
    assert (ids, summary.refused, summary.unaccounted(layout)) == (
        ["Q-4/r", "Q-6/r", "IX./r"],
        0,
        0,
    )


PIECES = [b'"', b";", b"\n", b"\r", b"a", b"1234", b"\xff", "ờ".encode()]


@given(content=st.binary(max_size=400) | st.lists(st.sampled_from(PIECES)).map(b"".join))
@example(content=b'Q;1234;"\n;;;\n')
@example(content=b'\n"\r"\n')
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1258", "utf-16"])
def test_the_lines_of_any_bytes_add_up(mapping: Mapping, encoding: str, content: bytes) -> None:
    other = msgspec.structs.replace(mapping, encoding=encoding)
    text = encodable(HEADER, encoding).encode(encoding)
    whole = text + ("\n".encode("utf-16-le") if encoding == "utf-16" else b"\n") + content
    layout = Layout()
    try:
        taken = list(
            convert(csv_rows(io.BytesIO(whole), other, layout), other, Reader(), SEALER, layout)
        )
    except FileError:
        return  # Said in a sentence, with a status of its own.
    stood = [
        number for one in taken for number in range(one.row.line, one.row.line + one.row.lines)
    ]
    assert len(stood) == len(set(stood)), "no line is taken twice"
    assert layout.lines == layout.header + layout.blank + layout.skipped + len(stood)
    decoded = whole.decode(encoding, "replace")
    ends = decoded.replace("\r\n", "\n").replace("\r", "\n")
    assert layout.lines == ends.count("\n") + (not ends.endswith("\n")), (
        "they are the lines of the file"
    )


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (
            '{"Mã": "Q-2", "Ngày": "01/12/2026"},\n\n{"Mã": "Q-3", "Ngày": '
            '"01/12/2026"},\nnonsense\n',
            "lines",
        ),
        (
            '\ufeff[\n {"Mã": "Q-2",\n "Ngày": "01/12/2026"},\n {"Mã": "Q-3", "Ngày": '
            '"01/12/2026"}, 7]',
            "array",
        ),
    ],
)
def test_objects_of_an_array_and_lines_with_commas_are_rows(
    mapping: Mapping, tmp_path: Path, text: str, form: Form
) -> None:
    summary, layout, ids = imported(text, mapping, tmp_path / "refused.csv", form)
    assert (ids, summary.rows, summary.refused, summary.unaccounted(layout)) == (
        ["Q-2/r", "Q-3/r"],
        3,
        1,
        0,
    )


@pytest.mark.parametrize(
    ("text", "form", "told"),
    [
        ('{\n "Mã": "Q-2"\n}', "lines", "a JSON object over several lines"),
        ('[{"Mã": "Q-2"}, {"Mã"', "array", "none of it was taken"),
    ],
)
def test_other_json_is_told_in_a_sentence(
    mapping: Mapping, text: str, form: Form, told: str
) -> None:
    with pytest.raises(FileError, match=told):
        list(json_rows(io.BytesIO(text.encode()), form, mapping))


def test_a_number_of_json_that_is_a_code_keeps_its_zeros(mapping: Mapping) -> None:
    (found,) = json_rows(io.BytesIO(b'{"M\xc3\xa3": 1.010100}'), "lines", mapping)
    assert found.columns["Mã"] == "1.010100"


def test_refused_events_are_imported_again_without_a_mapping(tmp_path: Path) -> None:
    lines = '{"id": "1"}\n{"reporter": "Lê, A\n'
    summary, _, _ = imported(lines + "\xff", None, tmp_path / "refused.csv", "lines")
    assert (summary.accepted, summary.refused) == (0, 3)
    kept = (tmp_path / "refused.csv").read_bytes()
    assert is_refused_events(kept[:64]) and "Lê".encode() not in kept
    again, layout, _ = imported(kept, None, tmp_path / "again.csv")
    assert (again.rows, again.refused, again.unaccounted(layout), again.reasons) == (
        3,
        3,
        0,
        summary.reasons,
    )
    event = (
        msgspec.json.format(msgspec.json.encode(json.loads(documents.example(FEEDBACK))), indent=-1)
        .decode()
        .replace('"', '""')
    )
    mended = kept.replace(b'{""id"": ""1""}', event.encode())
    assert mended != kept
    assert imported(mended, None, tmp_path / "mended.csv")[0].accepted == 1


@pytest.mark.parametrize(
    "broken",
    [
        b'"%s' % b'{""reporter"": ""Th\xe1\xbb\xad, 0000""}',
        b'"{""reporter"": ""Th\xe1\xbb\xad\xff, 0000""}"',
        b'{"reporter": "Th\xe1\xbb\xad, 0000"}',
    ],
    ids=["unclosed", "undecoded", "too many columns"],
)
def test_who_reported_is_sealed_in_refused_events_that_cannot_be_split_into_columns(
    broken: bytes, tmp_path: Path
) -> None:
    content = b"record,row,category,reason\n" + broken + b",2,wrong-value,x\n"
    for turn in range(2):
        summary, layout, _ = imported(content, None, tmp_path / f"{turn}.csv")
        assert (summary.rows, summary.refused, summary.unaccounted(layout)) == (1, 1, 0)
        content = (tmp_path / f"{turn}.csv").read_bytes()
        assert "Thử".encode() not in content and b"0000" not in content and b"sealed:1:" in content


def test_an_event_in_which_a_member_stands_twice_is_refused_as_the_gateway_does(
    tmp_path: Path,
) -> None:
    event = msgspec.json.format(documents.example(FEEDBACK), indent=-1)
    twice = event.replace(b'"agency":', b'"agency":"H57.01","agency":')
    secret = event.replace(b'"source":', '"x":{"Lê, A":1,"Lê, A":2},"source":'.encode())
    assert len({event, twice, secret}) == 3
    both: list[tuple[bytes, Form]] = [
        (b"\n".join((event, twice, secret)), "lines"),
        (b"[" + b",".join((event, twice, secret)) + b"]", "array"),
    ]
    for content, form in both:
        summary, layout, ids = imported(content, None, tmp_path / f"{form}.csv", form)
        assert (len(ids), summary.accepted, summary.refused, summary.unaccounted(layout)) == (
            1,
            1,
            2,
            0,
        )
        assert summary.examples == {
            "wrong-value": "row 2: Member `agency` stands twice in one object."
        }
        kept = (tmp_path / f"{form}.csv").read_text("utf-8-sig")
        assert "Member `…` stands twice" in kept, (
            "a name may be anything, so it is told only where it can be no person's"
        )
    again, _, _ = imported((tmp_path / "lines.csv").read_bytes(), None, tmp_path / "again.csv")
    assert again.reasons == summary.reasons


class Endless(io.RawIOBase):
    """A file of a beginning, so many letters, and an end: it is never in memory."""

    def __init__(self, start: bytes, letters: int, end: bytes) -> None:
        self._start, self._letters, self._end = start, letters, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        if self._start:
            found = self._start[:size]
            self._start = self._start[size:]
        elif self._letters:
            found = b"x" * min(size, self._letters)
            self._letters -= len(found)
        else:
            found = self._end[:size]
            self._end = self._end[size:]
        buffer[: len(found)] = found
        return len(found)


@pytest.mark.parametrize("form", [None, "lines"])
def test_a_line_of_any_length_is_refused_without_being_kept(
    mapping: Mapping, form: Form | None
) -> None:
    import tracemalloc

    start, end = (
        (f"{HEADER}\n", f"\n{row(3)}\n")
        if form is None
        else ('{"Mã": "', '"}\n{"Mã": "Q-3", "Ngày": "01/12/2026"}\n')
    )
    file: Any = io.BufferedReader(Endless(start.encode(), 50 << 20, end.encode()))
    tracemalloc.start()
    rows: list[Row] = list(json_rows(file, form, mapping) if form else csv_rows(file, mapping))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [bool(one.refusal) for one in rows] == [True, False]
    assert "is longer than" in str(rows[0].refusal)
    assert peak < 16 * MAX_LINE_BYTES
