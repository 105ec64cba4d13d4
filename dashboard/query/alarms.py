"""Queries about alarms, which the watch raises and clears (`streams.watch`).

Open alarms, past alarms, and the jobs of the watch. Every method may raise
`dashboard.query.connection.UnreachableError`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.query.clock import Clock
from dashboard.query.connection import Connection
from dashboard.query.store import Row
from schemas.clickhouse.query import Query
from schemas.clickhouse.sql import moment
from schemas.clickhouse.watch_tables import WATCH
from schemas.moments import milliseconds

ALARMS_VIEW = "alarms"
"""The view of all alarms."""
SHOWN = (
    "id, rule, cause, subject, priority, since, raised_at, cleared_at, communes, agencies, "
    "count, change, value, level, lat, lon, radius"
)


@dataclass(frozen=True)
class AlarmStore:
    """Queries one ClickHouse database about alarms."""

    connection: Connection

    def open(self, clock: Clock) -> list[Row]:
        """Return the alarms that are open at the clock's moment, as last evaluated.

        The columns of `SHOWN`; most severe first, then newest.
        """
        query = Query(
            f"SELECT {SHOWN} FROM {{tables.alarms}} WHERE raised_at <= {moment('now')} "
            f"AND (cleared_at IS NULL OR cleared_at > {moment('now')}) "
            "ORDER BY priority, raised_at DESC, id",
            (ALARMS_VIEW,),
        )
        return list(self.connection.rows(query, now=milliseconds(clock.now())))

    def history(self, start: datetime, end: datetime, limit: int = 1000) -> list[Row]:
        """Return the alarms that were open at any time of a period, newest first.

        The columns of `SHOWN`.
        """
        query = Query(
            f"SELECT {SHOWN} FROM {{tables.alarms}} WHERE raised_at < {moment('end')} "
            f"AND (cleared_at IS NULL OR cleared_at > {moment('start')}) "
            f"ORDER BY raised_at DESC, id LIMIT {limit:d}",
            (ALARMS_VIEW,),
        )
        return list(self.connection.rows(query, start=milliseconds(start), end=milliseconds(end)))

    def jobs(self) -> list[Row]:
        """Return when each job of the watch last ran: job, period_seconds, at.

        A job that last ran a day before the others no longer exists and is left out.
        """
        query = Query(
            "SELECT job, argMax(period_seconds, w.at) AS period_seconds, max(w.at) AS at "
            f"FROM {WATCH.ref} AS w GROUP BY job HAVING at > "
            f"(SELECT max(v.at) FROM {WATCH.ref} AS v) - toIntervalSecond(%(outlived)s) "
            "ORDER BY job",
            (WATCH,),
        )
        day = round(timedelta(days=1).total_seconds())
        return list(self.connection.rows(query, outlived=day))
