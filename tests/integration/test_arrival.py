"""Arrival is the broker's to say, in topics of every age.

History states its own, and keeps it on every way.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_driver import Client
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from ingest.producer import Producer
from ingest.topics import ensure
from schemas.events.envelope import write
from schemas.events.kinds import FEEDBACK
from schemas.events.topics import APPENDED, TIME_OF_RECORDS
from schemas.settings import Settings
from streams.admin.period import ALL_TIME
from streams.replay.history import HistoryExtent, from_kafka
from streams.worker.topics import ensure_topics
from tests.integration.test_streams import counted, report
from tests.running import wait_for, worker

pytestmark = pytest.mark.stack
NOW = datetime.now(UTC).replace(microsecond=0)


def put(producer: KafkaProducer, settings: Settings, number: int, stamp: int) -> None:
    """Send a report of now that claims a time of its own as the record's."""
    value = write(FEEDBACK, report(number, NOW), id=str(number), source="/arrival", time=NOW)
    producer.send(
        FEEDBACK.topic(settings.topic_prefix), value, f"R{number}".encode(), timestamp_ms=stamp
    ).get(20)


def configuration(admin: KafkaAdminClient, topic: str) -> dict[str, str]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic, None)]
    return {
        name: entry["value"]
        for name, entry in admin.describe_configs(asked, config_filter="all")["topic"][
            topic
        ].items()
    }


def test_the_time_that_a_client_gives_its_record_moves_no_step_and_a_stated_arrival_stands(
    settings: Settings, environment: dict[str, str], database: Client
) -> None:
    before = datetime.now(UTC)
    old = NOW - timedelta(days=400)
    with worker(environment, settings.home / "worker.log"), Producer(settings) as producer:
        put(producer._kafka, settings, 1, 0)
        put(producer._kafka, settings, 2, 1_577_836_800_000)
        event = report(3, old)
        producer.send(
            FEEDBACK,
            event,
            id="3",
            source="/arrival",
            time=old,
            received_at=old + timedelta(minutes=5),
        ).get(20)
        wait_for(lambda: counted(database) == 3)
        rows = database.execute(
            "SELECT entity_id, received_at, least(occurred_at, received_at) FROM events_feedback "
            "ORDER BY 1"
        )
    for _, received, since in rows[:2]:
        assert before <= received <= datetime.now(UTC) and since == NOW
    assert rows[2][1:] == (old + timedelta(minutes=5), old)

    async def again() -> dict[str, int]:
        history = from_kafka(settings, ALL_TIME, HistoryExtent.of(database, ALL_TIME))
        return {
            one.key.decode(): one.received_ms
            for chunk in [chunk async for chunk in history]
            for one in chunk
        }

    assert asyncio.run(again()) == {
        entity: round(received.timestamp() * 1000) for entity, received, _ in rows
    }, "sent again, too"


@pytest.mark.parametrize("side", ["ingest", "streams"])
def test_a_topic_of_an_older_release_takes_the_brokers_time_from_now_on_and_keeps_what_it_is(
    settings: Settings, environment: dict[str, str], database: Client, side: str
) -> None:
    topic = FEEDBACK.topic(settings.topic_prefix)
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka_servers)
    longer = {TIME_OF_RECORDS: "CreateTime", "retention.ms": "123456789000"}
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, longer)])
    wait_for(lambda: configuration(admin, topic)[TIME_OF_RECORDS] == "CreateTime")
    with Producer(settings) as producer:
        past = time.time_ns() // 1_000_000 - 5_000_000
        put(producer._kafka, settings, 1, past)
        assert (
            ensure(settings) if side == "ingest" else asyncio.run(ensure_topics(settings))
        ) == []
        wait_for(lambda: configuration(admin, topic)[TIME_OF_RECORDS] == APPENDED)
        assert configuration(admin, topic)["retention.ms"] == "123456789000", (
            "what was set for it stays"
        )
        assert configuration(admin, topic)["max.message.bytes"] == str(
            settings.event_max_bytes + (1 << 20)
        )
        put(producer._kafka, settings, 2, past)
    admin.close()
    with worker(environment, settings.home / "worker.log"):
        wait_for(lambda: counted(database) == 2)
    received = dict(
        database.execute(
            "SELECT entity_id, toUnixTimestamp64Milli(received_at) FROM events_feedback"
        )
    )
    assert received["R1"] == past and received["R2"] > past + 4_000_000, (
        "what it held before stays as it was"
    )
