"""What an import has seen and sent, in a few bytes for each event: which rows say the same, and where in Kafka each row lies."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from ingest.importer.convert import Encoded
from schemas.events.envelope import RefusalCategory, RefusalError, body, identity

MAX_SEEN = 1_000_000
"""Events of an import that are remembered, at a hundred bytes each; a repeat of one before them is told by the worker."""


class KnownEvents:
    """The events of one command, whatever files they come from: by identity, and by what they say."""

    def __init__(self) -> None:
        self._bodies: dict[int, int] = {}

    def fresh(self, found: list[Encoded]) -> list[Encoded]:
        """The events of a row that were not there before. Raises `RefusalError` if one was, with other content."""
        if len(found) == 1:  # As most rows are.
            one = found[0]
            says = body(one.read)
            known = self._bodies.get(name := identity(one.read.event_id))
            if known is None and len(self._bodies) < MAX_SEEN:
                self._bodies[name] = says
            if known is None or known == says:
                return found if known is None else []
        marks = [(identity(one.read.event_id), body(one.read)) for one in found]
        fresh = []
        within: dict[int, int] = {}
        for one, (name, says) in zip(found, marks, strict=True):
            known = self._bodies.get(name, within.get(name))
            if known is None:
                within[name] = says
                fresh.append(one)
            elif known != says:
                reason = f"The event {one.read.event_id} is there before with other content; a correction needs an id of its own."
                raise RefusalError(RefusalCategory.CONFLICT, reason)
        if len(self._bodies) < MAX_SEEN:
            self._bodies.update(within)
        return fresh


class SentPartition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class SentRows:
    """The rows that were sent, in the order of the file, and where their events lie."""

    def __init__(self) -> None:
        self.numbers = array("Q")
        """Index of a row → its number in the file."""
        self.events = array("H")
        """Index of a row → how many events were sent of it."""
        self._offsets: dict[SentPartition, array[int]] = {}
        self._rows: dict[SentPartition, array[int]] = {}
        self._sorted = True

    def add(self, number: int, events: list[tuple[SentPartition, int]]) -> None:
        """Note a row of that number, its events acknowledged at those places and offsets."""
        for place, offset in events:
            offsets = self._offsets.setdefault(place, array("q"))
            self._sorted = self._sorted and (not offsets or offsets[-1] < offset)
            offsets.append(offset)
            self._rows.setdefault(place, array("L")).append(len(self.numbers))
        self.numbers.append(number)
        self.events.append(len(events))

    def ends(self) -> dict[SentPartition, int]:
        """The last offset in each partition."""
        return {place: max(offsets) for place, offsets in self._offsets.items()}

    def rows_from(self, place: SentPartition, offset: int) -> Iterator[int]:
        """The rows whose events lie at an offset of a partition or behind it."""
        self._sort()
        rows = self._rows.get(place, array("L"))
        yield from rows[bisect_left(self._offsets.get(place, array("q")), offset) :]

    def rows_between(self, place: SentPartition, first: int, last: int) -> Iterator[int]:
        """The rows whose events lie between two offsets of a partition, both included."""
        if place in self._offsets:
            self._sort()
            offsets = self._offsets[place]
            yield from self._rows[place][
                bisect_left(offsets, first) : bisect_left(offsets, last + 1)
            ]

    def _sort(self) -> None:
        if not self._sorted:
            for place, offsets in self._offsets.items():
                pairs = sorted(zip(offsets, self._rows[place], strict=True))
                self._offsets[place] = array("q", [offset for offset, _ in pairs])
                self._rows[place] = array("L", [row for _, row in pairs])
            self._sorted = True
