"""Parts of aiokafka's fetcher that say from which offset on a chunk is complete.

The offsets of a partition's log have gaps: markers of transactions, aborted records, what
compaction or retention removed. Only the fetcher can tell these from records that were lost on
their way through Faust. `streams.worker.patches` replaces aiokafka's classes by these.
"""

from typing import Any

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.consumer.subscription_state import TopicPartitionState

from streams.worker.batch import Chunk


class PartitionState(TopicPartitionState):  # type: ignore[misc]
    """The position of a partition, and the range just before it that holds no record."""

    def __init__(self, assignment: Any) -> None:
        """Start without a known range."""
        super().__init__(assignment)
        self.unreadable = (0, 0)
        """`[from, to)`: the range read last, which holds no record."""
        self.begins = 0
        """The start of the log, known after older records were requested; 0 before that."""
        self._asked_for: int | None = None

    def await_reset(self, strategy: int) -> None:
        """Remember the requested position, before the position is reset."""
        self._asked_for = self._position
        super().await_reset(strategy)

    def reset_to(self, position: int) -> None:
        """Reset the position; a later one than requested is the start of the log."""
        super().reset_to(position)
        asked_for, self._asked_for = self._asked_for, None
        if asked_for is not None and asked_for < position:
            self.read(self.since(asked_for), position)
            self.begins = position

    def since(self, position: int) -> int:
        """Return the first offset from which on no record is known to precede `position`."""
        return self.unreadable[0] if self.unreadable[1] == position else position

    def read(self, since: int, until: int) -> None:
        """Note that there is no record at the offsets `[since, until)`."""
        self.unreadable = (since, until)


class ChunkResult(FetchResult):  # type: ignore[misc]
    """The fetched records of a partition, returned as chunks."""

    def getall(self, max_records: int | None = None) -> list[Any]:
        """Return a chunk of at most `max_records` records; empty if there are none."""
        tp = self._topic_partition
        if not self.has_more() or not self.check_assignment(tp):
            return []
        records, state = self._partition_records, self._assignment.state_value(tp)
        start = state.since(records.next_fetch_offset)
        chunk = Chunk(start, super().getall(max_records), state.begins)
        state.read(chunk[-1].offset + 1 if chunk else start, records.next_fetch_offset)
        return chunk
