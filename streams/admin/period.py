"""A stretch of time in whole minutes, as verify and rebuild are told it, and cut into pieces that are worked off one by one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from clickhouse_driver import Client

from schemas.clickhouse.tables import events_table
from schemas.events.kinds import Kind
from schemas.moments import ZONE

EVENTS_PER_PIECE = 2_000_000
"""Events in a piece, about: a day is not cut."""
ProgressCallback = Callable[[str, int, int], None]
"""Told of progress: what is being done, and how many events of how many are done."""


@dataclass(frozen=True)
class MinutePeriod:
    """From `start` (inclusive) to `end` (exclusive), Unix seconds, multiples of 60."""

    start: int
    end: int

    @property
    def windows(self) -> str:
        """As a condition on a windows table; never true of the row of 1970."""
        return f"window_start >= toDateTime({self.start}) AND window_start < toDateTime({self.end})"

    @property
    def events(self) -> str:
        """As a condition on an events or a state table."""
        return f"occurred_at >= toDateTime({self.start}) AND occurred_at < toDateTime({self.end})"


@dataclass(frozen=True)
class Minutes:
    """Some minutes, by their first seconds (Unix), where a `MinutePeriod` is looked at again in parts."""

    starts: frozenset[int]

    @property
    def windows(self) -> str:
        """As a condition on a windows table."""
        return f"window_start IN ({', '.join(map(str, self.starts))})"

    @property
    def events(self) -> str:
        """As a condition on an events table."""
        return f"toStartOfMinute(occurred_at) IN ({', '.join(map(str, self.starts))})"


ALL_TIME = MinutePeriod(60, (1 << 32) - 16)
"""All that ClickHouse can hold but 1970's first minute, which marks checkpoints."""


def parse(start: str | None, end: str | None) -> MinutePeriod:
    """The period between two ISO dates or times, of the province's clock where none is said, widened to whole minutes.

    None leaves a side open. Raises `ValueError` with a sentence.
    """
    first = ALL_TIME.start if start is None else _seconds(start) // 60 * 60
    last = ALL_TIME.end if end is None else -(-_seconds(end) // 60) * 60
    if not ALL_TIME.start <= first < last <= ALL_TIME.end:
        raise ValueError(
            f"The period from {start or 'the beginning'} to {end or 'the end'} is empty or impossible."
        )
    return MinutePeriod(first, last)


def _seconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no date or time; they look like 2026-11-22 or 2026-11-22T14:05."
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(ZONE))
    return int(moment.timestamp())


def pieces(client: Client, kind: Kind, period: MinutePeriod) -> list[tuple[MinutePeriod, int]]:
    """The period in pieces of whole days, in order and without gaps, each with its number of raw rows."""
    days = client.execute(
        f"SELECT toUnixTimestamp(toStartOfDay(occurred_at)) AS day, count() FROM {events_table(kind).name} "
        f"WHERE {period.events} GROUP BY day ORDER BY day"
    )
    found: list[tuple[MinutePeriod, int]] = []
    start, events = period.start, 0
    for day, count in days:
        if events and events + count > EVENTS_PER_PIECE:
            found.append((MinutePeriod(start, day), events))
            start, events = day, 0
        events += count
    return [*found, (MinutePeriod(start, period.end), events)]
