"""What is live, late, silent, quiet or malformed, now and at any moment of the past; who is timely.

How old a figure is.
"""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.query.sources import RUN_MINUTES
from schemas.reference import ZONE, Agency, Feed, agencies, calendar
from schemas.sources.freshness import SourceState, judge, state
from schemas.sources.timeliness import (
    SourceStanding,
    Span,
    at_work,
    by_agency,
    league,
    runs,
    spans,
    standing,
)

FEED = Feed(kind="filing", rhythm_minutes=60, grace_minutes=60)
TUESDAY = datetime(2026, 11, 17, 15, 0, tzinfo=ZONE)
HUE = calendar("46")


@pytest.mark.parametrize(
    ("received", "now", "expected"),
    [
        (None, TUESDAY, SourceState.NEVER),
        (TUESDAY - timedelta(minutes=59), TUESDAY, SourceState.LIVE),
        (TUESDAY - timedelta(minutes=61), TUESDAY, SourceState.LATE),
        (
            TUESDAY - timedelta(minutes=200),
            TUESDAY,
            SourceState.LATE,
        ),  # 11:40: the midday rest does not count
        (TUESDAY - timedelta(minutes=250), TUESDAY, SourceState.SILENT),  # 10:50
        (TUESDAY.replace(hour=16, minute=30), TUESDAY.replace(hour=22), SourceState.QUIET),
        (
            TUESDAY.replace(hour=16, minute=30),
            TUESDAY.replace(hour=8) + timedelta(days=1),
            SourceState.LIVE,
        ),
        (
            TUESDAY.replace(day=13, hour=16, minute=59),
            TUESDAY.replace(day=15),
            SourceState.QUIET,
        ),  # Friday's last, on Sunday
        (
            TUESDAY.replace(hour=9),
            TUESDAY.replace(hour=22),
            SourceState.SILENT,
        ),  # silent before the day ended: not merely quiet
    ],
)
def test_a_feed_is_judged_in_working_time(
    received: datetime | None, now: datetime, expected: SourceState
) -> None:
    assert state(FEED, received, now, HUE) is expected


def test_promised_feeds_that_never_came_are_shown_and_unpromised_ones_are_never_silent() -> None:
    agency = Agency(
        code="A", vi="A", en="A", role="one-stop", level="commune", commune="1", feeds=(FEED,)
    )
    heard = [{"agency": "B", "kind": "filing", "received_at": TUESDAY - timedelta(days=90)}]
    found = judge([agency], heard, TUESDAY, HUE)
    assert [(one.agency, one.state, one.promised) for one in found] == [
        ("A", SourceState.NEVER, True),
        ("B", SourceState.QUIET, False),
    ]


@pytest.mark.parametrize(
    ("received", "refused", "now", "expected"),
    [
        (
            "2026-11-17 09:00",
            "2026-11-17 14:30",
            "2026-11-17 15:00",
            SourceState.MALFORMED,
        ),  # it would be silent
        (
            "2026-11-17 13:40",
            "2026-11-17 14:30",
            "2026-11-17 15:00",
            SourceState.MALFORMED,
        ),  # it would be late
        (
            None,
            "2026-11-17 14:30",
            "2026-11-17 15:00",
            SourceState.MALFORMED,
        ),  # nothing good ever came
        (
            "2026-11-17 14:40",
            "2026-11-17 14:50",
            "2026-11-17 15:00",
            SourceState.LIVE,
        ),  # a bad one among good ones
        (
            "2026-11-17 09:00",
            "2026-11-17 08:00",
            "2026-11-17 15:00",
            SourceState.SILENT,
        ),  # bad long ago, then nothing at all
        (
            "2026-11-17 08:00",
            "2026-11-17 10:00",
            "2026-11-17 15:00",
            SourceState.SILENT,
        ),  # what was refused has ended too
        (
            "2026-11-17 09:00",
            "2026-11-17 16:50",
            "2026-11-17 22:00",
            SourceState.MALFORMED,
        ),  # at night it is what it was at its end
        (
            "2026-11-17 16:30",
            "2026-11-17 16:50",
            "2026-11-17 22:00",
            SourceState.QUIET,
        ),  # nothing is missed yet
        (
            "2026-11-20 16:30",
            None,
            "2026-11-23 08:00",
            SourceState.LIVE,
        ),  # Friday to Monday: an hour of work
        (
            "2026-11-23 16:30",
            None,
            "2026-11-24 10:00",
            SourceState.QUIET,
        ),  # Vietnamese culture day, a holiday since 2026
        (
            "2026-11-23 16:30",
            None,
            "2026-11-25 10:00",
            SourceState.SILENT,
        ),  # the first working day after it
    ],
)
def test_what_arrives_and_is_refused_is_malformed_and_a_holiday_is_no_silence(
    received: str | None, refused: str | None, now: str, expected: SourceState
) -> None:
    assert state(FEED, _at(received), _moment(now), HUE, _at(refused)) is expected


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def _at(text: str | None) -> datetime | None:
    return _moment(text) if text else None


