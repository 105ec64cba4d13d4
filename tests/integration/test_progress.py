"""A worker that lives and beats while one of its partitions stands still.

In its log, its metrics, /readyz and the database.
"""

import re
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka.partitioner.default import murmur2

from dashboard.query.connection import Connection
from dashboard.query.progress import Lag, Pace, judge
from dashboard.query.store import ScreenStore
from ingest.producer import Producer
from ingest.topics import ensure
from schemas.events.codes import FeedbackStatus
from schemas.events.kinds import FEEDBACK
from schemas.events.payloads import Feedback
from schemas.settings import Settings
from streams.admin.migrate import migrate
from tests.running import Running, wait_for, worker

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


def gauges(web: str, name: str, topic: str) -> dict[int, float]:
    """Return what a worker tells of the partitions of a topic."""
    lines = re.findall(
        rf'^ioc_worker_{name}{{partition="(\d+)",topic="{topic}"}} (\S+)$',
        get(f"{web}/metrics")[1],
        re.MULTILINE,
    )
    return {int(partition): float(value) for partition, value in lines}


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
    store = ScreenStore(Connection(settings.clickhouse_url))

    def lags() -> tuple[Lag, ...]:
        return judge(store.progress(), settings.partitions.largest, 4)

    command = ("tests.stalling", str(block), topic, str(STILL))
    with (
        Running(*command, environment=environment, log=log, ready=f"{web}/healthz") as running,
        Producer(settings) as producer,
    ):
        waiting = sum(send(producer, number) for number in range(200))
        producer.flush()
        (lag,) = wait_for(lags, what="the stall on the screens")
        assert (lag.kind, lag.partition, lag.pace, lag.records) == (
            "feedback",
            STILL,
            Pace.STALLED,
            waiting,
        )
        wait_for(
            lambda: f"feedback[{STILL}] is stalled: lag {waiting} records" in running.text(),
            what="the log",
        )
        assert gauges(web, "stalled", topic) == {
            number: float(number == STILL) for number in range(4)
        }
        assert gauges(web, "lag_records", topic) == {
            number: float(waiting * (number == STILL)) for number in range(4)
        }
        status, said = get(f"{web}/readyz")
        assert status == 503 and f"feedback[{STILL}]" in said
        assert get(f"{web}/healthz")[0] == 200

        block.unlink()  # What comes next is seen to have a gap before it: the worker goes back.
        number = next(number for number in range(200, 300) if send(producer, number))
        producer.flush()
        wait_for(
            lambda: f"feedback[{STILL}] is no longer stalled" in running.text(),
            what="the end of the stall in the log",
        )
        wait_for(
            lambda: lags() == () and gauges(web, "lag_records", topic)[STILL] == 0, what="no lag"
        )
        assert get(f"{web}/readyz")[0] == 200
        text = running.text()
        assert text.count("is stalled") == text.count("is no longer stalled") == 1
        assert store.connection.rows("SELECT count() AS n FROM feedback") == [{"n": number + 1}]
    store.connection.close()


def test_of_a_partition_that_went_to_another_worker_nothing_old_is_told(
    settings: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    migrate(settings)
    topic = FEEDBACK.topic(settings.topic_prefix)
    second = environment | {
        "IOC_WORKER_PORT": environment["IOC_DASHBOARD_PORT"],
        "IOC_HOME": str(tmp_path / "second"),
    }
    one, two = (f"http://127.0.0.1:{each['IOC_WORKER_PORT']}" for each in (environment, second))
    store = ScreenStore(Connection(settings.clickhouse_url))
    with worker(environment, tmp_path / "one.log") as first, Producer(settings) as producer:
        for number in range(200):
            send(producer, number)
        producer.flush()
        wait_for(
            lambda: gauges(one, "lag_records", topic) == dict.fromkeys(range(4), 0.0),
            what="all partitions, idle",
        )
        names = ("lag_records", "stalled", "received_seconds", "last_chunk_seconds")
        with worker(second, tmp_path / "two.log"):
            wait_for(
                lambda: (
                    gauges(two, "lag_records", topic) and len(gauges(one, "lag_records", topic)) < 4
                ),
                what="partitions to move",
            )
            wait_for(
                lambda: (
                    gauges(one, "lag_records", topic).keys()
                    ^ gauges(two, "lag_records", topic).keys()
                    == set(range(4))
                )
            )
            mine = gauges(one, "lag_records", topic).keys()
            assert all(gauges(one, name, topic).keys() <= mine for name in names)
            wait_for(
                lambda: (
                    {row["kind"] for row in store.progress() if row["unheard"] < 5}
                    and not judge(store.progress(), 4, 10.0)
                )
            )
            assert len(store.progress()) == 20
            first.kill()
            wait_for(
                lambda: len(gauges(two, "lag_records", topic)) == 4,
                what="the partitions of the dead worker",
            )
            wait_for(lambda: not judge(store.progress(), 4, 10.0), what="nothing unowned")
    store.connection.close()
