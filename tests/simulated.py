"""A stretch of a simulated province in Kafka, for tests, with what was sent."""

from datetime import datetime

from ingest.producer import Producer
from ingest.simulator import Ledger, World
from ingest.simulator.run import SimulationRun
from schemas.settings import Settings


class Quiet:
    """Hears of progress in silence, and of no trouble."""

    def progress(self, came: datetime, sent: int) -> None: ...

    def trouble(self, sentence: str) -> None:
        raise AssertionError(sentence)


def backfill(
    settings: Settings, world: World, start: datetime, end: datetime
) -> tuple[Ledger, int]:
    """Send all that arrives between two moments.

    What of it is good, repeated and bad, and how many records there are.
    """
    ledger = Ledger()
    run = SimulationRun(
        world, start, lambda: Producer(settings), Quiet(), lambda world, came: None, ledger=ledger
    )
    run.backfill(end)
    run.close()
    return ledger, run.sent
