"""Questions about alarms, which the watch raises and clears (`streams.watch`): what is open, what was, and who looks. SQL as in
`dashboard.query.store`; every question may raise `dashboard.query.connection.Unreachable`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.query.clock import Clock
from dashboard.query.connection import Connection
from dashboard.query.store import Row
from schemas.clickhouse.sql import moment
from schemas.clickhouse.watch_tables import WATCH
from schemas.moments import milliseconds

SHOWN = (
    "id, rule, cause, subject, priority, since, raised_at, cleared_at, communes, agencies, "
    "count, change, value, level, lat, lon, radius"
)


@dataclass(frozen=True)
class AlarmStore:
    """Asks one ClickHouse database about alarms."""

    connection: Connection

    def open(self, clock: Clock) -> list[Row]:
        """The alarms that were raised and not cleared at the moment, with what was last said of them; the columns of `SHOWN`."""
        return list(
            self.connection.rows(
                f"SELECT {SHOWN} FROM alarms WHERE raised_at <= {moment('now')} "
                f"AND (cleared_at IS NULL OR cleared_at > {moment('now')}) ORDER BY priority, raised_at DESC, id",
                now=milliseconds(clock.now()),
            )
        )

    def history(self, start: datetime, end: datetime, limit: int = 1000) -> list[Row]:
        """The alarms that were open at some time of a period, the newest first; the columns of `SHOWN`."""
        return list(
            self.connection.rows(
                f"SELECT {SHOWN} FROM alarms WHERE raised_at < {moment('end')} "
                f"AND (cleared_at IS NULL OR cleared_at > {moment('start')}) ORDER BY raised_at DESC, id LIMIT {limit:d}",
                start=milliseconds(start),
                end=milliseconds(end),
            )
        )

    def jobs(self) -> list[Row]:
        """When each job of the watch was last done: job, period_seconds, at. One that others outlived by a day is no more."""
        return list(
            self.connection.rows(
                f"SELECT job, argMax(period_seconds, w.at) AS period_seconds, max(w.at) AS at FROM {WATCH.name} AS w GROUP BY job "
                f"HAVING at > (SELECT max({WATCH.name}.at) FROM {WATCH.name}) - toIntervalSecond(%(outlived)s) ORDER BY job",
                outlived=round(timedelta(days=1).total_seconds()),
            )
        )
