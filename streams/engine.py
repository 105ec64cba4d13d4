"""The order of work for a batch of chunks: the one place where exactness is decided.

1. decode and validate each record: bad ones become dead letters; 2. judge: drop repeats, by the order of offsets within the
partition; 3. fold into windows; 4. write raw rows; 5. write the touched windows' absolute values and the checkpoint, in one
atomic part; only then may the chunks be acknowledged. After any error the memory of the partitions is dropped and the same
chunks are taken in again: what was written converges, because rows are keyed by offset and values carry theirs.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from schemas.envelope import EARLIEST, LATEST, Category, Reader, Refusal
from schemas.events import Heartbeat
from schemas.kinds import Kind
from streams.fold import Checkpoint, Partition
from streams.rows import ENTITY_ID, OFFSET, Columns, Row, append, columns_of, row_maker
from streams.store import Store

log = logging.getLogger(__name__)
LATEST_MS = 4_102_444_800_000
MOST_COPIED = 256 << 10
"""Bytes of a payload that the dead-letter topic's copy carries at most."""


class Record(Protocol):
    """What the engine needs of a Kafka record."""

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
    """What a batch of chunks comes to, ready to be written."""

    events: dict[Kind, Columns] = field(default_factory=dict)
    windows: dict[Kind, Columns] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    repeats: int = 0
    gaps: dict[tuple[Kind, int], int] = field(default_factory=dict)
    """Partitions whose chunk did not follow on, with the offset to go back to."""


class Engine:
    """Takes in chunks of the kinds' topics. Not thread-safe: one thread at a time."""

    def __init__(self, store: Store, topic_prefix: str, reader: Reader) -> None:
        self._store = store
        self._prefix = topic_prefix
        self._reader = reader
        self._partitions: dict[tuple[Kind, int], Partition] = {}
        self._gaps: dict[tuple[Kind, int], tuple[int, int]] = {}

    def forget(self) -> None:
        """Drop all memory: it is loaded again from the store."""
        self._partitions.clear()

    def take(self, chunks: Iterable[tuple[Kind, int, Sequence[Record]]]) -> Batch:
        """Steps 1 to 3 for chunks given in the order of their offsets. Reads the store, writes nothing."""
        batch = Batch()
        for kind, number, records in chunks:
            self._take(batch, kind, number, records)
        return batch

    def write(self, batch: Batch) -> None:
        """Steps 4 and 5. The order matters: no window may count an event, and no checkpoint pass a record, that is not kept."""
        if batch.dead:
            self._store.write_dead_letters([letter.row() for letter in batch.dead])
        for kind, columns in batch.events.items():
            self._store.write_events(kind, columns)
        for kind, columns in batch.windows.items():
            self._store.write_windows(kind, columns)
        for partition in self._partitions.values():
            partition.forget_old(1 / len(self._partitions))

    def _take(self, batch: Batch, kind: Kind, number: int, records: Sequence[Record]) -> None:
        partition = self._partitions.get((kind, number))
        if partition is None:
            partition = Partition(kind, number, self._store.checkpoint(kind, number))
        if self._is_gap(batch, partition, records):
            return
        while True:
            new = [record for record in records if record.offset > partition.position]
            if not new:
                self._partitions[kind, number] = partition
                return
            rows, dead = self._read(kind, number, new)
            newer = self._load(partition, rows)
            if newer is None:
                break
            # Another worker is ahead of us in this partition (it owned it a moment ago): go on from where it stands.
            partition = Partition(kind, number, newer)
        judged = partition.judge(rows)
        if judged.conflicts:
            by_offset = {record.offset: record for record in new}
            dead += [self._dead(kind, number, by_offset[row[OFFSET]], refusal) for row, refusal in judged.conflicts]
        batch.repeats += judged.repeats
        batch.dead += dead
        append(batch.events, kind, columns_of(judged.rows))
        append(batch.windows, kind, partition.fold(judged.rows, new[-1].offset))
        self._partitions[kind, number] = partition

    def _is_gap(self, batch: Batch, partition: Partition, records: Sequence[Record]) -> bool:
        """Whether records are missing before a chunk, so that it has to be fetched again from where we stand.

        A fetch that starts no later than the one that showed the gap proves that Kafka itself has nothing there (retention, or the
        marker of a transaction): then there is nothing to wait for.
        """
        key, expected, first = (partition.kind, partition.number), partition.position + 1, records[0].offset
        if first <= expected:
            self._gaps.pop(key, None)
            return False
        shown = self._gaps.get(key)
        if key not in batch.gaps and shown is not None and shown[0] == expected and first <= shown[1]:
            log.error("%s[%d]: Kafka no longer has offsets %d to %d", key[0].topic(self._prefix), key[1], expected, first - 1)
            del self._gaps[key]
            return False
        self._gaps[key] = (expected, first if shown is None or shown[0] != expected else min(first, shown[1]))
        batch.gaps[key] = expected
        return True

    def _read(self, kind: Kind, number: int, records: Sequence[Record]) -> tuple[list[Row], list[DeadLetter]]:
        rows: list[Row] = []
        dead: list[DeadLetter] = []
        read, make = self._reader.read, row_maker(kind)
        for record in records:
            try:
                event = read(record.value or b"")
                if event.kind is not kind:
                    raise Refusal(
                        Category.UNKNOWN_KIND, f"A {event.kind.type} event does not belong in {kind.topic(self._prefix)}."
                    )
                row = make(event, received_ms(record), number, record.offset)
                if record.key != row[ENTITY_ID].encode():
                    raise Refusal(Category.WRONG_KEY, f"The record's key must be {row[ENTITY_ID]!r}.")
                rows.append(row)
            except Refusal as refusal:
                dead.append(self._dead(kind, number, record, refusal))
        return rows, dead

    def _load(self, partition: Partition, rows: list[Row]) -> Checkpoint | None:
        """Load the stored minutes that rows need. A checkpoint, when the store is ahead of the partition's position."""
        missing = partition.missing(rows)
        if not missing:
            return None
        checkpoint, values = self._store.windows(partition.kind, partition.number, missing)
        if checkpoint > partition.position:
            return self._store.checkpoint(partition.kind, partition.number)
        partition.load(missing, self._store.identities(partition.kind, partition.number, missing, partition.position), values)
        return None

    def _dead(self, kind: Kind, number: int, record: Record, refusal: Refusal) -> DeadLetter:
        return DeadLetter(
            kind.topic(self._prefix),
            number,
            record.offset,
            received_ms(record),
            refusal.category.value,
            refusal.reason,
            record.key or b"",
            record.value or b"",
        )


def received_ms(record: Record) -> int:
    """When a record arrived, in milliseconds since 1970, kept within what ClickHouse can hold."""
    return min(max(record.timestamp, 0), LATEST_MS)


def heartbeat_rows(chunks: Iterable[tuple[int, Sequence[Record]]]) -> list[tuple[Any, ...]]:
    """The heartbeats in chunks of partitions as rows, what is none left out.

    `written_at` is now: the one clock that is read here, as it tells of the writing.
    """
    now = round(datetime.now(UTC).timestamp() * 1000)
    rows = []
    for number, record in ((number, record) for number, records in chunks for record in records):
        try:
            beat = msgspec.json.decode(record.value or b"", type=Heartbeat)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        if EARLIEST <= beat.sent_at < LATEST:
            rows.append((beat.gateway, number, round(beat.sent_at.timestamp() * 1000), now))
    return rows
