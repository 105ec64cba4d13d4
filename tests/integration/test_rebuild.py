"""Verify finds whatever differs from the raw events, and rebuild puts it right.

Killed at any step, and while workers count.
"""

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client

from ingest.producer import Producer
from ingest.topics import ensure
from schemas.events.codes import FeedbackStatus
from schemas.events.envelope import Reader, write
from schemas.events.kinds import FEEDBACK
from schemas.events.payloads import Feedback
from schemas.settings import Settings
from stack import control
from streams.admin import rebuild as module
from streams.admin.migrate import migrate
from streams.admin.period import MinutePeriod, parse
from streams.admin.rebuild import rebuild
from streams.admin.verify import verify
from streams.worker.batch import write as write_batch
from streams.worker.engine import Engine
from streams.worker.store import WorkerStore
from tests.records import Record
from tests.running import Running, command, wait_for, worker
from tests.sealing import SEALER

pytestmark = pytest.mark.stack
NOON = datetime(2026, 11, 2, 5, tzinfo=UTC)
DAY = parse("2026-11-02", "2026-11-03")
LAST = "(SELECT max(last_offset) FROM windows_feedback)"


def report(number: int, time: datetime, id: str | None = None) -> tuple[Feedback, dict[str, Any]]:
    event = Feedback(
        agency="H57.IOC",
        commune=f"{19660 + number % 3}",
        report_id=f"R{number % 20}",
        category="traffic",
        status=list(FeedbackStatus)[number % 8],
        reported_at=time,
    )
    return event, {"id": id or str(number), "source": "/test", "time": time}


@pytest.fixture
def database(settings: Settings) -> Iterator[Client]:
    """Yield a database in which an engine has counted 300 reports of two hours in partition 0."""
    migrate(settings)
    client = Client.from_url(settings.clickhouse_url)
    records = []
    for number in range(300):
        event, said = report(number, NOON + timedelta(seconds=number * 24))
        records.append(Record(number, 0, event.report_id.encode(), write(FEEDBACK, event, **said)))
    store = WorkerStore(settings.clickhouse_url)
    engine = Engine(store, settings.topic_prefix, Reader(), SEALER)
    write_batch(store, engine.take([(FEEDBACK, 0, records)]))
    store.close()
    yield client
    client.disconnect()


def change(client: Client, statement: str) -> None:
    client.execute(statement, settings={"mutations_sync": 1})


def windows(client: Client) -> list[tuple[Any, ...]]:
    """Return all windows but for the offsets up to which they hold: that is new after a rebuild."""
    names = "window_start, partition, agency, commune, category, steps, received, verified, routed"
    return list(client.execute(f"SELECT {names} FROM windows_feedback FINAL ORDER BY ALL"))


WRONG_WINDOWS = {
    "a wrong value": (
        "ALTER TABLE windows_feedback UPDATE received = 7 WHERE commune = '19660' AND steps > 0",
        "must be",
    ),
    "a wrong value of the newest offset": (
        "INSERT INTO windows_feedback (window_start, commune, agency, category, steps, "
        "last_offset) "
        f"SELECT window_start, commune, agency, category, 9, {LAST} FROM windows_feedback WHERE "
        "steps > 0 LIMIT 1",
        "steps is 9, must be",
    ),
    "a missing window": (
        "ALTER TABLE windows_feedback DELETE WHERE commune = '19661'",
        "counted, not stored",
    ),
    "all missing but the checkpoint": (
        "ALTER TABLE windows_feedback DELETE WHERE steps > 0",
        "counted, not stored",
    ),
    "a ghost": (
        "INSERT INTO windows_feedback (window_start, agency, commune, category, steps, "
        "last_offset) "
        "VALUES (toDateTime('2026-11-02 20:00:00', 'Asia/Ho_Chi_Minh'), 'x', 'y', 'z', 1, 5)",
        "stored, not counted",
    ),
    "an empty ghost": (
        "INSERT INTO windows_feedback (window_start, agency, commune, category, last_offset) "
        "VALUES (toDateTime('2026-11-02 20:00:00', 'Asia/Ho_Chi_Minh'), 'x', 'y', 'z', 5)",
        "stored, not counted",
    ),
    "a window beyond the checkpoint": (
        "INSERT INTO windows_feedback (window_start, agency, commune, category, steps, "
        "last_offset) "
        "SELECT window_start, agency, commune, category, 9, 999999 FROM windows_feedback WHERE "
        "commune = '19662' LIMIT 1",
        "beyond the checkpoint",
    ),
    "a ghost where nothing was ever counted": (
        "INSERT INTO windows_feedback (window_start, partition, agency, commune, category, steps, "
        "last_offset) "
        "VALUES (toDateTime('2026-11-02 20:00:00', 'Asia/Ho_Chi_Minh'), 3, 'x', 'y', 'z', 1, 0)",
        "beyond the checkpoint",
    ),
}


