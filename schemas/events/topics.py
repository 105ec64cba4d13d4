"""Derive the Kafka topics of an installation from the kinds.

They are the same whichever process creates them. A record's timestamp is the time at which the
broker appended it (`LogAppendTime`), so that the time of arrival does not depend on a sender's
clock. A backfill of history states past times of arrival in the header `RECEIVED_AT`. Anybody who
may write to Kafka directly can state one, too, from 1990 up to the broker's current time; Kafka's
access control decides who may.
"""

from dataclasses import dataclass

from schemas.events.kinds import DEAD_LETTERS, HEARTBEATS, KINDS, REFUSALS, REPEATS
from schemas.settings import Settings

DAY_MS = 86_400_000
TIME_OF_RECORDS, APPENDED = "message.timestamp.type", "LogAppendTime"
RECEIVED_AT = "ioc-received-at"
"""Header of a record that arrived earlier than the broker appended it.

Its value is milliseconds since 1970, as decimal digits.
"""


@dataclass(frozen=True)
class Topic:
    """A Kafka topic with its required configuration."""

    name: str
    partitions: int
    replicas: int
    config: dict[str, str]


def topics(settings: Settings) -> tuple[Topic, ...]:
    """Return every topic: one per kind, dead letters, repeats, refusals and heartbeats.

    Heartbeats have as many partitions as a kind, so that heartbeats pass through every worker; the
    oldest one counts.
    """
    largest = settings.partitions.largest
    partitions_by_topic = {kind.name: largest for kind in KINDS} | {
        DEAD_LETTERS: 1,
        REPEATS: 1,
        REFUSALS: 1,
        HEARTBEATS: largest,
    }
    return tuple(
        Topic(
            settings.topic_prefix + name,
            partitions,
            settings.topic_replicas,
            {
                # A heartbeat is useful for seconds, a repeat while its sender waits; everything can
                # be rebuilt from the other topics.
                "retention.ms": str(
                    DAY_MS * (1 if name in (HEARTBEATS, REPEATS) else settings.topic_retention_days)
                ),
                TIME_OF_RECORDS: APPENDED,
                "max.message.bytes": str(settings.event_max_bytes + (1 << 20)),
                "min.insync.replicas": str(max(1, settings.topic_replicas - 1)),
            },
        )
        for name, partitions in partitions_by_topic.items()
    )
