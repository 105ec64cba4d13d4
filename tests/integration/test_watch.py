"""The watch on a real ClickHouse.

What its questions find, what it raises, keeps and clears, alone, twice and after a restart.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client

from dashboard.query import alarm_groups as alarms
from dashboard.query.alarms import AlarmStore
from dashboard.query.clock import Live
from dashboard.query.connection import Connection
from schemas import places
from schemas.events.codes import DocumentStatus, FilingStatus, Priority
from schemas.places import restate
from schemas.reference import ZONE, Rule, alarm_rule, alarm_rules
from schemas.settings import Settings
from streams.watch import alarm_store, jobs, run
from streams.watch.context import MeasureContext, WatchedProvince
from streams.watch.engine import Observation
from streams.watch.jobs import JOBS, Task, WatchJob
from streams.watch.questions import QUESTIONS
from streams.watch.readings import readings
from streams.worker.store import WorkerStore
from tests.running import Running, command, wait_for

pytestmark = pytest.mark.stack
NOW = datetime.now(UTC).replace(microsecond=0)
ONE, TWO = "19753", "19774"


def minutes(count: float) -> datetime:
    return NOW - timedelta(minutes=count)


@pytest.fixture
def store(settings: Settings, database: Client) -> Iterator[WorkerStore]:
    found = WorkerStore(settings.clickhouse_url)
    yield found
    found.close()


def rule(code: str) -> Rule:
    found = alarm_rule(code)
    assert found is not None
    return found


def ask(store: WorkerStore, code: str, at: datetime = NOW) -> list[Observation]:
    look = MeasureContext(store, at, WatchedProvince("46"), alarm_store.read(store, at))
    return list(QUESTIONS[rule(code).measure](look, rule(code)))


def reports(
    database: Client,
    count: int,
    commune: str = ONE,
    category: str = "water",
    at: datetime = NOW,
    **columns: Any,
) -> None:
    """Write received reports as a worker would: their events and their windows."""
    begun = database.execute("SELECT count() FROM events_feedback")[0][0]
    names = (
        "event_id",
        "entity_id",
        "occurred_at",
        "received_at",
        "agency",
        "commune",
        "category",
        "status",
        "identity",
        "offset",
    )
    rows = [
        {
            **dict(
                zip(
                    names,
                    (str(n), str(n), at, at, "H57.IOC", commune, category, "received", n, n),
                    strict=True,
                )
            ),
            **columns,
        }
        for n in range(begun, begun + count)
    ]
    database.execute(f"INSERT INTO events_feedback ({', '.join(rows[0])}) VALUES", rows)
    database.execute(
        "INSERT INTO windows_feedback (window_start, partition, agency, commune, category, "
        "received, last_offset) VALUES",
        [(at.replace(second=0), 0, "H57.IOC", commune, category, count, begun + count)],
    )


def test_every_rule_in_force_can_be_asked_and_an_empty_database_calls_nobody(
    store: WorkerStore,
) -> None:
    codes = {one.code for one in alarm_rules() if one.measure in QUESTIONS}
    assert len(codes) >= 9
    assert all(ask(store, code) == [] for code in codes)


def test_a_burst_is_measured_against_what_is_usual_there(
    store: WorkerStore, database: Client
) -> None:
    reports(database, 20)
    reports(database, 30, at=minutes(41))
    reports(database, 9, TWO)
    (found,) = ask(store, "burst")
    assert (found.key, found.value, found.count, found.communes, found.subject) == (
        f"water/{ONE}",
        20,
        20,
        (ONE,),
        "water",
    )
    assert found.usual == pytest.approx(30 * 40 / (14 * 1440))
    assert found.since == NOW.replace(second=0)


def test_reports_that_lie_close_together_are_a_cluster_across_communes(
    store: WorkerStore, database: Client
) -> None:
    for number in range(8):
        reports(database, 1, ONE, lat=16.4600 + number / 5000, lon=107.5900)
        reports(database, 1, TWO, lat=16.4601 + number / 5000, lon=107.5905)
    for number in range(12):  # The same in number, but all over the place.
        reports(database, 1, ONE, "roads", lat=16.3 + number / 50, lon=107.5)
    (found,) = ask(store, "cluster")
    assert (found.subject, found.value, set(found.communes)) == ("water", 16, {ONE, TWO})
    assert found.lat == pytest.approx(16.4608, abs=0.0002) and found.lon == pytest.approx(
        107.59025, abs=0.0001
    )
    assert 70 < found.radius < 110
    assert found.usual == 0


def test_a_pile_a_flash_document_and_dead_letters_are_found(
    store: WorkerStore, database: Client
) -> None:
    far = datetime(2100, 1, 1, tzinfo=ZONE)
    filings = [
        (
            f"{commune}-{number}",
            1,
            minutes(5000),
            far,
            commune,
            FilingStatus.PROCESSING,
            minutes(5000),
            "open",
            due,
            0,
            1,
        )
        for commune, late in ((ONE, 25), (TWO, 0), ("19777", 0))
        for number in range(100)
        for due in [
            minutes(60 * 30)
            if number < late - 5
            else minutes(60)
            if number < late
            else minutes(-60)
        ]
    ]
    names = (
        "entity_id, step, since, until, commune, status, started_at, standing, due_at, due, version"
    )
    database.execute(f"INSERT INTO life_filing ({names}) VALUES", filings)
    assert [(one.agencies, one.count) for one in ask(store, "slow")] == [((), 25)], (
        "of no agency here"
    )
    (found,) = [
        one for one in ask(store, "pile") if rule("pile").reached(one.value or 0, one.usual)
    ]
    assert (found.key, found.count, found.change) == (ONE, 25, 5)
    database.execute(
        "INSERT INTO current_document (entity_id, to_organ, commune, status, priority, "
        "started_at, version) VALUES",
        [
            (f"{receiver}{sent}", receiver, ONE, status, priority, minutes(sent), 1)
            for receiver, status, priority, sent in (
                ("A", DocumentStatus.ARRIVED, Priority.FLASH_TIMED, 150),
                ("A", DocumentStatus.ARRIVED, Priority.FLASH, 130),
                ("B", DocumentStatus.ARRIVED, Priority.FLASH, 119),
                ("C", DocumentStatus.RECEIVED, Priority.FLASH, 500),
                ("D", DocumentStatus.ARRIVED, Priority.URGENT, 500),
            )
        ],
    )
    (flash,) = ask(store, "flash")
    assert (flash.agencies, flash.count, flash.value, flash.since) == (("A",), 2, 150, minutes(150))
    letters = [
        ("ioc.filing", 0, n, minutes(3), "bad-json" if n else "too-deep", "", "open", minutes(3))
        for n in range(25)
    ]
    columns = "topic, partition, offset, received_at, category, reason, state, changed_at"
    database.execute(f"INSERT INTO dead_letter_rows ({columns}) VALUES", letters)
    (dead,) = ask(store, "dead_letters")
    assert (dead.count, dead.subject, dead.since) == (25, "bad-json", minutes(3))


def test_what_is_overdue_since_before_the_reform_calls_by_the_commune_of_today(
    store: WorkerStore, database: Client
) -> None:
    far, then = datetime(2100, 1, 1, tzinfo=ZONE), datetime(2025, 6, 20, 9, tzinfo=ZONE)
    former = next(one.former for one in places.predecessors(ONE) if one.former != ONE)
    filings = [
        (
            f"{commune}-{due}-{number}",
            1,
            since,
            far,
            commune,
            restate.today(commune, restate.day(since)),
            FilingStatus.PROCESSING,
            since,
            "open",
            due,
            0,
            1,
        )
        for commune, since, due, count in (
            (former, then, minutes(60), 3),
            (ONE, then, minutes(60), 2),
            (ONE, minutes(60), far, 100),
        )
        for number in range(count)
    ]
    names = (
        "entity_id, step, since, until, commune, unit, status, started_at, standing, due_at, due, "
        "version"
    )
    database.execute(f"INSERT INTO life_filing ({names}) VALUES", filings)
    (found,) = ask(store, "pile")
    assert (found.key, found.communes, found.count, found.change) == (ONE, (ONE,), 5, 5)
    look = MeasureContext(store, NOW, WatchedProvince("46"), alarm_store.read(store, NOW))
    assert {
        key: one.value for key, one in readings(look, ["filing.overdue"], "commune").items()
    } == {("filing.overdue", ONE): 5}


def test_sources_that_are_silent_refused_or_ahead_are_found(
    store: WorkerStore, database: Client
) -> None:
    at = datetime(2026, 11, 17, 15, 0, tzinfo=UTC) - timedelta(hours=7)
    heard = at - timedelta(hours=6)
    database.execute(
        "INSERT INTO freshness VALUES",
        [(f"H57.{code}", "filing", heard, heard) for code in (ONE, TWO)],
    )
    refused = (
        at - timedelta(minutes=20),
        at - timedelta(minutes=19),
        "g",
        "/a",
        f"H57.{TWO}",
        "filing",
        "wrong-value",
        60,
        "",
        at,
    )
    database.execute("INSERT INTO refusal_rows VALUES", [refused])
    (silent,) = ask(store, "silent", at)
    assert (silent.key, silent.communes, silent.value, silent.since) == (
        f"filing/H57.{ONE}",
        (ONE,),
        2.0,
        heard,
    )
    (wrong,) = ask(store, "malformed", at)
    assert (wrong.agencies, wrong.subject) == ((f"H57.{TWO}",), "filing")
    (many,) = ask(store, "refused", at)
    assert (many.key, many.count, many.usual, many.subject, many.communes) == (
        f"H57.{TWO}",
        60,
        0,
        "wrong-value",
        (TWO,),
    )
    ahead = ("1", "1", at + timedelta(hours=2), at - timedelta(minutes=5), f"H57.{ONE}")
    database.execute(
        "INSERT INTO events_filing (event_id, entity_id, occurred_at, received_at, agency) VALUES",
        [ahead],
    )
    (clock,) = ask(store, "ahead", at)
    assert (clock.value, clock.since) == (7500, at - timedelta(minutes=5))


def shown(settings: Settings) -> list[tuple[str, int, int]]:
    connection = Connection(settings.clickhouse_url)
    rows = AlarmStore(connection).open(Live())
    connection.close()
    return [(row["rule"], row["priority"], row["count"]) for row in rows]


def at(store: WorkerStore, settings: Settings, name: str, when: datetime) -> None:
    next(job for job in JOBS if job.name == name).run(Task(settings, store, when))


def test_an_alarm_is_raised_grows_and_is_cleared_and_its_history_stays(
    settings: Settings, store: WorkerStore, database: Client
) -> None:
    reports(database, 20)
    at(store, settings, "reports", NOW)
    assert shown(settings) == [("burst", 2, 20)]
    at(store, settings, "reports", NOW)
    assert database.execute("SELECT count() FROM alarm_rows") == [(1,)], (
        "looked at twice, it is the same"
    )
    reports(database, 30, at=NOW + timedelta(seconds=1) - timedelta(minutes=1))
    at(store, settings, "reports", NOW + timedelta(seconds=1))
    assert shown(settings) == [("burst", 1, 50)], "it grew beyond the second level"
    later = NOW + timedelta(minutes=45)
    at(store, settings, "reports", later)
    assert shown(settings) == [("burst", 1, 50)], "over, but not for long enough"
    at(store, settings, "reports", later + timedelta(seconds=60))
    assert shown(settings) == [] or database.execute("SELECT cleared_at FROM alarms") == [
        (later + timedelta(seconds=60),)
    ]
    ((raised, cleared, since),) = database.execute(
        "SELECT raised_at, cleared_at, since FROM alarms"
    )
    assert (raised, cleared) == (NOW, later + timedelta(seconds=60)) and since <= NOW
    # A watch that was frozen wakes up and writes what it saw before: nothing comes back.
    stale = MeasureContext(store, NOW, WatchedProvince("46"))
    assert stale.known == ()
    at(store, settings, "reports", NOW + timedelta(seconds=2))
    assert database.execute("SELECT count() FROM alarms WHERE cleared_at IS NULL") == [(0,)]


def test_two_watches_and_a_restart_make_one_alarm(
    settings: Settings, environment: dict[str, str], database: Client, tmp_path: Path
) -> None:
    reports(database, 20, at=datetime.now(UTC))

    def watch(name: str) -> Running:
        return Running("streams", "watch", environment=environment, log=tmp_path / f"{name}.log")

    with watch("one") as one, watch("two"):
        wait_for(lambda: shown(settings) == [("burst", 2, 20)], what="the alarm")
        wait_for(
            lambda: len(database.execute("SELECT DISTINCT job FROM watch_jobs")) == len(JOBS),
            what="every job",
        )
        one.stop()
        assert command(environment, "streams", "watch", "--check").returncode == 0
        with watch("three"):
            reports(
                database, 7, at=datetime.now(UTC) - timedelta(minutes=5)
            )  # another window: values are absolute
            wait_for(lambda: shown(settings) == [("burst", 2, 27)], what="the grown alarm")
    assert database.execute("SELECT count(), uniqExact(id) FROM alarms") == [(1, 1)]
    assert "Traceback" not in (tmp_path / "two.log").read_text()


def test_a_watch_ends_at_once_and_says_a_failure_once(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """ClickHouse is away: it goes on, says so once for each job, and ends when told to."""
    environment = environment | {"IOC_CLICKHOUSE_URL": "clickhouse://127.0.0.1:1/ioc"}
    with Running("streams", "watch", environment=environment, log=tmp_path / "watch.log") as watch:
        wait_for(lambda: "reports failed" in watch.text(), what="the failure")
        began = datetime.now(UTC)
        wait_for(lambda: datetime.now(UTC) - began > timedelta(seconds=4))
        assert watch.text().count("reports failed") == 1
        assert watch.stop() == 0
        assert datetime.now(UTC) - began < timedelta(seconds=12)
    assert command(environment, "streams", "watch", "--once").returncode == 1
    assert command(environment, "streams", "watch", "--check").returncode == 1


def test_once_does_every_job_and_the_screens_know_until_when(
    settings: Settings, environment: dict[str, str], database: Client
) -> None:
    assert command(environment, "streams", "watch", "--once").returncode == 0
    connection = Connection(settings.clickhouse_url)
    rows = AlarmStore(connection).jobs()
    connection.close()
    assert {row["job"] for row in rows} == {job.name for job in JOBS}
    now = datetime.now(UTC)
    assert alarms.watched(rows, now, 60).alive
    blind = alarms.watched(rows, now + timedelta(seconds=30), 10)
    assert not blind.alive and blind.until is not None and now - blind.until < timedelta(minutes=1)
    assert run.overdue(settings) == []


def test_a_rule_that_is_no_longer_in_force_calls_nobody(
    settings: Settings, store: WorkerStore, database: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports(database, 20)
    at(store, settings, "reports", NOW)
    monkeypatch.setattr(jobs, "alarm_rules", lambda on: ())
    at(store, settings, "ended", NOW + timedelta(seconds=60))
    assert database.execute("SELECT count() FROM alarms WHERE cleared_at IS NULL") == [(0,)]


def test_a_job_that_fails_is_done_again_later_and_later(settings: Settings) -> None:
    def fail(task: Task) -> None:
        raise RuntimeError("no")

    one = run.JobRunner(WatchJob("x", 1.0, fail), settings, "w")
    pauses = []
    for _ in range(8):
        assert one.once() == "RuntimeError: no"
        pauses.append(one.pause())
    assert pauses[:4] == [1, 2, 4, 8] and pauses[-1] == run.MAX_PAUSE_SECONDS
