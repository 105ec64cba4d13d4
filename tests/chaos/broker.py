"""What Kafka itself says: how much it holds, and how far the group has committed."""

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient

from schemas.events.kinds import DEAD_LETTERS, HEARTBEATS, KINDS
from schemas.settings import Settings


class Broker:
    """Asks Kafka anew each time; raises kafka-python's errors while it is away."""

    def __init__(self, settings: Settings) -> None:
        self._servers, self._group, self._prefix = (
            settings.kafka_servers,
            settings.worker_group,
            settings.topic_prefix,
        )

    def committed(self) -> dict[str, int]:
        """Return topic/partition of events → offset that the group has committed."""
        admin = KafkaAdminClient(bootstrap_servers=self._servers)
        try:
            found = admin.list_group_offsets({self._group: None})[self._group]
        finally:
            admin.close()
        return {
            f"{tp.topic}/{tp.partition}": known.offset
            for tp, known in found.items()
            if not tp.topic.endswith(HEARTBEATS)
        }

    def records(self) -> int:
        """Return offsets in Kafka's topics of events.

        What was accepted, resends, what cannot be counted, what was aborted, markers.
        """
        consumer = KafkaConsumer(bootstrap_servers=self._servers)
        try:
            names = [kind.topic(self._prefix) for kind in KINDS]
            tps = [
                TopicPartition(name, number)
                for name in names
                for number in consumer.partitions_for_topic(name) or ()
            ]
            return sum(consumer.end_offsets(tps).values())
        finally:
            consumer.close()

    def copies(self) -> set[str]:
        """Return names of the letters of which the dead-letter topic holds a copy."""
        consumer = KafkaConsumer(bootstrap_servers=self._servers, auto_offset_reset="earliest")
        found: set[str] = set()
        try:
            tp = TopicPartition(self._prefix + DEAD_LETTERS, 0)
            consumer.assign([tp])
            end = consumer.end_offsets([tp])[tp]
            while consumer.position(tp) < end:
                for records in consumer.poll(1_000).values():
                    found |= {record.key.decode() for record in records}
            return found
        finally:
            consumer.close()
