"""Scenes: what lives held around a moment, set apart for the questions of its pages; old as soon as something came that matters."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_driver import Client

from dashboard import past_scenes
from dashboard.clock import At, Picture, Replay
from dashboard.connection import Connection, Unreachable
from dashboard.past import PastConnection
from dashboard.past_scenes import Scenes
from dashboard.store_figures import FigureStore
from schemas.codes import Channel, FilingStatus
from schemas.events import Filing
from schemas.kinds import FILING
from schemas.lives import LIVES
from schemas.reference import calendar
from schemas.settings import Settings
from streams.lives import Lives
from streams.migrate import migrate
from tests.counting import Counter

pytestmark = pytest.mark.stack
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
THEN = NOW - 30 * DAY
(FILINGS,) = (life for life in LIVES if life.kind is FILING)


@dataclass
class Province:
    """Open filings, and scenes of their past."""

    client: Client
    counter: Counter
    lives: Lives
    connection: Connection
    scenes: Scenes

    def told(self, name: str, happened: datetime, arrived: datetime) -> None:
        filing = Filing(
            agency="H57.19753.UB",
            commune="19753",
            filing_id=name,
            procedure="1.005129",
            status=FilingStatus.PROCESSING,
            channel=Channel.ONLINE,
            registered_at=happened,
        )
        self.counter.arrive(FILING, [(happened, arrived, filing)])
        self.lives.catch_up()

    def open(self, picture: Picture, at: datetime = THEN) -> int:
        """How many filings were open at a moment, by the shorter way if there is one."""
        past = PastConnection(self.connection, "46", Replay(at, picture), None, self.scenes)
        found = FigureStore(past, calendar("46")).now(At(at))[()]
        return int(found["filing.open"].value or 0)

    def tables(self) -> set[str]:
        return {name for (name,) in self.client.execute("SHOW TABLES LIKE 'scene_%'")}


@pytest.fixture
def province(settings: Settings) -> Iterator[Province]:
    migrate(settings)
    client, connection = Client.from_url(settings.clickhouse_url), Connection(settings.clickhouse_url)
    counter = Counter(settings)
    made = Province(client, counter, Lives(client, settings.province), connection, Scenes(connection))
    made.told("early", THEN - DAY, THEN - DAY)
    yield made
    counter.close()
    connection.close()
    client.disconnect()


def test_one_is_made_for_all_moments_of_a_while_and_taken_away(province: Province) -> None:
    assert [province.open(picture) for picture in Picture] == [1, 1]
    first = province.tables()
    assert len(first) == 1, "of the other kinds nothing was ever told"
    slot = past_scenes._slot(THEN)
    assert slot and slot[1] - slot[0] == 7 * DAY and slot[0] <= THEN <= slot[1]
    assert province.open(Picture.KNOWN, slot[0]) == (1 if slot[0] >= THEN - DAY else 0)
    assert province.tables() == first
    assert province.open(Picture.KNOWN, slot[0] - 8 * DAY) == 0 and len(province.tables()) == 2
    province.scenes.close()
    assert province.tables() == set()


def test_what_comes_late_makes_it_old_for_the_corrected_picture_only(province: Province, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_scenes, "LOOKED_AT", 0.0)
    assert [province.open(picture) for picture in Picture] == [1, 1]
    first = province.tables()
    province.told("of now", NOW, NOW)
    assert [province.open(picture) for picture in Picture] == [1, 1] and province.tables() == first, (
        "it matters to no moment of then"
    )
    province.told("late", THEN - timedelta(hours=1), NOW)
    assert [province.open(picture) for picture in Picture] == [1, 2], "so soon after it was made, history is asked instead"
    assert province.tables() == first
    monkeypatch.setattr(past_scenes, "REST", 0.0)
    assert [province.open(picture) for picture in Picture] == [1, 2]
    assert len(province.tables()) == 2, "questions may be on their way to the one that was left"
    province.scenes._left = [(0.0, name) for _, name in province.scenes._left]
    assert province.open(Picture.CORRECTED, THEN - 40 * DAY) == 0
    assert not province.tables() & first


def test_lives_by_other_rules_make_it_old(province: Province, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_scenes, "LOOKED_AT", 0.0)
    monkeypatch.setattr(past_scenes, "REST", 0.0)
    replay = Replay(THEN)
    first = province.scenes.at(FILINGS, replay)
    assert first and province.scenes.at(FILINGS, replay) == first
    province.client.execute(
        "INSERT INTO lives_progress SELECT * REPLACE (rules + 1 AS rules, epoch + 1 AS epoch, version + 1 AS version) "
        "FROM lives_progress FINAL"
    )
    assert province.scenes.at(FILINGS, replay) not in (None, first)


def test_near_the_present_there_is_none(province: Province) -> None:
    now = datetime.now(UTC)  # not when this file was read: others may have been tested for an hour since
    for ago in (timedelta(0), timedelta(minutes=50)):
        assert province.scenes.at(FILINGS, Replay(now - ago)) is None
    lengths = [slot[1] - slot[0] for ago in (3, 40, 24 * 15) if (slot := past_scenes._slot(now - timedelta(hours=ago)))]
    assert lengths[:1] == [timedelta(hours=1)] and lengths[-1] == 7 * DAY


def test_what_a_killed_dashboard_left_is_taken_away(province: Province, monkeypatch: pytest.MonkeyPatch) -> None:
    province.client.execute("CREATE TABLE scene_left ENGINE = MergeTree ORDER BY tuple() AS SELECT 1 AS one")
    assert province.scenes.at(FILINGS, Replay(THEN)) and "scene_left" in province.tables(), "it may be another one's"
    monkeypatch.setattr(past_scenes, "LEFT_OVER", -timedelta(minutes=1))
    assert Scenes(province.connection).at(FILINGS, Replay(THEN)) and "scene_left" not in province.tables()


def test_where_none_may_be_made_history_is_asked(province: Province, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = province.connection.tuples

    def only_reading(sql: str, **parameters: object) -> object:
        if sql.startswith("CREATE"):
            raise Unreachable("Code: 497. DB::Exception: reader: Not enough privileges. (ACCESS_DENIED)")
        return asked(sql, **parameters)

    monkeypatch.setattr(province.connection, "tuples", only_reading)
    assert [province.open(picture) for picture in Picture] == [1, 1] and province.tables() == set()
