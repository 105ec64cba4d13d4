"""What a figure reads at a moment, for the province or one of its units."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Reading:
    """A figure as it stands. `value` is in the figure's unit (a share in percent, 0 to 100), None where nothing can be said.

    Of a share, `part` and `whole` are the numbers behind it; of anything else, `whole` is how many entities it rests on. `as_of` is
    when the newest event that it counts arrived, None where no source ever spoke; `silent` is how many of the promised sources give
    no news (`schemas.sources.freshness.DEAD`). `stale` says that these are too many: then the value is not to be shown as if it
    were of now. The rule is that of `schemas.figures.aging`.
    """

    value: float | None
    part: float | None = None
    whole: float | None = None
    as_of: datetime | None = None
    stale: bool = False
    silent: int = 0


Readings = Mapping[str, Reading]
"""Code of a figure or an indicator, such as `filing.on_time` → what it reads, for one unit."""
UNKNOWN = Reading(None)
