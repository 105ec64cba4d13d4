"""How long is kept what the past is asked for, and what may still be asked of it.

Single events of entities are kept for `IOC_KEEP_EVENTS_DAYS`: every moment of so many days can be looked back at whole and run
again. What is let go of (`streams.admin.retain`) goes by entities: one that is closed, and of which nothing was heard since
`LOOKBACK` before the first such moment, goes with all its events, states and lives. So every life that is there follows from all
its events. The windows that counted them stay, for `IOC_KEEP_WINDOWS_DAYS`. Reports of indicators are always kept: they are few,
and the long memory of targets.

An event from before what is kept is refused: nobody could tell any more whether it was counted already.
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
"""How far the pages of a moment look back on single records: figures of a month, for each day of a month."""
KEPT_FOR_EVER = 0
KINDS = frozenset(life.kind for life in LIVES)
"""The kinds whose events may be let go of."""

HORIZONS = Table(
    "horizons",
    (
        Column("what", "LowCardinality(String)", "What was let go of: events."),
        Column("whole_from", MOMENT, "From when on every moment can be looked back at whole."),
        Column(
            "removed_before",
            MOMENT,
            "Entities of which nothing was heard since are gone; windows are as they were.",
        ),
        Column("at", MOMENT, "When it was written; the latest `whole_from` holds."),
    ),
    "ENGINE = ReplacingMergeTree(whole_from)\nORDER BY what",
    "From when on single events are kept",
)


@dataclass(frozen=True, kw_only=True)
class HorizonRow:
    """A horizon as it is kept."""

    what: str
    whole_from: datetime
    removed_before: datetime
    at: datetime


HORIZON_ROWS = RowCodec(table=HORIZONS, of=HorizonRow)


@dataclass(frozen=True)
class Horizon:
    """From when on single events are kept."""

    whole_from: datetime
    removed_before: datetime

    @classmethod
    def due(cls, now: datetime, days: int) -> "Horizon":
        """That of a day on which single events are kept for so many days: it moves at midnight."""
        whole = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
            days=days
        )
        return cls(whole, whole - LOOKBACK)


def horizon(execute: Callable[[str], Sequence[Sequence[Any]]]) -> Horizon | None:
    """From when on single events are kept, as ClickHouse knows it, which `execute` asks; None while nothing was let go of."""
    rows = execute(
        f"SELECT whole_from, removed_before FROM {HORIZONS.name} FINAL WHERE what = 'events'"
    )
    return Horizon(*rows[0]) if rows else None


@dataclass(frozen=True)
class Kept:
    """For how many days an installation keeps what; 0: for ever."""

    events: int = KEPT_FOR_EVER
    windows: int = KEPT_FOR_EVER
    snapshots: int = KEPT_FOR_EVER
    kafka: int = KEPT_FOR_EVER

    @classmethod
    def by(cls, settings: Settings) -> "Kept":
        """As its settings say."""
        days = (
            settings.keep_events_days,
            settings.keep_windows_days,
            settings.keep_snapshots_days,
            settings.topic_retention_days,
        )
        return cls(*days)


@dataclass(frozen=True)
class Keeping:
    """Refuses events from before what is kept; `days` before their arrival, 0: none."""

    days: int = KEPT_FOR_EVER

    @classmethod
    def by(cls, settings: Settings) -> "Keeping":
        """As an installation keeps them."""
        return cls(settings.keep_events_days)

    def refuses(self, read: Read, received_ms: int) -> bool:
        """Whether an event that arrived then is too old."""
        if not self.days or read.kind not in KINDS:
            return False
        return milliseconds(read.time) < received_ms - self.days * 86_400_000

    def check(self, read: Read, received_ms: int) -> None:
        """Raises `RefusalError` for an event that is too old."""
        if self.refuses(read, received_ms):
            arrived = from_milliseconds(received_ms).astimezone(ZONE)
            raise RefusalError(
                RefusalCategory.TOO_OLD,
                f"{read.time.isoformat()} is more than {self.days} days before its arrival, {arrived:%Y-%m-%dT%H:%M}: "
                "single events are kept no longer (IOC_KEEP_EVENTS_DAYS).",
            )
