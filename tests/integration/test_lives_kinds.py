"""Hand-made lives of reports, documents and meetings: what is open, late, waiting and secret."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from clickhouse_driver import Client

from dashboard.query.clock import At
from dashboard.query.connection import Connection
from dashboard.query.lives import LifeStore
from schemas.events.codes import DocumentStatus, FeedbackStatus, MeetingState, Priority, Urgency
from schemas.events.kinds import DOCUMENT, FEEDBACK, MEETING
from schemas.events.payloads import Document, Feedback, Meeting
from schemas.figures import Reading
from schemas.settings import Settings
from tests.integration.lives_desk import CALENDAR, Desk, at

pytestmark = pytest.mark.stack


@pytest.fixture
def desk(settings: Settings, database: Client) -> Iterator[Desk]:
    found = Desk(settings, database)
    yield found
    found.counter.close()


def test_a_site_that_is_invited_twice_or_has_no_code_counts_once_or_not_at_all(desk: Desk) -> None:
    begin = at("2026-11-02 08:00")
    for number, invited, connected in (
        ("1", ["A", "A", "B"], ["B", "Z"]),
        ("2", [], []),
        ("3", [""], [""]),
    ):
        said: dict[str, Any] = {
            "agency": "H57.VP",
            "meeting_id": number,
            "state": MeetingState.LIVE,
            "starts_at": begin,
        }
        desk.take(MEETING, [(begin, Meeting(**said))])
        # As it was stored before sites were named once at the door.
        stored = (
            f"SELECT * REPLACE ({invited} AS invited, {connected} AS connected, version + 1 AS "
            "version)"
        )
        for table in ("life_meeting", "current_meeting"):
            desk.client.execute(
                f"INSERT INTO {table} {stored} FROM {table} FINAL WHERE entity_id = '{number}'"
            )
    found = desk.figures(MEETING, at("2026-11-02 09:00"))
    assert found == desk.figures(MEETING, at("2026-11-02 09:00"), past=False)
    assert (found["meeting.live"].value, found["meeting.missing"].value) == (3, 1)
    assert found["meeting.connected"] == Reading(50, 1, 2), (
        "one of two; who was not invited does not count"
    )
    store = LifeStore(Connection(desk.settings.clickhouse_url), CALENDAR)
    rows = [
        (row["invited"], row["connected"], row["missing"])
        for row in store.meetings(At(at("2026-11-02 09:00")))
    ]
    assert rows == [(["A", "B"], ["B"], ["A"]), ([], [], []), ([], [], [])]
    store.connection.close()


def test_steps_of_reports_and_documents_out_of_order_are_counted_like_those_of_filings(
    desk: Desk,
) -> None:
    begin, then = at("2026-11-02 08:00"), at("2026-11-02 09:00")
    said: dict[str, Any] = {"agency": "H57.IOC", "category": "water", "reported_at": begin}
    steps = {
        "good": (FeedbackStatus.RECEIVED, FeedbackStatus.VERIFIED),
        "bad": (FeedbackStatus.PUBLISHED, FeedbackStatus.VERIFIED),
    }
    for number, statuses in steps.items():
        reports = [Feedback(**said, report_id=number, status=status) for status in statuses]
        desk.take(FEEDBACK, list(zip((begin, then), reports, strict=True)))
    sent: dict[str, Any] = {
        "agency": "H57.A",
        "from_organ": "H57.B",
        "to_organ": "H57.A",
        "sent_at": begin,
    }
    for number, status in (("1", DocumentStatus.DONE), ("2", DocumentStatus.ARRIVED)):
        letters = [
            Document(**sent, document_id=number, status=one)
            for one in (status, DocumentStatus.RECEIVED)
        ]
        desk.take(DOCUMENT, list(zip((begin, then), letters, strict=True)))
    for past in (True, False):
        assert (
            desk.figures(FEEDBACK, at("2026-11-02 10:00"), past=past)["feedback.impossible"].value
            == 1
        )
        assert (
            desk.figures(DOCUMENT, at("2026-11-02 10:00"), past=past)["document.impossible"].value
            == 1
        )


def report(number: str, status: FeedbackStatus, reported: datetime, **said: Any) -> Feedback:
    usual: dict[str, Any] = {"agency": "H57.IOC", "category": "traffic"}
    return Feedback(
        **usual | {"report_id": number, "status": status, "reported_at": reported} | said
    )


def test_a_reopened_report_is_open_again_and_answered_once_more(desk: Desk) -> None:
    start = at("2026-11-02 08:00")
    statuses = (
        "received",
        "verified",
        "routed",
        "processing",
        "published",
        "rated",
        "reopened",
        "processing",
        "published",
    )
    steps = [
        (start + number * timedelta(minutes=10), FeedbackStatus(status))
        for number, status in enumerate(statuses)
    ]
    due = start + timedelta(hours=1)
    rated = {"rating": 2}
    desk.take(
        FEEDBACK,
        [
            (when, report("R1", status, start, due_at=due, **rated if n > 4 else {}))
            for n, (when, status) in enumerate(steps)
        ],
    )
    shut, again = start + timedelta(minutes=45), start + timedelta(minutes=65)
    assert desk.figures(FEEDBACK, shut)["feedback.open"].value == 0
    assert desk.figures(FEEDBACK, shut)["feedback.on_time"].value == 100
    assert desk.figures(FEEDBACK, again)["feedback.open"].value == 1
    found = desk.figures(FEEDBACK, at("2026-11-02 12:00"))
    assert (found["feedback.open"].value, found["feedback.reopened"].value) == (0, 1)
    assert found["feedback.on_time"].value == 0, "its last answer came after it was due"
    assert desk.life(FEEDBACK, "R1", "possible, reopened")[-1] == (True, 1)


def test_an_immediate_report_runs_round_the_clock_and_a_timed_one_does_not(desk: Desk) -> None:
    """Both are routed on Friday evening with two hours.
    Flooding is overdue at night, the other one not before Monday."""
    friday = at("2026-11-06 18:00")
    for number, category, urgency in (
        ("R1", "flooding", Urgency.IMMEDIATE),
        ("R2", "traffic", Urgency.TIMED),
    ):
        said: dict[str, Any] = {"category": category, "urgency": urgency}
        desk.take(FEEDBACK, [(friday, report(number, FeedbackStatus.ROUTED, friday, **said))])
    assert desk.figures(FEEDBACK, at("2026-11-06 19:59"))["feedback.overdue"].value == 0
    assert desk.figures(FEEDBACK, at("2026-11-06 20:01"))["feedback.overdue"].value == 1
    traffic = CALENDAR.add_working(friday, timedelta(hours=15))
    assert desk.figures(FEEDBACK, traffic + timedelta(minutes=1))["feedback.overdue"].value == 2


def test_the_reporter_is_in_no_life(desk: Desk) -> None:
    sealed = {"reporter": "sealed:0a1b2c", "description": "who I am", "address": "where I live"}
    desk.take(
        FEEDBACK,
        [
            (
                at("2026-11-02 08:00"),
                report("R1", FeedbackStatus.RECEIVED, at("2026-11-02 08:00"), **sealed),
            )
        ],
    )
    for table in ("life_feedback", "current_feedback", "windows_feedback"):
        text = str(desk.client.execute(f"SELECT * FROM {table}"))
        assert not any(secret in text for secret in sealed.values()), table


def document(number: str, status: DocumentStatus, sent: datetime, **said: Any) -> Document:
    usual: dict[str, Any] = {"agency": "H57.SYT", "from_organ": "H57.VP", "to_organ": "H57.SYT"}
    return Document(**usual | {"document_id": number, "status": status, "sent_at": sent} | said)


def test_a_recalled_document_is_closed_and_a_refused_recall_goes_on(desk: Desk) -> None:
    sent = at("2026-11-02 08:00")
    for number, last in (
        ("D1", DocumentStatus.RECALL_AGREED),
        ("D2", DocumentStatus.RECALL_REFUSED),
    ):
        statuses = (DocumentStatus.ARRIVED, DocumentStatus.RECALL_ASKED, last)
        desk.take(
            DOCUMENT,
            [
                (sent + n * timedelta(minutes=30), document(number, status, sent))
                for n, status in enumerate(statuses)
            ],
        )
    found = desk.figures(DOCUMENT, at("2026-11-02 10:00"))
    assert (
        found["document.recalled"].value,
        found["document.open"].value,
        found["document.waiting"].value,
    ) == (1, 1, 0)


def test_a_flash_document_waits_by_the_clock_and_others_in_working_time(desk: Desk) -> None:
    evening = at("2026-11-02 17:00")
    for number, priority in (
        ("flash", Priority.FLASH),
        ("timed", Priority.FLASH_TIMED),
        ("normal", Priority.NORMAL),
    ):
        desk.take(
            DOCUMENT,
            [(evening, document(number, DocumentStatus.ARRIVED, evening, priority=priority))],
        )
    found = desk.figures(DOCUMENT, at("2026-11-02 20:00"))
    assert (found["document.waiting"].value, found["document.flash_waiting"].value) == (3, 2)
    assert desk.life(DOCUMENT, "timed/H57.SYT", "around") == [(True,)]
    assert found["document.waiting_longest"].value == 3, (
        "hours of the night count for the flash one only"
    )
    desk.take(
        DOCUMENT, [(at("2026-11-03 08:30"), document("normal", DocumentStatus.RECEIVED, evening))]
    )
    assert desk.life(DOCUMENT, "normal/H57.SYT", "taken / 3600000")[-1] == (1.0,)
