"""From Kafka to windows in ClickHouse, on the real parts.

Late, repeated and bad events, kill -9, and a database away.
"""

import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import NetworkError
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from ingest.producer import Producer
from schemas.events.codes import FeedbackStatus
from schemas.events.envelope import write
from schemas.events.kinds import FEEDBACK, HEARTBEATS
from schemas.events.payloads import Feedback
from schemas.settings import Settings
from stack import control
from streams.admin.migrate import fill_states, migrate
from streams.admin.verify import verify
from tests.running import Running, command, wait_for, worker

pytestmark = pytest.mark.stack
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


def report(
    number: int,
    time: datetime,
    status: FeedbackStatus = FeedbackStatus.RECEIVED,
    commune: str = "19660",
) -> Feedback:
    return Feedback(
        agency="H57.IOC",
        commune=commune,
        report_id=f"R{number}",
        category="traffic",
        status=status,
        reported_at=time,
    )


def send(
    producer: Producer, number: int, time: datetime, id: str | None = None, **changes: object
) -> None:
    event = report(number, time, **changes)  # type: ignore[arg-type]
    producer.send(FEEDBACK, event, id=id or str(number), source="/test", time=time)


def counted(database: Client, kind: str = "feedback") -> int:
    return int(database.execute(f"SELECT count() FROM events WHERE kind = '{kind}'")[0][0])


def steps(database: Client) -> dict[tuple[datetime, str], int]:
    rows = database.execute(
        "SELECT window_start, commune, sum(measures['steps']) FROM windows GROUP BY ALL"
    )
    return {(start.astimezone(UTC), commune): count for start, commune, count in rows}


def no_differences(settings: Settings) -> bool:
    reports = verify(settings)
    differences = [line for report in reports for line in report.differences]
    assert not differences, differences
    return not any(report.pending for report in reports)


def test_events_are_counted_once_in_the_window_of_their_own_time(
    settings: Settings, environment: dict[str, str], database: Client, log: Path
) -> None:
    with worker(environment, log), Producer(settings) as producer:
        send(producer, 1, NOW)
        send(producer, 2, NOW)
        producer.flush()
        wait_for(lambda: counted(database) == 2)
        send(producer, 1, NOW)  # a repeat
        send(producer, 3, NOW - timedelta(days=900))  # late by years
        send(producer, 4, NOW + timedelta(days=30))  # of the future
        send(producer, 5, NOW - timedelta(seconds=90), commune="19774")  # out of order
        producer.flush()
        wait_for(lambda: counted(database) == 5)
        wait_for(lambda: no_differences(settings))
    minute = NOW.replace(second=0)
    assert steps(database) == {
        (minute, "19660"): 2,
        (minute - timedelta(days=900), "19660"): 1,
        (minute + timedelta(days=30), "19660"): 1,
        ((NOW - timedelta(seconds=90)).replace(second=0), "19774"): 1,
    }


def test_the_state_is_the_newest_step_by_its_own_time(
    settings: Settings, environment: dict[str, str], database: Client, log: Path
) -> None:
    with worker(environment, log), Producer(settings) as producer:
        send(producer, 1, NOW, id="b", status=FeedbackStatus.PUBLISHED)
        send(producer, 1, NOW - timedelta(hours=3), id="a", status=FeedbackStatus.RECEIVED)
        producer.flush()
        wait_for(lambda: counted(database) == 2)
        assert database.execute("SELECT entity_id, status, occurred_at FROM feedback") == [
            ("R1", "published", database.execute("SELECT max(occurred_at) FROM events")[0][0])
        ]
        # Kept by views behind one another: a reader may see the state before them.
        freshness = wait_for(
            lambda: database.execute("SELECT agency, kind FROM source_freshness"),
            what="the source's freshness",
        )
    assert freshness == [("H57.IOC", "feedback")]


def test_bad_records_become_dead_letters_and_stop_nothing(
    settings: Settings, environment: dict[str, str], database: Client, log: Path
) -> None:
    with worker(environment, log), Producer(settings) as producer:
        for value in (b"\xff{", b"{}", b"[1]", b'{"specversion":"1.0"', b"x" * 1_000_000):
            producer.send_record(FEEDBACK, b"R9", value, None)
        for value in (
            b"",
            b"{}",
            b'{"gateway":"x","sent_at":"2026-01-01T00:00:00"}',
            b'{"gateway":"x","sent_at":"9999-12-31T23:59:59-12:00"}',
        ):
            producer.put(settings.topic_prefix + HEARTBEATS, b"x", value, None)
        send(producer, 1, NOW)
        producer.flush()
        wait_for(lambda: counted(database) == 1)
        event = report(1, NOW, status=FeedbackStatus.ROUTED)
        producer.send(
            FEEDBACK, event, id="1", source="/test", time=NOW
        )  # the same identity says something else
        producer.flush()
        found = wait_for(
            lambda: (
                len(rows := database.execute("SELECT category, reason FROM dead_letters")) == 6
                and rows
            )
        )
        wait_for(lambda: no_differences(settings))
    assert Counter(category for category, _ in found)["conflict"] == 1
    assert all(reason for _, reason in found)
    assert counted(database) == 1


