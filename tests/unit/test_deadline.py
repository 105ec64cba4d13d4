"""How much time a record's clock has left.

In working time or all time, with pauses, overdue, closed.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from dashboard.pages.record.deadline import bar, deadline
from schemas.moments import milliseconds
from schemas.reference import ZONE, calendar

CALENDAR = calendar("46")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def step(when: str, standing: str = "open", due: str = "", **changes: Any) -> dict[str, Any]:
    """Return a row of a life on the working clock."""
    return {
        "since": at(when),
        "at": CALENDAR.position(at(when)),
        "standing": standing,
        "around": False,
        "due": CALENDAR.position(at(due)) if due else None,
        "due_at": at(due) if due else None,
        "closed_at": at(when) if standing == "closed" else None,
        "paused": 0,
    } | changes


def test_what_is_open_has_the_working_time_left_until_it_is_due() -> None:
    found = deadline(
        step("2026-11-20 08:00", due="2026-11-23 10:00"), at("2026-11-20 16:00"), CALENDAR
    )
    assert (found.due, found.left, found.overdue) == (
        at("2026-11-23 10:00"),
        timedelta(hours=3.5),
        False,
    ), "a weekend between"


def test_what_is_over_is_overdue_by_working_time_only() -> None:
    found = deadline(
        step("2026-11-12 08:00", due="2026-11-13 17:00"), at("2026-11-16 08:30"), CALENDAR
    )
    assert (found.left, found.overdue) == (timedelta(hours=-1), True)


def test_in_the_evening_after_the_last_working_minute_it_is_overdue() -> None:
    evening = deadline(
        step("2026-11-12 08:00", due="2026-11-13 17:00"), at("2026-11-13 18:00"), CALENDAR
    )
    on_the_stroke = deadline(
        step("2026-11-12 08:00", due="2026-11-13 17:00"), at("2026-11-13 17:00"), CALENDAR
    )
    assert evening.overdue and not on_the_stroke.overdue


def test_while_it_is_paused_the_time_left_stays_and_no_moment_is_promised() -> None:
    paused = step("2026-11-16 10:00", "paused", due="2026-11-16 16:00", paused=1_800_000)
    early, late = (
        deadline(paused, at(when), CALENDAR) for when in ("2026-11-16 10:30", "2026-11-18 10:00")
    )
    assert early.left == late.left == timedelta(hours=4) and early.due is None and not late.overdue
    assert (early.paused, late.paused) == (timedelta(hours=1), timedelta(hours=15.5))


def test_a_deadline_that_a_pause_moved_falls_on_the_moment_of_its_position() -> None:
    moved = step("2026-11-16 10:00", due="2026-11-16 16:30") | {"due_at": None}
    moved["due"] += 3_600_000
    found = deadline(moved, at("2026-11-16 11:00"), CALENDAR)
    assert found.due == at("2026-11-17 08:00")


def test_an_immediate_one_runs_at_night() -> None:
    when, due = at("2026-11-14 22:00"), at("2026-11-15 02:00")
    night = step("2026-11-14 22:00") | {
        "around": True,
        "at": milliseconds(when),
        "due": milliseconds(due),
        "due_at": None,
    }
    found = deadline(night, at("2026-11-15 03:00"), CALENDAR)
    assert found.due == due and found.left == timedelta(hours=-1) and found.overdue


def test_what_is_closed_says_how_early_it_was_whatever_time_it_is_now() -> None:
    closed = step("2026-11-16 10:00", "closed", due="2026-11-16 16:00")
    assert deadline(closed, at("2026-11-24 10:00"), CALENDAR).left == timedelta(hours=4)


def test_without_a_deadline_nothing_is_left_and_nothing_overdue() -> None:
    found = deadline(step("2026-11-16 10:00"), at("2026-11-24 10:00"), CALENDAR)
    assert (found.due, found.left, found.overdue) == (None, None, False)


def test_the_bar_shows_what_ran_what_stood_still_and_what_is_beyond() -> None:
    due = "2026-11-16 15:30"
    steps = [
        step("2026-11-16 07:30", due=due),
        step("2026-11-16 09:30", "paused", due=due),
        step("2026-11-16 10:30", due=due),
    ]
    shape = bar(steps, at("2026-11-16 17:00"), CALENDAR)
    told = [
        (round(one.start * 7.5, 2), round(one.length * 7.5, 2), one.standing, one.beyond)
        for one in shape.pieces
    ]
    assert told == [
        (0, 2, "open", False),
        (2, 1, "paused", False),
        (3, 3, "open", False),
        (6, 1.5, "open", True),
    ]
    assert shape.due == pytest.approx(6 / 7.5)


def test_a_bar_of_no_time_is_empty() -> None:
    assert bar([step("2026-11-14 10:00")], at("2026-11-15 10:00"), CALENDAR).pieces == ()
