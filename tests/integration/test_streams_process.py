"""The stream processes as their surroundings see them.

Where they listen, and what their logs look like in good and bad times.
"""

import re
import time
from pathlib import Path

import pytest

from ingest.producer import Producer
from ingest.topics import ensure
from schemas.settings import Settings
from stack.ports import choose_port
from tests.integration.test_streams import NOW, send
from tests.running import Running, wait_for, worker

pytestmark = pytest.mark.stack
LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+07:00 "
    r"(DEBUG|INFO|WARNING|ERROR|CRITICAL) streams\.(worker|watch)\b.*"
)
LOOPBACK = "0100007F"
"""127.0.0.1, as the kernel writes it."""


def lines(running: Running) -> list[str]:
    """Return what it said.

    Every line has time, zone, level and process, and none is the middle of a traceback.
    """
    found = running.text().splitlines()
    assert not (odd := [line for line in found if not LINE.fullmatch(line)]), odd
    return found


def test_a_worker_listens_where_it_is_told_only_and_says_so_in_lines_of_one_form(
    settings: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    with worker(environment, tmp_path / "log") as running:
        assert running.listening() == {f"{LOOPBACK}:{settings.worker_port:04X}"}
        running.stop()
        assert lines(running)
    everywhere = environment | {"IOC_HOST": "0.0.0.0"}
    with worker(everywhere, tmp_path / "other.log") as running:
        assert running.listening() == {f"{'0' * 8}:{settings.worker_port:04X}"}


def test_while_kafka_is_away_a_worker_says_so_line_by_line(
    environment: dict[str, str], tmp_path: Path
) -> None:
    nobody = environment | {"IOC_KAFKA_SERVERS": f"127.0.0.1:{choose_port()}"}
    with Running("streams", "worker", environment=nobody, log=tmp_path / "log") as running:
        wait_for(lambda: running.text().count("is not available yet") > 1)
        running.stop()
        assert lines(running)


def test_while_clickhouse_is_away_worker_and_watch_say_so_line_by_line(
    settings: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    ensure(settings)
    nobody = environment | {"IOC_CLICKHOUSE_URL": f"clickhouse://127.0.0.1:{choose_port()}/ioc"}
    with (
        worker(nobody, tmp_path / "worker.log") as running,
        Running("streams", "watch", environment=nobody, log=tmp_path / "watch.log") as watching,
        Producer(settings) as producer,
    ):
        send(producer, 1, NOW)
        producer.flush()
        wait_for(
            lambda: (
                "not written, trying again" in running.text()
                and "failed, trying again" in watching.text()
            )
        )
        time.sleep(1)
        for one in (running, watching):
            one.stop()
            assert lines(one)
