"""What is posted to the gateway, the dashboard's store answers.

Through real Kafka, worker and ClickHouse.
"""

import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client

from dashboard.query import alarm_groups as alarms
from dashboard.query.alarms import AlarmStore
from dashboard.query.clock import Live
from dashboard.query.connection import Connection, UnreachableError
from dashboard.query.figures import FigureStore
from dashboard.query.lives import LifeStore
from dashboard.query.snapshot import ProvinceContext, take
from dashboard.query.store import ScreenStore
from schemas.events import envelope
from schemas.events.codes import (
    Channel,
    DocumentStatus,
    FeedbackStatus,
    FilingStatus,
    MeetingState,
    Priority,
    ServiceLevel,
)
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind
from schemas.events.partitions import Partitions
from schemas.events.payloads import Document, Event, Feedback, Filing, Meeting
from schemas.reference import calendar
from schemas.settings import Settings
from streams.admin.migrate import migrate
from tests.running import Running, command, wait_for, worker

pytestmark = pytest.mark.stack
COMMUNE, OTHER = (one for one, _ in zip(ProvinceContext("46").names, range(2), strict=False))
NOW = datetime.now(UTC)
LIVE = Live()


class Way:
    """The living path of one test module: what is posted to it, and the store at its end."""

    def __init__(self, settings: Settings) -> None:
        self.gateway = f"http://127.0.0.1:{settings.gateway_port}/v1/events"
        self.store = ScreenStore(Connection(settings.clickhouse_url))
        self.figures = FigureStore(self.store.connection, calendar("46"))
        self.number = 0

    def post(self, kind: Kind, event: Event, time: datetime | None = None) -> None:
        self.number += 1
        body = envelope.write(
            kind, event, id=str(self.number), source="/test/store", time=time or datetime.now(UTC)
        )
        request = urllib.request.Request(
            self.gateway, body, {"Content-Type": "application/cloudevents+json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status in (200, 202)

    def commune(self, code: str) -> dict[str, float]:
        """Return the figures of a commune by their codes; nothing of one that has none.

        Those of a share are its parts.
        """
        found = self.figures.now(LIVE, by=("commune",))
        return {
            name: one.part if one.part is not None else one.value or 0
            for name, one in found.get((code,), {}).items()
        }


@pytest.fixture(scope="module")
def path(
    module_settings: Settings,
    module_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Way]:
    logs: Path = tmp_path_factory.mktemp("logs")
    migrate(module_settings)
    ready = f"http://127.0.0.1:{module_settings.gateway_port}/readyz"
    with (
        worker(module_environment, logs / "worker.log"),
        Running(
            "ingest",
            "gateway",
            environment=module_environment,
            log=logs / "gateway.log",
            ready=ready,
        ),
        Running("streams", "watch", environment=module_environment, log=logs / "watch.log"),
    ):
        found = Way(module_settings)
        yield found
        found.store.connection.close()


def filing(number: str, status: FilingStatus, **changes: Any) -> Filing:
    usual: dict[str, Any] = {
        "agency": f"H57.{COMMUNE}",
        "commune": COMMUNE,
        "filing_id": number,
        "procedure": "1.005129",
        "status": status,
        "channel": Channel.ONLINE,
        "service_level": ServiceLevel.FULL,
        "registered_at": NOW,
    }
    return Filing(**usual | changes)


def test_a_filing_counts_as_it_goes_through_its_life(path: Way) -> None:
    passed = NOW - timedelta(days=2)
    late = {"registered_at": passed - timedelta(days=3), "due_at": passed}
    path.post(FILING, filing("F1", FilingStatus.REGISTERED))
    path.post(FILING, filing("F2", FilingStatus.PROCESSING, **late))
    path.post(FILING, filing("F3", FilingStatus.SUPPLEMENT, **late))
    found = wait_for(
        lambda: (row := path.commune(COMMUNE)).get("filing.registered") == 3 and row,
        what="three filings",
    )
    assert (found["filing.open"], found["filing.overdue"]) == (3, 1), (
        "a filing whose clock stands still is not overdue"
    )
    assert found["filing.paused"] == 1 and found["filing.wholly_online"] == 3

    path.post(FILING, filing("F2", FilingStatus.FINISHED, finished_at=datetime.now(UTC), **late))
    found = wait_for(
        lambda: (row := path.commune(COMMUNE))["filing.closed"] == 1 and row,
        what="the closed filing",
    )
    assert (found["filing.open"], found["filing.overdue"], found["filing.on_time"]) == (2, 0, 0)


def test_feedback_is_counted_and_lies_where_it_was_seen(path: Way) -> None:
    for number in range(16):
        point = {"lat": 16.4 + number / 1000, "lon": 107.6}
        report = Feedback(
            agency="H57.IOC",
            commune=OTHER,
            report_id=f"R{number}",
            category="water",
            status=FeedbackStatus.RECEIVED,
            reported_at=NOW,
            lat=point.get("lat"),
            lon=point.get("lon"),
        )
        path.post(FEEDBACK, report)
    wait_for(lambda: path.commune(OTHER).get("feedback.open") == 16, what="the reports")
    assert len(path.store.feedback_points(LIVE)) == 16


def test_a_flash_document_that_nobody_receives_is_found(path: Way) -> None:
    sent = NOW - timedelta(hours=3)
    document = Document(
        agency="H57.VP",
        commune=COMMUNE,
        document_id="D1",
        from_organ="000.00.00.H57",
        to_organ=f"H57.{COMMUNE}.UB",
        priority=Priority.FLASH,
        status=DocumentStatus.ARRIVED,
        sent_at=sent,
    )
    path.post(DOCUMENT, document, sent)
    wait_for(
        lambda: path.commune(COMMUNE).get("document.flash_waiting") == 1, what="the flash document"
    )


def test_the_watch_raises_what_the_wall_shows(
    path: Way, module_environment: dict[str, str]
) -> None:
    """The reports and the document of the tests above.

    Seen by the watch, read back by the dashboard.
    """
    assert command(module_environment, "streams", "watch", "--once").returncode == 0
    calls = {
        one.cause: one
        for one in alarms.grouped(alarms.read(AlarmStore(path.store.connection).open(LIVE)))
    }
    assert (calls["burst"].communes, calls["burst"].subject, calls["burst"].count) == (
        (OTHER,),
        "water",
        16,
    )
    assert calls["burst"].priority == 2 and calls["burst"].radius > 500
    assert (calls["flash"].agencies, calls["flash"].count) == ((f"H57.{COMMUNE}.UB",), 1)
    shown = take(path.store, LIVE, ProvinceContext("46"), Partitions((4,)), 60.0)
    assert shown.watched.alive and {one.cause for one in shown.calls} >= {"burst", "flash"}


def test_a_live_meeting_tells_its_sites(path: Way) -> None:
    path.post(
        MEETING,
        Meeting(
            agency="H57.VP",
            meeting_id="M1",
            state=MeetingState.LIVE,
            starts_at=NOW,
            invited=["H57.VP", "19753", "19774"],
            connected=["H57.VP", "19753"],
        ),
    )
    (found,) = wait_for(
        lambda: LifeStore(path.store.connection, calendar("46")).meetings(LIVE), what="the meeting"
    )
    assert (found["invited"], found["connected"], found["missing"]) == (
        ["H57.VP", "19753", "19774"],
        ["H57.VP", "19753"],
        ["19774"],
    )


def test_what_is_dated_in_the_future_is_told_and_not_shown_as_if_it_had_happened(path: Way) -> None:
    """An agency's clock is two hours ahead.

    A new filing, and a step of one that a right clock reports on a minute later.
    """
    later = datetime.now(UTC) + timedelta(hours=2)
    before = path.commune(COMMUNE)
    flow = path.figures.now(LIVE)[()]["filing.registered"].value
    wrong = {"agency": "H57.WRONG", "commune": COMMUNE}
    path.post(FILING, filing("F70", FilingStatus.REGISTERED, registered_at=later, **wrong), later)
    path.post(
        FILING,
        filing("F71", FilingStatus.FINISHED, finished_at=later, due_at=later, **wrong),
        later,
    )
    found = wait_for(lambda: path.store.clocks_ahead(LIVE), what="the wrong clock")
    assert [(row["agency"], row["kind"]) for row in found] == [("H57.WRONG", "filing")]
    assert 7190 <= found[0]["seconds"] <= 7200 and abs(
        found[0]["since"] - datetime.now(UTC)
    ) < timedelta(minutes=1)
    rows = path.store.connection.rows(
        "SELECT entity_id, ahead_seconds FROM events WHERE agency = 'H57.WRONG' ORDER BY ALL"
    )
    assert [row["entity_id"] for row in rows if row["ahead_seconds"] > 7000] == ["F70", "F71"]
    wait_for(
        lambda: path.commune(COMMUNE)["filing.registered"] == before["filing.registered"] + 1,
        what="F71",
    )
    assert path.commune(COMMUNE)["filing.closed"] == before["filing.closed"], (
        "F71 has yet to be finished"
    )
    assert path.figures.now(LIVE)[()]["filing.registered"].value == (flow or 0) + 1, (
        "F70 has yet to be registered"
    )

    path.post(FILING, filing("F71", FilingStatus.RETURNED, finished_at=NOW, due_at=later))
    wait_for(
        lambda: path.commune(COMMUNE)["filing.closed"] == before["filing.closed"] + 1,
        what="the newer step, by a right clock",
    )
    (row,) = path.store.connection.rows(
        "SELECT status, ahead_seconds FROM filings WHERE entity_id = 'F71'"
    )
    assert row == {"status": FilingStatus.RETURNED.value, "ahead_seconds": 0}


def test_the_pulse_moves_by_itself_and_its_mark_only_with_the_data(path: Way) -> None:
    first = wait_for(
        lambda: (pulse := path.store.pulse()).sent_at is not None and pulse, what="a heartbeat"
    )

    def goes_on() -> bool:
        """Return whether the next heartbeat changes nothing else.

        An alarm that is raised meanwhile is data.
        """
        nonlocal first
        before = first
        first = wait_for(
            lambda: (pulse := path.store.pulse()).sent_at != before.sent_at and pulse,
            what="the next heartbeat",
        )
        return first.mark == before.mark

    wait_for(goes_on, what="a heartbeat that changes nothing else")
    path.post(FILING, filing("F9", FilingStatus.REGISTERED))
    wait_for(lambda: path.store.pulse().mark != first.mark, what="a new mark")


def test_everything_that_a_wall_shows_can_be_asked_at_once(path: Way) -> None:
    shown = take(path.store, LIVE, ProvinceContext("46"), Partitions((4,)), 10.0)
    assert not shown.empty
    assert (shown.now["filing.overdue"].value, shown.today["filing.registered"].value) != (
        None,
        None,
    )
    assert {COMMUNE, OTHER} <= shown.communes.keys()


def test_a_database_that_is_away_is_one_kind_of_error() -> None:
    with pytest.raises(UnreachableError):
        ScreenStore(Connection("clickhouse://127.0.0.1:1/ioc")).pulse()


def test_the_partition_that_is_furthest_behind_tells_how_alive_the_data_is(
    settings: Settings,
) -> None:
    """One of two workers hangs: its partition's beats stop while the other's go on.

    A clock that is ahead speaks for nobody.
    """
    migrate(settings)
    connection = Connection(settings.clickhouse_url)
    now = datetime.now(UTC).replace(microsecond=0)
    behind, ahead = now - timedelta(minutes=3), now + timedelta(hours=2)
    client = Client.from_url(settings.clickhouse_url)
    client.execute(
        "INSERT INTO heartbeats VALUES",
        [("a", 0, now, now), ("a", 1, behind, behind), ("b", 0, ahead, now)],
    )
    client.disconnect()
    sent_at = ScreenStore(connection).pulse().sent_at
    connection.close()
    assert sent_at == behind
