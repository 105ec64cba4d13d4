"""Questions about the sources: how they stand and stood, who is timely, what was refused and why. SQL as in `dashboard.store`.

The rules are those of `schemas.freshness` and `schemas.timeliness`; here they are only given what they need. Every question may
raise `dashboard.connection.Unreachable`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from dashboard.clock import Clock
from dashboard.connection import Connection
from dashboard.store import HERE, Row, Store
from schemas.freshness import Source, State, judge
from schemas.moments import from_milliseconds, milliseconds
from schemas.reference import Agency, Feed, WorkingCalendar
from schemas.refusals import harmless
from schemas.sql import REFUSED, REFUSED_LAST, moment
from schemas.timeliness import Run, Span, Standing, by_agency, league, spans, standing
from schemas.watch_tables import ARRIVAL_DAYS, ARRIVALS, REFUSALS

LEAGUE_DAYS = 30
RUN_MINUTES = 30
"""Events no further apart than this are one run: not longer than the shortest rhythm that was promised (a test sees to it)."""
Key = tuple[str, str]
"""Agency and kind."""


@dataclass(frozen=True)
class SourceStore:
    """Asks one ClickHouse database about the sources of a province."""

    connection: Connection
    agencies: tuple[Agency, ...]
    calendar: WorkingCalendar

    def current(self, clock: Clock) -> tuple[Source, ...]:
        """Every promised feed, and those heard without a promise, as they stand."""
        store, now = Store(self.connection), clock.now()
        return judge(self.agencies, store.freshness(), now, self.calendar, store.clocks_ahead(clock), self.refused_last(clock))

    def refused_last(self, clock: Clock, days: int = 60) -> list[Row]:
        """When input of each agency and kind was last refused, by a gateway or by a worker: agency, kind, refused_at."""
        return list(
            self.connection.rows(
                REFUSED_LAST,
                **_period(clock.now() - timedelta(days=days), clock.now()),
            )
        )

    def histories(self, asked: Collection[Key], start: datetime, end: datetime) -> Mapping[Key, tuple[Span, ...]]:
        """The states of feeds in a period, without a gap; empty for a feed that was not promised, which can not be missed."""
        promised = [(agency.code, feed) for agency in self.agencies for feed in agency.feeds if (agency.code, feed.kind) in asked]
        return dict.fromkeys(asked, ()) | self._spans(promised, start, end)

    def history(self, agency: str, kind: str, start: datetime, end: datetime) -> tuple[Span, ...]:
        """The same of one feed."""
        return self.histories([(agency, kind)], start, end)[agency, kind]

    def standings(self, start: datetime, end: datetime) -> tuple[Standing, ...]:
        """How timely every promised feed was in a period, the best first."""
        feeds = [(agency.code, feed) for agency in self.agencies for feed in agency.feeds]
        found = self._spans(feeds, start, end)
        return league(standing(agency, kind, states, self.calendar) for (agency, kind), states in found.items())

    def league(self, clock: Clock, days: int = LEAGUE_DAYS) -> tuple[Standing, ...]:
        """How timely every agency was in the last days, the best first."""
        return by_agency(self.standings(clock.now() - timedelta(days=days), clock.now()))

    def silences(self, start: datetime, end: datetime, hours: float = 0) -> list[tuple[str, str, Span]]:
        """When promised feeds were silent in a period, for at least so many hours: agency, kind, span; the longest first."""
        feeds = [(agency.code, feed) for agency in self.agencies for feed in agency.feeds]
        found = [
            (agency, kind, span)
            for (agency, kind), states in self._spans(feeds, start, end).items()
            for span in states
            if span.state is State.SILENT and span.length >= timedelta(hours=hours)
        ]
        return sorted(found, key=lambda one: (-one[2].length, one[2].start, one[0], one[1]))

    def refused(self, clock: Clock, hours: int = 24, agency: str | None = None, limit: int = 200) -> list[Row]:
        """What was refused lately and why, by agency, kind, category and source: how many, first, last, a reason to act on.

        `by` says who refused it: the gateway, whose sender was told so at once, or the worker, which kept it as a dead letter.
        """
        rows = list(
            self.connection.rows(
                f"""SELECT agency, kind, category, source, by, sum(r.count) AS count, min(r.since) AS since, max(r.until) AS until,
                    argMax(r.reason, r.until) AS reason
                FROM (SELECT agency, kind, category, source, 'gateway' AS by, count, since, until, reason
                    FROM {REFUSALS.name} FINAL WHERE until > {moment("start")} AND until <= {moment("end")}
                    UNION ALL
                    SELECT agency, kind, category, '', 'worker', 1, received_at, received_at, reason
                    FROM dead_letter_rows FINAL WHERE received_at > {moment("start")} AND received_at <= {moment("end")}) AS r
                WHERE %(any)s OR agency = %(agency)s
                GROUP BY agency, kind, category, source, by ORDER BY until DESC, count DESC LIMIT {limit:d}""",
                any=int(agency is None),
                agency=agency or "",
                **_period(clock.now() - timedelta(hours=hours), clock.now()),
            )
        )
        return [{**row, "reason": harmless(row["reason"])} for row in rows]

    def _spans(self, feeds: Iterable[tuple[str, Feed]], start: datetime, end: datetime) -> dict[Key, tuple[Span, ...]]:
        asked = list(feeds)
        if not asked:
            return {}
        only = {agency for agency, _ in asked}
        if len(only) == len(self.agencies):
            only = set()
        came, refused = self._arrivals(start, end, only), self._refusals(start, end, only)
        return {
            (agency, feed.kind): spans(
                feed, came.get((agency, feed.kind), ()), refused.get((agency, feed.kind), ()), start, end, self.calendar
            )
            for agency, feed in asked
        }

    def _arrivals(self, start: datetime, end: datetime, only: set[str]) -> Mapping[Key, list[Run]]:
        return self._runs(
            f"""SELECT agency, kind, received_at AS at FROM {ARRIVALS.name} FINAL
            WHERE minute >= toStartOfMinute({moment("start")}) AND received_at <= {moment("end")} AND {_only(only)}
            UNION ALL SELECT agency, kind, max(before_at) AS at FROM (
                SELECT agency, kind, received_at AS before_at FROM {ARRIVAL_DAYS.name}
                WHERE day < toDate({moment("start")}) AND {_only(only)}
                UNION ALL SELECT agency, kind, received_at FROM {ARRIVALS.name}
                WHERE minute >= toStartOfDay({moment("start")}) AND minute < toStartOfMinute({moment("start")}) AND {_only(only)}
            ) GROUP BY agency, kind""",
            start,
            end,
            only,
        )

    def _refusals(self, start: datetime, end: datetime, only: set[str]) -> Mapping[Key, list[Run]]:
        # What was refused before the period matters as long as it could still be live then.
        asked = f"SELECT agency, kind, max(refused_at) AS at FROM ({REFUSED}) WHERE {_only(only)} GROUP BY agency, kind, "
        return self._runs(asked + "toStartOfMinute(refused_at)", start - timedelta(days=30), end, only)

    def _runs(self, moments: str, start: datetime, end: datetime, only: set[str]) -> Mapping[Key, list[Run]]:
        """Runs of moments (agency, kind, at), made in ClickHouse: a month of all sources has a million minutes, but few gaps."""
        rows = self.connection.tuples(
            f"""SELECT agency, kind, min(ms), max(ms), arraySort(groupArrayIf((before, ms), ms > before + {RUN_MINUTES * 60_000}))
            FROM (SELECT agency, kind, toUnixTimestamp64Milli(at) AS ms, lagInFrame(ms, 1, ms)
                OVER (PARTITION BY agency, kind ORDER BY ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before FROM ({moments}))
            GROUP BY agency, kind""",
            only=sorted(only),
            **_period(start, end),
        )
        found: dict[Key, list[Run]] = {}
        for agency, kind, first, last, gaps in rows:
            ends = [_here(ms) for ms in (first, *chain.from_iterable(gaps), last)]
            found[agency, kind] = list(zip(ends[::2], ends[1::2], strict=True))
        return found


def _here(ms: int) -> datetime:
    # Of one zone, as moments of different ones take several times as long to compare.
    return from_milliseconds(ms).astimezone(HERE)


def _only(agencies: set[str]) -> str:
    return "agency IN %(only)s" if agencies else "1"


def _period(start: datetime, end: datetime) -> dict[str, int]:
    return {"start": milliseconds(start), "end": milliseconds(end)}
