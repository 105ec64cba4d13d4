"""Periods that slices cover (`dashboard.history.slices`): longer ones for older moments."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from schemas.moments import EPOCH

DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
PERIODS = ((28 * DAY, 14 * DAY), (7 * DAY, 3 * DAY), (2 * DAY, DAY), (DAY, DAY))
"""Length of a period, and how long ago it must have ended: recent hours still receive more late
events than earlier weeks. Moments after the last of these periods share one that is still open.
"""
GOES_ON = datetime(2100, 1, 1, tzinfo=UTC)
"""The end of the open period."""


def periods(first: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the start and end of each period, newest first, back to `first`."""
    moment = datetime.now(UTC)
    while moment > first:
        since, until = period(moment)
        yield since, until
        moment = since - MILLISECOND


def period(moment: datetime) -> tuple[datetime, datetime]:
    """Return the start and end of the period that covers a moment."""
    now = datetime.now(UTC)
    for length, over in PERIODS:
        since = EPOCH + (moment - EPOCH) // length * length
        if since + length + over <= now:
            return since, since + length
    return EPOCH + (now - over - EPOCH) // length * length, GOES_ON


def end_of(until: datetime) -> datetime:
    """Return the latest time that rows of a slice ending at `until` can have now.

    An open slice also holds events of clocks that are ahead, by up to a day.
    """
    return min(until, datetime.now(UTC) + DAY)