def _every(first: str, last: str, minutes: int = 10) -> list[datetime]:
    start, end = _moment(first), _moment(last)
    return [
        start + timedelta(minutes=minutes) * n
        for n in range(int((end - start) / timedelta(minutes=minutes)) + 1)
    ]


def _history(
    arrivals: list[datetime], start: str, end: str, refusals: list[datetime] | None = None
) -> list[tuple[str, str, str]]:
    rhythm = timedelta(minutes=FEED.rhythm_minutes)
    found = spans(
        FEED,
        runs(arrivals, rhythm),
        runs(refusals or [], rhythm),
        _moment(start),
        _moment(end),
        HUE,
    )
    return [(str(one.state), f"{one.start:%d %H:%M}", f"{one.end:%d %H:%M}") for one in found]


def test_a_source_can_be_shown_to_have_been_silent_from_then_to_then() -> None:
    arrivals = [
        *_every("2026-11-17 07:00", "2026-11-17 08:00"),
        *_every("2026-11-17 11:00", "2026-11-17 17:00"),
    ]
    assert _history(arrivals, "2026-11-17 07:30", "2026-11-18 00:00") == [
        ("live", "17 07:30", "17 09:00"),
        ("late", "17 09:00", "17 10:00"),
        ("silent", "17 10:00", "17 11:00"),
        ("live", "17 11:00", "17 18:00"),
        ("quiet", "17 18:00", "18 00:00"),
    ]


def test_silence_at_night_is_quiet_and_the_morning_is_late_before_it_is_silent() -> None:
    assert _history(
        _every("2026-11-17 16:00", "2026-11-17 17:00"), "2026-11-17 22:00", "2026-11-18 10:00"
    ) == [
        ("quiet", "17 22:00", "18 07:30"),
        ("live", "18 07:30", "18 08:30"),
        ("late", "18 08:30", "18 09:30"),
        ("silent", "18 09:30", "18 10:00"),
    ]


def test_a_holiday_is_quiet_in_the_history() -> None:
    arrivals = [
        *_every("2026-11-23 16:00", "2026-11-23 17:00"),
        *_every("2026-11-25 08:00", "2026-11-25 09:00"),
    ]
    assert ("quiet", "23 18:00", "25 07:30") in _history(
        arrivals, "2026-11-23 16:00", "2026-11-25 09:00"
    )


def test_a_time_of_refused_input_is_malformed_in_the_history() -> None:
    arrivals = [
        *_every("2026-11-17 07:30", "2026-11-17 08:30"),
        *_every("2026-11-17 15:00", "2026-11-17 16:00"),
    ]
    refusals = _every("2026-11-17 08:40", "2026-11-17 10:00")
    assert _history(arrivals, "2026-11-17 08:00", "2026-11-17 16:00", refusals) == [
        ("live", "17 08:00", "17 09:30"),
        ("malformed", "17 09:30", "17 11:00"),
        ("silent", "17 11:00", "17 15:00"),
        ("live", "17 15:00", "17 16:00"),
    ]


def test_before_anything_came_a_source_never_spoke() -> None:
    found = _history(
        _every("2026-11-17 09:00", "2026-11-17 10:00"), "2026-11-17 08:00", "2026-11-17 10:00"
    )
    assert found == [("never", "17 08:00", "17 09:00"), ("live", "17 09:00", "17 10:00")]


MINUTES = st.lists(st.integers(0, 4 * 24 * 60), max_size=30).map(
    lambda found: [TUESDAY + timedelta(minutes=n) for n in found]
)