def test_a_dead_letter_is_listed_mended_and_counted_once(
    settings: Settings, environment: dict[str, str], database: Client, log: Path, tmp_path: Path
) -> None:
    good = write(FEEDBACK, report(1, NOW), id="1", source="/test", time=NOW)
    bad = good.replace(b'"category":"traffic"', b'"category":7')
    with worker(environment, log), Producer(settings) as producer:
        producer.send_record(FEEDBACK, b"R1", bad, None)
        producer.flush()
        wait_for(lambda: database.execute("SELECT count() FROM dead_letters")[0][0] == 1)
        (topic, partition, offset), *_ = database.execute(
            "SELECT topic, partition, offset FROM dead_letters"
        )
        name = f"{topic}/{partition}/{offset}"
        listed = command(environment, "streams", "dead-letters", "list")
        assert name in listed.stdout.decode() and "$.data.category" in listed.stdout.decode()
        assert bad in command(environment, "streams", "dead-letters", "show", name).stdout
        again = command(environment, "streams", "dead-letters", "retry", name)
        assert again.returncode == 1 and b"0 sent again, 1 still open" in again.stdout
        (tmp_path / "mended.json").write_bytes(good)
        for _ in range(2):  # Mending twice counts once.
            done = command(
                environment,
                "streams",
                "dead-letters",
                "retry",
                name,
                "--with",
                str(tmp_path / "mended.json"),
            )
            assert done.returncode == 0, done.stdout + done.stderr
        wait_for(lambda: counted(database) == 1)
        assert b"No dead letters" in command(environment, "streams", "dead-letters", "list").stdout
        assert (
            b"not the name of a dead letter"
            in command(environment, "streams", "dead-letters", "show", "nonsense").stderr
        )
        wait_for(lambda: no_differences(settings))
    assert counted(database) == 1


