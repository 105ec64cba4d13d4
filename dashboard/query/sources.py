"""Queries about sources: their state now and over time, timeliness, refusals and reasons.

The rules are in `schemas.sources.freshness` and `schemas.sources.timeliness`; the queries here
supply their data. Every method may raise `dashboard.query.connection.UnreachableError`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from dashboard.query.clock import Clock
from dashboard.query.connection import Connection
from dashboard.query.store import HERE, Row, ScreenStore
from schemas.clickhouse.columns import Table
from schemas.clickhouse.query import Query
from schemas.clickhouse.sql import REFUSED, REFUSED_LAST, REFUSED_TABLES, moment
from schemas.clickhouse.tables import DEAD_LETTERS
from schemas.clickhouse.watch_tables import ARRIVAL_DAYS, ARRIVALS, REFUSALS
from schemas.events.refusals import redacted
from schemas.moments import from_milliseconds, milliseconds
from schemas.reference import Agency, Feed, WorkingCalendar
from schemas.sources.freshness import Source, SourceState, judge
from schemas.sources.timeliness import (
    Run,
    SourceStanding,
    Span,
    at_work,
    by_agency,
    joined,
    league,
    spans,
    standing,
)

LEAGUE_DAYS = 30
REFUSED_LAST_DAYS = 60
"""How far back the last refusal of a feed is looked for."""
REFUSED_HOURS = 24
"""How far back refusals are listed."""
RUN_MINUTES = 30
"""Longest gap between events of one run: at most the shortest agreed interval of a feed (a test
checks that).
"""
Key = tuple[str, str]
"""Agency and kind."""
Runs = Mapping[Key, Sequence[tuple[int, int]]]
"""First and last event of each run, in milliseconds since 1970."""


@dataclass(frozen=True)
class SourceStore:
    """Queries one ClickHouse database about the sources of a province."""

    connection: Connection
    agencies: tuple[Agency, ...]
    calendar: WorkingCalendar

    def current(self, clock: Clock) -> tuple[Source, ...]:
        """Return the state of every agreed feed, and of feeds received without an agreement."""
        store, now = ScreenStore(self.connection), clock.now()
        return judge(
            self.agencies,
            store.freshness(),
            now,
            self.calendar,
            store.clocks_ahead(clock),
            self.refused_last(clock),
        )

    def refused_last(self, clock: Clock) -> list[Row]:
        """Return when input of each agency and kind was last refused, by a gateway or a worker.

        agency, kind, refused_at.
        """
        return list(
            self.connection.rows(
                REFUSED_LAST,
                **_period(clock.now() - timedelta(days=REFUSED_LAST_DAYS), clock.now()),
            )
        )

    def histories(
        self, feeds: Collection[Key], start: datetime, end: datetime
    ) -> Mapping[Key, tuple[Span, ...]]:
        """Return the states of feeds over a period, without gaps.

        Empty for a feed that was not agreed, which cannot be missing.
        """
        promised = [
            (agency.code, feed)
            for agency in self.agencies
            for feed in agency.feeds
            if (agency.code, feed.kind) in feeds
        ]
        return dict.fromkeys(feeds, ()) | self._spans(promised, start, end)

    def standings(self, start: datetime, end: datetime) -> tuple[SourceStanding, ...]:
        """Return the timeliness of every agreed feed in a period, best first."""
        feeds = [(agency.code, feed) for agency in self.agencies for feed in agency.feeds]
        found = self._spans(feeds, start, end, at_work_only=True)
        return league(
            standing(agency, kind, states, self.calendar)
            for (agency, kind), states in found.items()
        )

    def league(self, clock: Clock, days: int = LEAGUE_DAYS) -> tuple[SourceStanding, ...]:
        """Return the timeliness of every agency in the last days, best first."""
        return by_agency(self.standings(clock.now() - timedelta(days=days), clock.now()))

    def silences(
        self, start: datetime, end: datetime, hours: float = 0
    ) -> list[tuple[str, str, Span]]:
        """Return when agreed feeds were silent in a period, for at least some hours.

        (agency, kind, span), longest first.
        """
        feeds = [(agency.code, feed) for agency in self.agencies for feed in agency.feeds]
        found = [
            (agency, kind, span)
            for (agency, kind), states in self._spans(feeds, start, end).items()
            for span in states
            if span.state is SourceState.SILENT and span.length >= timedelta(hours=hours)
        ]
        return sorted(found, key=lambda one: (-one[2].length, one[2].start, one[0], one[1]))

    def refused(self, clock: Clock, agency: str | None = None, limit: int = 200) -> list[Row]:
        """Return recent refusals by agency, kind, category and source.

        With the count, the first and last time, and a reason to act on. `by` says what refused the
        input: the gateway, which answered its sender at once, or a worker, which kept it as a dead
        letter.
        """
        query = Query(
            f"""SELECT agency, kind, category, source, by, sum(r.count) AS count,
                min(r.since) AS since, max(r.until) AS until, argMax(r.reason, r.until) AS reason
            FROM (SELECT agency, kind, category, source, 'gateway' AS by, count, since, until,
                    reason
                FROM {REFUSALS.final}
                WHERE until > {moment("start")} AND until <= {moment("end")}
                UNION ALL
                SELECT agency, kind, category, '', 'worker', 1, received_at, received_at, reason
                FROM {DEAD_LETTERS.final}
                WHERE received_at > {moment("start")} AND received_at <= {moment("end")}) AS r
            WHERE %(any)s OR agency = %(agency)s
            GROUP BY agency, kind, category, source, by
            ORDER BY until DESC, count DESC LIMIT {limit:d}""",
            (REFUSALS, DEAD_LETTERS),
        )
        rows = self.connection.rows(
            query,
            any=int(agency is None),
            agency=agency or "",
            **_period(clock.now() - timedelta(hours=REFUSED_HOURS), clock.now()),
        )
        return [{**row, "reason": redacted(row["reason"])} for row in rows]

    def _spans(
        self,
        feeds: Iterable[tuple[str, Feed]],
        start: datetime,
        end: datetime,
        *,
        at_work_only: bool = False,
    ) -> dict[Key, tuple[Span, ...]]:
        """Return the states of feeds; with `at_work_only`, states off hours may be wrong."""
        chosen = list(feeds)
        if not chosen:
            return {}
        only = {agency for agency, _ in chosen}
        if len(only) == len(self.agencies):
            only = set()
        came, refused = self._arrivals(start, end, only), self._refusals(start, end, only)
        found = {}
        for agency, feed in chosen:
            heard, turned_away = (
                _joined(of.get((agency, feed.kind), ()), feed.rhythm_minutes)
                for of in (came, refused)
            )
            if at_work_only:
                heard = at_work(heard, timedelta(minutes=feed.rhythm_minutes), self.calendar)
            found[agency, feed.kind] = spans(feed, heard, turned_away, start, end, self.calendar)
        return found

    def _arrivals(self, start: datetime, end: datetime, only: set[str]) -> Runs:
        return self._runs(
            # The newest arrival before the period is on the period's first day, or on an earlier
            # day.
            f"""SELECT agency, kind, received_at AS at FROM {ARRIVALS.ref}
            WHERE minute >= toStartOfDay({moment("start")}) AND received_at <= {moment("end")}
                AND {_only(only)}
            UNION ALL SELECT agency, kind, max(d.received_at) AS at FROM {ARRIVAL_DAYS.ref} AS d
            WHERE day < toDate({moment("start")}) AND {_only(only)} GROUP BY agency, kind""",
            (ARRIVALS, ARRIVAL_DAYS),
            start,
            end,
            only,
        )

    def _refusals(self, start: datetime, end: datetime, only: set[str]) -> Runs:
        # A refusal before the period matters if its feed may still count as refused at the start.
        return self._runs(
            f"SELECT agency, kind, max(refused_at) AS at FROM ({REFUSED}) WHERE {_only(only)} "
            "GROUP BY agency, kind, toStartOfMinute(refused_at)",
            REFUSED_TABLES,
            start - timedelta(days=30),
            end,
            only,
        )

    def _runs(
        self,
        moments: str,
        tables: tuple[Table, ...],
        start: datetime,
        end: datetime,
        only: set[str],
    ) -> Runs:
        """Group moments (agency, kind, at) into runs, in ClickHouse.

        A month of all sources has a million moments, but few gaps. Within each interval of the
        length that a run may pause, only the first and the last moment can border on a gap.
        """
        apart = RUN_MINUTES * 60_000
        query = Query(
            f"""SELECT agency, kind, parts[1].1, parts[-1].2,
                arrayFilter(gap -> gap.2 > gap.1 + {apart},
                arrayMap((a, b) -> (a.2, b.1), arrayPopBack(parts), arrayPopFront(parts)))
            FROM (SELECT agency, kind, arraySort(groupArray((first, last))) AS parts
                FROM (SELECT agency, kind, min(ms) AS first, max(ms) AS last
                    FROM (SELECT agency, kind, toUnixTimestamp64Milli(at) AS ms FROM ({moments}))
                    GROUP BY agency, kind, intDiv(ms, {apart}))
                GROUP BY agency, kind)""",
            tables,
        )
        rows = self.connection.tuples(query, only=sorted(only), **_period(start, end))
        found: dict[Key, list[tuple[int, int]]] = {}
        for agency, kind, first, last, gaps in rows:
            ends = [first, *chain.from_iterable(gaps), last]
            found[agency, kind] = list(zip(ends[::2], ends[1::2], strict=True))
        return found


def _joined(runs: Sequence[tuple[int, int]], minutes: int) -> list[Run]:
    # Join numbers: joining datetimes takes ten times as long.
    apart = minutes * 60_000
    return [
        (_here(first), _here(last))
        for first, last in joined(runs, lambda last, first: first - last <= apart)
    ]


def _here(ms: int) -> datetime:
    # In one time zone: datetimes of different zones take several times as long to compare.
    return from_milliseconds(ms).astimezone(HERE)


def _only(agencies: set[str]) -> str:
    return "agency IN %(only)s" if agencies else "1"


def _period(start: datetime, end: datetime) -> dict[str, int]:
    return {"start": milliseconds(start), "end": milliseconds(end)}
