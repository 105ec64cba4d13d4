"""Measure how timely sources were: the states of a feed in a period, and a league of all feeds.

The states are those of `schemas.sources.freshness`, computed for past moments. So a history shows
what a screen showed, as far as arrivals alone tell, which are recorded by the minute. All functions
are pure.
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
        """Return the duration."""
        return self.end - self.start


Run = tuple[datetime, datetime]
"""First and last of consecutive events, never further apart than the rhythm of their feed."""


At = TypeVar("At", datetime, int)


def runs(moments: Iterable[datetime], apart: timedelta) -> list[Run]:
    """Group moments into runs; a new one begins where two are further apart than `apart`.

    `apart` must not be longer than the feed's rhythm.
    """
    return joined(((at, at) for at in moments), lambda last, first: first - last <= apart)


def at_work(given: Iterable[Run], rhythm: timedelta, calendar: WorkingCalendar) -> list[Run]:
    """Join runs that have no more working time between them than the rhythm.

    In the working time between such runs, the feed can only be live. Their joined runs suffice for
    `standing`, which counts working time only; most sources rest at night.
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
    """Return the states of a feed from `start` to `end`, without a gap.

    The state can change only at certain moments. It is computed once between each two of them, in
    the middle.

    Args:
        feed: The contract of the feed.
        arrivals: Runs of its arrivals, including the newest before `start`, if there is one.
        refusals: Runs of its refused input.
        start: Start of the period.
        end: End of the period.
        calendar: The working time.
    """
    rhythm = timedelta(minutes=feed.rhythm_minutes)

    def near(last: datetime, first: datetime) -> bool:
        """Return whether two moments are no further apart than the rhythm."""
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
    """Join consecutive runs if the end of one is near the start of the next.

    Near means no further apart than the feed's rhythm, so that the state in between can only be
    live, or malformed. Runs are pairs of moments, or of their numbers.
    """
    found: list[tuple[At, At]] = []
    for first, last in sorted(given):
        if found and near(found[-1][1], first):
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


class _Newest:
    """Finds the newest moment of sorted runs up to a moment; the moments must ascend."""

    def __init__(self, given: Sequence[Run]) -> None:
        self._runs, self._next = given, 0

    def at(self, moment: datetime) -> datetime | None:
        """Return the newest moment up to `moment`."""
        while self._next < len(self._runs) and self._runs[self._next][0] <= moment:
            self._next += 1
        return min(self._runs[self._next - 1][1], moment) if self._next else None


def _changes(feed: Feed, at: datetime, until: datetime, calendar: WorkingCalendar) -> set[datetime]:
    """Return when the state of a feed with its last sign of life at `at` can change before `until`.

    That includes starts and ends of work.
    """
    rhythm, grace = timedelta(minutes=feed.rhythm_minutes), timedelta(minutes=feed.grace_minutes)
    silent = calendar.add_working(at, rhythm + grace)
    found, day = {at + rhythm, calendar.add_working(at, rhythm), silent}, at.astimezone(ZONE).date()
    # A feed is silent only beyond the limit: if it reaches the limit as work ends, it becomes
    # silent when work begins again.
    last = min(until, calendar.add_working(silent, timedelta(microseconds=1)))
    while day <= last.astimezone(ZONE).date():
        found |= {bound for session in calendar.sessions(day) for bound in session}
        day += timedelta(days=1)
    return found


@dataclass(frozen=True)
class SourceStanding:
    """Timeliness of a feed, or of all feeds of an agency, in a period: working time by state."""

    agency: str
    kind: str
    """Kind of the feed; empty for all of an agency's feeds together."""
    expected: timedelta
    """Working time in which events were expected; for several feeds, the sum."""
    by_state: Mapping[SourceState, timedelta]

    def share(self, of: SourceState) -> float:
        """Return the share of the expected time in a state, in percent; 0 if none was expected."""
        return 100 * (self.by_state.get(of, timedelta(0)) / self.expected) if self.expected else 0.0

    @property
    def order(self) -> tuple[float, float, float, str, str]:
        """Return the sort key.

        The feed that was live most comes first, then the one that was least silent, then the one
        that was least malformed; equal ones are in the order of their codes.
        """
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
    """Return how timely a feed was, from the spans of its states.

    Live off hours counts for nothing, as nothing was expected then.
    """
    by_state: dict[SourceState, timedelta] = {}
    for span in found:
        worked = calendar.working_time(span.start, span.end)
        if worked:
            by_state[span.state] = by_state.get(span.state, timedelta(0)) + worked
    return SourceStanding(agency, kind, sum(by_state.values(), timedelta(0)), by_state)


def league(standings: Iterable[SourceStanding]) -> tuple[SourceStanding, ...]:
    """Return feeds by timeliness, the best first; feeds with no expected time are left out."""
    return tuple(sorted((one for one in standings if one.expected), key=lambda one: one.order))


def by_agency(standings: Iterable[SourceStanding]) -> tuple[SourceStanding, ...]:
    """Return the agencies by timeliness.

    Each feed of an agency is weighted by the time in which it was expected.
    """
    sums: dict[str, dict[SourceState, timedelta]] = {}
    for one in standings:
        total = sums.setdefault(one.agency, {})
        for found, length in one.by_state.items():
            total[found] = total.get(found, timedelta(0)) + length
    return league(
        SourceStanding(agency, "", sum(total.values(), timedelta(0)), total)
        for agency, total in sums.items()
    )
