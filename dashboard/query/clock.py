"""The moment that a query is asked for.

Every query of a store takes a clock; none reads the time by itself.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol


class Clock(Protocol):
    """Says for which moment a screen is drawn."""

    def now(self) -> datetime:
        """Return the moment, with an offset."""


@dataclass(frozen=True)
class Live:
    """The present."""

    def now(self) -> datetime:
        """Return the present time."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class At:
    """A moment at which the clock stands still."""

    at: datetime

    def now(self) -> datetime:
        """Return the moment at which it stands."""
        return self.at


class Picture(StrEnum):
    """Which knowledge of a moment of the past is shown."""

    KNOWN = "known"
    """Only what had been received by then."""
    CORRECTED = "corrected"
    """All that has been received since, of what had happened by then."""


@dataclass(frozen=True)
class Replay(At):
    """A moment of the past, and the knowledge of it that is asked.

    A `dashboard.history.past.PastConnection` answers it.
    """

    picture: Picture = Picture.KNOWN
