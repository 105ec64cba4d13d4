"""What is silent and what is an alarm."""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from dashboard import alarms
from dashboard.alarms import Alarm
from dashboard.sources import Source, State, judge, state
from dashboard.speech import Speech
from dashboard.store import HERE
from dashboard.store_units import unit_of
from schemas.reference import Agency, Feed, calendar

FEED = Feed(kind="filing", rhythm_minutes=60, grace_minutes=60)
TUESDAY = datetime(2026, 11, 17, 15, 0, tzinfo=HERE)


@pytest.mark.parametrize(
    ("received", "now", "expected"),
    [
        (None, TUESDAY, State.NEVER),
        (TUESDAY - timedelta(minutes=59), TUESDAY, State.LIVE),
        (TUESDAY - timedelta(minutes=61), TUESDAY, State.LATE),
        (TUESDAY - timedelta(minutes=200), TUESDAY, State.LATE),  # 11:40: the midday rest does not count
        (TUESDAY - timedelta(minutes=250), TUESDAY, State.SILENT),  # 10:50
        (TUESDAY.replace(hour=16, minute=30), TUESDAY.replace(hour=22), State.QUIET),
        (TUESDAY.replace(hour=16, minute=30), TUESDAY.replace(hour=8) + timedelta(days=1), State.LIVE),
        (TUESDAY.replace(day=13, hour=16, minute=59), TUESDAY.replace(day=15), State.QUIET),  # Friday's last, on Sunday
        (TUESDAY.replace(hour=9), TUESDAY.replace(hour=22), State.SILENT),  # silent before the day ended: not merely quiet
    ],
)
def test_a_feed_is_judged_in_working_time(received: datetime | None, now: datetime, expected: State) -> None:
    assert state(FEED, received, now, calendar("46")) is expected


def test_promised_feeds_that_never_came_are_shown_and_unpromised_ones_are_never_silent() -> None:
    agency = Agency(code="A", vi="A", en="A", role="one-stop", level="commune", commune="1", feeds=(FEED,))
    heard = [{"agency": "B", "kind": "filing", "received_at": TUESDAY - timedelta(days=90)}]
    found = judge([agency], heard, TUESDAY, calendar("46"))
    assert [(one.agency, one.state) for one in found] == [("A", State.NEVER), ("B", State.QUIET)]


def burst(commune: str = "1", recent: int = 20, usual: float = 1.0) -> dict[str, Any]:
    return {"commune": commune, "category": "water", "recent": recent, "usual": usual, "since": TUESDAY}


def test_a_burst_is_many_and_far_more_than_usual() -> None:
    assert alarms.bursts([burst(recent=14)]) == []
    assert alarms.bursts([burst(recent=30, usual=10)]) == []
    (found,) = alarms.bursts([burst(recent=23)])
    assert (found.priority, found.communes, found.count) == (2, ("1",), 23)
    assert alarms.bursts([burst(recent=60)])[0].priority == 1


def test_a_pile_is_measured_against_the_rest_of_the_province() -> None:
    rows = [{"commune": str(n), "filings": 1000, "overdue": 5, "overdue_before": 5, "oldest_due": TUESDAY} for n in range(9)]
    rows.append({"commune": "9", "filings": 1000, "overdue": 61, "overdue_before": 50, "oldest_due": TUESDAY})
    (found,) = alarms.piles(pd.DataFrame(rows))
    assert (found.communes, found.count, found.change, found.priority) == (("9",), 61, 11, 1)
    assert alarms.piles(pd.DataFrame([row | {"overdue": 61} for row in rows])) == [], "what is so everywhere is no pile"


def test_a_flash_document_gets_two_hours() -> None:
    row = {"to_organ": "A", "commune": "1", "documents": 1}
    assert alarms.flashes([row | {"since": TUESDAY - timedelta(minutes=119)}], TUESDAY) == []
    assert alarms.flashes([row | {"since": TUESDAY - timedelta(minutes=121)}], TUESDAY)[0].priority == 2
    assert alarms.flashes([row | {"since": TUESDAY - timedelta(hours=5)}], TUESDAY)[0].priority == 1


def test_a_storm_does_not_become_a_flood() -> None:
    storm = alarms.bursts(burst(commune=str(n), recent=20 + n) for n in range(12))
    silent = alarms.silences([Source("A", "filing", State.SILENT, TUESDAY, "3")])
    found = alarms.grouped([*silent, *storm])
    assert [(one.cause, one.units, one.count) for one in found] == [("burst", 12, sum(range(20, 32))), ("silent", 1, 0)]


def test_an_alarm_keeps_its_identity_while_it_grows() -> None:
    before = alarms.grouped(alarms.bursts([burst(recent=20)]))
    after = alarms.grouped(alarms.bursts([burst(recent=25)]))
    assert [one.id for one in before] == [one.id for one in after]
    assert Alarm("pile", 2, None, communes=("1",)).id != Alarm("pile", 2, None, communes=("2",)).id


def test_a_clock_that_is_ahead_is_told_with_its_source() -> None:
    agency = Agency(code="A", vi="A", en="A", role="one-stop", level="commune", commune="1", feeds=(FEED,))
    heard = [{"agency": "A", "kind": "filing", "received_at": TUESDAY}, {"agency": "B", "kind": "filing", "received_at": TUESDAY}]
    ahead = [{"agency": "A", "kind": "filing", "seconds": 7200, "since": TUESDAY - timedelta(minutes=20)}]
    found = judge([agency], heard, TUESDAY, calendar("46"), ahead)
    assert [(one.state, one.ahead) for one in found] == [(State.LIVE, timedelta(hours=2)), (State.LIVE, timedelta(0))]
    (alarm,) = alarms.clocks(found)
    assert (alarm.priority, alarm.agencies, alarm.span, alarm.since) == (
        3,
        ("A",),
        timedelta(hours=2),
        TUESDAY - timedelta(minutes=20),
    )
    wrong = [Source(code, "filing", State.LIVE, TUESDAY, "", timedelta(hours=int(code)), TUESDAY) for code in "1234"]
    (alarm,) = alarms.grouped(alarms.clocks(wrong))
    assert (alarm.units, alarm.span) == (4, timedelta(hours=4))
    assert len({one.id for one in alarms.clocks(wrong)}) == 4


def test_dead_letters_call_only_when_they_are_many() -> None:
    row = {"recent": 19, "usual": 0.0, "since": TUESDAY, "worst": ["bad-json"]}
    assert alarms.dead_letters(row) == []
    assert alarms.dead_letters(row | {"recent": 30})[0].subject == "bad-json"
    assert alarms.dead_letters(row | {"recent": 30, "usual": 20.0}) == []


def test_a_former_unit_is_named_with_its_last_day() -> None:
    vi, en = Speech("vi"), Speech("en")
    former, now = unit_of("19753", True), unit_of("19753", False)
    assert former is not None and now is not None
    assert (vi.unit(former), en.unit(former)) == ("phường Thuận Lộc (đến 30/06/2025)", "Thuận Lộc Ward (until 30/06/2025)")
    assert (vi.unit(now), en.unit(now)) == ("phường Phú Xuân", "Phú Xuân Ward")
    assert unit_of("BROOKLYN", False) is None
