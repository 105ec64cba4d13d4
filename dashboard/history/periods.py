"""How time is parted for the scenes of the past (`dashboard.history.slices`): the longer ago, the longer they are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from schemas.moments import EPOCH

DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
SLOTS = ((28 * DAY, 14 * DAY), (7 * DAY, 3 * DAY), (2 * DAY, DAY), (DAY, DAY))
"""How long scenes are, and for how long one is over: of the hours gone by, more comes late than of the weeks. What is over for less
has one of its own, which goes on."""
GOES_ON = datetime(2100, 1, 1, tzinfo=UTC)
"""The end of that one."""


def slots(first: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The times of the scenes, the newest first, back to a moment."""
    moment = datetime.now(UTC)
    while moment > first:
        since, until = slot(moment)
        yield since, until
        moment = since - MILLISECOND


def slot(moment: datetime) -> tuple[datetime, datetime]:
    """The time that a scene of a moment covers."""
    now = datetime.now(UTC)
    for length, over in SLOTS:
        since = EPOCH + (moment - EPOCH) // length * length
        if since + length + over <= now:
            return since, since + length
    return EPOCH + (now - over - EPOCH) // length * length, GOES_ON


def end_of(until: datetime) -> datetime:
    """Until when what is known by now can be of a scene. Of one that goes on also what clocks that are ahead are told of."""
    return min(until, datetime.now(UTC) + DAY)
