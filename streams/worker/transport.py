"""A Faust transport that hands a stream a whole fetched chunk of a partition instead of one message at a time.

Faust spends hundreds of microseconds on each message it moves, however little the agent does; a chunk pays that once for
thousands of records. All the rest of Faust stays: worker, rebalancing, flow control, commits, web port.

Only what is committed is read. A log then has offsets at which nothing can be read, as markers of transactions and aborted records.
They are neither lost nor waiting: each chunk says from where on it holds all that can be read (`streams.worker.fetching`), and
`ChunkConsumer.extents` how far each partition was read without finding anything. Both need
aiokafka as `streams.worker.patches` leaves it.
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
    """Faust's notes of how far it delivered, by which it drops what comes from before: the engine judges that, so none are kept.

    A chunk that is fetched again would be dropped otherwise when one that was fetched before the seek is delivered after it.
    """

    def __getitem__(self, tp: TP) -> None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        """Keep nothing."""

    def update(self, *arguments: Any, **options: Any) -> None:
        """Keep nothing."""


MAX_WAIT_MS = 50
"""How long Kafka may hold back the answer to a fetch that it has nothing for.

aiokafka has one fetch on its way to a broker. While chunks wait here, that fetch asks for the other partitions only; should those
be empty, all that was read since waits for its answer. Faust's 1.5 s made a busy worker stand still for that long again and again.
"""


ROOM_SECONDS = 0.05
"""How long to wait for room before it is looked again for what is urgent."""


class ChunkIntake(Protocol):
    """Who takes in the chunks."""

    wants_urgent: bool

    def is_urgent(self, tp: TP) -> bool:
        """Whether what comes from a partition goes ahead of what waits."""

    async def room(self, seconds: float) -> bool:
        """Whether there is room for more, or is within so many seconds."""


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's thread with a consumer that does not wait long for partitions that are empty, and that hands over what is urgent
    first, and nothing else while the intake is full.

    Faust's own way is to wait in the middle of what was fetched; whatever is behind it waits, too.
    """

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        """Records by partition, of those that are active."""
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

    async def extents(self, partitions: Iterable[TP]) -> Mapping[TP, OffsetRange]:
        """How far partitions reach and can be read, as Kafka says now. Raises aiokafka's errors."""
        found: Mapping[TP, OffsetRange] = await self.call_thread(
            self._extents, [TopicPartition(*tp) for tp in partitions]
        )
        return found

    async def _extents(self, partitions: list[TopicPartition]) -> Mapping[TP, OffsetRange]:
        fetcher = self._ensure_consumer()._fetcher
        uncommitted = copy.copy(
            fetcher
        )  # The level is asked with each request, from the one that asks.
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
        super().__init__(*arguments, **options)
        self._read_offset = Unfiltered()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def extents(self, partitions: Iterable[TP]) -> Mapping[TP, OffsetRange]:
        """How far partitions reach and can be read, without those that moved away meanwhile. Raises aiokafka's errors."""
        found: Mapping[TP, OffsetRange] = await self._thread.extents(partitions)
        return found

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        """Fetch, and yield each partition's chunk as one message that carries the chunk's last offset."""
        records, _ = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        for tp, chunk in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                break  # A rebalance: what is left will be fetched again by the partition's owner.
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
            yield tp, self._to_message(tp, chunk)

    def _to_message(self, tp: TP, record: Any) -> Any:
        """A chunk as one message, at the place and the time of its last record."""
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
        """A message stands for a chunk, so offsets jump by design: a jump is no gap."""

    def _new_offset(self, tp: TP) -> int | None:
        """The offset to commit: one past the newest acknowledged chunk, since the agent acknowledges in order of offsets."""
        acked = self._acked[tp]
        if not acked:
            return None
        last: int = max(acked)
        self._acked_index[tp].difference_update(acked)
        acked.clear()
        return last + 1


class ChunkTransport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with chunks for messages, which go to an intake."""

    Consumer = ChunkConsumer
    intake: ChunkIntake


class ChunkSchema(faust.Schema):  # type: ignore[misc]
    """Leaves keys and values as they are: decoding is the engine's work."""

    def loads_key(
        self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None
    ) -> Any:
        return message.key

    def loads_value(
        self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None
    ) -> Any:
        return message.value
