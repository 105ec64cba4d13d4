"""Files that are imported: every row is accounted for, and who reported is sealed."""

import io
from pathlib import Path

import msgspec
import pytest

from ingest.importer.delimited import csv_rows
from ingest.importer.documents import json_form, json_rows
from ingest.importer.mapping import Mapping, MappingError
from ingest.importer.refused import RefusedRows
from ingest.importer.rows import FileError, Layout, Row
from ingest.importer.run import convert_file, refuse_other_kinds, send_rows
from ingest.importer.summary import Summary
from schemas.documents import example
from schemas.events.envelope import Reader
from schemas.events.kinds import KINDS
from tests.sealing import SEALER
from tests.unit.feedback_rows import MAPPING, ROW, mapped

HEADER = ",".join(ROW)


@pytest.fixture
def mapping(tmp_path: Path) -> Mapping:
    return mapped(tmp_path, MAPPING)


def rows_of(text: str | bytes, mapping: Mapping) -> list[Row]:
    return list(csv_rows(io.BytesIO(text.encode() if isinstance(text, str) else text), mapping))


def test_csv_rows_are_counted_as_a_spreadsheet_does(mapping: Mapping) -> None:
    cells = ",".join(ROW.values())
    folded = cells.replace("Sở Y tế", '"Sở\nY tế"')
    rows = rows_of(f"\ufeff{HEADER}\n{cells}\n\n{folded}\n1,2\n", mapping)
    assert [(row.number, row.refusal is None) for row in rows] == [(2, True), (4, True), (5, False)]
    assert rows[0].columns == ROW
    assert rows[1].columns["agency"] == "Sở\nY tế"
    assert "2 columns, the header 10" in rows[2].refusal.reason  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "'agency'.*of the mapping are not in the file; it has a, b"),
        (HEADER + ",day\n", "'day' is there twice"),
        (HEADER.encode() + b"\xff\n", "The header is not utf-8-sig"),
        ("," * 3_000, "more than 2,000 columns"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    mapping: Mapping, text: str | bytes, told: str
) -> None:
    with pytest.raises(FileError, match=told):
        rows_of(text, mapping)


def test_another_encoding_and_delimiter_can_be_declared(tmp_path: Path) -> None:
    mapping = mapped(tmp_path, 'encoding = "utf-16"\ndelimiter = ";"\n' + MAPPING)
    (row,) = rows_of(
        f"{HEADER}\n{','.join(ROW.values())}\n".replace(",", ";").encode("utf-16"), mapping
    )
    assert row.columns == ROW


def test_json_objects_are_rows_too(mapping: Mapping) -> None:
    line = msgspec.json.encode(ROW | {"lat": 16.46, "stars": None, "other": {"deep": [1]}})
    first, second = json_rows(io.BytesIO(line + b"\n\n[1]\n"), "lines", mapping)
    assert (
        first.number,
        first.columns["lat"],
        first.columns["stars"],
        first.columns["other.deep"],
    ) == (1, "16.46", "", "[1]")
    assert (second.number, second.refusal is None) == (3, False)


def importing(text: str, mapping: Mapping | None, path: Path, kind: str | None = None) -> Summary:
    """Return a check of a file: everything but sending."""
    layout = Layout()
    taken = convert_file(
        io.BytesIO(text.encode()),
        mapping,
        Reader(),
        SEALER,
        "lines" if mapping is None else None,
        layout,
    )
    with RefusedRows(path, layout) as refused:
        return send_rows(
            refuse_other_kinds(taken, kind) if kind else taken,
            None,
            refused,
            lambda summary: None,
            1,
        )


