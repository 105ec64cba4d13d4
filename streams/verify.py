"""Recompute every window and every entity's state from the raw events, inside ClickHouse, and compare.

Safe while workers run: what moves during a comparison is looked at again (`streams.compare`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from clickhouse_driver import Client

from schemas.kinds import KINDS, Kind
from schemas.settings import Settings
from streams.compare import Found, compare_states, compare_windows, entities, repeated
from streams.period import EVER, Period, Tell, pieces


@dataclass
class Report:
    """What was compared for a kind, and what differs: one line each."""

    kind: Kind
    events: int = 0
    pending: int = 0
    """Events kept, whose windows a worker has yet to write (it was stopped between the two, or is writing now)."""
    windows: int = 0
    entities: int = 0
    moving: int = 0
    """Windows and entities that workers changed at every look, so that they could not be compared."""
    differences: list[str] = field(default_factory=list)
    more: int = 0
    """Differences beyond those that are told."""

    def add(self, found: Found) -> None:
        """Take in what a comparison found."""
        self.differences += sorted(found.lines.values())
        self.more += found.more
        self.moving += found.moving


def verify(
    settings: Settings, kinds: Sequence[Kind] = KINDS, period: Period = EVER, tell: Tell = lambda what, done, total: None
) -> list[Report]:
    """Compare kinds in a period; states are those of entities with a step in it. Raises clickhouse-driver's errors."""
    client = Client.from_url(settings.clickhouse_url)
    try:
        return [_verify(client, kind, period, tell) for kind in kinds]
    finally:
        client.disconnect()


def _verify(client: Client, kind: Kind, period: Period, tell: Tell) -> Report:
    report = Report(kind)
    parts = pieces(client, kind, period)
    # The states are looked at in one go, which takes about as long as half of the windows.
    total = sum(events for _, events in parts) * 3 // 2
    done = 0
    for piece, events in parts:
        tell(f"{kind.name}: windows", done, total)
        found = compare_windows(client, kind, piece)
        report.windows += found.stored
        report.add(found)
        done += events
    # Not piece by piece: an identity may have come again with a time of another one.
    found = Found()
    report.events, report.pending = repeated(client, kind, period, found)
    report.add(found)
    tell(f"{kind.name}: states", done, total)
    found = compare_states(client, kind, "1" if period == EVER else entities(kind, period))
    report.entities = found.stored
    report.add(found)
    tell(kind.name, total, total)
    return report
