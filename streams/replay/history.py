"""Read the history to replay in order of arrival: records from Kafka, or events from ClickHouse.

Kafka has the original records; ClickHouse has the events that were counted. Each source is an async
iterator of lists of `ReplayedRecord`. Records belong to a period by the time when they happened.
"""

import heapq
import itertools
from asyncio import to_thread
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from clickhouse_driver import Client

from schemas.clickhouse.columns import MOMENT
from schemas.clickhouse.tables import events_table, fields
from schemas.events.kinds import KINDS, Kind
from schemas.moments import from_milliseconds
from schemas.settings import Settings
from streams.admin.period import MinutePeriod
from streams.worker.batch import received_ms

CHUNK_RECORDS = 5_000
"""Number of records in a list."""
READ_SETTINGS = {
    "max_block_size": 20_000,
    "max_bytes_before_external_sort": 1 << 30,
    "date_time_output_format": "iso",
}
WAIT_MS = 500
MILLISECOND = timedelta(milliseconds=1)


class ReplayedRecord(NamedTuple):
    """A record to send again, with its original time of arrival, key and partition."""

    received_ms: int
    kind: Kind
    partition: int
    key: bytes
    value: bytes


class NotInKafkaError(ValueError):
    """Raised if Kafka no longer holds all of the period."""


@dataclass(frozen=True)
class HistoryExtent:
    """The extent of a period: the number of counted events, and their offsets by partition."""

    events: int
    offsets: Mapping[tuple[Kind, int], tuple[int, int]]
    """(kind, partition) → first and last offset of counted events."""

    @classmethod
    def of(cls, client: Client, period: MinutePeriod) -> "HistoryExtent":
        """Read the extent of a period from ClickHouse."""
        events, found = 0, dict[tuple[Kind, int], tuple[int, int]]()
        for kind in KINDS:
            rows = client.execute(
                "SELECT partition, min(offset), max(offset), uniqExact(offset) "
                f"FROM {events_table(kind).name} WHERE {period.events} GROUP BY partition"
            )
            found |= {(kind, partition): (first, last) for partition, first, last, _ in rows}
            events += sum(count for *_, count in rows)
        return cls(events, found)


