"""Remember recently acknowledged events, to answer an honest resend without producing it again."""

import threading
from collections.abc import Iterable

from msgspec import Struct


class Position(Struct, frozen=True, gc=False):
    """Where an acknowledged event lies in Kafka, and the hash of its content."""

    body: int
    topic: str
    partition: int
    offset: int


class RecentEvents:
    """A bounded memory: event identity → position. Safe to share between threads.

    It holds at least the newest `capacity` identities and at most twice as many (two generations:
    when the young one is full it becomes the old one, and the old one is dropped). It is a courtesy
    to senders: an event that is forgotten here and sent again is produced again, and still counted
    once by the stream worker.
    """

    def __init__(self, capacity: int = 250_000) -> None:
        """Remember at least `capacity` events."""
        self._capacity = capacity
        self._young: dict[int, Position] = {}
        self._old: dict[int, Position] = {}
        self._lock = threading.Lock()

    def get(self, identity: int) -> Position | None:
        """Return the position of an event by its identity, if it is remembered."""
        # Without the lock, which took as long as the look-up: should the young generation become
        # the old one between the two look-ups, it is searched twice.
        young = self._young
        return young.get(identity) or self._old.get(identity)

    def put(self, positions: Iterable[tuple[int, Position]]) -> None:
        """Remember acknowledged events by their identities.

        The first position of an identity stays.
        """
        with self._lock:
            for identity, position in positions:
                if identity in self._young or identity in self._old:
                    continue
                if len(self._young) >= self._capacity:
                    self._old = self._young  # First, so that no reader misses both.
                    self._young = {}
                self._young[identity] = position

    def __len__(self) -> int:
        """Return the number of remembered events."""
        return len(self._young) + len(self._old)