@pytest.mark.parametrize("wrong", WRONG_WINDOWS)
def test_whatever_is_wrong_with_windows_is_found_told_and_put_right(
    settings: Settings, database: Client, wrong: str
) -> None:
    statement, said = WRONG_WINDOWS[wrong]
    right = windows(database)
    change(database, statement)
    (found,) = verify(settings, [FEEDBACK])
    assert found.differences and all(said in line for line in found.differences), found.differences
    told = rebuild(settings, DAY, [FEEDBACK], dry_run=True)
    assert (told[0].differing > 0, told[0].swapped) == (True, False)
    assert windows(database) != right, "a dry run changes nothing"
    (done,) = rebuild(settings, DAY, [FEEDBACK])
    assert done.swapped
    assert windows(database) == right
    assert not verify(settings, [FEEDBACK])[0].differences
    assert not rebuild(settings, DAY, [FEEDBACK])[0].swapped, "what is right is left alone"


WRONG_STATES = {
    "changed": (
        "ALTER TABLE state_feedback UPDATE address = 'elsewhere' WHERE entity_id = 'R7'",
        "not what its newest step says",
    ),
    "missing": (
        "ALTER TABLE state_feedback DELETE WHERE entity_id = 'R7'",
        "newest step, not stored",
    ),
    "of no event": (
        "INSERT INTO state_feedback SELECT * REPLACE (version + 1 AS version) FROM state_feedback "
        "FINAL WHERE entity_id = 'R7'",
        "not the newest step",
    ),
    "of no entity": (
        "INSERT INTO state_feedback SELECT * REPLACE ('it''s' AS entity_id) FROM state_feedback "
        "FINAL LIMIT 1",
        "not the newest step",
    ),
}


@pytest.mark.parametrize("wrong", WRONG_STATES)
def test_whatever_is_wrong_with_states_is_found_told_and_put_right(
    settings: Settings, database: Client, wrong: str
) -> None:
    statement, said = WRONG_STATES[wrong]
    look = "SELECT * FROM state_feedback FINAL ORDER BY ALL"
    right = database.execute(look)
    change(database, statement)
    (found,) = verify(settings, [FEEDBACK])
    assert len(found.differences) == 1 and said in found.differences[0], found.differences
    assert database.execute(look) != right
    done = rebuild(settings, DAY, [FEEDBACK], states=True)
    assert [(one.what, one.swapped) for one in done] == [("windows", False), ("states", True)]
    assert database.execute(look) == right
    assert not verify(settings, [FEEDBACK])[0].differences


def test_an_event_that_is_kept_twice_is_found(settings: Settings, database: Client) -> None:
    database.execute(
        "INSERT INTO events_feedback SELECT * REPLACE (offset + 1000 AS offset) FROM "
        "events_feedback WHERE event_id = '/test#7'"
    )
    (found,) = verify(settings, [FEEDBACK])
    assert found.differences == ["event counted 2 times: /test#7"]
    assert found.pending == 1


def test_an_event_that_is_kept_again_with_another_time_is_found(
    settings: Settings, database: Client
) -> None:
    later = "offset + 1000 AS offset, occurred_at + INTERVAL 5 HOUR AS occurred_at"
    database.execute(
        f"INSERT INTO events_feedback SELECT * REPLACE ({later}) FROM events_feedback WHERE "
        "event_id = '/test#7'"
    )
    (found,) = verify(settings, [FEEDBACK])
    assert found.differences == ["event counted 2 times: /test#7"]


