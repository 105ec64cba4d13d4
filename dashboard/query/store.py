"""The only SQL of the dashboard is in its stores: named questions, each for the moment of a clock.

Figures are asked by `store_figures`, single entities by `store_lives`, sources by `store_sources`, alarms by `store_alarms`. What
is dated after the moment is not shown as if it had happened. Every question may raise `dashboard.query.connection.Unreachable`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pandas as pd

from dashboard.query.clock import Clock
from dashboard.query.connection import Connection
from schemas.clickhouse.sql import AHEAD, HEARD, REPORT_DAYS, REPORTS, moment
from schemas.events.kinds import INDICATOR
from schemas.moments import ZONE, milliseconds

HERE = ZoneInfo(ZONE)

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class DataPulse:
    """What proves that the path of the data is alive, and whether anything was counted since."""

    sent_at: datetime | None
    mark: str
    """Changes whenever a worker counted something or kept a dead letter, or an alarm changed."""


@dataclass(frozen=True)
class ScreenStore:
    """Asks the questions of one ClickHouse database."""

    connection: Connection

    def pulse(self) -> DataPulse:
        """The newest heartbeat, and how far lives and indicators have come; a few rows, asked every tick."""
        offsets = (
            # What lives hold is what figures show; indicators have no lives.
            "(SELECT sum(o) FROM (SELECT max(offset) + 1 AS o FROM lives_progress GROUP BY kind, partition)), "
            f"(SELECT sum(o) FROM (SELECT max(last_offset) + 1 AS o FROM windows_{INDICATOR.name} "
            "WHERE window_start = toDateTime(0) GROUP BY partition))"
        )
        (row,) = self.connection.rows(
            # The partition that is furthest behind tells, as each may be another worker's; one of a gateway whose clock is ahead
            # must not speak for later, so the writing counts too.
            f"SELECT (SELECT minOrNull(newest) FROM (SELECT max(least(sent_at, written_at)) AS newest FROM heartbeats "
            f"WHERE sent_at > least((SELECT sent_at FROM heartbeats ORDER BY sent_at DESC LIMIT 1), now()) - INTERVAL 1 DAY "
            f"GROUP BY partition))::Nullable(DateTime64(3, '{ZONE}')) AS sent_at, "
            f"toString(({offsets}, (SELECT count() FROM dead_letter_rows), "
            "(SELECT (max(evaluated_at), count()) FROM alarm_rows))) AS mark"
        )
        return DataPulse(row["sent_at"], row["mark"])

    def feedback_points(self, clock: Clock, limit: int = 400) -> pd.DataFrame:
        """Where the newest open reports lie: lat, lon, category."""
        frame: pd.DataFrame = self.connection.reaching(clock.now()).frame(
            f"""SELECT round(assumeNotNull(lat), 4) AS lat, round(assumeNotNull(lon), 4) AS lon, category
            FROM current_feedback FINAL WHERE standing != 'closed' AND lat IS NOT NULL AND started_at <= {moment("now")}
            ORDER BY started_at DESC LIMIT {limit:d}""",
            now=milliseconds(clock.now()),
        )
        return frame

    def indicator_reports(
        self, clock: Clock, units: Collection[str], days: int = REPORT_DAYS
    ) -> list[Row]:
        """What was reported of some units in the last days, in any order: the newest report of each indicator, unit and period."""
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
        """When each agency was last heard of, per kind: agency, kind, received_at, occurred_at."""
        return list(self.connection.rows(HEARD))

    def clocks_ahead(self, clock: Clock) -> list[Row]:
        """Agencies whose events of the last hour are ahead of their arrival: agency, kind, by how many seconds, since."""
        now = clock.now()
        return list(
            self.connection.rows(
                AHEAD, now=milliseconds(now), hour_ago=milliseconds(now - timedelta(hours=1))
            )
        )

    def progress(self) -> list[Row]:
        """Per kind and partition what its worker said last; spans in seconds, `unheard` against the newest word of any worker."""
        return list(
            self.connection.rows(
                """SELECT kind, partition, p.end - least(p.end, written) AS records, waits_since, p.at AS at,
                    dateDiff('millisecond', moved_at, p.at) / 1000 AS still,
                    dateDiff('millisecond', ifNull(waits_since, p.at), p.at) / 1000 AS waited,
                    dateDiff('millisecond', p.at, (SELECT max(progress.at) FROM progress)) / 1000 AS unheard
                FROM progress AS p FINAL ORDER BY kind, partition"""
            )
        )
