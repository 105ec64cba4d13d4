"""Clocks as tests need them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class At:
    """A clock that stands still."""

    at: datetime

    def now(self) -> datetime:
        return self.at