def test_the_commands_say_how_much_they_compared_and_what_differs(
    settings: Settings, environment: dict[str, str], database: Client
) -> None:
    clean = command(environment, "streams", "verify")
    assert clean.returncode == 0, clean.stderr
    assert b"300 windows, 20 states and 0 lives equal what 300 raw events give" in clean.stdout
    change(database, "ALTER TABLE windows_feedback UPDATE received = 7 WHERE steps > 0")
    wrong = command(environment, "streams", "verify", "--kind", "feedback")
    assert wrong.returncode == 1
    assert b"and 250 more" in wrong.stdout and b"must be" in wrong.stdout
    assert command(environment, "streams", "verify", "--kind", "filing").returncode == 0
    assert command(environment, "streams", "verify", "--to", "2026-11-02").returncode == 0
    period = (
        "--from",
        "2026-11-02T12:00",
        "--to",
        "2026-11-02T13:00",
    )  # 05:00 to 06:00 UTC: the first 150 reports
    dry = command(environment, "streams", "rebuild", *period, "--dry-run")
    assert dry.returncode == 1 and b"would be" in dry.stdout
    done = command(environment, "streams", "rebuild", *period)
    assert done.returncode == 0 and b"150 differences were repaired" in done.stdout, (
        done.stdout + done.stderr
    )
    assert command(environment, "streams", "verify", *period).returncode == 0
    assert command(environment, "streams", "verify").returncode == 1, "the other half is as it was"
    again = command(environment, "streams", "rebuild", *period)
    assert again.returncode == 0 and b"No difference" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "yesterday", "--to", "2026-11-03"), b"'yesterday' is not a date or time"),
        (("--from", "2026-11-03", "--to", "2026-11-02"), b"is empty or impossible"),
        (
            ("--from", "2026-11-02", "--to", "2026-11-03", "--kind", "weather"),
            b"There is no kind 'weather'",
        ),
    ],
)
def test_what_cannot_be_rebuilt_is_one_sentence(
    environment: dict[str, str], arguments: tuple[str, ...], said: bytes
) -> None:
    done = command(environment, "streams", "rebuild", *arguments)
    assert done.returncode == 1
    assert said in done.stderr and b"Traceback" not in done.stderr


class Dies:
    """A client to ClickHouse whose process dies before or after its statement of some number that
    changes anything.
    """

    def __init__(self, client: Client, before: int | None = None, after: int | None = None) -> None:
        self._client, self._before, self._after, self.count = client, before, after, 0

    def execute(self, statement: str, *arguments: Any, **options: Any) -> Any:
        if statement.startswith("SELECT"):
            return self._client.execute(statement, *arguments, **options)
        self.count += 1
        if self._before is not None and self.count >= self._before:
            raise KeyboardInterrupt
        answer = self._client.execute(statement, *arguments, **options)
        if self._after is not None and self.count >= self._after:
            raise KeyboardInterrupt
        return answer

    def disconnect(self) -> None:
        self._client.disconnect()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", range(1, 12))
def test_one_that_dies_at_any_step_leaves_a_whole_table_and_the_next_heals(
    settings: Settings, database: Client, monkeypatch: pytest.MonkeyPatch, step: int, when: str
) -> None:
    right = windows(database)
    for name in ("a wrong value", "a ghost", "a window beyond the checkpoint"):
        change(database, WRONG_WINDOWS[name][0])
    change(database, WRONG_STATES["of no event"][0])
    wrong = windows(database)
    clients: list[Dies] = []

    class Connected:
        @staticmethod
        def from_url(url: str) -> Dies:
            clients.append(Dies(Client.from_url(url), **{when: step}))
            return clients[-1]

    with monkeypatch.context() as patch:
        patch.setattr(module, "Client", Connected)
        with pytest.raises(KeyboardInterrupt):
            rebuild(settings, DAY, [FEEDBACK], states=True)
    assert clients[0].count >= step, "the steps are those of a whole rebuild"
    now = windows(database)
    assert set(now) <= {*wrong, *right}
    spoiled = [
        [row for row in rows if row[3] == "19660" and row[5] != 9] for rows in (now, wrong, right)
    ]
    assert spoiled[0] in spoiled[1:], "all of them or none"
    rebuild(settings, DAY, [FEEDBACK], states=True)
    assert windows(database) == right
    assert not verify(settings, [FEEDBACK])[0].differences
    assert not database.execute("SHOW TABLES LIKE '%_rebuild'")


