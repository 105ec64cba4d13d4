"""Events as agencies send them to the gateway, and what of them lies in Kafka."""

from typing import Any

import msgspec
from kafka import KafkaConsumer, TopicPartition

from schemas.documents import example
from schemas.events.kinds import FEEDBACK
from schemas.settings import Settings

EVENT, BATCH, LINES = (
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
)
ORIGINAL = msgspec.json.decode(example(FEEDBACK))


def report(id: str, **data: Any) -> bytes:
    """Return a valid field report of its own."""
    return msgspec.json.encode(
        ORIGINAL | {"id": id, "data": ORIGINAL["data"] | {"report_id": id} | data}
    )


def batch(*events: bytes) -> bytes:
    return b"[" + b",".join(events) + b"]"


def records(settings: Settings, topic: str) -> dict[tuple[int, int], Any]:
    """Everything in a topic: (partition, offset) → record."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka_servers, enable_auto_commit=False)
    try:
        partitions = [
            TopicPartition(topic, number)
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found = {}
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for batch_of_one in consumer.poll(500).values():
                found.update({(record.partition, record.offset): record for record in batch_of_one})
        return found
    finally:
        consumer.close()
