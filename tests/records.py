"""Kafka records as tests make them, without a Kafka."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Record:
    """What the engine needs of a record.

    Offset, the broker's time in milliseconds since 1970, key, value, headers.
    """

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