def test_kill_9_of_a_rebuild_leaves_the_live_windows_as_they_were(
    stack: control.Addresses,
    settings: Settings,
    environment: dict[str, str],
    database: Client,
    tmp_path: Path,
) -> None:
    right = windows(database)
    change(database, WRONG_WINDOWS["a wrong value"][0])
    wrong = windows(database)
    # It stands still with its table half full, as a long one does for minutes.
    sleep = "lambda *a: (print('there', flush=True), time.sleep(600))"
    slow = f"import time, streams.admin.rebuild as r; r.recomputed_windows = {sleep}"
    line = [sys.executable, "-c", f"{slow}; from streams.__main__ import cli; cli()"]
    clean = {"PATH": "/usr/bin:/bin"} | environment
    with subprocess.Popen(
        [*line, "rebuild", "--from", "2026-11-02", "--to", "2026-11-03", "--kind", "feedback"],
        env=clean,
        stdout=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert b"there" in running.stdout.readline()
        running.kill()
    assert database.execute("SHOW TABLES LIKE '%_rebuild'") == [("windows_feedback_rebuild",)]
    assert windows(database) == wrong
    done = command(environment, "streams", "rebuild", "--from", "2026-11-02", "--to", "2026-11-03")
    assert done.returncode == 0, done.stdout + done.stderr
    assert windows(database) == right
    assert not database.execute("SHOW TABLES LIKE '%_rebuild'")


def test_late_events_that_a_worker_counts_meanwhile_are_neither_lost_nor_overwritten(
    settings: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    """Windows are spoiled and rebuilt over and over while a worker, restarted once, counts late
    events in the same minutes.
    """
    migrate(settings)
    ensure(settings)
    rng = random.Random(11)
    client = Client.from_url(settings.clickhouse_url)
    over = threading.Event()
    sent = 0

    def send() -> None:
        nonlocal sent
        with Producer(settings) as producer:
            while not over.is_set():
                for _ in range(100):
                    event, said = report(sent, NOON + timedelta(seconds=rng.randrange(1800)))
                    producer.send(FEEDBACK, event, **said)
                    sent += 1
                producer.flush()
                over.wait(0.05)

    agency = threading.Thread(target=send)
    running: Running = worker(environment, tmp_path / "worker.log")
    try:
        agency.start()
        wait_for(lambda: client.execute("SELECT count() FROM events_feedback")[0][0] > 500)
        for turn in range(6):
            wrong = rng.choice(["UPDATE received = received + 5", "DELETE", "UPDATE steps = 0"])
            change(
                client,
                f"ALTER TABLE windows_feedback {wrong} WHERE steps > 0 AND commune = "
                f"'{19660 + turn % 3}'",
            )
            client.execute(WRONG_WINDOWS["a ghost"][0])
            (done,) = rebuild(settings, DAY, [FEEDBACK], states=True)[:1]
            assert done.swapped
            if turn == 3:
                running.stop()
                running = worker(environment, tmp_path / "worker.log")
        over.set()
        agency.join()
        wait_for(lambda: client.execute("SELECT count() FROM events")[0][0] == sent)
        wait_for(lambda: not verify(settings, [FEEDBACK])[0].pending)
        (found,) = verify(settings, [FEEDBACK])
        assert not found.differences, found.differences[:5]
        assert client.execute("SELECT sum(measures['steps']) FROM windows") == [(sent,)]
    finally:
        over.set()
        agency.join()
        running.stop()
        client.disconnect()


def test_a_late_event_in_a_spoiled_minute_counts_from_what_the_raw_events_say(
    settings: Settings, database: Client
) -> None:
    """A wrong stored value does not come back through a worker that loads the minute."""
    right = dict(
        database.execute(
            "SELECT window_start, sum(steps) FROM windows_feedback FINAL GROUP BY window_start"
        )
    )
    change(database, "ALTER TABLE windows_feedback UPDATE steps = 50 WHERE steps > 0")
    engine = Engine(WorkerStore(settings.clickhouse_url), settings.topic_prefix, Reader(), SEALER)
    event, said = report(0, NOON, id="late")
    write_batch(
        WorkerStore(settings.clickhouse_url),
        engine.take(
            [
                (
                    FEEDBACK,
                    0,
                    [Record(300, 0, event.report_id.encode(), write(FEEDBACK, event, **said))],
                )
            ]
        ),
    )
    minute = database.execute(
        "SELECT window_start, steps FROM windows_feedback FINAL WHERE last_offset = 300 AND steps "
        "> 0"
    )
    assert [steps for _, steps in minute] == [2]
    rebuild(settings, DAY, [FEEDBACK])
    after = dict(
        database.execute(
            "SELECT window_start, sum(steps) FROM windows_feedback FINAL GROUP BY window_start"
        )
    )
    assert after == right | {minute[0][0]: right[minute[0][0]] + 1}


def test_a_period_is_of_the_provinces_clock_and_of_whole_minutes() -> None:
    assert parse("2026-11-02", "2026-11-02T00:00:30") == MinutePeriod(1793552400, 1793552460)
    assert parse("2026-11-01T17:00:59+00:00", "2026-11-01T17:01:00Z") == MinutePeriod(
        1793552400, 1793552460
    )
