"""The moment that a question is asked for. Every question of the store takes a clock; none reads the time by itself."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Says for which moment a screen is drawn."""

    def now(self) -> datetime:
        """The moment, with an offset."""


@dataclass(frozen=True)
class Live:
    """The present."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class At:
    """A moment at which the clock stands still."""

    at: datetime

    def now(self) -> datetime:
        return self.at
