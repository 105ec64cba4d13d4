"""A period in whole minutes, as verify and rebuild take it, and its division into pieces."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from clickhouse_driver import Client

from schemas.clickhouse.tables import events_table
from schemas.events.kinds import Kind
from schemas.moments import ZONE

EVENTS_PER_PIECE = 2_000_000
"""About how many events a piece holds; a day is never divided."""
ProgressCallback = Callable[[str, int, int], None]
"""Called as work proceeds, with the current step, the number of events done, and of all events."""


@dataclass(frozen=True)
class MinutePeriod:
    """The period from `start` (inclusive) to `end` (exclusive), Unix seconds, multiples of 60."""

    start: int
    end: int

    @property
    def windows(self) -> str:
        """Return a condition on a windows table, never true for the checkpoint row of 1970."""
        return f"window_start >= toDateTime({self.start}) AND window_start < toDateTime({self.end})"

    @property
    def events(self) -> str:
        """Return a condition on an events or a state table."""
        return f"occurred_at >= toDateTime({self.start}) AND occurred_at < toDateTime({self.end})"


@dataclass(frozen=True)
class Minutes:
    """Single minutes of a period, by their first seconds (Unix), for comparing them again."""

    starts: frozenset[int]

    @property
    def windows(self) -> str:
        """Return a condition on a windows table."""
        return f"window_start IN ({', '.join(map(str, self.starts))})"

    @property
    def events(self) -> str:
        """Return a condition on an events table."""
        return f"toStartOfMinute(occurred_at) IN ({', '.join(map(str, self.starts))})"


ALL_TIME = MinutePeriod(60, (1 << 32) - 16)
"""All times that ClickHouse can hold, except the first minute of 1970, which marks checkpoints."""


def parse(start: str | None, end: str | None) -> MinutePeriod:
    """Parse the period between two ISO dates or times, widened to whole minutes.

    Args:
        start: Start of the period; local time of the province if it has no offset; None for an
            open start.
        end: End of the period, exclusive; None for an open end.

    Raises:
        ValueError: If a time is not readable or the period is empty; the message is a sentence.
    """
    first = ALL_TIME.start if start is None else _seconds(start) // 60 * 60
    last = ALL_TIME.end if end is None else -(-_seconds(end) // 60) * 60
    if not ALL_TIME.start <= first < last <= ALL_TIME.end:
        raise ValueError(
            f"The period from {start or 'the beginning'} to {end or 'the end'} "
            "is empty or impossible."
        )
    return MinutePeriod(first, last)


def _seconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a date or time; write 2026-11-22 or 2026-11-22T14:05."
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(ZONE))
    return int(moment.timestamp())


def pieces(client: Client, kind: Kind, period: MinutePeriod) -> list[tuple[MinutePeriod, int]]:
    """Divide a period into pieces of whole days, each with its number of raw rows.

    The pieces are in order and leave no gap.
    """
    days = client.execute(
        "SELECT toUnixTimestamp(toStartOfDay(occurred_at)) AS day, count() "
        f"FROM {events_table(kind).name} WHERE {period.events} GROUP BY day ORDER BY day"
    )
    found: list[tuple[MinutePeriod, int]] = []
    start, events = period.start, 0
    for day, count in days:
        if events and events + count > EVENTS_PER_PIECE:
            found.append((MinutePeriod(start, day), events))
            start, events = day, 0
        events += count
    return [*found, (MinutePeriod(start, period.end), events)]
