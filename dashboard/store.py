"""The only SQL of the dashboard: named questions, each for the moment of a clock.

Sums come from `windows_K FINAL` (primary key: time), what is current from `state_K FINAL`. Suspended filings (supplement, payment,
stop) are not overdue: their clock stands still. What is dated after the moment is not shown as if it had happened: sums end with
the moment, and an entity that began after it does not count yet. Every question may raise `dashboard.connection.Unreachable`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pandas as pd

from dashboard.clock import Clock
from dashboard.connection import Connection
from schemas.codes import Channel, DocumentStatus, MeetingState, Priority, ServiceLevel
from schemas.columns import ZONE
from schemas.kinds import KINDS
from schemas.moments import milliseconds
from schemas.sql import (
    AHEAD,
    FEEDBACK_CLOSED,
    FILING_CLOSED,
    FILING_DONE,
    FILING_PAUSED,
    HEARD,
    REPORT_DAYS,
    REPORTS,
    codes,
    moment,
)

HERE = ZoneInfo(ZONE)
RATE_DAYS = 30
"""Days that rates look back on."""

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Pulse:
    """What proves that the path of the data is alive, and whether anything was counted since."""

    sent_at: datetime | None
    mark: str
    """Changes whenever a worker counted something or kept a dead letter, or an alarm changed."""


@dataclass(frozen=True)
class Store:
    """Asks the questions of one ClickHouse database."""

    connection: Connection

    def pulse(self) -> Pulse:
        """The newest heartbeat and the workers' checkpoints; a few rows, asked every tick."""
        offsets = ", ".join(
            f"(SELECT sum(o) FROM (SELECT max(last_offset) + 1 AS o FROM windows_{kind.name} "
            f"WHERE window_start = toDateTime(0) GROUP BY partition))"
            for kind in KINDS
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
        return Pulse(row["sent_at"], row["mark"])

    def filing_flow(self, clock: Clock, compare_day: datetime) -> Row:
        """Registered today and until the same time of `compare_day` (its midnight); finished and late in the last 30 days."""
        now = clock.now().astimezone(HERE)
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        (row,) = self.connection.rows(
            f"""SELECT sumIf(registered, window_start >= {moment("today")}) AS today,
                sumIf(registered_online, window_start >= {moment("today")}) AS online,
                sumIf(registered, window_start >= {moment("before")} AND window_start < {moment("before_now")}) AS before,
                sum(finished) AS finished, sum(finished_late) AS late
            FROM windows_filing FINAL WHERE window_start > {moment("since")} AND window_start <= {moment("now")}""",
            now=milliseconds(now),
            today=milliseconds(today),
            before=milliseconds(compare_day),
            before_now=milliseconds(compare_day + (now - today)),
            since=milliseconds(now - timedelta(days=RATE_DAYS)),
        )
        return row

    def filing_state(self, clock: Clock) -> pd.DataFrame:
        """Per commune: filings in all, open, overdue, overdue a day ago, the oldest due date passed; closed and on time."""
        frame: pd.DataFrame = self.connection.frame(
            f"""WITH {moment("now")} AS now, {moment("day_ago")} AS day_ago,
                status NOT IN ({FILING_CLOSED}) AS is_open, status IN ({FILING_PAUSED}) AS is_paused
            SELECT commune, count() AS filings, countIf(is_open) AS open,
                countIf(is_open AND NOT is_paused AND due_at < now) AS overdue,
                countIf(due_at < day_ago AND ((is_open AND NOT is_paused) OR finished_at > day_ago)) AS overdue_before,
                minIf(due_at, is_open AND NOT is_paused AND due_at < now) AS oldest_due,
                countIf(status IN ({FILING_DONE}) AND finished_at > {moment("since")} AND finished_at <= now) AS closed,
                countIf(status IN ({FILING_DONE}) AND finished_at > {moment("since")} AND finished_at <= now
                    AND finished_at <= due_at) AS on_time,
                countIf(status IN ({FILING_DONE}) AND finished_at > {moment("since_before")}
                    AND finished_at <= day_ago) AS closed_before,
                countIf(status IN ({FILING_DONE}) AND finished_at > {moment("since_before")} AND finished_at <= day_ago
                    AND finished_at <= due_at) AS on_time_before,
                countIf(registered_at >= {moment("today")}) AS today,
                countIf(registered_at >= {moment("today")} AND channel = {codes(Channel.ONLINE)}
                    AND service_level = {codes(ServiceLevel.FULL)}) AS wholly_online
            FROM state_filing FINAL WHERE registered_at <= now GROUP BY commune""",
            **_moments(clock),
        )
        return frame

    def feedback_flow(self, clock: Clock) -> Row:
        """Reports received in the last and the day before, rated, satisfied, published and late in the last 30 days."""
        (row,) = self.connection.rows(
            f"""SELECT sum(rated) AS rated, sum(satisfied) AS satisfied, sum(published) AS published, sum(published_late) AS late
            FROM windows_feedback FINAL WHERE window_start > {moment("since")} AND window_start <= {moment("now")}""",
            **_moments(clock),
        )
        return row

    def feedback_state(self, clock: Clock) -> pd.DataFrame:
        """Per commune: field reports open, open a day ago, open and overdue."""
        frame: pd.DataFrame = self.connection.frame(
            f"""WITH {moment("day_ago")} AS day_ago, status NOT IN ({FEEDBACK_CLOSED}) AS is_open
            SELECT commune, countIf(is_open) AS open, countIf(is_open AND due_at < {moment("now")}) AS overdue,
                countIf(reported_at < day_ago AND (is_open OR ifNull(finished_at, occurred_at) > day_ago)) AS open_before
            FROM state_feedback FINAL WHERE reported_at <= {moment("now")} GROUP BY commune""",
            **_moments(clock),
        )
        return frame

    def feedback_points(self, clock: Clock, limit: int = 400) -> pd.DataFrame:
        """Where the newest open reports lie: lat, lon, category."""
        frame: pd.DataFrame = self.connection.frame(
            f"""SELECT round(assumeNotNull(lat), 4) AS lat, round(assumeNotNull(lon), 4) AS lon, category FROM state_feedback FINAL
            WHERE status NOT IN ({FEEDBACK_CLOSED}) AND lat IS NOT NULL AND reported_at <= {moment("now")}
            ORDER BY reported_at DESC LIMIT {limit:d}""",
            now=milliseconds(clock.now()),
        )
        return frame

    def documents(self, clock: Clock) -> Row:
        """Documents that arrived and were not received, also a day ago; the flash ones among them."""
        (row,) = self.connection.rows(
            f"""WITH {moment("day_ago")} AS day_ago
            SELECT countIf(is_waiting) AS waiting, countIf(is_waiting AND priority = {codes(Priority.FLASH)}) AS flash,
                countIf(sent_at < day_ago AND (is_waiting OR occurred_at > day_ago)) AS waiting_before,
                minIf(sent_at, is_waiting) AS oldest
            FROM (SELECT *, status = {codes(DocumentStatus.ARRIVED)} AS is_waiting FROM state_document FINAL
                WHERE sent_at <= {moment("now")})""",
            **_moments(clock),
        )
        return row

    def meetings(self, clock: Clock) -> Row:
        """Meetings that are live, and of their sites those connected and those invited; the next that is scheduled today."""
        (row,) = self.connection.rows(
            f"""SELECT countIf(is_live) AS live, sumIf(length(invited), is_live) AS invited,
                sumIf(length(connected), is_live) AS connected,
                countIf(state = {codes(MeetingState.SCHEDULED)} AND starts_at > {moment("now")}
                    AND starts_at < {moment("now")} + toIntervalHour(24)) AS scheduled
            FROM (SELECT *, state = {codes(MeetingState.LIVE)} AS is_live FROM state_meeting FINAL)""",
            now=milliseconds(clock.now()),
        )
        return row

    def indicator_reports(self, clock: Clock, units: Collection[str], days: int = REPORT_DAYS) -> list[Row]:
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
        return list(self.connection.rows(AHEAD, now=milliseconds(now), hour_ago=milliseconds(now - timedelta(hours=1))))

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


def _moments(clock: Clock) -> dict[str, int]:
    now = clock.now().astimezone(HERE)
    return {
        "now": milliseconds(now),
        "today": milliseconds(now.replace(hour=0, minute=0, second=0, microsecond=0)),
        "day_ago": milliseconds(now - timedelta(days=1)),
        "since": milliseconds(now - timedelta(days=RATE_DAYS)),
        "since_before": milliseconds(now - timedelta(days=RATE_DAYS + 1)),
    }
