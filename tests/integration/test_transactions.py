"""Senders that write in Kafka's transactions.

What they commit counts, what they take back does not, and nothing seems to wait.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clickhouse_driver import Client
from kafka import KafkaProducer

from ingest.producer import Producer
from schemas.events.envelope import write
from schemas.events.kinds import FEEDBACK
from schemas.settings import Settings
from streams.admin.period import ALL_TIME
from streams.admin.verify import verify
from streams.replay.history import HistoryExtent, from_kafka
from tests.integration.test_progress import gauges, get
from tests.integration.test_streams import counted, report
from tests.running import Running, wait_for, worker

pytestmark = pytest.mark.stack
NOW = datetime.now(UTC).replace(microsecond=0)
PLACE = 1
"""The partition that all of it goes to."""
PATIENCE = "4"


@pytest.fixture
def patient(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"IOC_STALE_AFTER_SECONDS": PATIENCE}


@contextmanager
def transactional(settings: Settings) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(
        bootstrap_servers=settings.kafka_servers,
        transactional_id=settings.topic_prefix + "sender",
        acks="all",
    )
    producer.init_transactions()
    yield producer
    producer.close()


def put(producer: KafkaProducer, settings: Settings, numbers: range) -> None:
    topic = FEEDBACK.topic(settings.topic_prefix)
    for number in numbers:
        value = write(
            FEEDBACK, report(number, NOW), id=str(number), source="/transactions", time=NOW
        )
        producer.send(topic, value, f"R{number}".encode(), partition=PLACE).get(20)


def lag(settings: Settings) -> float:
    return gauges(
        f"http://127.0.0.1:{settings.worker_port}",
        "lag_records",
        FEEDBACK.topic(settings.topic_prefix),
    )[PLACE]


def ready(settings: Settings) -> tuple[int, str]:
    return get(f"http://127.0.0.1:{settings.worker_port}/readyz")


def nothing_went_wrong(running: Running) -> bool:
    # The first group of a new broker waits for its coordinator, which the client tells as an error.
    said = "\n".join(
        line for line in running.text().splitlines() if "group_coordinator" not in line
    )
    wrong = re.findall(r"^.*(?:ERROR|stands still|no longer has|is missing).*$", said, re.MULTILINE)
    assert not wrong, wrong
    return True


def test_a_marker_and_what_was_aborted_are_no_records_that_wait_and_no_loss(
    settings: Settings, patient: dict[str, str], database: Client, tmp_path: Path
) -> None:
    with worker(patient, tmp_path / "one.log") as running, transactional(settings) as producer:
        producer.begin_transaction()
        put(producer, settings, range(3))
        producer.commit_transaction()
        wait_for(
            lambda: counted(database) == 3 and lag(settings) == 0,
            what="the committed records, and no lag behind them",
        )
        for _ in range(3):  # many offsets without a record, fetched alone
            producer.begin_transaction()
            put(producer, settings, range(100, 110))
            producer.abort_transaction()
        wait_for(lambda: lag(settings) == 0, what="no lag behind aborted records")
        producer.begin_transaction()
        put(producer, settings, range(3, 5))
        producer.commit_transaction()
        wait_for(lambda: counted(database) == 5 and lag(settings) == 0)
        assert ready(settings) == (200, '{"status":"ok"}') and nothing_went_wrong(running)
    with worker(patient, tmp_path / "two.log") as running:  # It begins before the last marker.
        wait_for(lambda: lag(settings) == 0, what="no lag after a restart")
        with Producer(settings) as plain:
            put(plain._kafka, settings, range(5, 6))
        wait_for(lambda: counted(database) == 6)
        assert nothing_went_wrong(running)
    assert not any(one.differences or one.pending for one in verify(settings))

    async def again() -> list[bytes]:
        history = from_kafka(settings, ALL_TIME, HistoryExtent.of(database, ALL_TIME))
        return [one.key async for chunk in history for one in chunk]

    assert asyncio.run(again()) == [f"R{number}".encode() for number in range(6)], (
        "history is read as it was counted"
    )


def test_a_transaction_that_hangs_open_is_said_to_hold_others_up_and_is_no_loss(
    settings: Settings, patient: dict[str, str], database: Client, tmp_path: Path
) -> None:
    with (
        worker(patient, tmp_path / "worker.log") as running,
        Producer(settings) as plain,
        transactional(settings) as producer,
    ):
        put(plain._kafka, settings, range(1))
        wait_for(lambda: counted(database) == 1)
        producer.begin_transaction()
        put(producer, settings, range(1, 3))
        put(plain._kafka, settings, range(3, 4))
        wait_for(lambda: ready(settings)[0] == 503, what="what waits to be said")
        assert (
            f"3 records of feedback[{PLACE}] wait until a sender ends its transaction"
            in ready(settings)[1]
        )
        assert counted(database) == 1
        producer.abort_transaction()
        wait_for(
            lambda: counted(database) == 2 and lag(settings) == 0 and ready(settings)[0] == 200
        )
        assert "a sender holds a transaction open" in running.text()
        assert "is missing" not in running.text() and "no longer has" not in running.text()
    assert database.execute("SELECT entity_id FROM feedback ORDER BY 1") == [("R0",), ("R3",)]
