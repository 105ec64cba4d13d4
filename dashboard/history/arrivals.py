"""Queries whose subject is the past: when events arrived, which were late, how far it reaches back.

They run on the connection to the present, as each is about what is known now, and so they are plain
SQL. Every method may raise `dashboard.query.connection.UnreachableError`.
"""

from dataclasses import dataclass
from datetime import datetime

from dashboard.history.proof import WHOLE
from dashboard.history.tables import Prefix
from dashboard.query.clock import Picture
from dashboard.query.connection import Connection
from dashboard.query.store import Row
from schemas.clickhouse.ordering import happened_sql
from schemas.clickhouse.replays import RUN_INFIX
from schemas.clickhouse.retention import horizon
from schemas.clickhouse.sql import FIRST, moment
from schemas.clickhouse.tables import events_table, windows_table
from schemas.clickhouse.watch_tables import ALARM_STEPS
from schemas.events.kinds import KINDS, STEPS, Kind
from schemas.figures.snapshots import SNAPSHOTS
from schemas.moments import EPOCH, milliseconds

LATE = f"occurred_at <= {moment('at')} AND received_at > {moment('at')}"
"""SQL condition: an event happened by a moment and arrived after it."""


@dataclass(frozen=True)
class PastStore:
    """Queries one ClickHouse database about its past; `connection` is the one to the present."""

    connection: Connection

    def volume(
        self, since: datetime, until: datetime, parts: int, picture: Picture = Picture.KNOWN
    ) -> list[int]:
        """Count the events that arrived after `since` and up to `until`, in `parts` equal parts.

        With `Picture.CORRECTED`, and where only windows are kept, count the events that happened in
        each part.
        """
        step = max(1, (milliseconds(until) - milliseconds(since)) // parts)
        known = horizon(self.connection.tuples)
        single = known.whole_from if known else EPOCH
        is_known = picture is Picture.KNOWN
        # the sort key of the tables
        when = "true" if is_known else f"occurred_at > {moment('since')}"
        each = [
            f"SELECT {'received_at' if is_known else happened_sql(kind)} AS at, 1 AS events "
            f"FROM {events_table(kind).name} WHERE {when} "
            f"AND at > {moment('since')} AND at <= {moment('until')} "
            f"AND at >= {moment('single')}"
            for kind in KINDS
        ]
        if since < single:
            each += [
                f"SELECT toDateTime64(window_start, 3) AS at, {STEPS.name} AS events "
                f"FROM {windows_table(kind).name} FINAL WHERE at > {moment('since')} "
                f"AND at <= {moment('until')} AND at < {moment('single')}"
                for kind in KINDS
            ]
        rows = self.connection.tuples(
            "SELECT least(intDiv(toUnixTimestamp64Milli(at) - %(since)s - 1, "
            f"{step}), {parts - 1}) AS part, toInt64(sum(events)) "
            f"FROM ({' UNION ALL '.join(each)}) GROUP BY part",
            since=milliseconds(since),
            until=milliseconds(until),
            single=milliseconds(single),
        )
        found = [0] * parts
        for part, count in rows:
            found[part] = count
        return found

    def late(self, at: datetime, limit: int = 100) -> list[Row]:
        """Return the events that happened by a moment and arrived after it, by arrival.

        At most `limit` of each kind: kind, entity_id, agency, occurred_at, received_at, and `total`
        (the number of such events of the kind).
        """
        each = " UNION ALL ".join(
            f"(SELECT '{kind.name}' AS kind, entity_id, agency, occurred_at, received_at, "
            f"count() OVER () AS total FROM (SELECT * FROM {events_table(kind).name} WHERE {LATE} "
            f"LIMIT 1 BY partition, offset) ORDER BY received_at, entity_id LIMIT {limit:d})"
            for kind in KINDS
        )
        return list(
            self.connection.rows(
                f"SELECT * FROM ({each}) ORDER BY kind, received_at, entity_id", at=milliseconds(at)
            )
        )

    def late_entities(self, at: datetime, kind: Kind, limit: int) -> list[str]:
        """Return the entities of a kind with an event that was late for a moment.

        In the order of their first late arrival; at most `limit`.
        """
        rows = self.connection.tuples(
            f"SELECT entity_id FROM {events_table(kind).name} WHERE {LATE} "
            f"GROUP BY entity_id ORDER BY min(received_at), entity_id LIMIT {limit:d}",
            at=milliseconds(at),
        )
        return [entity for (entity,) in rows]

    def reach(self) -> dict[str, datetime | None]:
        """Return the earliest moment that can be shown, by kind of data; None if nothing is kept.

        `whole`: every page, and rerunning the stream; `windows`: counts only; `alarms`: steps of
        alarms; `snapshots`: recorded snapshots of the screens.
        """
        windows = " UNION ALL ".join(
            f"SELECT minOrNull(window_start) AS first FROM {windows_table(kind).name} "
            "WHERE window_start > toDateTime(0)"
            for kind in KINDS
        )
        names = {
            "whole": FIRST,
            "windows": f"SELECT min(first) FROM ({windows})",
            "alarms": f"SELECT minOrNull(evaluated_at) FROM {ALARM_STEPS.name}",
            "snapshots": f"SELECT minOrNull(moment) FROM {SNAPSHOTS.name} WHERE {WHOLE}",
        }
        (row,) = self.connection.tuples(
            "SELECT " + ", ".join(f"({question})" for question in names.values())
        )
        found, known = dict(zip(names, row, strict=True)), horizon(self.connection.tuples)
        if known and found["whole"]:
            found["whole"] = max(found["whole"], known.whole_from)
        return found

    def disk(self) -> dict[str, int]:
        """Return the bytes on disk of the data that the past needs, by category.

        `events`, `lives` (with states), `windows`, `snapshots`, `runs` (all tables of replay runs),
        `apart` (tables that a running dashboard materialised after the first visit to the past),
        `rest`.
        """
        apart = f"^({'|'.join(Prefix)})"
        rows = self.connection.tuples(
            "SELECT multiIf(database != currentDatabase(), 'runs', "
            "startsWith(table, 'events_'), 'events', "
            f"table = '{SNAPSHOTS.name}', 'snapshots', "
            "match(table, '^(life|current|state)_'), 'lives', "
            "startsWith(table, 'windows_'), 'windows', "
            f"match(table, '{apart}'), 'apart', 'rest') AS what, sum(bytes_on_disk) "
            "FROM system.parts WHERE active AND (database = currentDatabase() "
            f"OR startsWith(database, currentDatabase() || '{RUN_INFIX}')) GROUP BY what"
        )
        return {str(what): int(size) for what, size in rows}
