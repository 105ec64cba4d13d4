"""A Wednesday and a Thursday of a simulated Huế, for tests."""

from datetime import datetime
from functools import cache

from ingest.simulator import SimulatedRecord, World, events
from ingest.simulator.clock import DAY, ZONE
from schemas.events.envelope import Reader
from schemas.moments import milliseconds

START, END = datetime(2026, 11, 11, tzinfo=ZONE), datetime(2026, 11, 13, tzinfo=ZONE)
HUE = World("46", seed=7, beginning=milliseconds(START) - DAY)
READER = Reader()


@cache
def two_days() -> tuple[SimulatedRecord, ...]:
    """Return a Wednesday and a Thursday of Huế."""
    return tuple(events(HUE, START, END))
