"""The watch raises, keeps and clears alarms, alone, twice and after a restart."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clickhouse_driver import Client

from dashboard.query import alarm_groups as alarms
from dashboard.query.alarms import AlarmStore
from dashboard.query.clock import Live
from dashboard.query.connection import Connection
from schemas.settings import Settings
from streams.watch import jobs, run
from streams.watch.context import MeasureContext, WatchedProvince
from streams.watch.jobs import JOBS, Task, WatchJob
from streams.worker.store import WorkerStore
from tests.integration.watch_reports import NOW, reports
from tests.running import Running, command, wait_for

pytestmark = pytest.mark.stack


@pytest.fixture
def store(settings: Settings, database: Client) -> Iterator[WorkerStore]:
    found = WorkerStore(settings.clickhouse_url)
    yield found
    found.close()


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
