"""What workers told of events makes the numbers of rows: accepted, repeats, refused, not yet counted."""

from ingest.importer.outcome import Told, reckon
from ingest.importer.rows import Layout
from ingest.importer.sent import Place, Sent
from ingest.importer.summary import Summary
from schemas.envelope import Category, Refusal

A, B = Place("t.feedback", 0), Place("t.feedback", 1)
CONFLICT = Refusal(Category.CONFLICT, "other content")


def five_rows() -> tuple[Summary, Sent]:
    """Rows 2 to 6 of one event each, row 7 of two, in the partitions and at the offsets that they got."""
    sent = Sent()
    for number, place, offset in ((2, A, 10), (3, B, 7), (4, A, 12), (5, A, 11), (6, B, 8)):
        sent.add(number, [(place, offset)])
    sent.add(7, [(A, 13), (B, 9)])
    return Summary(rows=6, lines=6, accepted=6, events=7), sent


def test_a_row_is_a_repeat_when_all_its_events_are_and_refused_when_one_is() -> None:
    summary, sent = five_rows()
    told = [Told(A, 9, 11, None), Told(B, 8, 9, None), Told(A, 12, 12, CONFLICT), Told(Place("t.filing", 0), 10, 13, None)]
    refused = reckon(summary, sent, told, {A: 14, B: 10}, "")
    assert refused == {4: CONFLICT}
    assert (summary.accepted, summary.repeats, summary.events, summary.uncounted) == (2, 3, 2, 0)


def test_what_workers_tell_twice_counts_once() -> None:
    """A worker that is killed before its checkpoint, or did a write over, tells the same again, maybe in other runs."""
    summary, sent = five_rows()
    told = [Told(A, 13, 13, None), Told(A, 12, 12, CONFLICT), Told(A, 13, 14, None), Told(B, 7, 7, None), Told(A, 10, 13, None)]
    told += [Told(A, 12, 12, CONFLICT), Told(B, 6, 7, None)]
    assert reckon(summary, sent, told, {A: 14, B: 10}, "") == {4: CONFLICT}
    assert (summary.accepted, summary.repeats, summary.events, summary.uncounted) == (2, 3, 2, 0), "row 7 is new in part"


def test_what_no_worker_has_passed_is_not_counted_yet() -> None:
    summary, sent = five_rows()
    assert reckon(summary, sent, [Told(A, 10, 10, None)], {A: 12}, "no worker is running") == {}
    assert (summary.accepted, summary.repeats, summary.uncounted) == (5, 1, 4), "rows 3, 4, 6 and 7 may be anything yet"
    layout = Layout(lines=7, header=1)
    assert "  4 rows in Kafka, not yet counted: no worker is running" in summary.sentences(layout, "accepted")
    assert summary.unaccounted(layout) == 0


def test_lines_that_nothing_accounts_for_are_said() -> None:
    summary, _ = five_rows()
    assert summary.unaccounted(Layout(lines=9, header=1)) == 2
    assert any("2 lines are not accounted for" in one for one in summary.sentences(Layout(lines=9, header=1), "accepted"))
