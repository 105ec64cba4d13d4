"""Slices, tables with what lives held around a moment: made, made anew, and taken away."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.history import moments as past_moments
from dashboard.history import periods as past_periods
from dashboard.history import slices as past_slices
from dashboard.history import tables as past_tables
from dashboard.history.arrivals import PastStore
from dashboard.history.slices import Slices
from dashboard.pages.replay.page import content as replay_page
from dashboard.query.clock import Live, Picture, Replay
from dashboard.query.connection import UnreachableError
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.clickhouse.query import Query
from schemas.events.codes import FilingStatus
from schemas.settings import Settings
from tests.integration.past_scenes_province import DAY, FILINGS, NOW, THEN, Province, first_filing

pytestmark = pytest.mark.stack


@pytest.fixture
def province(settings: Settings) -> Iterator[Province]:
    yield from first_filing(settings)


def test_one_is_made_for_all_moments_of_a_while_and_taken_away(province: Province) -> None:
    assert [province.open(picture) for picture in Picture] == [1, 1]
    first = province.tables()
    assert len(first) == 1, "of the other kinds nothing was ever told"
    slot = past_periods.period(THEN)
    assert slot and slot[1] - slot[0] == 28 * DAY and slot[0] <= THEN <= slot[1]
    assert province.open(Picture.KNOWN, slot[0]) == (1 if slot[0] >= THEN - DAY else 0)
    assert province.tables() == first
    assert province.open(Picture.KNOWN, slot[0] - 29 * DAY) == 0 and len(province.tables()) == 2
    province.slices.close()
    assert province.tables() == set()


def test_of_whom_something_comes_late_is_asked_elsewhere_in_the_corrected_picture(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_slices, "CHECK_SECONDS", 0.0)
    assert [province.open(picture) for picture in Picture] == [1, 1]
    first = province.tables()

    def newer() -> list[tuple[str, ...]]:
        found = [province.slices.at(FILINGS, Replay(THEN, picture)) for picture in Picture]
        return [one.newer for one in found if one]

    province.told("of now", NOW, NOW)
    assert [province.open(picture) for picture in Picture] == [1, 1] and newer() == [(), ()], (
        "it matters to no moment of then"
    )
    province.told("late", THEN - timedelta(hours=1), NOW)
    assert [province.open(picture) for picture in Picture] == [1, 2] and newer() == [(), ("late",)]
    province.told(
        "early", THEN - timedelta(hours=2), NOW, FilingStatus.RETURNED, registered=THEN - DAY
    )
    assert [province.open(picture) for picture in Picture] == [1, 1] and newer() == [
        (),
        ("early", "late"),
    ]
    assert province.tables() == first


def test_of_many_of_whom_something_comes_late_it_is_made_anew(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_slices, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(past_slices, "MANY", 1)
    assert province.open(Picture.CORRECTED) == 1
    first = province.tables()
    for number in range(2):
        province.told(f"late {number}", THEN - timedelta(hours=1), NOW)
    assert [province.open(picture) for picture in Picture] == [1, 3], (
        "so soon after it was made, history is asked instead"
    )
    assert province.tables() == first
    monkeypatch.setattr(past_slices, "REST_SECONDS", 0.0)
    assert [province.open(picture) for picture in Picture] == [1, 3]
    assert len(province.tables()) == 2, "questions may be on their way to the one that was left"
    province.slices.tables._waiting = [(0.0, name) for _, name in province.slices.tables._waiting]
    assert province.open(Picture.CORRECTED, THEN - 40 * DAY) == 0
    assert not province.tables() & first


def test_of_more_than_a_few_it_is_made_anew_beside_those_who_use_it(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_slices, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(past_slices, "FEW", 0)
    monkeypatch.setattr(past_slices, "REST_SECONDS", 0.0)
    first = province.slices.at(FILINGS, Replay(THEN, Picture.CORRECTED))
    province.slices.settle()
    province.told("late", THEN - timedelta(hours=1), NOW)
    assert province.open(Picture.CORRECTED) == 2
    province.slices.settle()
    then = province.slices.at(FILINGS, Replay(THEN, Picture.CORRECTED))
    assert (
        first
        and then
        and then.slice is not first.slice
        and then.newer == ()
        and province.open(Picture.CORRECTED) == 2
    )


def test_lives_by_other_rules_make_it_old(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_slices, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(past_slices, "REST_SECONDS", 0.0)
    replay = Replay(THEN)
    first = province.slices.at(FILINGS, replay)
    assert first and province.slices.at(FILINGS, replay) == first and not first.newer
    province.client.execute(
        "INSERT INTO lives_progress SELECT * REPLACE (rules + 1 AS rules, epoch + 1 AS epoch, "
        "version + 1 AS version) "
        "FROM lives_progress FINAL"
    )
    assert province.slices.at(FILINGS, replay) not in (None, first)


def test_near_the_present_one_goes_on(province: Province, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_slices, "CHECK_SECONDS", 0.0)
    slots = [
        past_periods.period(datetime.now(UTC) - timedelta(hours=ago))
        for ago in (0, 3, 23, 24 * 3, 24 * 15, 24 * 42)
    ]
    assert {until for _, until in slots[:3]} == {past_periods.GOES_ON} and slots[-1][1] - slots[-1][
        0
    ] == 28 * DAY
    began, minute = datetime.now(UTC), timedelta(minutes=1)
    province.told("of now", began - 9 * minute, began - 9 * minute)
    ago = began - 5 * minute
    assert [province.open(picture, ago) for picture in Picture] == [2, 2] and len(
        first := province.tables()
    ) == 1
    # After it was made: what happened and came later, and what came later only.
    province.told(
        "of now",
        began - minute,
        began - minute,
        FilingStatus.RETURNED,
        registered=began - 9 * minute,
    )
    province.told("late", began - 6 * minute, began)
    moments = [began - ago * minute for ago in (8, 5, 1, 0)]
    assert [province.open(Picture.KNOWN, at) for at in moments] == [2, 2, 1, 2]
    assert [province.open(Picture.CORRECTED, at) for at in moments] == [2, 3, 2, 2]
    assert province.tables() == first, "it is still the one that was made before all of that"


def test_what_a_killed_dashboard_left_is_taken_away(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    province.client.execute(
        "CREATE TABLE scene_left ENGINE = MergeTree ORDER BY tuple() AS SELECT 1 AS one"
    )
    assert province.slices.at(FILINGS, Replay(THEN)) and "scene_left" in province.tables(), (
        "it may be another one's"
    )
    monkeypatch.setattr(past_tables, "LEFT_OVER", -timedelta(minutes=1))
    assert (
        Slices(province.connection, "46").at(FILINGS, Replay(THEN))
        and "scene_left" not in province.tables()
    )


def test_where_none_may_be_made_history_is_asked(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = province.connection.tuples

    def only_reading(query: Query | str, **parameters: object) -> object:
        if isinstance(query, str) and query.startswith("CREATE"):
            raise UnreachableError(
                "Code: 497. DB::Exception: reader: Not enough privileges. (ACCESS_DENIED)"
            )
        return asked(query, **parameters)

    monkeypatch.setattr(province.connection, "tuples", only_reading)
    assert [province.open(picture) for picture in Picture] == [1, 1] and province.tables() == set()


def test_what_is_looked_at_is_set_apart_once_more_and_not_kept_for_ever(province: Province) -> None:
    def moments() -> set[str]:
        return {name for (name,) in province.client.execute("SHOW TABLES LIKE 'moment_%'")}

    assert province.open(Picture.KNOWN) == 1
    province.slices.settle()  # there is none before a slice has all versions of the lives
    assert province.open(Picture.KNOWN) == 1 and len(first := moments()) == 1
    assert province.open(Picture.KNOWN) == 1 and moments() == first
    for minutes in range(1, 40):
        assert province.open(Picture.KNOWN, THEN + timedelta(minutes=minutes)) == 1
    assert len(moments()) <= past_moments.MAX_MOMENTS + past_tables.MAX_WAITING + 1
    province.slices.close()
    assert moments() == set() == province.tables()


def test_opening_the_page_of_the_past_has_them_made_and_shows_the_space_they_take(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_slices, "BREATH_SECONDS", 0.0)
    ask = PageContext(province.connection, Live(), ProvinceContext("46"))
    assert PastStore(province.connection).disk().get("apart", 0) == 0 and not province.tables()
    replay_page(ask, PageRequest("/replay", (), "en"))
    ask._slices.settle()
    assert province.tables() and PastStore(province.connection).disk()["apart"] > 0
    ask.close()
    assert not province.tables()


def test_those_of_the_last_year_are_made_ahead(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_slices, "BREATH_SECONDS", 0.0)
    province.told("of long ago", NOW - 200 * DAY, NOW - 200 * DAY)
    province.slices.prepare()
    province.slices.settle()
    made = province.tables()
    assert len(made) == len(list(past_periods.periods(NOW - 200 * DAY))) >= 9
    for days in (0, 0.5, 2.5, 6, 9, 15, 60, 100, 199):
        assert province.slices.at(FILINGS, Replay(NOW - days * DAY))
    assert province.tables() == made, "no moment of these has to wait for one"
