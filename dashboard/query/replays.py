"""Queries about replay runs: their states, and how they differ from live.

They run on the live database only, and so are plain SQL. Every method may raise
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
    """Queries one ClickHouse server; `connection` is that of the live database."""

    connection: Connection

    def runs(self, name: str = "") -> list[ReplayRun]:
        """Return the runs, newest first: all, or the one of a name.

        Raises `ValueError` for an impossible name.
        """
        return [ReplayRun.of(row) for row in self.connection.tuples(runs(name))]

    def stop(self, name: str) -> None:
        """Ask a run to stop. Raises `ValueError` for an impossible name."""
        self.connection.tuples(stop(name))

    def happened(
        self, since: datetime, until: datetime, arrived_after: datetime | None = None
    ) -> int:
        """Count the live events that happened in a period.

        If `arrived_after` is given, only those that arrived after it.
        """
        ((count,),) = self.connection.tuples(happened(since, until, arrived_after))
        return int(count)

    def has_room(self, since: datetime, until: datetime) -> bool:
        """Tell whether there is enough free disk space to rerun a period."""
        ((taken, known, free),) = self.connection.tuples(room())
        return bool(free >= needed_bytes(self.happened(since, until), taken, known))

    def differences(self, run: ReplayRun) -> Mapping[Kind, Difference]:
        """Return the differences between a run and live, by kind."""
        live, own = self.connection.database, self.connection_of(run).database
        queries = {kind: difference(kind, live, own, run.since, run.until) for kind in KINDS}
        return {
            kind: Difference.of(self.connection.tuples(query)[0]) for kind, query in queries.items()
        }

    def connection_of(self, run: ReplayRun) -> Connection:
        """Return a connection to the database of a run."""
        return Connection(sandbox_url(self.connection.url, run.name))
