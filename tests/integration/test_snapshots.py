"""What the live tables showed is recorded, and replayed as known then it comes to the same hash,
whatever arrived since.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_driver import Client

from dashboard.history.past import PastConnection
from dashboard.history.proof import Proof
from dashboard.query.clock import Picture, Replay
from dashboard.query.connection import Connection
from schemas import places
from schemas.events.codes import Channel, FilingStatus
from schemas.events.kinds import FILING
from schemas.events.payloads import Filing
from schemas.figures.snapshots import SNAPSHOTS, take
from schemas.reference import calendar
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.lives import Lives
from streams.watch import snapshots
from streams.watch.snapshots import Snapshots
from streams.worker.store import WorkerStore
from streams.worker.table_rows import JobRow
from tests.counting import Counter
from tests.running import command

pytestmark = pytest.mark.stack
COMMUNES = places.communes("46")[:3]
DAY = timedelta(days=1)


@dataclass
class Centre:
    """A database that is told events and watched over, by hand."""

    settings: Settings
    client: Client
    counter: Counter
    lives: Lives
    snapshots: Snapshots
    begun: datetime

    def told(self, first: int, count: int, *, happened: timedelta, arrived: timedelta) -> None:
        """Overdue filings that happened and arrived so long after the beginning, and all lives of
        them.
        """
        at, came = self.begun + happened, self.begun + arrived
        rows = [
            (at, came + timedelta(milliseconds=number), self._filing(first + number, at))
            for number in range(count)
        ]
        self.counter.arrive(FILING, rows)
        self.lives.catch_up()

    def _filing(self, number: int, at: datetime) -> Filing:
        commune = COMMUNES[number % len(COMMUNES)].code
        return Filing(
            agency=f"H57.{commune}.UB",
            commune=commune,
            filing_id=f"F{number}",
            procedure="1.005129",
            status=FilingStatus.PROCESSING,
            channel=Channel.ONLINE,
            registered_at=at - 9 * DAY,
            due_at=at - DAY,
        )

    @property
    def proof(self) -> Proof:
        return Proof(Connection(self.settings.clickhouse_url), "46")

    def recorded(self) -> list[datetime]:
        return [one.moment for one in self.proof.recorded(self.begun - DAY, datetime.now(UTC))]


@pytest.fixture
def centre(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Centre]:
    migrate(settings)
    client, counter = Client.from_url(settings.clickhouse_url), Counter(settings)
    lives = Lives(client, settings.province)
    monkeypatch.setattr(snapshots, "SETTLED", timedelta(0))
    begun = (datetime.now(UTC) - timedelta(hours=2)).replace(microsecond=0)
    found = Centre(
        settings, client, counter, lives, Snapshots(client, settings.province, lives), begun
    )
    found.told(0, 30, happened=timedelta(minutes=-1), arrived=timedelta(minutes=1))
    yield found
    counter.close()
    client.disconnect()


def test_what_was_shown_is_recorded_and_replayed_the_same_whatever_came_late(
    centre: Centre,
) -> None:
    centre.snapshots.run_if_due()
    assert centre.recorded() == [], "it is kept when what was on its way has come"
    centre.told(
        20, 40, happened=timedelta(minutes=-30), arrived=timedelta(minutes=5)
    )  # some of the same, and others, late
    centre.snapshots.run_if_due()
    (one,) = centre.proof.recorded(centre.begun, datetime.now(UTC))
    assert one.moment == centre.begun + timedelta(minutes=1, milliseconds=29), (
        "the newest arrival that was counted"
    )
    assert one.readings > 100
    assert centre.proof.comparable(one) and centre.proof.same(one)
    working, live = calendar("46"), Connection(centre.settings.clickhouse_url)
    corrected = PastConnection(live, "46", Replay(one.moment, Picture.CORRECTED))
    assert take(corrected.tuples, one.moment, working).hash != one.hash, (
        "what came late changes the corrected picture"
    )
    assert take(live.tuples, one.moment, working).hash != one.hash, "and what is shown now"


def test_nothing_is_recorded_of_a_moment_of_which_something_was_on_its_way(centre: Centre) -> None:
    centre.snapshots.run_if_due()
    centre.told(30, 1, happened=timedelta(minutes=-1), arrived=timedelta(seconds=30))
    centre.snapshots.run_if_due()
    assert centre.recorded() == []
    centre.told(31, 1, happened=timedelta(minutes=-1), arrived=timedelta(minutes=9))
    centre.snapshots.run_if_due()
    centre.snapshots.run_if_due()
    assert centre.recorded() == [centre.begun + timedelta(minutes=9)], "another is taken soon"
    assert all(
        centre.proof.same(one) for one in centre.proof.recorded(centre.begun, datetime.now(UTC))
    )


def test_nothing_is_recorded_while_another_watch_computes_lives(centre: Centre) -> None:
    store = WorkerStore(centre.settings.clickhouse_url)
    store.write_watch(
        [
            JobRow(
                job="lives",
                period_seconds=0.25,
                at=datetime.now(UTC),
                took_ms=1,
                watch="elsewhere:1",
            )
        ]
    )
    store.close()
    for _ in range(3):
        centre.snapshots.run_if_due()
    assert centre.recorded() == []


def test_the_proof_is_a_command_that_fails_when_a_replay_shows_something_else(
    centre: Centre, environment: dict[str, str]
) -> None:
    for _ in range(2):
        centre.snapshots.run_if_due()
    centre.told(100, 5, happened=timedelta(minutes=-60), arrived=timedelta(minutes=5))
    done = command(environment, "dashboard", "proof")
    assert done.returncode == 0 and b"1 snapshots: 1 replayed the same, 0 not." in done.stdout, (
        done.stderr
    )
    names = SNAPSHOTS.names
    for change, words in (
        ("hash + 1 AS hash", b"0 replayed the same, 1 not"),
        ("rules + 1 AS rules", b"1 recorded by other rules"),
    ):
        centre.client.execute(
            f"INSERT INTO {SNAPSHOTS.name} ({names}) SELECT * REPLACE ({change}, taken_at + "
            "INTERVAL 1 SECOND AS taken_at) "
            f"FROM {SNAPSHOTS.name} FINAL"
        )
        done = command(environment, "dashboard", "proof", "--from", "2026-01-01")
        assert words in done.stdout and done.returncode == 1, "nor where nothing can be compared"
    assert command(environment, "dashboard", "proof", "--from", "yesterday").returncode == 1


def test_how_long_they_are_kept_is_a_setting(centre: Centre) -> None:
    assert not [line for line in migrate(centre.settings) if "kept" in line]
    said = migrate(centre.settings.model_copy(update={"keep_snapshots_days": 30}))
    assert [line for line in said if "kept for 30 days" in line]
    ((query,),) = centre.client.execute(
        "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name "
        "= 'snapshots'"
    )
    assert "toIntervalDay(30)" in query
