"""Queries about runs of the stream: which there are, how they stand, how they differ from live.

Asked of the live database only: so they are plain SQL. Every method may raise
`dashboard.query.connection.UnreachableError`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dashboard.query.connection import Connection
from schemas.clickhouse.replays import (
    Difference,
    ReplayRun,
    difference,
    happened,
    needed_bytes,
    room,
    runs,
    sandbox_url,
    stop,
)
from schemas.events.kinds import KINDS, Kind


@dataclass(frozen=True)
class ReplayStore:
    """Asks one ClickHouse server; `connection` is that of the live database."""

    connection: Connection

    def runs(self, name: str = "") -> list[ReplayRun]:
        """Return the runs, the newest first: all, or that of a name.

        Raises `ValueError` for a name that can be none.
        """
        return [ReplayRun.of(row) for row in self.connection.tuples(runs(name))]

    def stop(self, name: str) -> None:
        """Ask a run to stop. Raises `ValueError` for a name that can be none."""
        self.connection.tuples(stop(name))

    def happened(
        self, since: datetime, until: datetime, arrived_after: datetime | None = None
    ) -> int:
        """Return how many live events happened in a period.

        Only those that arrived after a moment, where one is given.
        """
        ((count,),) = self.connection.tuples(happened(since, until, arrived_after))
        return int(count)

    def has_room(self, since: datetime, until: datetime) -> bool:
        """Return whether there is enough free disk to send a period again."""
        ((taken, known, free),) = self.connection.tuples(room())
        return bool(free >= needed_bytes(self.happened(since, until), taken, known))

    def differences(self, run: ReplayRun) -> Mapping[Kind, Difference]:
        """Return how a run differs, by kind."""
        live, own = self.connection.database, self.connection_of(run).database
        queries = {kind: difference(kind, live, own, run.since, run.until) for kind in KINDS}
        return {
            kind: Difference.of(self.connection.tuples(query)[0]) for kind, query in queries.items()
        }

    def connection_of(self, run: ReplayRun) -> Connection:
        """Return a connection to the database of a run."""
        return Connection(sandbox_url(self.connection.url, run.name))
