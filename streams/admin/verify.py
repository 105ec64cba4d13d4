"""Recompute windows, states and lives from the raw events, inside ClickHouse, and compare.

Safe while workers run: what they change during a comparison is compared again
(`streams.admin.compare`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from clickhouse_driver import Client

from schemas.clickhouse.lives import BY_KIND
from schemas.clickhouse.working_time import calendar_row
from schemas.events.kinds import KINDS, Kind
from schemas.reference import calendar
from schemas.settings import Settings
from streams.admin.compare import (
    Comparison,
    compare_states,
    compare_windows,
    entities_in,
    find_repeated,
)
from streams.admin.compare_lives import compare_lives
from streams.admin.period import ALL_TIME, MinutePeriod, ProgressCallback, pieces
from streams.admin.retain import windows_kept_from


@dataclass
class VerifyReport:
    """The result of comparing one kind."""

    kind: Kind
    events: int = 0
    """Number of raw events."""
    pending: int = 0
    """Raw events whose windows are not written yet: a worker is writing, or was stopped."""
    windows: int = 0
    """Number of windows compared."""
    windows_from: int = 0
    """Unix seconds from which on windows were compared; 0 if all were.

    Earlier ones count events that were since deleted by retention.
    """
    entities: int = 0
    """Number of entities whose states were compared."""
    lives: int = 0
    """Number of entities whose lives were compared."""
    lives_lag: int = 0
    """Events that are not in the lives yet; `python -m streams watch` adds them."""
    moving: int = 0
    """Windows and entities not compared, because workers changed them at every attempt."""
    differences: list[str] = field(default_factory=list)
    """The differences, one line each."""
    more: int = 0
    """Number of differences beyond those in `differences`."""

    def add(self, found: Comparison) -> None:
        """Add the result of a comparison."""
        self.differences += sorted(found.lines.values())
        self.more += found.more
        self.moving += found.moving


def verify(
    settings: Settings,
    kinds: Sequence[Kind] = KINDS,
    period: MinutePeriod = ALL_TIME,
    tell: ProgressCallback = lambda what, done, total: None,
) -> list[VerifyReport]:
    """Compare the stored windows, states and lives of a period with the raw events.

    Args:
        settings: The installation's settings.
        kinds: The kinds to compare.
        period: The period; states and lives are those of entities with a step in it.
        tell: Called as work proceeds.

    Returns:
        A report for each kind.

    Raises:
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    client = Client.from_url(settings.clickhouse_url)
    try:
        working, _ = calendar_row(calendar(settings.province))
        kept = {kind: windows_kept_from(client, settings, kind) for kind in kinds}
        return [_verify(client, kind, period, kept[kind], working, tell) for kind in kinds]
    finally:
        client.disconnect()


def _verify(
    client: Client,
    kind: Kind,
    period: MinutePeriod,
    kept: int,
    working: int,
    tell: ProgressCallback,
) -> VerifyReport:
    report = VerifyReport(kind)
    whole = MinutePeriod(max(period.start, kept), max(period.end, kept))
    if whole.start > period.start:
        report.windows_from = kept
    parts = pieces(client, kind, whole)
    # States are compared in one query, which takes about half as long as the windows; lives take
    # longer than both.
    events_of_all = sum(events for _, events in parts)
    total = events_of_all * (5 if kind in BY_KIND else 3) // 2
    done = 0
    for piece, events in parts:
        tell(f"{kind.name}: windows", done, total)
        found = compare_windows(client, kind, piece)
        report.windows += found.stored
        report.add(found)
        done += events
    # Not piece by piece: an identity may have been sent again with a time in another piece.
    found = Comparison()
    report.events, report.pending = find_repeated(client, kind, period, found)
    report.add(found)
    tell(f"{kind.name}: states", done, total)
    found = compare_states(client, kind, "1" if period == ALL_TIME else entities_in(kind, period))
    report.entities = found.stored
    report.add(found)
    if kind in BY_KIND:
        tell(f"{kind.name}: lives", events_of_all * 3 // 2, total)
        found, report.lives_lag = compare_lives(
            client, kind, working, "1" if period == ALL_TIME else entities_in(kind, period)
        )
        report.lives = found.stored
        report.add(found)
    tell(kind.name, total, total)
    return report
