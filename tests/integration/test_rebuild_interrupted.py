"""A rebuild that is killed at any step, or runs while workers count, loses nothing."""

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client

from ingest.producer import Producer
from ingest.topics import ensure
from schemas.events.envelope import Reader, write
from schemas.events.kinds import FEEDBACK
from schemas.settings import Settings
from stack import control
from streams.admin import rebuild as module
from streams.admin.migrate import migrate
from streams.admin.rebuild import rebuild
from streams.admin.verify import verify
from streams.worker.batch import write as write_batch
from streams.worker.engine import Engine
from streams.worker.store import WorkerStore
from tests.integration.rebuild_cases import (
    DAY,
    NOON,
    WRONG_STATES,
    WRONG_WINDOWS,
    change,
    counted_reports,
    report,
    windows,
)
from tests.records import Record
from tests.running import Running, command, wait_for, worker
from tests.sealing import SEALER

pytestmark = pytest.mark.stack


@pytest.fixture
def database(settings: Settings) -> Iterator[Client]:
    yield from counted_reports(settings)


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
