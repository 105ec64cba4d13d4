"""What a batch of chunks comes to, and the order in which it is written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import msgspec

from schemas.events.envelope import EARLIEST, LATEST
from schemas.events.kinds import Kind
from schemas.events.payloads import Heartbeat, Refused, Repeats
from schemas.events.topics import RECEIVED_AT
from schemas.moments import milliseconds
from streams.worker.rows import Columns
from streams.worker.store import WorkerStore
from streams.worker.table_rows import DeadLetter, HeartbeatRow, RefusalRow

T = TypeVar("T")
Headers = Sequence[tuple[str, bytes | None]]
EARLIEST_MS, LATEST_MS = milliseconds(EARLIEST), milliseconds(LATEST)
STATED_DIGITS = len(str(LATEST_MS))


class ConsumedRecord(Protocol):
    """What is needed of a Kafka record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Chunk(list[Any]):
    """Records of a partition that follow one another; from offset `start` on there is none before them that can be read.

    `begins` is where Kafka's log of the partition was found to begin, if older records were asked for.
    """

    def __init__(self, start: int, records: Iterable[ConsumedRecord], begins: int = 0) -> None:
        super().__init__(records)
        self.start = start
        self.begins = begins


@dataclass
class Batch:
    """What a batch of chunks comes to. It holds absolute values only: it may be written any number of times, and late."""

    events: dict[Kind, Columns] = field(default_factory=dict)
    windows: dict[Kind, Columns] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    repeats: int = 0
    repeated: dict[tuple[Kind, int], list[int]] = field(default_factory=dict)
    """Offsets of the repeats, by partition."""
    opened: dict[Kind, int] = field(default_factory=dict)
    """Records in which somebody's identity came in the open, by the kind of their topic."""
    upto: dict[tuple[Kind, int], int] = field(default_factory=dict)
    """Offset of the last record that was taken in, by partition."""
    gaps: dict[tuple[Kind, int], int] = field(default_factory=dict)
    """Partitions whose chunk did not follow on, with the offset to go back to."""


def repeats_by_partition(batch: Batch, topic_prefix: str) -> list[Repeats]:
    """What is told of a batch's repeats: for each partition the runs of their offsets."""
    return [
        Repeats(topic=kind.topic(topic_prefix), partition=number, runs=_runs(found))
        for (kind, number), found in batch.repeated.items()
    ]


def _runs(offsets: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending offsets as runs of those that follow on each other, first and last."""
    runs: list[tuple[int, int]] = []
    for offset in offsets:
        if runs and offset == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], offset)
        else:
            runs.append((offset, offset))
    return runs


def write(store: WorkerStore, batch: Batch) -> None:
    """Steps 4 and 5. The order matters: no window may count an event, and no checkpoint pass a record, that is not kept."""
    if batch.dead:
        store.write_dead_letters(batch.dead)
    for kind, columns in batch.events.items():
        store.write_events(kind, columns)
    for kind, columns in batch.windows.items():
        store.write_windows(kind, columns)


def received_ms(record: ConsumedRecord) -> int:
    """When a record arrived, in milliseconds since 1970: the broker's time, or an earlier one that its sender states.

    In a log of an older release it is the time that the record came with. Kept within what ClickHouse can hold.
    """
    return _arrival(record.timestamp, record.headers)


def arrivals(records: Sequence[ConsumedRecord]) -> list[int]:
    """`received_ms` of each; quick where nobody states an arrival."""
    found, headers = (
        [record.timestamp for record in records],
        [record.headers for record in records],
    )
    if any(headers) or (found and (min(found) < 0 or max(found) > LATEST_MS)):
        return list(map(_arrival, found, headers))
    return found


def _arrival(came: int, headers: Headers) -> int:
    if not 0 <= came <= LATEST_MS:
        came = 0 if came < 0 else LATEST_MS
    for name, value in headers:
        if (
            name == RECEIVED_AT
            and value is not None
            and value.isdigit()
            and len(value) <= STATED_DIGITS
        ):
            stated = int(value)
            return stated if EARLIEST_MS <= stated <= came else came
    return came


def _decoded(
    chunks: Iterable[tuple[int, Sequence[ConsumedRecord]]], of: type[T]
) -> Iterable[tuple[int, T]]:
    """(partition, what a record says) of the records in chunks of partitions, what is none left out."""
    decoder = msgspec.json.Decoder(of)
    for number, record in ((number, record) for number, records in chunks for record in records):
        try:
            yield number, decoder.decode(record.value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue


def heartbeat_rows(chunks: Iterable[tuple[int, Sequence[ConsumedRecord]]]) -> list[HeartbeatRow]:
    """The heartbeats in chunks of partitions as rows, what is none left out.

    `written_at` is now: the one clock that is read here, as it tells of the writing.
    """
    now = datetime.now(UTC)
    return [
        HeartbeatRow(gateway=beat.gateway, partition=number, sent_at=beat.sent_at, written_at=now)
        for number, beat in _decoded(chunks, Heartbeat)
        if EARLIEST <= beat.sent_at < LATEST
    ]


def refusal_rows(chunks: Iterable[tuple[int, Sequence[ConsumedRecord]]]) -> list[RefusalRow]:
    """What gateways refused, in chunks of partitions, as rows; what is no such record left out."""
    now = datetime.now(UTC)
    return [
        RefusalRow(**msgspec.structs.asdict(one), written_at=now)
        for _, one in _decoded(chunks, Refused)
        if EARLIEST <= one.since <= one.until < LATEST
    ]
