"""Moments: the time zone of Viet Nam, and how every time is stored and compared: whole milliseconds since 1970."""

from datetime import UTC, datetime, timedelta

ZONE = "Asia/Ho_Chi_Minh"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(at: datetime) -> int:
    """An aware datetime as milliseconds since 1970."""
    return (at - EPOCH) // _MILLISECOND


def from_milliseconds(ms: int) -> datetime:
    """The moment so many milliseconds after the beginning of 1970."""
    return EPOCH + ms * _MILLISECOND


TIME = "time"
"""An event's own time, where `Event.precision` names a moment."""
DAY, MINUTE = "day", "minute"
SPAN_MS = {DAY: 86_400_000, MINUTE: 60_000}
"""How long a moment lasts that is known to the day or the minute only, in milliseconds."""


def last_sql(moment: str) -> str:
    """Return SQL: the last millisecond that a field of an event may mean; the moment itself where it is exact."""
    spans = ", ".join(
        f"has(precision, '{moment}:{name}'), {span - 1}" for name, span in SPAN_MS.items()
    )
    return f"if(empty(precision), {moment}, addMilliseconds({moment}, multiIf({spans}, 0)))"
