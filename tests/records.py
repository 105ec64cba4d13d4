"""Kafka records as tests make them, without a Kafka."""

from dataclasses import dataclass


@dataclass
class Record:
    """What the engine needs of a record: offset, arrival in milliseconds since 1970, key, value."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