def test_every_row_is_accounted_for_and_the_refused_can_be_mended_and_imported(
    mapping: Mapping, tmp_path: Path
) -> None:
    good, bad = ",".join(ROW.values()), ",".join((ROW | {"day": "31/02/2026"}).values())
    other = ",".join((ROW | {"number": "8"}).values())
    path = tmp_path / "refused.csv"
    summary = importing(f"{HEADER}\n{good}\n{bad}\n{other}\n", mapping, path)
    assert (summary.rows, summary.accepted, summary.refused, summary.events) == (3, 2, 1, 2)
    assert dict(summary.reasons) == {"impossible-date": 1}
    assert summary.examples["impossible-date"].startswith("row 3: ")
    refused = path.read_text("utf-8-sig")
    assert refused.splitlines()[0] == f"{HEADER},row,category,reason"
    mended = importing(refused.replace("31/02/2026", "28/02/2026"), mapping, tmp_path / "again.csv")
    assert (mended.accepted, mended.refused) == (1, 0)
    assert not (tmp_path / "again.csv").exists()


def test_cloudevents_need_no_mapping(tmp_path: Path) -> None:
    lines = (
        "\n".join(msgspec.json.format(example(kind), indent=-1).decode() for kind in KINDS)
        + "\nnonsense\n"
    )
    summary = importing(lines, None, tmp_path / "refused.csv")
    assert (summary.accepted, summary.refused) == (len(KINDS), 1)
    summary = importing(lines, None, tmp_path / "refused.csv", kind="feedback")
    assert (summary.accepted, summary.refused) == (1, len(KINDS))


@pytest.mark.parametrize(
    ("name", "head", "form"),
    [
        ("a.ndjson", b"", "lines"),
        ("a.JSONL", b"", "lines"),
        ("a.json", b"\xef\xbb\xbf\n[", "array"),
        ("a.csv", b"{", None),
        ("-", b" {", "lines"),
        ("-", b"[", "array"),
        ("-", b"a,b", None),
    ],
)
def test_json_is_known_by_name_or_first_byte(name: str, head: bytes, form: str | None) -> None:
    assert json_form(name, head) == form


SEALING = MAPPING.replace(
    "[fields]",
    """[fields]
reporter = { template = "{who}, {telephone}", needs = ["who"], \
lookup = { "Ai, 1" = "", "Thử, 0" = "Thử, 0" } }
description = { column = "words", as = "integer" }""",
)


def sealed_row(**columns: str) -> str:
    row = ROW | {"who": "Thử", "telephone": "0", "words": ""} | columns
    return f"{','.join(row)}\n{','.join(row.values())}\n"


@pytest.mark.parametrize(
    "wrong", [{"agency": "?"}, {"telephone": "1"}, {"words": "Thử"}, {"done": "03/11/2026,Thử"}]
)
def test_who_reported_is_sealed_in_events_and_refused_rows_and_quoted_by_no_reason(
    wrong: dict[str, str], tmp_path: Path
) -> None:
    mapping = mapped(tmp_path, SEALING)
    (good,) = convert_file(io.BytesIO(sealed_row().encode()), mapping, Reader(), SEALER)
    assert (
        SEALER.open(good.events[0].read.data.reporter) == "Thử, 0"
        and "Thử".encode() not in good.events[0].record
    )
    layout = Layout()
    (bad,) = convert_file(
        io.BytesIO(sealed_row(**wrong).encode()), mapping, Reader(), SEALER, None, layout
    )
    assert bad.refusal and "Thử" not in bad.refusal.reason
    with RefusedRows(tmp_path / "out.csv", layout) as refused:
        refused.add(bad.row, bad.refusal)
    text = (tmp_path / "out.csv").read_text()
    assert "sealed:1:" in text and ("Thử" not in text or "words" in wrong), (
        "words that are no number are kept, as they can be mended"
    )


def test_who_reported_may_fill_no_other_field(tmp_path: Path) -> None:
    for old, new in (
        ("{street}, {commune}", "{street}, {who}"),
        ("{number}/received", "{telephone}"),
    ):
        with pytest.raises(MappingError, match="says who reported"):
            mapped(tmp_path, SEALING.replace(old, new))
