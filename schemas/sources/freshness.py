"""Judge each agency's feed by what the agency agreed to send; pure rules.

An agency agreed to send a kind at least every so many minutes of working time
(`schemas.reference.Feed`). Its feed is live within that time, late after it, and silent after the
grace period, too. Outside working hours nothing is expected: a feed that is neither live nor silent
is quiet then, which is not the same as live. A feed that would be late or silent although it sends,
because all its input is refused, is malformed: another person has to act on that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from schemas.reference import Agency, Feed


class Calendar(Protocol):
    """Working time; `schemas.reference.WorkingCalendar` implements it."""

    def is_working(self, moment: datetime) -> bool:
        """Return whether a moment lies in working hours."""

    def working_time(self, start: datetime, end: datetime) -> timedelta:
        """Return the working time from `start` to `end`."""


class SourceState(StrEnum):
    """State of a feed."""

    LIVE = "live"
    LATE = "late"
    SILENT = "silent"
    QUIET = "quiet"
    MALFORMED = "malformed"
    NEVER = "never"


DEAD = (SourceState.SILENT, SourceState.MALFORMED)
"""States in which the current data of a feed is unknown."""
UNPROMISED = timedelta(hours=1)
"""Time for which a feed without a contract is live after an event; then it is quiet.

It cannot be missed, as nobody agreed to send it.
"""


@dataclass(frozen=True)
class Source:
    """An agency's feed of a kind with its current state."""

    agency: str
    kind: str
    state: SourceState
    received_at: datetime | None
    commune: str = ""
    ahead: timedelta = timedelta(0)
    """How far its clock is ahead, by the newest event of the last hour that is; zero if none is."""
    ahead_since: datetime | None = None
    refused_at: datetime | None = None
    """Arrival of its newest refused input, None if none was refused."""
    promised: bool = True
    missed: float = 0.0
    """Working time since its last sign of life, as a multiple of its rhythm plus grace.

    Above 1 it is silent.
    """


def state(
    feed: Feed,
    received_at: datetime | None,
    now: datetime,
    calendar: Calendar,
    refused_at: datetime | None = None,
) -> SourceState:
    """Return the state of a feed.

    Args:
        feed: The contract of the feed.
        received_at: Arrival of its newest event.
        now: The moment of the judgement.
        calendar: The working time.
        refused_at: Arrival of its newest refused input.
    """
    found = _heard(feed, received_at, now, calendar)
    if (
        found in (SourceState.LATE, SourceState.SILENT, SourceState.NEVER)
        and refused_at is not None
    ):
        rhythm = timedelta(minutes=feed.rhythm_minutes)
        sends = now - refused_at <= rhythm or calendar.working_time(refused_at, now) <= rhythm
        if sends and (received_at is None or refused_at > received_at):
            return SourceState.MALFORMED
    return found


def _heard(feed: Feed, at: datetime | None, now: datetime, calendar: Calendar) -> SourceState:
    """Return the state of a feed whose last sign of life was at `at`."""
    if at is None:
        return SourceState.NEVER
    rhythm, grace = timedelta(minutes=feed.rhythm_minutes), timedelta(minutes=feed.grace_minutes)
    if now - at <= rhythm:
        return SourceState.LIVE
    missed = calendar.working_time(at, now)
    if missed > rhythm + grace:
        return SourceState.SILENT
    if not calendar.is_working(now):
        return SourceState.QUIET
    return SourceState.LATE if missed > rhythm else SourceState.LIVE


def judge(
    agencies: Iterable[Agency],
    heard: Iterable[Mapping[str, Any]],
    now: datetime,
    calendar: Calendar,
    ahead: Iterable[Mapping[str, Any]] = (),
    refused: Iterable[Mapping[str, Any]] = (),
) -> tuple[Source, ...]:
    """Return the states of all feeds with a contract, and of those that send without one.

    A feed without a contract is live for an hour after an event, else quiet. Of `heard`, `ahead`
    and `refused`, each row is the newest of an agency and kind.

    Args:
        agencies: The agencies with their contracts.
        heard: Rows of agency, kind and received_at.
        now: The moment of the judgement.
        calendar: The working time.
        ahead: Rows of agency, kind, seconds and since.
        refused: Rows of agency, kind and refused_at.
    """
    newest = {(row["agency"], row["kind"]): row["received_at"] for row in heard}
    turned_away = {(row["agency"], row["kind"]): row["refused_at"] for row in refused}
    sources = []
    for agency in agencies:
        for feed in agency.feeds:
            at, refused_at = (
                newest.pop((agency.code, feed.kind), None),
                turned_away.get((agency.code, feed.kind)),
            )
            now_is = state(feed, at, now, calendar, refused_at)
            missed = _missed(feed, at, now, calendar)
            sources.append(
                Source(
                    agency.code,
                    feed.kind,
                    now_is,
                    at,
                    agency.commune,
                    refused_at=refused_at,
                    missed=missed,
                )
            )
    for (code, kind), at in newest.items():
        recent = SourceState.LIVE if now - at < UNPROMISED else SourceState.QUIET
        sources.append(
            Source(code, kind, recent, at, refused_at=turned_away.get((code, kind)), promised=False)
        )
    wrong = {
        (row["agency"], row["kind"]): (timedelta(seconds=row["seconds"]), row["since"])
        for row in ahead
    }
    return tuple(
        replace(one, ahead=found[0], ahead_since=found[1])
        if (found := wrong.get((one.agency, one.kind)))
        else one
        for one in sources
    )


def _missed(feed: Feed, at: datetime | None, now: datetime, calendar: Calendar) -> float:
    if at is None or at >= now:
        return 0.0
    return calendar.working_time(at, now) / timedelta(
        minutes=feed.rhythm_minutes + feed.grace_minutes
    )
