"""The result of a batch of chunks, and the order in which it is written."""

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
"""Maximum number of digits of a stated time of arrival."""


class ConsumedRecord(Protocol):
    """The members of a Kafka record that a worker uses."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Chunk(list[Any]):
    """Consecutive records of a partition; complete from offset `start` on.

    From `start` to the first record there is nothing that can be read. `begins` is the start of
    Kafka's log of the partition, if older records were requested, else 0.
    """

    def __init__(self, start: int, records: Iterable[ConsumedRecord], begins: int = 0) -> None:
        """Hold `records`, which are complete from offset `start` on."""
        super().__init__(records)
        self.start = start
        self.begins = begins


@dataclass
class Batch:
    """The result of a batch of chunks: absolute values, which may be written again and late."""

    events: dict[Kind, Columns] = field(default_factory=dict)
    windows: dict[Kind, Columns] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    repeats: int = 0
    repeated: dict[tuple[Kind, int], list[int]] = field(default_factory=dict)
    """Offsets of the repeats, by partition."""
    unencrypted: dict[Kind, int] = field(default_factory=dict)
    """Records in which a reporter's identity arrived unencrypted, by the kind of their topic."""
    upto: dict[tuple[Kind, int], int] = field(default_factory=dict)
    """Offset of the last record that was processed, by partition."""
    gaps: dict[tuple[Kind, int], int] = field(default_factory=dict)
    """Partitions whose chunk did not follow the last one, with the offset to seek back to."""


def repeats_by_partition(batch: Batch, topic_prefix: str) -> list[Repeats]:
    """Return the notices about a batch's repeats: the ranges of their offsets, by partition."""
    return [
        Repeats(topic=kind.topic(topic_prefix), partition=number, runs=_runs(found))
        for (kind, number), found in batch.repeated.items()
    ]


def _runs(offsets: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending offsets as ranges (first, last) of consecutive ones."""
    runs: list[tuple[int, int]] = []
    for offset in offsets:
        if runs and offset == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], offset)
        else:
            runs.append((offset, offset))
    return runs


def write(store: WorkerStore, batch: Batch) -> None:
    """Write a batch: steps 4 and 5 of `streams.worker.engine`.

    The order matters: no window may count an event, and no checkpoint pass a record, that is not
    stored.

    Raises:
        clickhouse_driver.errors.Error: If ClickHouse cannot be used; writing again is safe.
    """
    if batch.dead:
        store.write_dead_letters(batch.dead)
    for kind, columns in batch.events.items():
        store.write_events(kind, columns)
    for kind, columns in batch.windows.items():
        store.write_windows(kind, columns)


def received_ms(record: ConsumedRecord) -> int:
    """Return when a record arrived, in milliseconds since 1970.

    This is the broker's time, or an earlier one that the sender states in a header; in a log of an
    older release, the time that the producer set. It is limited to what ClickHouse can store.
    """
    return _arrival(record.timestamp, record.headers)


def arrivals(records: Sequence[ConsumedRecord]) -> list[int]:
    """Return `received_ms` of each record; fast if no sender states a time of arrival."""
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
    """Yield (partition, decoded record) of the records in chunks; skip what cannot be decoded."""
    decoder = msgspec.json.Decoder(of)
    for number, record in ((number, record) for number, records in chunks for record in records):
        try:
            yield number, decoder.decode(record.value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue


def heartbeat_rows(chunks: Iterable[tuple[int, Sequence[ConsumedRecord]]]) -> list[HeartbeatRow]:
    """Return the heartbeats in chunks as rows; skip all other records.

    `written_at` is the current time, the only one read here: it is about the write itself.
    """
    now = datetime.now(UTC)
    return [
        HeartbeatRow(gateway=beat.gateway, partition=number, sent_at=beat.sent_at, written_at=now)
        for number, beat in _decoded(chunks, Heartbeat)
        if EARLIEST <= beat.sent_at < LATEST
    ]


def refusal_rows(chunks: Iterable[tuple[int, Sequence[ConsumedRecord]]]) -> list[RefusalRow]:
    """Return the gateways' refusals in chunks as rows; skip all other records."""
    now = datetime.now(UTC)
    return [
        RefusalRow(**msgspec.structs.asdict(one), written_at=now)
        for _, one in _decoded(chunks, Refused)
        if EARLIEST <= one.since <= one.until < LATEST
    ]
