"""How alarms are told.

A storm is no flood, one matter is told once, and it is known whether anybody looks.
"""

from datetime import datetime, timedelta
from typing import Any

from dashboard.i18n.translator import Translator
from dashboard.query import alarm_groups as alarms
from dashboard.query.alarm_groups import StoredAlarm, Watched
from dashboard.query.store import HERE
from schemas.places import restate

TUESDAY = datetime(2026, 11, 17, 15, 0, tzinfo=HERE)


def row(**changes: Any) -> dict[str, Any]:
    usual = {
        "id": "burst:water/1",
        "rule": "burst",
        "cause": "burst",
        "subject": "water",
        "priority": 2,
        "since": TUESDAY,
    }
    more = {
        "raised_at": TUESDAY,
        "cleared_at": None,
        "communes": ["1"],
        "agencies": [],
        "count": 20,
        "change": 0,
        "value": 20.0,
    }
    return usual | more | {"level": 15.0, "lat": None, "lon": None, "radius": 0.0} | changes


def test_a_storm_does_not_become_a_flood() -> None:
    storm = [row(communes=[str(n)], count=20 + n) for n in range(12)]
    silent = row(
        cause="silent",
        rule="silent",
        subject="filing",
        priority=3,
        communes=["3"],
        agencies=["A"],
        count=0,
    )
    found = alarms.grouped(alarms.read([silent, *storm]))
    assert [(one.cause, one.units, one.count) for one in found] == [
        ("burst", 12, sum(range(20, 32))),
        ("silent", 1, 0),
    ]


def test_an_alarm_keeps_its_identity_while_it_grows() -> None:
    before = alarms.grouped(alarms.read([row(count=20)]))
    after = alarms.grouped(alarms.read([row(count=25)]))
    assert [one.id for one in before] == [one.id for one in after]
    assert (
        StoredAlarm("pile", 2, None, communes=("1",)).id
        != StoredAlarm("pile", 2, None, communes=("2",)).id
    )


def test_clocks_that_are_ahead_are_told_by_the_one_that_is_most() -> None:
    wrong = [
        row(
            cause="ahead",
            rule="ahead",
            subject="filing",
            communes=[],
            agencies=[code],
            value=3600.0 * int(code),
        )
        for code in "1234"
    ]
    (alarm,) = alarms.grouped(alarms.read(wrong))
    assert (alarm.units, alarm.span) == (4, timedelta(hours=4))


def test_a_burst_and_the_cluster_that_it_comes_from_are_told_once_with_the_place() -> None:
    cluster = row(
        id="cluster:x",
        rule="cluster",
        communes=["1", "2"],
        count=18,
        priority=1,
        lat=16.46,
        lon=107.6,
        radius=180.0,
    )
    (found,) = alarms.grouped(alarms.read([row(), cluster]))
    assert (found.count, found.priority, found.radius, found.communes) == (20, 1, 180, ("1", "2"))
    found_two = alarms.grouped(alarms.read([row(), cluster | {"communes": ["7"]}]))
    assert len(found_two) == 2, "another place is another matter"
    assert len(alarms.grouped(alarms.read([row(), cluster | {"subject": "roads"}]))) == 2


def test_overdue_filings_of_a_commune_and_of_its_agency_are_told_once() -> None:
    pile = row(rule="pile", cause="pile", subject="", count=25)
    slow = row(rule="slow", cause="pile", subject="", priority=3, count=22, agencies=["H57.1"])
    (found,) = alarms.grouped(alarms.read([slow, pile]))
    assert (found.count, found.priority, found.communes) == (25, 2, ("1",))
    flash = row(rule="flash", cause="flash", subject="")
    assert (
        len(alarms.merged(alarms.read([flash | {"agencies": ["A"]}, flash | {"agencies": ["B"]}])))
        == 2
    )


def test_an_alarm_whose_cause_has_no_known_beginning_is_told_since_it_was_raised() -> None:
    (found,) = alarms.read([row(since=None)])
    assert found.since == TUESDAY


def job(name: str, period: float, seconds: float) -> dict[str, Any]:
    return {"job": name, "period_seconds": period, "at": TUESDAY - timedelta(seconds=seconds)}


def test_nobody_looks_when_any_job_was_not_done_for_longer_than_it_may_take() -> None:
    assert alarms.watched([], TUESDAY, 10) == Watched(False, None)
    assert alarms.watched([job("a", 1, 11), job("b", 60, 129)], TUESDAY, 10) == Watched(
        True, TUESDAY - timedelta(seconds=129)
    )
    assert alarms.watched([job("a", 1, 13), job("b", 60, 60)], TUESDAY, 10) == Watched(
        False, TUESDAY - timedelta(seconds=13)
    )


def test_a_former_unit_is_named_with_its_last_day() -> None:
    vi, en = Translator("vi"), Translator("en")
    former, now = restate.meaning("19753", restate.EVE), restate.meaning("19753")
    assert former is not None and now is not None
    assert (vi.unit(former), en.unit(former)) == (
        "phường Thuận Lộc (đến 30/06/2025)",
        "Thuận Lộc Ward (until 30/06/2025)",
    )
    assert (vi.unit(now), en.unit(now)) == ("phường Phú Xuân", "Phú Xuân Ward")
    assert restate.meaning("BROOKLYN") is None
