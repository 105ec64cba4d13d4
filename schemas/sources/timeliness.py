"""How timely a source was: the spans of its states in a period, and the league of all sources by them. Pure.

The states are those of `schemas.sources.freshness`, asked for every moment of the past: so what a history shows is what a screen
showed, as far as it is known from the arrivals alone, which are kept by the minute.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeVar

from schemas.reference import ZONE, Feed, WorkingCalendar
from schemas.sources.freshness import SourceState, state


@dataclass(frozen=True)
class Span:
    """A time in which a feed was in one state; it ends where the next begins."""

    state: SourceState
    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


Run = tuple[datetime, datetime]
"""First and last of events that came one after the other, never further apart than the rhythm of their feed."""


At = TypeVar("At", datetime, int)


def runs(moments: Iterable[datetime], apart: timedelta) -> list[Run]:
    """Moments as runs: a new one begins where two are further apart. `apart` must not be longer than the feed's rhythm."""
    return joined(((at, at) for at in moments), lambda last, first: first - last <= apart)


def at_work(given: Iterable[Run], rhythm: timedelta, calendar: WorkingCalendar) -> list[Run]:
    """Runs with no more working time between them than the rhythm as one: at work nothing but live can be meanwhile.

    Enough for `standing`, which asks for working time only: most sources rest at night.
    """
    return joined(given, lambda last, first: calendar.working_time(last, first) <= rhythm)


def spans(
    feed: Feed,
    arrivals: Iterable[Run],
    refusals: Iterable[Run],
    start: datetime,
    end: datetime,
    calendar: WorkingCalendar,
) -> tuple[Span, ...]:
    """The states of a feed from `start` to `end`, without a gap, from the runs of its arrivals and of its refused input.

    Give the newest arrival before `start` too, where there is one. Between two moments at which its state can change it does not:
    so it is asked for once in the middle of each such piece.
    """
    rhythm = timedelta(minutes=feed.rhythm_minutes)

    def near(last: datetime, first: datetime) -> bool:
        return first - last <= rhythm

    came, refused = (
        joined((one for one in given if one[0] < end), near) for given in (arrivals, refusals)
    )
    moments = {start, end}
    for given in (came, refused):
        for (first, last), following in zip(
            given, [*(run[0] for run in given[1:]), end], strict=False
        ):
            moments |= {first, last}
            if following - last > rhythm:
                moments |= _changes(feed, last, following, calendar)
    found: list[Span] = []
    heard, turned_away = _Newest(came), _Newest(refused)
    for first, last in pairwise(sorted(one for one in moments if start <= one <= end)):
        middle = first + (last - first) / 2
        now = state(feed, heard.at(middle), middle, calendar, turned_away.at(middle))
        if found and found[-1].state is now:
            found[-1] = Span(now, found[-1].start, last)
        else:
            found.append(Span(now, first, last))
    return tuple(found)


def joined(given: Iterable[tuple[At, At]], near: Callable[[At, At], bool]) -> list[tuple[At, At]]:
    """Runs in order, as one where the last of one and the first of the next are near: no further apart than the feed's rhythm, so
    that meanwhile nothing but live can be, or malformed. Of moments or their numbers."""
    found: list[tuple[At, At]] = []
    for first, last in sorted(given):
        if found and near(found[-1][1], first):
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


class _Newest:
    """The newest moment of sorted runs up to one, asked for in order."""

    def __init__(self, given: Sequence[Run]) -> None:
        self._runs, self._next = given, 0

    def at(self, moment: datetime) -> datetime | None:
        while self._next < len(self._runs) and self._runs[self._next][0] <= moment:
            self._next += 1
        return min(self._runs[self._next - 1][1], moment) if self._next else None


def _changes(feed: Feed, at: datetime, until: datetime, calendar: WorkingCalendar) -> set[datetime]:
    """When the state of a feed that was last heard of at `at` can change before `until`: also where work begins and ends."""
    rhythm, grace = timedelta(minutes=feed.rhythm_minutes), timedelta(minutes=feed.grace_minutes)
    silent = calendar.add_working(at, rhythm + grace)
    found, day = {at + rhythm, calendar.add_working(at, rhythm), silent}, at.astimezone(ZONE).date()
    # Silent is one that missed more: if that is reached as work ends, only when it begins again.
    last = min(until, calendar.add_working(silent, timedelta(microseconds=1)))
    while day <= last.astimezone(ZONE).date():
        found |= {bound for session in calendar.sessions(day) for bound in session}
        day += timedelta(days=1)
    return found


@dataclass(frozen=True)
class SourceStanding:
    """How timely a feed, or all feeds of an agency, were in a period: the working time in each state."""

    agency: str
    kind: str
    """Empty for all of an agency's feeds together."""
    expected: timedelta
    """The working time in which events were expected; of several feeds, the sum."""
    by_state: Mapping[SourceState, timedelta]

    def share(self, of: SourceState) -> float:
        """The part of the expected time in a state, in percent; 0 where nothing was expected."""
        return 100 * (self.by_state.get(of, timedelta(0)) / self.expected) if self.expected else 0.0

    @property
    def order(self) -> tuple[float, float, float, str, str]:
        """The best first: most live, then least silent, then least malformed; then by code."""
        return (
            -round(self.share(SourceState.LIVE), 6),
            self.share(SourceState.SILENT) + self.share(SourceState.NEVER),
            self.share(SourceState.MALFORMED),
            self.agency,
            self.kind,
        )


def standing(
    agency: str, kind: str, found: Iterable[Span], calendar: WorkingCalendar
) -> SourceStanding:
    """How timely a feed was, from the spans of its states. What is live off hours earns nothing: nothing was expected then."""
    by_state: dict[SourceState, timedelta] = {}
    for span in found:
        worked = calendar.working_time(span.start, span.end)
        if worked:
            by_state[span.state] = by_state.get(span.state, timedelta(0)) + worked
    return SourceStanding(agency, kind, sum(by_state.values(), timedelta(0)), by_state)


def league(standings: Iterable[SourceStanding]) -> tuple[SourceStanding, ...]:
    """Feeds by timeliness, the best first; those of which nothing was expected are left out."""
    return tuple(sorted((one for one in standings if one.expected), key=lambda one: one.order))


def by_agency(standings: Iterable[SourceStanding]) -> tuple[SourceStanding, ...]:
    """The agencies by timeliness: each feed of an agency weighs as much as the time in which it was expected."""
    sums: dict[str, dict[SourceState, timedelta]] = {}
    for one in standings:
        total = sums.setdefault(one.agency, {})
        for found, length in one.by_state.items():
            total[found] = total.get(found, timedelta(0)) + length
    return league(
        SourceStanding(agency, "", sum(total.values(), timedelta(0)), total)
        for agency, total in sums.items()
    )
