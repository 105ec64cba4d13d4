"""Queries of the wall: the pulse of the data, reports, indicators, progress.

All SQL of the dashboard is in its stores: named queries, each answered for the moment of a clock.
Figures are in `figures`, single entities in `lives` and `records`, lists in `lists`, sources in
`sources`, alarms in `alarms`. Events dated after the moment are not shown as if they had happened.
Every method may raise `dashboard.query.connection.UnreachableError`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pandas as pd

from dashboard.query.clock import Clock
from dashboard.query.connection import Connection
from schemas.clickhouse.lives import LIVES_PROGRESS, current_table
from schemas.clickhouse.query import Query
from schemas.clickhouse.sql import AHEAD, HEARD, REPORT_DAYS, REPORTS, moment
from schemas.clickhouse.tables import DEAD_LETTERS, HEARTBEATS, PROGRESS, windows_table
from schemas.clickhouse.watch_tables import ALARMS
from schemas.events.kinds import FEEDBACK, INDICATOR
from schemas.moments import ZONE, milliseconds

HERE = ZoneInfo(ZONE)
MAX_POINTS = 400
"""Reports that the wall's map shows as points."""

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class DataPulse:
    """Proof that the path of the data is alive, and a mark that changes with the counts."""

    sent_at: datetime | None
    mark: str
    """Changes whenever a worker counts something or keeps a dead letter, or an alarm changes."""


@dataclass(frozen=True)
class ScreenStore:
    """Queries one ClickHouse database for what the wall shows."""

    connection: Connection

    def pulse(self) -> DataPulse:
        """Return the newest heartbeat, and how far lives and indicators have been counted.

        A few rows, queried at every tick; about the present only.
        """
        windows = windows_table(INDICATOR)
        offsets = (
            # Figures show what lives hold; indicators have no lives.
            "(SELECT sum(o) FROM (SELECT max(offset) + 1 AS o "
            f"FROM {LIVES_PROGRESS.ref} GROUP BY kind, partition)), "
            f"(SELECT sum(o) FROM (SELECT max(last_offset) + 1 AS o FROM {windows.ref} "
            "WHERE window_start = toDateTime(0) GROUP BY partition))"
        )
        # The partition furthest behind counts, as each may belong to another worker. The time of
        # writing counts, too: a gateway whose clock is ahead must not vouch for the future.
        newest = (
            "SELECT minOrNull(newest) FROM (SELECT max(least(sent_at, written_at)) AS newest "
            f"FROM {HEARTBEATS.ref} WHERE sent_at > least((SELECT sent_at FROM {HEARTBEATS.ref} "
            "ORDER BY sent_at DESC LIMIT 1), now()) - INTERVAL 1 DAY GROUP BY partition)"
        )
        query = Query(
            f"SELECT ({newest})::Nullable(DateTime64(3, '{ZONE}')) AS sent_at, "
            f"toString(({offsets}, (SELECT count() FROM {DEAD_LETTERS.ref}), "
            f"(SELECT (max(evaluated_at), count()) FROM {ALARMS.ref}))) AS mark",
            (LIVES_PROGRESS, windows, HEARTBEATS, DEAD_LETTERS, ALARMS),
        )
        (row,) = self.connection.rows(query)
        return DataPulse(row["sent_at"], row["mark"])

    def feedback_points(self, clock: Clock) -> pd.DataFrame:
        """Return the positions of the newest open reports: lat, lon, category."""
        reports = current_table(FEEDBACK)
        query = Query(
            f"""SELECT round(assumeNotNull(lat), 4) AS lat, round(assumeNotNull(lon), 4) AS lon,
                category
            FROM {reports.final}
            WHERE standing != 'closed' AND lat IS NOT NULL AND started_at <= {moment("now")}
            ORDER BY started_at DESC LIMIT {MAX_POINTS:d}""",
            (reports,),
            since=clock.now(),
        )
        frame: pd.DataFrame = self.connection.frame(query, now=milliseconds(clock.now()))
        return frame

    def indicator_reports(
        self, clock: Clock, units: Collection[str], days: int = REPORT_DAYS
    ) -> list[Row]:
        """Return the reports about some units in the last days, in no particular order.

        Only the newest report of each indicator, unit and period.
        """
        now = clock.now()
        return list(
            self.connection.rows(
                REPORTS,
                units=tuple(units) or ("",),
                now=milliseconds(now),
                since=milliseconds(now - timedelta(days=days)),
            )
        )

    def freshness(self) -> list[Row]:
        """Return when each agency was last heard from, by kind.

        agency, kind, received_at, occurred_at.
        """
        return list(self.connection.rows(HEARD))

    def clocks_ahead(self, clock: Clock) -> list[Row]:
        """Return the agencies whose events of the last hour are dated after their arrival.

        Agency, kind, by how many seconds, since when.
        """
        now = clock.now()
        return list(
            self.connection.rows(
                AHEAD, now=milliseconds(now), hour_ago=milliseconds(now - timedelta(hours=1))
            )
        )

    def progress(self) -> list[Row]:
        """Return the last progress report for each kind and partition.

        Spans are seconds; `unheard` is counted from the newest report of any worker.
        """
        newest = f"SELECT max(o.at) FROM {PROGRESS.ref} AS o"
        query = Query(
            f"""SELECT kind, partition, p.end - least(p.end, written) AS records, waits_since,
                p.at AS at,
                dateDiff('millisecond', moved_at, p.at) / 1000 AS still,
                dateDiff('millisecond', ifNull(waits_since, p.at), p.at) / 1000 AS waited,
                dateDiff('millisecond', p.at, ({newest})) / 1000 AS unheard
            FROM (SELECT * FROM {PROGRESS.final}) AS p ORDER BY kind, partition""",
            (PROGRESS,),
        )
        return list(self.connection.rows(query))
