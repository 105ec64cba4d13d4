"""Events written to ClickHouse as a worker's engine does, for tests that need their arrival times
to the millisecond.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from schemas.events.envelope import Reader, write
from schemas.events.kinds import KINDS, Kind
from schemas.events.payloads import Event
from schemas.moments import milliseconds
from schemas.settings import Settings
from streams.worker import patches
from streams.worker.batch import write as write_batch
from streams.worker.engine import Engine
from streams.worker.store import WorkerStore
from streams.worker.table_rows import ProgressRow
from tests.records import Record
from tests.sealing import SEALER


class Counter:
    """Counts events in partition 0 of their kinds, in the order in which they are given."""

    def __init__(self, settings: Settings) -> None:
        patches.apply()  # as in a worker: sending times takes half as long
        self._store = WorkerStore(settings.clickhouse_url)
        self._engine = Engine(self._store, settings.topic_prefix, Reader(), SEALER)
        self._offsets: dict[Kind, int] = {}
        self._number = 0

    def count(
        self,
        kind: Kind,
        steps: Iterable[tuple[datetime, Event]],
        lag: timedelta = timedelta(seconds=2),
    ) -> None:
        """Count the steps of entities: when each happened, and the event.

        It arrives `lag` later.
        """
        self.arrive(kind, [(at, at + lag, event) for at, event in steps])

    def arrive(self, kind: Kind, steps: Sequence[tuple[datetime, datetime, Event]]) -> None:
        """Count steps: when each happened, when it arrived, and the event."""
        records = []
        for at, received, event in steps:
            self._number += 1
            offset = self._offsets[kind] = self._offsets.get(kind, -1) + 1
            value = write(kind, event, id=str(self._number), source="/test/counting", time=at)
            records.append(
                Record(offset, milliseconds(received), kind.entity_id(event).encode(), value)
            )
        batch = self._engine.take([(kind, 0, records)])
        assert not batch.dead, batch.dead
        write_batch(self._store, batch)
        self._engine.written(batch)

    def caught_up(self) -> None:
        """Tell, as a worker does, that all that arrived is counted."""
        now = datetime.now(UTC)
        ends = [(kind, self._offsets.get(kind, -1) + 1) for kind in KINDS]
        self._store.write_progress(
            [
                ProgressRow(
                    kind=kind.name,
                    partition=0,
                    worker="test",
                    written=end,
                    end=end,
                    received_at=None,
                    waits_since=None,
                    moved_at=now,
                    at=now,
                )
                for kind, end in ends
            ]
        )

    def close(self) -> None:
        """Leave ClickHouse."""
        self._store.close()
