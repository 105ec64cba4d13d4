"""Questions about the past as such: how much came when, what came late for a moment, how far back it reaches. SQL as in
`dashboard.store`; asked of the present, as each is about what is known now. Every question may raise
`dashboard.connection.Unreachable`."""

from dataclasses import dataclass
from datetime import datetime

from dashboard.connection import Connection
from dashboard.store import Row
from schemas.kinds import KINDS
from schemas.moments import milliseconds
from schemas.sql import moment
from schemas.tables import HEARTBEATS, events_table
from schemas.watch_tables import ALARM_STEPS, ARRIVALS


@dataclass(frozen=True)
class PastStore:
    """Asks one ClickHouse database."""

    connection: Connection

    def volume(self, since: datetime, until: datetime, parts: int) -> list[int]:
        """How many events arrived after `since` and until `until`, in so many parts of the time between."""
        step = max(1, (milliseconds(until) - milliseconds(since)) // parts)
        each = " UNION ALL ".join(
            f"SELECT received_at FROM {events_table(kind).name} "
            f"WHERE received_at > {moment('since')} AND received_at <= {moment('until')}"
            for kind in KINDS
        )
        rows = self.connection.tuples(
            f"SELECT least(intDiv(toUnixTimestamp64Milli(received_at) - %(since)s - 1, {step}), {parts - 1}) AS part, count() "
            f"FROM ({each}) GROUP BY part",
            since=milliseconds(since),
            until=milliseconds(until),
        )
        found = [0] * parts
        for part, count in rows:
            found[part] = count
        return found

    def late(self, at: datetime, limit: int = 100) -> list[Row]:
        """What had happened by a moment and arrived after it, by arrival: kind, entity_id, agency, occurred_at, received_at, and
        `total`: how many of its kind there are. At most `limit` of each kind."""
        each = " UNION ALL ".join(
            f"(SELECT '{kind.name}' AS kind, entity_id, agency, occurred_at, received_at, count() OVER () AS total "
            f"FROM (SELECT * FROM {events_table(kind).name} WHERE occurred_at <= {moment('at')} AND received_at > {moment('at')} "
            f"LIMIT 1 BY partition, offset) ORDER BY received_at, entity_id LIMIT {limit:d})"
            for kind in KINDS
        )
        return list(self.connection.rows(f"SELECT * FROM ({each}) ORDER BY kind, received_at, entity_id", at=milliseconds(at)))

    def reach(self) -> dict[str, datetime | None]:
        """Since when there is anything: `events` (arrivals), `alarms` (what was said of them), `path` (heartbeats)."""
        names = {
            "events": f"SELECT minOrNull(received_at) FROM {ARRIVALS.name}",
            "alarms": f"SELECT minOrNull(evaluated_at) FROM {ALARM_STEPS.name}",
            "path": f"SELECT minOrNull(sent_at) FROM {HEARTBEATS.name}",
        }
        (row,) = self.connection.tuples("SELECT " + ", ".join(f"({question})" for question in names.values()))
        return dict(zip(names, row, strict=True))

    def disk(self) -> dict[str, int]:
        """Bytes on disk of what the past is made of: `events`, `lives` (and states), `windows`, `rest`."""
        rows = self.connection.tuples(
            "SELECT multiIf(startsWith(table, 'events_'), 'events', match(table, '^(life|current|state)_'), 'lives', "
            "startsWith(table, 'windows_'), 'windows', 'rest') AS what, sum(bytes_on_disk) FROM system.parts "
            "WHERE active AND database = currentDatabase() GROUP BY what"
        )
        return {str(what): int(size) for what, size in rows}
