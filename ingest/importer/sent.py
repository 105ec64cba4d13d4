"""Remember what an import has read and sent, in a few bytes per event.

That is: which rows repeat others, and where in Kafka each row lies.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from ingest.importer.convert import Encoded
from schemas.events.envelope import RefusalCategory, RefusalError, body, identity

MAX_SEEN = 1_000_000
"""Events of an import that are remembered, at a hundred bytes each.

Repeats of others are found by the worker.
"""


class KnownEvents:
    """The events of one command, from all its files: hash of the identity → hash of the content."""

    def __init__(self) -> None:
        """Start empty."""
        self._bodies: dict[int, int] = {}

    def fresh(self, found: list[Encoded]) -> list[Encoded]:
        """Return the events of a row that are new.

        Raises:
            RefusalError: one was there before with other content.
        """
        if len(found) == 1:  # As most rows are.
            one = found[0]
            content = body(one.read)
            known = self._bodies.get(name := identity(one.read.event_id))
            if known is None and len(self._bodies) < MAX_SEEN:
                self._bodies[name] = content
            if known is None or known == content:
                return found if known is None else []
        marks = [(identity(one.read.event_id), body(one.read)) for one in found]
        fresh = []
        within: dict[int, int] = {}
        for one, (name, content) in zip(found, marks, strict=True):
            known = self._bodies.get(name, within.get(name))
            if known is None:
                within[name] = content
                fresh.append(one)
            elif known != content:
                reason = (
                    f"The event {one.read.event_id} is there before with other content; "
                    "a correction needs an id of its own."
                )
                raise RefusalError(RefusalCategory.CONFLICT, reason)
        if len(self._bodies) < MAX_SEEN:
            self._bodies.update(within)
        return fresh


class SentPartition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class SentRows:
    """The rows that were sent, in the order of the file, and where their events lie in Kafka."""

    def __init__(self) -> None:
        """Start empty."""
        self.numbers = array("Q")
        """Index of a row → its number in the file."""
        self.events = array("H")
        """Index of a row → how many of its events were sent."""
        self._offsets: dict[SentPartition, array[int]] = {}
        self._rows: dict[SentPartition, array[int]] = {}
        self._sorted = True

    def add(self, number: int, events: list[tuple[SentPartition, int]]) -> None:
        """Record a row's number with the partitions and offsets of its acknowledged events."""
        for partition, offset in events:
            offsets = self._offsets.setdefault(partition, array("q"))
            self._sorted = self._sorted and (not offsets or offsets[-1] < offset)
            offsets.append(offset)
            self._rows.setdefault(partition, array("L")).append(len(self.numbers))
        self.numbers.append(number)
        self.events.append(len(events))

    def ends(self) -> dict[SentPartition, int]:
        """Return the last offset in each partition."""
        return {partition: max(offsets) for partition, offsets in self._offsets.items()}

    def rows_from(self, partition: SentPartition, offset: int) -> Iterator[int]:
        """Yield the rows whose events lie at an offset of a partition or behind it."""
        self._sort()
        rows = self._rows.get(partition, array("L"))
        yield from rows[bisect_left(self._offsets.get(partition, array("q")), offset) :]

    def rows_between(self, partition: SentPartition, first: int, last: int) -> Iterator[int]:
        """Yield the rows whose events lie between two offsets of a partition, both included."""
        if partition in self._offsets:
            self._sort()
            offsets = self._offsets[partition]
            yield from self._rows[partition][
                bisect_left(offsets, first) : bisect_left(offsets, last + 1)
            ]

    def _sort(self) -> None:
        if not self._sorted:
            for partition, offsets in self._offsets.items():
                pairs = sorted(zip(offsets, self._rows[partition], strict=True))
                self._offsets[partition] = array("q", [offset for offset, _ in pairs])
                self._rows[partition] = array("L", [row for _, row in pairs])
            self._sorted = True
