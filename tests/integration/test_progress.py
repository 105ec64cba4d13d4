"""A worker that lives and beats while one of its partitions stands still: in its log, its metrics, /readyz and the database."""

import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka.partitioner.default import murmur2

from dashboard.connection import Connection
from dashboard.progress import Lag, Pace, judge
from dashboard.store import Store
from ingest.producer import Producer
from ingest.topics import ensure
from schemas.codes import FeedbackStatus
from schemas.events import Feedback
from schemas.kinds import FEEDBACK
from schemas.settings import Settings
from streams.migrate import migrate
from tests.running import Running, wait_for

pytestmark = pytest.mark.stack
NOW = datetime.now(UTC)
STILL = 2


def send(producer: Producer, number: int) -> bool:
    """Send a report; whether it lies in the partition that stands still."""
    report = Feedback(
        agency="H57.IOC",
        commune="19660",
        report_id=f"R{number}",
        category="traffic",
        status=FeedbackStatus.RECEIVED,
        reported_at=NOW,
    )
    producer.send(FEEDBACK, report, id=str(number), source="/progress", time=NOW)
    return Settings().partitions.of(murmur2(f"R{number}".encode()), b"") == STILL


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_partition_that_stands_still_while_others_flow_is_said_everywhere_and_so_is_its_end(
    settings: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    environment |= {"IOC_STALE_AFTER_SECONDS": "4"}
    migrate(settings)
    ensure(settings)
    block, log = tmp_path / "block", tmp_path / "worker.log"
    block.touch()
    topic = FEEDBACK.topic(settings.topic_prefix)
    web = f"http://127.0.0.1:{settings.worker_port}"
    store = Store(Connection(settings.clickhouse_url))

    def lags() -> tuple[Lag, ...]:
        return judge(store.progress(), settings.partitions.largest, 4)

    def gauge(name: str, partition: int) -> float | None:
        lines = get(f"{web}/metrics")[1].splitlines()
        label = f'ioc_worker_{name}{{partition="{partition}",topic="{topic}"}} '
        return next((float(line.removeprefix(label)) for line in lines if line.startswith(label)), None)

    command = ("tests.stalling", str(block), topic, str(STILL))
    with (
        Running(*command, environment=environment, log=log, ready=f"{web}/healthz") as running,
        Producer(settings) as producer,
    ):
        waiting = sum(send(producer, number) for number in range(200))
        producer.flush()
        (lag,) = wait_for(lags, what="the stall on the screens")
        assert (lag.kind, lag.partition, lag.pace, lag.records) == ("feedback", STILL, Pace.STALLED, waiting)
        wait_for(lambda: f"feedback[{STILL}] stands still: {waiting} records wait" in running.text(), what="the log")
        assert (gauge("stalled", STILL), gauge("lag_records", STILL)) == (1, waiting)
        assert [gauge("stalled", other) for other in (0, 1, 3)] == [gauge("lag_records", other) for other in (0, 1, 3)] == [0, 0, 0]
        status, said = get(f"{web}/readyz")
        assert status == 503 and f"feedback[{STILL}]" in said
        assert get(f"{web}/healthz")[0] == 200

        block.unlink()  # What comes next is seen to have a gap before it: the worker goes back.
        number = next(number for number in range(200, 300) if send(producer, number))
        producer.flush()
        wait_for(lambda: f"feedback[{STILL}] moves again" in running.text(), what="the end of the stall in the log")
        wait_for(lambda: lags() == () and gauge("lag_records", STILL) == 0, what="no lag")
        assert get(f"{web}/readyz")[0] == 200
        assert running.text().count("stands still") == running.text().count("moves again") == 1
        assert store.connection.rows("SELECT count() AS n FROM feedback") == [{"n": number + 1}]
    store.connection.close()
