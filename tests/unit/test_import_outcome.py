"""What workers told of events makes the numbers of rows.

Accepted, repeats, refused, not yet counted.
"""

import io
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError
from openpyxl import Workbook

from ingest.importer import workbook
from ingest.importer.job import ImportJob
from ingest.importer.mapping_file import load
from ingest.importer.outcome import WorkerReport, apply_reports
from ingest.importer.rows import Layout
from ingest.importer.sent import SentPartition, SentRows
from ingest.importer.summary import Summary
from ingest.mappings.indicators_form import COLUMNS
from schemas.documents import example
from schemas.events.envelope import RefusalCategory, RefusalError
from schemas.events.kinds import FILING
from schemas.settings import Settings

A, B = SentPartition("t.feedback", 0), SentPartition("t.feedback", 1)
CONFLICT = RefusalError(RefusalCategory.CONFLICT, "other content")


def five_rows() -> tuple[Summary, SentRows]:
    """Return rows 2 to 6 of one event each, row 7 of two, in the partitions and at the offsets that
    they got.
    """
    sent = SentRows()
    for number, place, offset in ((2, A, 10), (3, B, 7), (4, A, 12), (5, A, 11), (6, B, 8)):
        sent.add(number, [(place, offset)])
    sent.add(7, [(A, 13), (B, 9)])
    return Summary(rows=6, lines=6, accepted=6, events=7), sent


def test_a_row_is_a_repeat_when_all_its_events_are_and_refused_when_one_is() -> None:
    summary, sent = five_rows()
    told = [
        WorkerReport(A, 9, 11, None),
        WorkerReport(B, 8, 9, None),
        WorkerReport(A, 12, 12, CONFLICT),
        WorkerReport(SentPartition("t.filing", 0), 10, 13, None),
    ]
    refused = apply_reports(summary, sent, told, {A: 14, B: 10}, "")
    assert refused == {4: CONFLICT}
    assert (summary.accepted, summary.repeats, summary.events, summary.uncounted) == (2, 3, 2, 0)


def test_what_workers_tell_twice_counts_once() -> None:
    """A worker that is killed before its checkpoint, or did a write over, tells the same again,
    maybe in other runs.
    """
    summary, sent = five_rows()
    told = [
        WorkerReport(A, 13, 13, None),
        WorkerReport(A, 12, 12, CONFLICT),
        WorkerReport(A, 13, 14, None),
        WorkerReport(B, 7, 7, None),
        WorkerReport(A, 10, 13, None),
    ]
    told += [WorkerReport(A, 12, 12, CONFLICT), WorkerReport(B, 6, 7, None)]
    assert apply_reports(summary, sent, told, {A: 14, B: 10}, "") == {4: CONFLICT}
    assert (summary.accepted, summary.repeats, summary.events, summary.uncounted) == (2, 3, 2, 0), (
        "row 7 is new in part"
    )


def test_what_no_worker_has_passed_is_not_counted_yet() -> None:
    summary, sent = five_rows()
    assert (
        apply_reports(
            summary, sent, [WorkerReport(A, 10, 10, None)], {A: 12}, "no worker is running"
        )
        == {}
    )
    assert (summary.accepted, summary.repeats, summary.uncounted) == (5, 1, 4), (
        "rows 3, 4, 6 and 7 may be anything yet"
    )
    layout = Layout(lines=7, header=1)
    assert "  4 rows in Kafka, not yet counted: no worker is running" in summary.sentences(
        layout, "accepted"
    )
    assert summary.unaccounted(layout) == 0


def test_lines_that_nothing_accounts_for_are_said() -> None:
    summary, _ = five_rows()
    assert summary.unaccounted(Layout(lines=9, header=1)) == 2
    assert any(
        "2 lines are not accounted for" in one
        for one in summary.sentences(Layout(lines=9, header=1), "accepted")
    )


class NoAnswer:
    """A producer whose broker acknowledges nothing any more, and each of its futures."""

    is_done = True

    def send_record(self, *_: object) -> "NoAnswer":
        return self

    def get(self, _: float) -> Any:
        raise KafkaTimeoutError("gone")


def reported(job: ImportJob, file: Path, producer: Any) -> tuple[str, str]:
    """Return what kept a job from reading a file to its end, and what it reports."""
    failed, out = (
        job.run([str(file)], producer, lambda *_: nullcontext(lambda _: None)),
        io.StringIO(),
    )
    job.report(out, "accepted")
    return str(failed), out.getvalue()


def test_a_file_that_kafka_interrupts_is_no_fault_of_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "events.ndjson"
    file.write_bytes(
        b"".join(
            example(FILING).replace(b"\n", b"").replace(b'"id": "', b'"id": "%d' % n) + b"\n"
            for n in range(3)
        )
    )
    failed, said = reported(ImportJob(Settings(home=tmp_path), None), file, NoAnswer())
    assert "Kafka did not acknowledge" in failed
    assert "it was not read to its end" in said and "not accounted for" not in said, said


def test_a_sheet_that_cannot_be_read_any_further_is_no_fault_of_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workbook, "MAX_AREAS", 0)
    made = Workbook()
    sheet: Any = made.active
    for row in (COLUMNS, ["health.records"] * len(COLUMNS), ["health.records"]):
        sheet.append(row)
    sheet.merge_cells("A3:A4")
    made.save(file := tmp_path / "figures.xlsx")
    failed, said = reported(ImportJob(Settings(home=tmp_path), load("indicators")), file, None)
    assert "merged areas" in failed
    assert "it was not read to its end" in said and "not accounted for" not in said, said
