"""A heartbeat goes ahead of the events that wait, and vouches for nothing that stands still."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from clickhouse_driver import Client

from ingest.producer import Producer
from schemas.clickhouse.tables import events_table
from schemas.events.kinds import FILING, HEARTBEATS
from schemas.events.payloads import Heartbeat
from schemas.settings import Settings
from streams.worker.loop import MAX_RECORDS
from tests.bench.load import Load
from tests.running import wait_for, worker

pytestmark = pytest.mark.stack
START = datetime(2026, 11, 2, tzinfo=UTC)
EVENTS = events_table(FILING).name
PARTITIONS = range(4)


def beat(producer: Producer, prefix: str, name: str) -> None:
    """Send a heartbeat to every partition, as a gateway of that name does."""
    now = datetime.now(UTC)
    value = msgspec.json.encode(Heartbeat(gateway=name, sent_at=now))
    for number in PARTITIONS:
        producer.put(prefix + HEARTBEATS, name.encode(), value, number).get(10)


def fill(producer: Producer, prefix: str, count: int, name: str = "") -> None:
    """So many filings into Kafka."""
    for key, value, arrival in Load(
        count, START, timedelta(days=1), name, check_every=count
    ).records():
        producer.put(FILING.topic(prefix), key, value, received_ms=arrival)
    producer.flush()


def came(database: Client, name: str) -> int:
    """In how many partitions a gateway's heartbeat is written."""
    return int(
        database.execute(f"SELECT uniqExact(partition) FROM heartbeats WHERE gateway = '{name}'")[
            0
        ][0]
    )


def test_a_heartbeat_goes_ahead_of_the_batches_that_wait(
    settings: Settings, environment: dict[str, str], database: Client, tmp_path: Path
) -> None:
    def written() -> int:
        return int(database.execute(f"SELECT count() FROM {EVENTS}")[0][0])

    with Producer(settings) as producer:
        fill(producer, settings.topic_prefix, 4 * MAX_RECORDS)
        with worker(environment, tmp_path / "worker.log"):
            before = wait_for(written, what="the first batch")
            beat(producer, settings.topic_prefix, "in between")
            wait_for(lambda: came(database, "in between") == len(PARTITIONS), what="the heartbeat")
            after = written()
    # At the first batch the second is taken in and what makes the third waits; behind those it
    # would come.
    assert after - before < 2 * MAX_RECORDS and after < 4 * MAX_RECORDS * 0.9


def test_heartbeats_are_held_back_as_long_as_batches_cannot_be_written(
    settings: Settings, environment: dict[str, str], database: Client, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    with Producer(settings) as producer, worker(environment, log) as running:
        beat(producer, settings.topic_prefix, "idle")
        wait_for(
            lambda: came(database, "idle") == len(PARTITIONS),
            what="a heartbeat with no events at all",
        )
        database.execute(f"RENAME TABLE {EVENTS} TO away")
        fill(producer, settings.topic_prefix, 100)
        wait_for(
            lambda: "not written, trying again" in running.text(),
            what="a batch that cannot be written",
        )
        beat(producer, settings.topic_prefix, "in trouble")
        fill(producer, settings.topic_prefix, 100, "more")
        wait_for(
            lambda: running.text().count("not written, trying again") > 4, what="further tries"
        )
        assert came(database, "in trouble") == 0
        database.execute(f"RENAME TABLE away TO {EVENTS}")
        wait_for(
            lambda: came(database, "in trouble") == len(PARTITIONS),
            what="the heartbeat that was held back",
        )
        wait_for(
            lambda: database.execute(f"SELECT uniqExact(identity) FROM {EVENTS}")[0][0] > 150,
            what="the events",
        )
