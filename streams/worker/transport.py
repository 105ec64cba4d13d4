"""A Faust transport that delivers whole fetched chunks of a partition instead of single messages.

Faust spends hundreds of microseconds on each message, however little the agent does; a chunk costs
that once for thousands of records. The rest of Faust is unchanged: worker, rebalancing, flow
control, commits, web port.

Only committed records are read. A log then has offsets without a readable record: markers of
transactions and aborted records. They are neither lost nor lag: each chunk says from which offset
on it is complete (`streams.worker.fetching`), and `ChunkConsumer.offset_ranges` says how far each
partition was read without finding a record. Both need aiokafka patched by `streams.worker.patches`.
"""

import asyncio
import copy
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Protocol

import faust
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from streams.worker.progress import OffsetRange


class Unfiltered(dict[TP, int | None]):
    """A mapping in place of Faust's delivered offsets that stores nothing.

    Faust drops records at or before these offsets. Here the engine decides that: otherwise a chunk
    that is fetched again after a seek would be dropped if an older one is delivered after it.
    """

    def __getitem__(self, tp: TP) -> None:
        """Return None: nothing was delivered."""
        return

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        """Store nothing."""

    def update(self, *arguments: Any, **options: Any) -> None:
        """Store nothing."""


MAX_WAIT_MS = 50
"""Milliseconds that Kafka may delay the answer to a fetch for which it has no records.

aiokafka has one fetch request in flight per broker. While chunks of some partitions wait here, that
request covers only the others; if those are empty, a partition whose chunk was read meanwhile
cannot be fetched again until the request is answered. Faust's 1.5 s made a busy worker stall for
that long again and again.
"""


ROOM_SECONDS = 0.05
"""Seconds to wait for room in the intake before urgent partitions are fetched again."""


class ChunkIntake(Protocol):
    """The side of the work loop that accepts chunks from the transport."""

    wants_urgent: bool
    """Whether more urgent chunks may be fetched."""

    def is_urgent(self, tp: TP) -> bool:
        """Return whether records of a partition go ahead of waiting ones."""

    async def room(self, seconds: float) -> bool:
        """Return whether there is room for more chunks; wait for it up to so many seconds."""


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread, which fetches urgent partitions first.

    Its consumer waits only briefly for empty partitions, and fetches only urgent ones while the
    intake is full. Faust's own thread would wait in the middle of the fetched records, and all
    records behind would wait, too.
    """

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        """Return records of the active partitions, by partition."""
        active, intake = active_partitions or set(), self.consumer.transport.intake
        urgent = {tp for tp in active if intake.is_urgent(tp)}
        if not intake.wants_urgent:
            active, urgent = active - urgent, set()
        if urgent and (found := await super().getmany(urgent, 0)):
            return found
        if active and await intake.room(ROOM_SECONDS):
            return await super().getmany(active, timeout)
        if not active:
            await asyncio.sleep(ROOM_SECONDS)
        return {}

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = MAX_WAIT_MS
        # Faust reads committed records only where it writes in transactions itself.
        consumer._isolation_level = "read_committed"
        return consumer

    async def offset_ranges(self, partitions: Iterable[TP]) -> Mapping[TP, OffsetRange]:
        """Ask Kafka how far partitions reach and can be read.

        Raises:
            aiokafka.errors.KafkaError: If Kafka cannot be used.
        """
        found: Mapping[TP, OffsetRange] = await self.call_thread(
            self._offset_ranges, [TopicPartition(*tp) for tp in partitions]
        )
        return found

    async def _offset_ranges(self, partitions: list[TopicPartition]) -> Mapping[TP, OffsetRange]:
        fetcher = self._ensure_consumer()._fetcher
        # Each request sends the isolation level of the fetcher object that makes it.
        uncommitted = copy.copy(fetcher)
        uncommitted._isolation_level = READ_UNCOMMITTED
        stable = await fetcher.end_offsets(partitions, None)
        ends = await uncommitted.end_offsets(partitions, None)
        assignment = fetcher._subscriptions.subscription.assignment
        mine = [tp for tp in partitions if tp in assignment.tps]
        return {
            TP(*tp): OffsetRange(ends[tp], stable[tp], assignment.state_value(tp).unreadable)
            for tp in mine
        }


class ChunkConsumer(driver.Consumer):  # type: ignore[misc]
    """Yields one message per fetched chunk; commits the end of the newest acknowledged chunk."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Create Faust's consumer, without its record of delivered offsets."""
        super().__init__(*arguments, **options)
        self._read_offset = Unfiltered()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def offset_ranges(self, partitions: Iterable[TP]) -> Mapping[TP, OffsetRange]:
        """Ask Kafka how far partitions reach and can be read.

        Partitions that were reassigned meanwhile are left out.

        Raises:
            aiokafka.errors.KafkaError: If Kafka cannot be used.
        """
        found: Mapping[TP, OffsetRange] = await self._thread.offset_ranges(partitions)
        return found

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        """Fetch, and yield each partition's chunk as one message with its last offset."""
        records, _ = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        for tp, chunk in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                break  # A rebalance: the partition's new owner will fetch the rest again.
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
            yield tp, self._to_message(tp, chunk)

    def _to_message(self, tp: TP, record: Any) -> Any:
        """Return a chunk as one message with the offset and the time of its last record."""
        chunk, last = record, record[-1]
        return ConsumerMessage(
            *(tp.topic, tp.partition, last.offset, last.timestamp / 1000, last.timestamp_type),
            headers=None,
            key=None,
            value=chunk,
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Ignore jumps in offsets: a message stands for a chunk, so they are expected."""

    def _new_offset(self, tp: TP) -> int | None:
        """Return the offset to commit: one past the newest acknowledged chunk.

        The agent acknowledges chunks in order of offsets.
        """
        acked = self._acked[tp]
        if not acked:
            return None
        last: int = max(acked)
        self._acked_index[tp].difference_update(acked)
        acked.clear()
        return last + 1


class ChunkTransport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport, with chunks as messages and an intake that limits fetching."""

    Consumer = ChunkConsumer
    intake: ChunkIntake


class ChunkSchema(faust.Schema):  # type: ignore[misc]
    """Leaves keys and values undecoded: decoding is the engine's work."""

    def loads_key(
        self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None
    ) -> Any:
        """Return the key unchanged."""
        return message.key

    def loads_value(
        self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None
    ) -> Any:
        """Return the value unchanged."""
        return message.value
