"""Questions about runs of the stream: which there are, how they stand, how their windows differ from the live ones. SQL as in
`dashboard.query.store`; every question may raise `dashboard.query.connection.Unreachable`."""

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
        """The runs, the newest first: all, or that of a name. Raises `ValueError` for a name that can be none."""
        return [ReplayRun.of(row) for row in self.connection.tuples(runs(name))]

    def stop(self, name: str) -> None:
        """Ask a run to stop. Raises `ValueError` for a name that can be none."""
        self.connection.tuples(stop(name))

    def happened(
        self, since: datetime, until: datetime, arrived_after: datetime | None = None
    ) -> int:
        """How many live events happened in a period; those that arrived after a moment, where one is given."""
        ((count,),) = self.connection.tuples(happened(since, until, arrived_after))
        return int(count)

    def has_room(self, since: datetime, until: datetime) -> bool:
        """Whether there is enough free disk to send a period again."""
        ((taken, known, free),) = self.connection.tuples(room())
        return bool(free >= needed_bytes(self.happened(since, until), taken, known))

    def differences(self, run: ReplayRun) -> Mapping[Kind, Difference]:
        """Of each kind, how a run differs."""
        live, own = self.connection.database, self.connection_of(run).database
        questions = {kind: difference(kind, live, own, run.since, run.until) for kind in KINDS}
        return {
            kind: Difference.of(self.connection.tuples(question)[0])
            for kind, question in questions.items()
        }

    def connection_of(self, run: ReplayRun) -> Connection:
        """Asks the database of a run."""
        return Connection(sandbox_url(self.connection.url, run.name))
