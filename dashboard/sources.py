"""Is every source alive? The state of each agency's feed against what the agency promised, as a pure rule.

An agency promised to send a kind at least every so many minutes of working time (`schemas.reference.Feed`). Within that it is live,
after it late, after the grace too silent. Off hours nothing is expected: the feed is quiet, which is not the same as live.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from schemas.reference import Agency, Feed


class Calendar(Protocol):
    """What working time is; `schemas.reference.WorkingCalendar` is one."""

    def is_working(self, moment: datetime) -> bool: ...

    def working_time(self, start: datetime, end: datetime) -> timedelta: ...


class State(StrEnum):
    """How a feed is."""

    LIVE = "live"
    LATE = "late"
    SILENT = "silent"
    QUIET = "quiet"
    NEVER = "never"


@dataclass(frozen=True)
class Source:
    """An agency's feed of a kind as it stands."""

    agency: str
    kind: str
    state: State
    received_at: datetime | None
    commune: str = ""
    ahead: timedelta = timedelta(0)
    """By how much its clock is ahead, as its newest such event of the last hour shows; zero when it is right."""
    ahead_since: datetime | None = None


def state(feed: Feed, received_at: datetime | None, now: datetime, calendar: Calendar) -> State:
    """The state of a feed whose newest event arrived then."""
    if received_at is None:
        return State.NEVER
    rhythm, grace = timedelta(minutes=feed.rhythm_minutes), timedelta(minutes=feed.grace_minutes)
    if now - received_at <= rhythm:
        return State.LIVE
    missed = calendar.working_time(received_at, now)
    if missed > rhythm + grace:
        return State.SILENT
    if not calendar.is_working(now):
        return State.QUIET
    return State.LATE if missed > rhythm else State.LIVE


def judge(
    agencies: Iterable[Agency],
    heard: Iterable[Mapping[str, Any]],
    now: datetime,
    calendar: Calendar,
    ahead: Iterable[Mapping[str, Any]] = (),
) -> tuple[Source, ...]:
    """The states of all feeds that were promised, and of those heard without a promise: live within an hour, else quiet.

    `heard` and `ahead` are the rows of `Store.freshness` and `Store.clocks_ahead`.
    """
    newest = {(row["agency"], row["kind"]): row["received_at"] for row in heard}
    judged = []
    for agency in agencies:
        for feed in agency.feeds:
            received_at = newest.pop((agency.code, feed.kind), None)
            judged.append(Source(agency.code, feed.kind, state(feed, received_at, now, calendar), received_at, agency.commune))
    for (code, kind), received_at in newest.items():
        recent = now - received_at < timedelta(hours=1)
        judged.append(Source(code, kind, State.LIVE if recent else State.QUIET, received_at))
    wrong = {(row["agency"], row["kind"]): (timedelta(seconds=row["seconds"]), row["since"]) for row in ahead}
    return tuple(
        replace(one, ahead=found[0], ahead_since=found[1]) if (found := wrong.get((one.agency, one.kind))) else one
        for one in judged
    )
