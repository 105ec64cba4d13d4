"""Figures of the past by slices are those over all of history."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.history import periods as past_periods
from dashboard.history import slices as past_slices
from dashboard.history.past import PastConnection
from dashboard.query.clock import At, Clock, Picture, Replay
from dashboard.query.figures import FigureStore
from schemas.events.codes import FilingStatus
from schemas.events.kinds import FILING
from schemas.figures import FIGURES
from schemas.reference import calendar
from schemas.settings import Settings
from tests.integration.past_scenes_province import DAY, FILINGS, THEN, Province, first_filing

pytestmark = pytest.mark.stack
OF_FILINGS = [one for one in FIGURES if one.kind is FILING]


@pytest.fixture
def province(settings: Settings) -> Iterator[Province]:
    yield from first_filing(settings)


def long_histories(province: Province) -> None:
    """Of one commune all was done long ago, of another a month ago.

    One filing is opened again, and steps arrive out of order.
    """
    done, again = FilingStatus.RETURNED, FilingStatus.PROCESSING
    ages = {"19753": 300, "19774": 45, "19804": 20, "19831": 100}
    for commune, days in ages.items():
        for number in range(3):
            began = THEN - days * DAY - number * timedelta(hours=5)
            name = f"{commune}-{number}"
            province.told(name, began, began, again, commune)
            province.told(name, began + 4 * DAY, began + 4 * DAY, done, commune, began)
    began = THEN - 100 * DAY
    province.told("19831-0", THEN - 2 * DAY, THEN - 2 * DAY, again, "19831", began)
    province.told("19831-0", THEN + DAY, THEN + DAY, done, "19831", began)
    # What happened last arrives first, what happened before it a day, and what began it two days
    # after the moment.
    province.told(
        "mixed",
        THEN - timedelta(hours=1),
        THEN - timedelta(minutes=50),
        done,
        "19804",
        THEN - 3 * DAY,
    )
    province.told("mixed", THEN - timedelta(hours=9), THEN + DAY, again, "19804", THEN - 3 * DAY)
    province.told(
        "mixed", THEN - 3 * DAY, THEN + 2 * DAY, FilingStatus.ACCEPTED, "19804", THEN - 3 * DAY
    )


@pytest.mark.parametrize("picture", Picture)
def test_figures_by_the_short_way_are_those_over_all_of_history(
    province: Province, picture: Picture
) -> None:
    long_histories(province)
    since, until = past_periods.period(THEN)
    moments = [THEN + hours * timedelta(hours=1) for hours in (-60, -30, -2, 0, 5, 23, 25, 40, 55)]
    moments = [
        one for one in (*moments, since, until - timedelta(milliseconds=1)) if since <= one < until
    ]
    for _ in range(2):
        communes = compare_ways(province, picture, moments)
        assert {"19753", "19774", "19804", "19831"} <= communes, (
            "also those of which all was done long ago"
        )
        province.slices.settle()  # then with all versions of lives that were known
    if picture is Picture.KNOWN:
        assert (seen := province.slices.at(FILINGS, Replay(THEN))) and seen.slice.versions
        assert seen.slice.mixed(THEN) == ["mixed"] and seen.slice.mixed(THEN + 3 * DAY) == []


def compare_ways(province: Province, picture: Picture, moments: list[datetime]) -> set[str]:
    """Return whether figures by slices are those over all of history; the communes that they tell
    of.
    """
    communes = set[str]()
    for moment in moments:
        replay = Replay(moment, picture)
        short, long = (
            FigureStore(
                PastConnection(province.connection, "46", replay, None, slices), calendar("46")
            )
            for slices in (province.slices, None)
        )
        questions: tuple[Callable[[FigureStore, Clock], object], ...] = (
            lambda store, t: store.now(t),
            lambda store, t: store.now(t, by=("commune",)),
            lambda store, t: store.now(t, by=("agency", "commune")),
            lambda store, t: store.now(t, OF_FILINGS, ("procedure",)),
            lambda store, t: store.units(t, "46", tuple),
            lambda store, t: store.then(t.now() - DAY),
            lambda store, t: store.then(t.now() - 7 * DAY, state=False),
            lambda store, t: store.at_moments(
                [t.now() - days * DAY for days in (30, 7, 1, 0)], by="commune", unit="19831"
            ),
            lambda store, t: store.trends(t, "commune", "19804"),
        )
        for ask in questions:
            assert ask(short, At(moment)) == ask(long, At(moment)), moment
        communes |= set(short.units(At(moment), "46", tuple))
    return communes


@pytest.mark.parametrize("picture", Picture)
def test_near_the_present_too_while_more_comes_in(
    province: Province, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_slices, "CHECK_SECONDS", 0.0)
    done, again, accepted = FilingStatus.RETURNED, FilingStatus.PROCESSING, FilingStatus.ACCEPTED
    now = datetime.now(UTC)
    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    for name, began in (
        ("done", 50 * DAY),
        ("closed", 20 * hour),
        ("open", 30 * hour),
        ("mixed", 9 * hour),
        ("again", 40 * DAY),
    ):
        province.told(name, now - began, now - began, accepted)
    province.told("done", now - 40 * DAY, now - 40 * DAY, done, registered=now - 50 * DAY)
    province.told("again", now - 35 * DAY, now - 35 * DAY, done, registered=now - 40 * DAY)
    province.told("mixed", now - 2 * hour, now - 2 * hour, done, registered=now - 9 * hour)
    moments = [now - hours * hour for hours in (23, 8, 1)] + [
        now - minutes * minute for minutes in (25, 14, 6, 2, 0)
    ]
    assert compare_ways(province, picture, moments) == {"46", "19753", "H57.19753.UB"}
    province.slices.settle()
    first = province.tables()
    for name, happened, arrived, status, registered in (
        ("closed", 20 * minute, 20 * minute, done, 20 * hour),
        ("new", 15 * minute, 15 * minute, accepted, 15 * minute),
        ("again", 10 * minute, 10 * minute, again, 40 * DAY),
        ("new", 12 * minute, 5 * minute, again, 15 * minute),
        (
            "mixed",
            3 * hour,
            4 * minute,
            again,
            9 * hour,
        ),  # before what closed it, of which was known first
        ("mixed", minute, minute, again, 9 * hour),
        ("done", 60 * DAY, minute / 2, accepted, 60 * DAY),
    ):
        province.told(name, now - happened, now - arrived, status, registered=now - registered)
    compare_ways(province, picture, moments)
    assert province.tables() == first
