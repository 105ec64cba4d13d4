"""What a batch of chunks comes to, and the order in which it is written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from schemas.envelope import EARLIEST, LATEST
from schemas.events import Heartbeat
from schemas.kinds import Kind
from schemas.moments import milliseconds
from streams.rows import Columns
from streams.store import Store

LATEST_MS = 4_102_444_800_000
MOST_COPIED = 256 << 10
"""Bytes of a payload that the dead-letter topic's copy carries at most."""


class Record(Protocol):
    """What is needed of a Kafka record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class DeadLetter(msgspec.Struct, frozen=True):
    """A record that could not be counted: kept whole in ClickHouse, with a copy in the dead-letter topic for other readers."""

    topic: str
    partition: int
    offset: int
    received_ms: int
    category: str
    reason: str
    key: bytes
    payload: bytes

    def row(self) -> tuple[Any, ...]:
        """As a row of the dead-letter table: open, until somebody says otherwise later than it arrived."""
        said = (self.topic, self.partition, self.offset, self.received_ms, self.category, self.reason, self.key, self.payload)
        return (*said, "open", self.received_ms)

    def copy(self) -> bytes:
        """As it is sent to the dead-letter topic, JSON with key and payload in base64; a payload too large for a record is cut."""
        return msgspec.json.encode(msgspec.structs.replace(self, key=self.key[:MOST_COPIED], payload=self.payload[:MOST_COPIED]))


@dataclass
class Batch:
    """What a batch of chunks comes to. It holds absolute values only: it may be written any number of times, and late."""

    events: dict[Kind, Columns] = field(default_factory=dict)
    windows: dict[Kind, Columns] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    repeats: int = 0
    upto: dict[tuple[Kind, int], int] = field(default_factory=dict)
    """Offset of the last record that was taken in, by partition."""
    gaps: dict[tuple[Kind, int], int] = field(default_factory=dict)
    """Partitions whose chunk did not follow on, with the offset to go back to."""


def write(store: Store, batch: Batch) -> None:
    """Steps 4 and 5. The order matters: no window may count an event, and no checkpoint pass a record, that is not kept."""
    if batch.dead:
        store.write_dead_letters([letter.row() for letter in batch.dead])
    for kind, columns in batch.events.items():
        store.write_events(kind, columns)
    for kind, columns in batch.windows.items():
        store.write_windows(kind, columns)


def received_ms(record: Record) -> int:
    """When a record arrived, in milliseconds since 1970, kept within what ClickHouse can hold."""
    return min(max(record.timestamp, 0), LATEST_MS)


def arrivals(records: Sequence[Record]) -> list[int]:
    """`received_ms` of each."""
    found = [record.timestamp for record in records]
    if found and (min(found) < 0 or max(found) > LATEST_MS):
        return list(map(received_ms, records))
    return found


def heartbeat_rows(chunks: Iterable[tuple[int, Sequence[Record]]]) -> list[tuple[Any, ...]]:
    """The heartbeats in chunks of partitions as rows, what is none left out.

    `written_at` is now: the one clock that is read here, as it tells of the writing.
    """
    now = milliseconds(datetime.now(UTC))
    rows = []
    for number, record in ((number, record) for number, records in chunks for record in records):
        try:
            beat = msgspec.json.decode(record.value or b"", type=Heartbeat)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if EARLIEST <= beat.sent_at < LATEST:
            rows.append((beat.gateway, number, milliseconds(beat.sent_at), now))
    return rows