def test_kill_9_in_mid_stream_loses_and_doubles_nothing(
    stack: control.Addresses,
    settings: Settings,
    environment: dict[str, str],
    database: Client,
    log: Path,
) -> None:
    """A worker is killed and restarted again and again while events, some repeated, stream in."""
    rng = random.Random(int(os.environ.get("IOC_TEST_SEED", "4")))
    total = 6_000

    def on_a_server(look: Callable[[], int]) -> int:
        """Return the local ClickHouse may die of a connection that breaks off within a query.

        Then it is started again.
        """
        try:
            return look()
        except NetworkError:
            control.up(stack.home)
            raise

    running = worker(environment, log)
    try:
        with Producer(settings) as producer:
            for round_ in range(4):
                for number in range(round_ * total // 4, (round_ + 1) * total // 4):
                    time = NOW - timedelta(seconds=number // 10)
                    send(producer, number, time)
                    if rng.random() < 0.05:
                        send(producer, number, time)
                producer.flush()
                before = wait_for(lambda: 1 + on_a_server(lambda: counted(database))) - 1
                wait_for(lambda before=before: on_a_server(lambda: counted(database)) > before)  # type: ignore[misc]
                running.kill()
                running = worker(environment, log)
        wait_for(lambda: on_a_server(lambda: counted(database)) >= total)
        wait_for(lambda: on_a_server(lambda: no_differences(settings)))
    finally:
        running.stop()
    assert counted(database) == total
    assert sum(steps(database).values()) == total


def test_where_kafka_no_longer_has_the_beginning_all_that_it_has_is_counted(
    settings: Settings, environment: dict[str, str], database: Client, log: Path
) -> None:
    """Retention removed the head of every partition before a worker came.

    It goes on from what there is, whole.
    """
    removed, total = 300, 24_000
    topic = FEEDBACK.topic(settings.topic_prefix)
    with Producer(settings) as producer:
        for number in range(total):
            send(producer, number, NOW - timedelta(seconds=number // 100))
        producer.flush()
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka_servers)
    admin.delete_records(
        {TopicPartition(topic, number): removed for number in range(settings.partitions.largest)}
    )
    admin.close()
    with worker(environment, log) as running:
        wait_for(lambda: counted(database) >= total - removed * settings.partitions.largest)
        assert "Kafka no longer has offsets 0 to 299" in running.text()
        wait_for(lambda: no_differences(settings))
    assert counted(database) == total - removed * settings.partitions.largest


def test_while_the_database_is_away_nothing_is_acknowledged_and_then_all_is_written(
    settings: Settings, environment: dict[str, str], database: Client, log: Path
) -> None:
    """The database is taken away by renaming it: every statement fails until it is back."""
    name = settings.clickhouse_url.rpartition("/")[2]
    server = Client.from_url(settings.clickhouse_url.rpartition("/")[0] + "/default")
    with worker(environment, log) as running, Producer(settings) as producer:
        send(producer, 0, NOW)
        producer.flush()
        wait_for(lambda: counted(database) == 1)
        server.execute(f"RENAME DATABASE {name} TO {name}_away")
        for number in range(1, 500):
            send(producer, number, NOW)
        producer.flush()
        wait_for(lambda: "trying again" in running.text())
        server.execute(f"RENAME DATABASE {name}_away TO {name}")
        wait_for(lambda: counted(database) == 500)
        wait_for(lambda: no_differences(settings))
    assert counted(database) == 500


def test_two_workers_share_the_partitions_and_stay_exact(
    settings: Settings, environment: dict[str, str], database: Client, log: Path, tmp_path: Path
) -> None:
    second = environment | {
        "IOC_WORKER_PORT": environment["IOC_DASHBOARD_PORT"],
        "IOC_HOME": str(tmp_path / "second"),
    }
    with Producer(settings) as producer, worker(environment, log):
        for number in range(1_000):
            send(producer, number, NOW)
        producer.flush()
        with worker(second, tmp_path / "second.log"):
            for number in range(1_000, 3_000):
                send(producer, number, NOW)
            producer.flush()
            wait_for(lambda: counted(database) == 3_000)
        for number in range(3_000, 4_000):
            send(producer, number, NOW)
        producer.flush()
        wait_for(lambda: counted(database) == 4_000, seconds=90)
        wait_for(lambda: no_differences(settings))


@pytest.mark.parametrize("app", ["streams.worker.app", "streams.app"], ids=["today's", "former"])
def test_faust_users_start_it_as_they_expect(
    settings: Settings, environment: dict[str, str], database: Client, log: Path, app: str
) -> None:
    port = environment["IOC_WORKER_PORT"]
    with (
        Running(
            "faust",
            "-A",
            app,
            "worker",
            environment=environment,
            log=log,
            ready=f"http://127.0.0.1:{port}/healthz",
        ),
        Producer(settings) as producer,
    ):
        send(producer, 1, NOW)
        producer.flush()
        wait_for(lambda: counted(database) == 1)
    assert ("streams.app has moved" in log.read_text()) == (app == "streams.app")


def test_migrating_again_changes_nothing_and_adds_what_is_new(
    settings: Settings, database: Client
) -> None:
    assert migrate(settings) == []
    database.execute("DROP VIEW fill_state_meeting")
    database.execute("ALTER TABLE events_meeting DROP COLUMN title")
    database.execute("ALTER TABLE events_meeting COMMENT COLUMN state 'words of an older release'")
    assert migrate(settings) == [
        "column events_meeting.title",
        "materialized view fill_state_meeting",
    ]
    comments = dict(
        database.execute(
            "SELECT name, comment FROM system.columns WHERE table = 'events_meeting' AND database "
            "= currentDatabase()"
        )
    )
    assert comments["title"] == "Subject."
    assert comments["state"] == "State after this step."


@pytest.fixture
def one_report(
    settings: Settings, environment: dict[str, str], database: Client, log: Path
) -> Client:
    """Return a database in which one report was counted, and nothing differs."""
    with worker(environment, log), Producer(settings) as producer:
        send(producer, 1, NOW)
        producer.flush()
        wait_for(lambda: counted(database) == 1)
        wait_for(lambda: no_differences(settings))
    return database


def test_states_can_be_made_anew_from_the_raw_events(
    settings: Settings, one_report: Client
) -> None:
    wrong = "'elsewhere' AS address, bitShiftLeft(toUInt128(1), 127) AS version"
    one_report.execute(f"INSERT INTO state_feedback SELECT * REPLACE ({wrong}) FROM state_feedback")
    assert any(report.differences for report in verify(settings))
    fill_states(one_report)
    assert no_differences(settings)
    assert migrate(settings) == [], "the view that fills it is there again"