@given(MINUTES, MINUTES, st.integers(0, 4 * 24 * 60 - 1), st.integers(1, 30))
def test_the_history_says_what_the_screen_said(
    arrivals: list[datetime], refusals: list[datetime], minute: int, apart: int
) -> None:
    start, end = TUESDAY, TUESDAY + timedelta(days=4)
    found = spans(
        FEED,
        runs(arrivals, timedelta(minutes=apart)),
        runs(refusals, timedelta(minutes=apart)),
        start,
        end,
        HUE,
    )
    assert found[0].start == start and found[-1].end == end
    assert all(
        before.end == after.start and before.state != after.state
        for before, after in pairwise(found)
    )
    now = TUESDAY + timedelta(minutes=minute, seconds=30)
    shown = next(one.state for one in found if one.start <= now < one.end)
    heard = max((one for one in arrivals if one <= now), default=None)
    refused = max((one for one in refusals if one <= now), default=None)
    said = state(FEED, heard, now, HUE, refused)
    # Between the events of one run, which is known by its ends only, nothing but live can be.
    inside = any(first <= now < last for first, last in runs(arrivals, timedelta(minutes=apart)))
    assert shown is (SourceState.LIVE if inside else said)
    assert not inside or said is SourceState.LIVE


@given(MINUTES, MINUTES)
def test_at_work_it_is_enough_to_know_of_gaps_in_working_time(
    arrivals: list[datetime], refusals: list[datetime]
) -> None:
    start, end, rhythm = (
        TUESDAY,
        TUESDAY + timedelta(days=4),
        timedelta(minutes=FEED.rhythm_minutes),
    )
    came, refused = runs(arrivals, rhythm), runs(refusals, rhythm)
    fewer = at_work(came, rhythm, HUE)
    assert len(fewer) <= len(came)
    whole, short = (
        standing("a", "filing", spans(FEED, one, refused, start, end, HUE), HUE)
        for one in (came, fewer)
    )
    assert whole == short


def test_no_feed_promises_a_rhythm_shorter_than_a_run() -> None:
    assert (
        min(feed.rhythm_minutes for agency in agencies("46") for feed in agency.feeds)
        >= RUN_MINUTES
    )


def test_the_league_counts_working_time_only_and_puts_the_best_first() -> None:
    day = (_moment("2026-11-17 00:00"), _moment("2026-11-18 00:00"))
    good = spans(
        FEED,
        runs(_every("2026-11-16 16:00", "2026-11-17 17:00"), timedelta(hours=1)),
        (),
        *day,
        HUE,
    )
    half = spans(
        FEED,
        runs(_every("2026-11-16 16:00", "2026-11-17 08:30"), timedelta(hours=1)),
        (),
        *day,
        HUE,
    )
    none = spans(FEED, (), (), *day, HUE)
    found = league(
        standing(name, "filing", of, HUE)
        for name, of in (("none", none), ("half", half), ("good", good))
    )
    assert [one.agency for one in found] == ["good", "half", "none"]
    assert [one.expected for one in found] == [timedelta(hours=7.5)] * 3
    assert found[0].share(SourceState.LIVE) == 100
    assert found[1].by_state == {
        SourceState.LIVE: timedelta(hours=2),
        SourceState.LATE: timedelta(hours=1),
        SourceState.SILENT: timedelta(hours=4.5),
    }
    assert found[2].share(SourceState.NEVER) == 100
    assert sum(found[1].share(one) for one in SourceState) == pytest.approx(100)


def test_an_agency_is_as_timely_as_its_feeds_by_their_time() -> None:
    hour = timedelta(hours=1)
    found = by_agency(
        [
            SourceStanding("A", "filing", 4 * hour, {SourceState.LIVE: 4 * hour}),
            SourceStanding(
                "A",
                "document",
                4 * hour,
                {SourceState.LIVE: 1 * hour, SourceState.SILENT: 3 * hour},
            ),
            SourceStanding(
                "B", "filing", 4 * hour, {SourceState.LIVE: 3 * hour, SourceState.LATE: 1 * hour}
            ),
        ]
    )
    assert [(one.agency, one.share(SourceState.LIVE)) for one in found] == [
        ("B", 75.0),
        ("A", 62.5),
    ]
    assert by_agency([]) == () and league([SourceStanding("C", "", timedelta(0), {})]) == ()
    assert Span(SourceState.LIVE, TUESDAY, TUESDAY + hour).length == hour


def test_how_much_of_its_promise_a_source_missed_is_told_in_lengths_of_it() -> None:
    agency = Agency(
        code="A", vi="A", en="A", role="one-stop", level="commune", commune="1", feeds=(FEED,)
    )
    heard = [{"agency": "A", "kind": "filing", "received_at": _moment("2026-11-17 08:30")}]
    (found,) = judge([agency], heard, _moment("2026-11-17 14:30"), HUE)
    assert (found.state, found.missed) == (SourceState.SILENT, 2.0)
