"""Steps and deadlines that are known to the day only: exports of one-stop systems write dates."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from clickhouse_driver import Client

from schemas.events.codes import Channel, FeedbackStatus, FilingStatus
from schemas.events.kinds import FEEDBACK, FILING
from schemas.events.payloads import Feedback, Filing
from schemas.settings import Settings
from streams.admin.verify import verify
from tests.integration.lives_desk import Desk, at

pytestmark = pytest.mark.stack
RECEIVED, PROCESSING, SUPPLEMENT, FINISHED, RETURNED = (
    FilingStatus(number) for number in (2, 4, 5, 9, 10)
)


@pytest.fixture
def desk(settings: Settings, database: Client) -> Iterator[Desk]:
    found = Desk(settings, database)
    yield found
    found.counter.close()


Step = tuple[datetime, FilingStatus, dict[str, Any]]


def day(text: str) -> datetime:
    """Return the beginning of a day of Viet Nam, as `Reader` gives a date."""
    return at(f"{text} 00:00")


def take(desk: Desk, number: str, *steps: Step) -> None:
    """Count the steps of a filing, which arrive on the day after.

    What is said of one may name its `precision`.
    """
    usual: dict[str, Any] = {
        "agency": "H57.HCC",
        "procedure": "1.005129",
        "channel": Channel.ONLINE,
        "registered_at": steps[0][0],
    }
    events = [
        (when, Filing(**usual | {"filing_id": number, "status": status} | said))
        for when, status, said in steps
    ]
    desk.counter.arrive(FILING, [(when, when + timedelta(days=1), event) for when, event in events])
    desk.lives.catch_up()


def test_a_deadline_that_is_a_date_lasts_until_that_day_ends(
    desk: Desk, settings: Settings
) -> None:
    """Due on 2026-11-25, as a date.

    Returned at 10:00 and at some time of that day is on time, at 08:00 of the next is late.
    """
    due = {"due_at": day("2026-11-25"), "precision": ["due_at:day"]}
    both = {
        **due,
        "finished_at": day("2026-11-25"),
        "precision": ["due_at:day", "finished_at:day", "time:day"],
    }
    came = (at("2026-11-20 08:10"), RECEIVED, due)
    take(
        desk,
        "DD-1",
        came,
        (at("2026-11-25 10:00"), FINISHED, {**due, "finished_at": at("2026-11-25 10:00")}),
    )
    take(desk, "DD-2", came, (day("2026-11-25"), FINISHED, both))
    take(
        desk,
        "DD-3",
        came,
        (at("2026-11-26 08:00"), FINISHED, {**due, "finished_at": at("2026-11-26 08:00")}),
    )
    take(desk, "open", came)
    paused = (at("2026-11-23 08:00"), SUPPLEMENT, due), (at("2026-11-23 09:00"), PROCESSING, due)
    take(desk, "moved", came, *paused)  # One working hour later: until 08:30 of the 26th.
    found = desk.client.execute(
        "SELECT entity_id, late FROM current_filing FINAL WHERE standing = 'closed' ORDER BY "
        "entity_id"
    )
    assert found == [("DD-1", False), ("DD-2", False), ("DD-3", True)]
    assert desk.figures(FILING, at("2026-11-25 23:59"))["filing.overdue"].value == 0
    assert desk.figures(FILING, at("2026-11-26 08:00"))["filing.overdue"].value == 1, (
        "the one that was not paused"
    )
    assert desk.figures(FILING, at("2026-11-26 09:00"))["filing.overdue"].value == 2
    assert desk.client.execute(
        "SELECT sum(finished), sum(finished_late) FROM windows_filing FINAL"
    ) == [(3, 1)]
    assert [report.differences for report in verify(settings, [FILING])] == [[]]


def test_what_closed_on_the_day_it_came_is_closed(desk: Desk) -> None:
    """The reception has an hour, the closing a date: whichever arrived first."""
    came: Step = (at("2026-11-25 08:10"), RECEIVED, {})
    ended: Step = (
        day("2026-11-25"),
        FINISHED,
        {"finished_at": day("2026-11-25"), "precision": ["finished_at:day", "time:day"]},
    )
    take(desk, "SD-1", came, ended)
    take(desk, "SD-2", ended)
    take(desk, "SD-2", came)
    found = desk.client.execute(
        "SELECT entity_id, status, standing, step, impossible FROM current_filing FINAL ORDER BY "
        "entity_id"
    )
    assert found == [("SD-1", 9, "closed", 2, 0), ("SD-2", 9, "closed", 2, 0)]
    assert desk.client.execute("SELECT DISTINCT status FROM filings") == [(9,)], (
        "and so say the states"
    )


def test_steps_of_one_date_follow_the_legal_order_whichever_came_first(desk: Desk) -> None:
    dated: dict[str, Any] = {"precision": ["time:day"]}
    steps = [
        (day("2026-11-25"), status, dated) for status in (RECEIVED, PROCESSING, FINISHED, RETURNED)
    ]
    for number, order in enumerate(permutations(steps)):
        for step in order:
            take(desk, f"F{number}", step)
    lives = desk.client.execute(
        "SELECT groupArray(status) FROM (SELECT * FROM life_filing FINAL ORDER BY step) GROUP BY "
        "entity_id"
    )
    assert {tuple(life) for (life,) in lives} == {(2, 4, 9, 10)} and len(lives) == 24
    assert desk.client.execute("SELECT DISTINCT status FROM filings") == [(10,)]


def test_two_steps_of_one_second_follow_the_legal_order(desk: Desk) -> None:
    now = at("2026-11-25 08:10")
    take(desk, "F1", (now, FINISHED, {}), (now, RECEIVED, {}))
    assert desk.life(FILING, "F1", "status") == [(2,), (9,)]


def test_a_report_that_was_opened_again_on_the_date_it_was_answered_is_open(desk: Desk) -> None:
    dated: dict[str, Any] = {"precision": ["time:day"]}
    usual: dict[str, Any] = {
        "report_id": "R1",
        "agency": "H57.IOC",
        "category": "traffic",
        "reported_at": at("2026-11-24 08:00"),
    }
    for status in (FeedbackStatus.REOPENED, FeedbackStatus.PUBLISHED):
        step = Feedback(**usual, **dated, status=status)
        desk.counter.arrive(FEEDBACK, [(day("2026-11-25"), at("2026-11-26 08:00"), step)])
    desk.lives.catch_up()
    assert desk.life(FEEDBACK, "R1", "status, standing") == [
        ("published", "closed"),
        ("reopened", "open"),
    ]


def test_a_step_of_today_that_is_a_date_happened_at_the_latest_when_it_arrived(desk: Desk) -> None:
    usual: dict[str, Any] = {
        "agency": "H57.HCC",
        "procedure": "1.005129",
        "channel": Channel.ONLINE,
        "registered_at": at("2026-11-24 08:00"),
    }
    event = Filing(**usual, filing_id="F1", status=FINISHED, precision=["time:day"])
    desk.counter.arrive(FILING, [(day("2026-11-25"), at("2026-11-25 15:00"), event)])
    desk.lives.catch_up()
    assert desk.life(FILING, "F1", "since") == [(at("2026-11-25 15:00"),)]
