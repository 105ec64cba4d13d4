"""Which periods the slices of the past cover (`dashboard.history.slices`).

The longer ago, the longer they are.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from schemas.moments import EPOCH

DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
PERIODS = ((28 * DAY, 14 * DAY), (7 * DAY, 3 * DAY), (2 * DAY, DAY), (DAY, DAY))
"""How long periods are, and how long ago each must have ended: of the last hours more comes late
than of the last weeks. What ended more lately has a period of its own, which goes on."""
GOES_ON = datetime(2100, 1, 1, tzinfo=UTC)
"""The end of that one."""


def periods(first: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield start and end of each period, the newest first, back to a moment."""
    moment = datetime.now(UTC)
    while moment > first:
        since, until = period(moment)
        yield since, until
        moment = since - MILLISECOND


def period(moment: datetime) -> tuple[datetime, datetime]:
    """Return start and end of the period that covers a moment."""
    now = datetime.now(UTC)
    for length, over in PERIODS:
        since = EPOCH + (moment - EPOCH) // length * length
        if since + length + over <= now:
            return since, since + length
    return EPOCH + (now - over - EPOCH) // length * length, GOES_ON


def end_of(until: datetime) -> datetime:
    """Return until when a slice can hold anything that is known by now.

    A slice that goes on also holds what clocks that are ahead say.
    """
    return min(until, datetime.now(UTC) + DAY)