async def from_clickhouse(
    settings: Settings,
    period: MinutePeriod,
    shift: timedelta = timedelta(0),
    *,
    on_time: bool = False,
) -> AsyncIterator[list[ReplayedRecord]]:
    """Yield the counted events of a period as records.

    Args:
        settings: The installation's settings.
        period: The period.
        shift: Added to all times.
        on_time: Order the events as if each had arrived when it happened.

    Raises:
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    clients = [Client.from_url(settings.clickhouse_url) for _ in KINDS]
    try:
        kinds = [
            _rows(client, kind, period, shift, on_time)
            for client, kind in zip(clients, KINDS, strict=True)
        ]
        merged = heapq.merge(*kinds, key=lambda one: one.received_ms)
        while chunk := await to_thread(lambda: list(itertools.islice(merged, CHUNK_RECORDS))):
            yield chunk
    finally:
        for client in clients:
            client.disconnect()


def _rows(
    client: Client, kind: Kind, period: MinutePeriod, shift: timedelta, on_time: bool
) -> Iterator[ReplayedRecord]:
    # Split the event's name at the first "#": source and id may be split elsewhere than originally,
    # but together they give the same name.
    own = ", ".join(f"e.{column.name}" for column in fields(kind))
    data = f"formatRowNoNewline('JSONEachRow', e.agency, e.commune, {own})"
    members = {
        "specversion": "'\"1.0\"'",
        "source": "toJSONString(substring(e.event_id, 1, position(e.event_id, '#') - 1))",
        "id": "toJSONString(substring(e.event_id, position(e.event_id, '#') + 1))",
        "type": f"'\"{kind.type}\"'",
        "time": "formatRowNoNewline('JSONEachRow', e.occurred_at)",
        "data": data,
    }
    # `{"occurred_at":"…"}` without its beginning: the value, and the brace that also closes the
    # record.
    time = f"substring({members.pop('time')}, 16)"
    inner = ", ',', ".join(f"'\"{name}\":', {value}" for name, value in members.items())
    arrival = "least(e.occurred_at, e.received_at)" if on_time else "e.received_at"
    query = (
        f"SELECT toUnixTimestamp64Milli({arrival}), e.partition, e.entity_id, "
        f"concat('{{', {inner}, ',\"time\":', {time}) "
        f"FROM ({_shifted(kind, period, shift)}) AS e ORDER BY {arrival}, e.partition, e.offset"
    )
    for received, partition, entity, record in client.execute_iter(query, settings=READ_SETTINGS):
        yield ReplayedRecord(
            received,
            kind,
            partition,
            entity.encode(),
            record.encode() if isinstance(record, str) else record,
        )


def _shifted(kind: Kind, period: MinutePeriod, shift: timedelta) -> str:
    table = events_table(kind)
    kept = f"SELECT * FROM {table.name} FINAL WHERE {period.events}"
    if not shift:
        return kept
    later = [
        f"{column.name} + toIntervalMillisecond({shift // MILLISECOND}) AS {column.name}"
        for column in table.columns
        if MOMENT in column.type
    ]
    return f"SELECT * REPLACE ({', '.join(later)}) FROM ({kept})"


class _TimedRow(msgspec.Struct):
    time: datetime


async def from_kafka(
    settings: Settings, period: MinutePeriod, extent: HistoryExtent
) -> AsyncIterator[list[ReplayedRecord]]:
    """Yield the records of a period from Kafka, including those that were not counted.

    Args:
        settings: The installation's settings.
        period: The period.
        extent: The offsets to read.

    Raises:
        NotInKafkaError: If Kafka no longer holds all of them.
        aiokafka.errors.KafkaError: If Kafka cannot be used.
    """
    prefix = settings.topic_prefix
    parts = {
        TopicPartition(kind.topic(prefix), number): (kind, *span)
        for (kind, number), span in extent.offsets.items()
    }
    if not parts:
        return
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers,
        enable_auto_commit=False,
        max_partition_fetch_bytes=1 << 20,
        check_crcs=False,
        isolation_level="read_committed",  # as workers read it
        # On assignment the consumer chooses a position by itself, which must not lie beyond the
        # first offset to read.
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        consumer.assign(list(parts))
        begins = await consumer.beginning_offsets(list(parts))
        if gone := [part.topic for part, (_, first, _) in parts.items() if begins[part] > first]:
            raise NotInKafkaError(
                f"Kafka no longer holds all of the period ({', '.join(sorted(set(gone)))}): "
                "choose ClickHouse as the source."
            )
        for part, (_, first, _) in parts.items():
            consumer.seek(part, first)
        belongs = _belongs(period)
        async for records in _in_order(
            consumer, {part: last for part, (_, _, last) in parts.items()}
        ):
            chunk = [
                ReplayedRecord(
                    received_ms(one),
                    parts[part][0],
                    part.partition,
                    one.key or b"",
                    one.value or b"",
                )
                for part, one in records
                if belongs(one)
            ]
            if chunk:
                yield chunk
    finally:
        await consumer.stop()


async def _in_order(
    consumer: Any, lasts: Mapping[TopicPartition, int]
) -> AsyncIterator[list[tuple[TopicPartition, Any]]]:
    """Yield the records of partitions up to a last offset each, merged by arrival.

    Within a partition the order of offsets is kept.

    Raises:
        NotInKafkaError: If a partition ends without its last record.
    """
    waiting: dict[TopicPartition, deque[tuple[int, tuple[TopicPartition, Any]]]] = {
        part: deque() for part in lasts
    }
    reached, seen = dict.fromkeys(lasts, 0), dict.fromkeys(lasts, -1)
    unread = set(lasts)
    while unread or any(waiting.values()):
        empty = [part for part in unread if not waiting[part]]
        if empty:
            for part, records in (await consumer.getmany(*empty, timeout_ms=WAIT_MS)).items():
                for record in records:
                    if record.offset <= lasts[part]:
                        reached[part], seen[part] = (
                            max(reached[part], received_ms(record)),
                            record.offset,
                        )
                        waiting[part].append((reached[part], (part, record)))
            for part in empty:
                if await consumer.position(part) > lasts[part]:
                    if seen[part] != lasts[part]:
                        raise NotInKafkaError(
                            f"Kafka did not return all of the period ({part.topic}): "
                            "choose ClickHouse as the source."
                        )
                    unread.discard(part)
            if any(not waiting[part] for part in unread):
                continue
        held = [queue for queue in waiting.values() if queue]
        horizon = min((queue[-1][0] for queue in held), default=0)
        ready: list[tuple[int, tuple[TopicPartition, Any]]] = []
        for queue in held:
            while queue and queue[0][0] <= horizon:
                ready.append(queue.popleft())
        yield [record for _, record in sorted(ready, key=lambda one: one[0])]


def _belongs(period: MinutePeriod) -> Callable[[Any], bool]:
    """Return a function that tells whether a record belongs to a period.

    It goes by the time when the event happened, or by the time of arrival if that is unreadable.
    """
    since, until = (from_milliseconds(second * 1000) for second in (period.start, period.end))
    read: Callable[[bytes], _TimedRow] = msgspec.json.Decoder(_TimedRow).decode

    def belongs(record: Any) -> bool:
        try:
            return since <= read(record.value).time < until
        except Exception:
            return period.start * 1000 <= received_ms(record) < period.end * 1000

    return belongs


async def no_chunks() -> AsyncIterator[list[ReplayedRecord]]:
    """Yield nothing: the run is fed by others."""
    return
    yield []


async def started(
    chunks: AsyncIterator[list[ReplayedRecord]],
) -> AsyncIterator[list[ReplayedRecord]]:
    """Fetch the first chunk now, so that its errors are raised here, and return all chunks."""
    first = await anext(chunks, None)

    async def rest() -> AsyncIterator[list[ReplayedRecord]]:
        if first is not None:
            yield first
        async for chunk in chunks:
            yield chunk

    return rest()
