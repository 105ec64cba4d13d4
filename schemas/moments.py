"""Moments as numbers: how every time is stored and compared, whole milliseconds since 1970, what is beyond cut off."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(at: datetime) -> int:
    """An aware datetime as milliseconds since 1970."""
    return (at - EPOCH) // _MILLISECOND


def from_milliseconds(ms: int) -> datetime:
    """The moment so many milliseconds after the beginning of 1970."""
    return EPOCH + ms * _MILLISECOND
