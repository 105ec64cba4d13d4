"""Slices: tables with what lives held around a moment.

Old as soon as something came that matters.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_driver import Client

from dashboard.history import moments as past_moments
from dashboard.history import periods as past_periods
from dashboard.history import slices as past_slices
from dashboard.history import tables as past_tables
from dashboard.history.arrivals import PastStore
from dashboard.history.past import PastConnection
from dashboard.history.slices import Slices
from dashboard.pages.replay.page import content as replay_page
from dashboard.query.clock import At, Clock, Live, Picture, Replay
from dashboard.query.connection import Connection, UnreachableError
from dashboard.query.figures import FigureStore
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.clickhouse.lives import LIVES
from schemas.clickhouse.query import Query
from schemas.events.codes import Channel, FilingStatus
from schemas.events.kinds import FILING
from schemas.events.payloads import Filing
from schemas.figures import FIGURES
from schemas.reference import calendar
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.lives import Lives
from tests.counting import Counter

pytestmark = pytest.mark.stack
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
THEN = NOW - 60 * DAY
OF_FILINGS = [one for one in FIGURES if one.kind is FILING]
(FILINGS,) = (life for life in LIVES if life.kind is FILING)


@dataclass
class Province:
    """Open filings, and slices of their past."""

    client: Client
    counter: Counter
    lives: Lives
    connection: Connection
    slices: Slices

    def told(
        self,
        name: str,
        happened: datetime,
        arrived: datetime,
        status: FilingStatus = FilingStatus.PROCESSING,
        commune: str = "19753",
        registered: datetime | None = None,
    ) -> None:
        filing = Filing(
            agency=f"H57.{commune}.UB",
            commune=commune,
            filing_id=name,
            procedure="1.005129",
            status=status,
            channel=Channel.ONLINE,
            registered_at=registered or happened,
        )
        self.counter.arrive(FILING, [(happened, arrived, filing)])
        self.lives.catch_up()

    def open(self, picture: Picture, at: datetime = THEN) -> int:
        """Return how many filings were open at a moment, by the shorter way if there is one."""
        past = PastConnection(self.connection, "46", Replay(at, picture), None, self.slices)
        found = FigureStore(past, calendar("46")).now(At(at))[()]
        return int(found["filing.open"].value or 0)

    def tables(self) -> set[str]:
        return {name for (name,) in self.client.execute("SHOW TABLES LIKE 'scene_%'")}


@pytest.fixture
def province(settings: Settings) -> Iterator[Province]:
    migrate(settings)
    client, connection = (
        Client.from_url(settings.clickhouse_url),
        Connection(settings.clickhouse_url),
    )
    counter = Counter(settings)
    made = Province(
        client,
        counter,
        Lives(client, settings.province),
        connection,
        Slices(connection, settings.province),
    )
    made.told("early", THEN - DAY, THEN - DAY)
    yield made
    counter.close()
    connection.close()
    client.disconnect()


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
    monkeypatch.setattr(past_slices, "REST", 0.0)
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
    monkeypatch.setattr(past_slices, "REST", 0.0)
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
    monkeypatch.setattr(past_slices, "REST", 0.0)
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
    monkeypatch.setattr(past_slices, "BREATH", 0.0)
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
    monkeypatch.setattr(past_slices, "BREATH", 0.0)
    province.told("of long ago", NOW - 200 * DAY, NOW - 200 * DAY)
    province.slices.prepare()
    province.slices.settle()
    made = province.tables()
    assert len(made) == len(list(past_periods.periods(NOW - 200 * DAY))) >= 9
    for days in (0, 0.5, 2.5, 6, 9, 15, 60, 100, 199):
        assert province.slices.at(FILINGS, Replay(NOW - days * DAY))
    assert province.tables() == made, "no moment of these has to wait for one"
