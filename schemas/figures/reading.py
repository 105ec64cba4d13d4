"""What a figure reads at a moment, for the province or one of its units."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Reading:
    """A figure as it stands. `value` is in the figure's unit (a share in percent, 0 to 100), None where nothing can be said.

    Of a share, `part` and `whole` are the numbers behind it; of anything else, `whole` is how many entities it rests on.
    `as_of` is how old the news is that it rests on: the newest arrival of the source that has been silent longest, None where
    no source ever spoke. `stale` says that this source is silent: then the value is not to be shown as if it were of now.
    """

    value: float | None
    part: float | None = None
    whole: float | None = None
    as_of: datetime | None = None
    stale: bool = False


Readings = Mapping[str, Reading]
"""Code of a figure or an indicator, such as `filing.on_time` → what it reads, for one unit."""
UNKNOWN = Reading(None)
