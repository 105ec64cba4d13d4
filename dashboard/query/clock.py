"""The moment for which a query is answered.

Every query of a store takes a clock; none reads the time itself.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol


class Clock(Protocol):
    """The moment for which a screen is rendered."""

    def now(self) -> datetime:
        """Return the moment, with a time zone."""


@dataclass(frozen=True)
class Live:
    """A clock that shows the present."""

    def now(self) -> datetime:
        """Return the present time."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class At:
    """A clock that stands still at a moment."""

    at: datetime

    def now(self) -> datetime:
        """Return that moment."""
        return self.at


class Picture(StrEnum):
    """The two pictures of a past moment."""

    KNOWN = "known"
    """Only what had been received by the moment."""
    CORRECTED = "corrected"
    """All that had happened by the moment, including what was received later."""


@dataclass(frozen=True)
class Replay(At):
    """A past moment and the picture of it that is requested.

    Queries for it run on a `dashboard.history.past.PastConnection`.
    """

    picture: Picture = Picture.KNOWN
