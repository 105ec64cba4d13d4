"""Define the time zone of Việt Nam, and time as it is stored: whole milliseconds since 1970."""

from datetime import UTC, datetime, timedelta

ZONE = "Asia/Ho_Chi_Minh"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(at: datetime) -> int:
    """Return an aware datetime as milliseconds since 1970."""
    return (at - EPOCH) // _MILLISECOND


def from_milliseconds(ms: int) -> datetime:
    """Return the moment of a number of milliseconds since 1970."""
    return EPOCH + ms * _MILLISECOND


TIME = "time"
"""Name of an event's own time in `Event.precision`."""
DAY, MINUTE = "day", "minute"
SPAN_MS = {DAY: 86_400_000, MINUTE: 60_000}
"""Duration in milliseconds of a moment that is known to the day or the minute only."""


def last_sql(moment: str) -> str:
    """Return SQL for the last millisecond that a field of an event may mean.

    That is the moment itself if it is exact.
    """
    spans = ", ".join(
        f"has(precision, '{moment}:{name}'), {span - 1}" for name, span in SPAN_MS.items()
    )
    return f"if(empty(precision), {moment}, addMilliseconds({moment}, multiIf({spans}, 0)))"
