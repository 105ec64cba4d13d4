"""Represent the value of a figure at a moment, for the province or one of its units."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Reading:
    """The value of a figure in its unit, with its age; None if it is unknown.

    A share is in percent, 0 to 100, and `part` and `whole` are the numbers behind it; for any other
    figure, `whole` is the number of entities that it rests on. `as_of` is the arrival of the newest
    event that it counts, None if no source ever sent one; `silent` is the number of dead sources
    among those with a contract (`schemas.sources.freshness.DEAD`). `stale` means that too many are
    dead to show the value as current, by the rule of `schemas.figures.aging`.
    """

    value: float | None
    part: float | None = None
    whole: float | None = None
    as_of: datetime | None = None
    stale: bool = False
    silent: int = 0


Readings = Mapping[str, Reading]
"""Readings of one unit by code of a figure or an indicator, such as `filing.on_time`."""
UNKNOWN = Reading(None)
