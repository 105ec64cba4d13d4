"""Define how long events are retained, and which past moments can still be queried.

Single events of entities are retained for `IOC_KEEP_EVENTS_DAYS`: every moment of those days can be
replayed completely. Deletion (`streams.admin.retain`) goes by entities: one that is closed, and had
no event since `LOOKBACK` before the first such moment, is deleted with all its events, states and
histories. So every remaining history still has all its events. The windows in which the events were
counted stay for `IOC_KEEP_WINDOWS_DAYS`. Reports of indicators are always kept: they are few, and
targets need them for years.

An event from before the retained period is refused: it can no longer be determined whether it was
counted before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schemas.clickhouse.columns import MOMENT, Column, Table
from schemas.clickhouse.lives import LIVES
from schemas.clickhouse.rows import RowCodec
from schemas.events.envelope import Read, RefusalCategory, RefusalError
from schemas.moments import from_milliseconds, milliseconds
from schemas.reference import ZONE
from schemas.settings import Settings

LOOKBACK = timedelta(days=62)
"""How far pages of a past moment look back at single records.

They show the figures of a month for each day of a month.
"""
KEEP_FOREVER = 0
KINDS = frozenset(life.kind for life in LIVES)
"""Kinds whose events are deleted by retention."""

HORIZONS = Table(
    "horizons",
    (
        Column("what", "LowCardinality(String)", "Which data was deleted: events."),
        Column("whole_from", MOMENT, "Moment from which on every moment can be replayed whole."),
        Column(
            "removed_before",
            MOMENT,
            "Entities without news since then are deleted; windows are unchanged.",
        ),
        Column("at", MOMENT, "Time at which it was written; the latest `whole_from` holds."),
    ),
    "ENGINE = ReplacingMergeTree(whole_from)\nORDER BY what",
    "Retention horizon of single events",
)


@dataclass(frozen=True, kw_only=True)
class HorizonRow:
    """A horizon as stored."""

    what: str
    whole_from: datetime
    removed_before: datetime
    at: datetime


HORIZON_ROWS = RowCodec(table=HORIZONS, of=HorizonRow)


@dataclass(frozen=True)
class Horizon:
    """The moment from which on single events are retained."""

    whole_from: datetime
    removed_before: datetime

    @classmethod
    def due(cls, now: datetime, days: int) -> "Horizon":
        """Return the retention horizon for `now`; it advances at local midnight.

        Args:
            now: The moment.
            days: Days for which single events are retained.
        """
        whole = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
            days=days
        )
        return cls(whole, whole - LOOKBACK)


def horizon(execute: Callable[[str], Sequence[Sequence[Any]]]) -> Horizon | None:
    """Return the retention horizon as ClickHouse knows it; None while nothing was deleted.

    Args:
        execute: Runs the query.
    """
    rows = execute(
        f"SELECT whole_from, removed_before FROM {HORIZONS.name} FINAL WHERE what = 'events'"
    )
    return Horizon(*rows[0]) if rows else None


@dataclass(frozen=True)
class RetentionDays:
    """Days for which an installation retains its data; 0: forever."""

    events: int = KEEP_FOREVER
    windows: int = KEEP_FOREVER
    snapshots: int = KEEP_FOREVER
    kafka: int = KEEP_FOREVER

    @classmethod
    def by(cls, settings: Settings) -> "RetentionDays":
        """Return the days of an installation's settings."""
        days = (
            settings.keep_events_days,
            settings.keep_windows_days,
            settings.keep_snapshots_days,
            settings.topic_retention_days,
        )
        return cls(*days)


@dataclass(frozen=True)
class RetentionCheck:
    """Refuses events from before the retained period.

    `days` is the maximum age of an event at its arrival; 0: unlimited.
    """

    days: int = KEEP_FOREVER

    @classmethod
    def by(cls, settings: Settings) -> "RetentionCheck":
        """Return the check of an installation's settings."""
        return cls(settings.keep_events_days)

    def refuses(self, read: Read, received_ms: int) -> bool:
        """Return whether an event that arrived at `received_ms` is too old."""
        if not self.days or read.kind not in KINDS:
            return False
        return milliseconds(read.time) < received_ms - self.days * 86_400_000

    def check(self, read: Read, received_ms: int) -> None:
        """Raise `RefusalError` for an event that is too old."""
        if self.refuses(read, received_ms):
            arrived = from_milliseconds(received_ms).astimezone(ZONE)
            raise RefusalError(
                RefusalCategory.TOO_OLD,
                f"{read.time.isoformat()} is more than {self.days} days before its arrival, "
                f"{arrived:%Y-%m-%dT%H:%M}: "
                "single events are kept no longer (IOC_KEEP_EVENTS_DAYS).",
            )
