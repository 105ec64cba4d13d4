"""Represent the value of a figure at a moment, for the province or one of its units."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Reading:
    """The value of a figure in its unit (a share in percent, 0 to 100), None if it is unknown.

    Of a share, `part` and `whole` are the numbers behind it; of anything else, `whole` is how many
    entities it rests on. `as_of` is the arrival of the newest event that it counts, None if no
    source ever sent one; `silent` is how many of the sources with a contract are dead
    (`schemas.sources.freshness.DEAD`). `stale` means that these are too many: then the value must
    not be shown as current. The rule is that of `schemas.figures.aging`.
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
