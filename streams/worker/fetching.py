"""Parts of aiokafka's fetcher that say from which offset on a chunk holds all that can be read.

The offsets of a partition's log have holes: markers of transactions, aborted records, what
compaction or retention removed. Only the fetcher knows them from records that went astray on their
way through Faust. `streams.worker.patches` puts these classes in the place of aiokafka's.
"""

from typing import Any

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.consumer.subscription_state import TopicPartitionState

from streams.worker.batch import Chunk


class PartitionState(TopicPartitionState):  # type: ignore[misc]
    """Where a partition is read, and where no record was found on the way there."""

    def __init__(self, assignment: Any) -> None:
        super().__init__(assignment)
        self.unreadable = (0, 0)
        """`[from, to)`: read last, and found to hold no record."""
        self.begins = 0
        """Where the log was found to begin when older records were asked for; 0 while they were not."""
        self._asked_for: int | None = None

    def await_reset(self, strategy: int) -> None:
        self._asked_for = self._position
        super().await_reset(strategy)

    def reset_to(self, position: int) -> None:
        super().reset_to(position)
        asked_for, self._asked_for = self._asked_for, None
        if asked_for is not None and asked_for < position:
            self.read(self.since(asked_for), position)
            self.begins = position

    def since(self, position: int) -> int:
        """From where on there is no record before a position, as far as it is known."""
        return self.unreadable[0] if self.unreadable[1] == position else position

    def read(self, since: int, until: int) -> None:
        """Note that there is no record at the offsets `[since, until)`."""
        self.unreadable = (since, until)


class ChunkResult(FetchResult):  # type: ignore[misc]
    """What was fetched of a partition, handed out as chunks."""

    def getall(self, max_records: int | None = None) -> list[Any]:
        tp = self._topic_partition
        if not self.has_more() or not self.check_assignment(tp):
            return []
        records, state = self._partition_records, self._assignment.state_value(tp)
        start = state.since(records.next_fetch_offset)
        chunk = Chunk(start, super().getall(max_records), state.begins)
        state.read(chunk[-1].offset + 1 if chunk else start, records.next_fetch_offset)
        return chunk
