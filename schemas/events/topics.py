"""The Kafka topics of an installation, derived from the kinds: the same whoever makes them first.

A record's time is when the broker took it in (`LogAppendTime`): arrival is ours to say, whatever clock a sender has. A backfill
of history states past arrivals by the header `RECEIVED_AT`. Whoever may write to Kafka directly can state one, too, from 1990 up to
the broker's now: who may write there is a matter of Kafka's access control.
"""

from dataclasses import dataclass

from schemas.events.kinds import DEAD_LETTERS, HEARTBEATS, KINDS, REFUSALS, REPEATS
from schemas.settings import Settings

DAY_MS = 86_400_000
TIME_OF_RECORDS, APPENDED = "message.timestamp.type", "LogAppendTime"
RECEIVED_AT = "ioc-received-at"
"""The header of a record that arrived earlier than the broker took it in: milliseconds since 1970, as decimal digits."""


@dataclass(frozen=True)
class Topic:
    """A Kafka topic as it has to be."""

    name: str
    partitions: int
    replicas: int
    config: dict[str, str]


def topics(settings: Settings) -> tuple[Topic, ...]:
    """Every topic: one per kind, the dead letters, the repeats, the refusals, the heartbeats.

    A gateway beats in as many partitions as a kind has, so that every worker has to pass a beat on: the oldest one tells.
    """
    most = settings.partitions.largest
    parts = {kind.name: most for kind in KINDS} | {
        DEAD_LETTERS: 1,
        REPEATS: 1,
        REFUSALS: 1,
        HEARTBEATS: most,
    }
    return tuple(
        Topic(
            settings.topic_prefix + name,
            partitions,
            settings.topic_replicas,
            {
                # A heartbeat is of use for seconds, a repeat while its sender waits; from the others everything can be rebuilt.
                "retention.ms": str(
                    DAY_MS * (1 if name in (HEARTBEATS, REPEATS) else settings.topic_retention_days)
                ),
                TIME_OF_RECORDS: APPENDED,
                "max.message.bytes": str(settings.event_max_bytes + (1 << 20)),
                "min.insync.replicas": str(max(1, settings.topic_replicas - 1)),
            },
        )
        for name, partitions in parts.items()
    )
