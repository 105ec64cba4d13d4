"""Queries about single records: behind a figure, by number, near another one; and their events.

A record is an entity with a life (`schemas.clickhouse.lives`). Its row is that of `current_K` with
`level` and `held_hours` (`LifeStore.with_holder`), `overdue`, and `left`: milliseconds on its clock
until it is due, negative after the deadline, None if it is closed or has no deadline. Every method
may raise `dashboard.query.connection.UnreachableError`.

The identity of a reporter is encrypted: no query here selects it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from dashboard.query.clock import Clock
from dashboard.query.figures import PERIOD
from dashboard.query.lists import Conditions, Sought, clocked, conditions
from dashboard.query.lives import LifeStore
from dashboard.query.store import Row
from schemas.clickhouse.columns import Table
from schemas.clickhouse.lives import BY_KIND, LIVES, current_table
from schemas.clickhouse.ordering import version_sql
from schemas.clickhouse.query import Query
from schemas.clickhouse.tables import events_table, state_table
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, Kind
from schemas.figures import Figure
from schemas.figures.aging import By
from schemas.figures.questions import QueryMoment, moment_sql
from schemas.moments import milliseconds
from schemas.text import normalise

SEALED = ("reporter",)
"""Fields whose content no screen shows."""
TECHNICAL = ("identity", "body", "version")
ORDERS = {
    "left": "left",
    "held": "held_since",
    "started": "started_at",
    "status": "status",
    "agency": "agency",
    "what": "what",
    "urgent": "-toInt8(priority)",
}
"""Orders that records may be sorted in, and their SQL."""
SUBJECTS = {FILING: "procedure", FEEDBACK: "category", DOCUMENT: "document_type"}
"""The field that says most briefly what a record is about."""
NEAR = timedelta(days=3)
MAX_EVENTS = 500


class FoundRecords(NamedTuple):
    """Some records, and the total of which they are a part."""

    rows: list[Row]
    total: int


@dataclass(frozen=True)
class RecordStore:
    """Queries records; `lives` holds the connection and the calendar."""

    lives: LifeStore

    def behind(
        self,
        clock: Clock,
        figure: Figure,
        by: By,
        unit: str,
        *,
        only: Mapping[str, tuple[str, ...]] | None = None,
        order: str = "left",
        down: bool = False,
        limit: int = 50,
        skip: int = 0,
        since: datetime | None = None,
    ) -> FoundRecords:
        """Return the records behind a figure of a unit.

        For a count, the records counted; for a share, those of the whole that the part lacks.

        Args:
            clock: the moment.
            figure: the figure.
            by: the type of the unit.
            unit: the code of the unit.
            only: field of the kind → values to filter by; fields that the kind lacks are ignored.
            order: one of `ORDERS`.
            down: whether the greatest value comes first.
            limit: the most records returned.
            skip: the number of records skipped before them.
            since: the start of the figure's period; a month ago if None.
        """
        sought = Sought(figure.kind, tuple((only or {}).items()), figure=figure, by=by, unit=unit)
        where = conditions(
            sought,
            QueryMoment.of(clock.now(), self.lives.calendar, PERIOD),
            self.lives.commune_units,
        )
        return self._find(
            clock,
            figure.kind,
            where,
            order,
            down,
            limit,
            skip,
            since=since or clock.now() - PERIOD,
        )

    def numbered(self, clock: Clock, text: str, limit: int = 8) -> dict[Kind, FoundRecords]:
        """Return the records whose number is a text, as typed or in capitals, or begins with it.

        The exact one first; documents also by number/notation.
        """
        found, text = {}, normalise(text)
        for life in LIVES:
            starts = "startsWith(entity_id, %(text)s) OR startsWith(entity_id, %(upper)s)"
            states: tuple[Table, ...] = ()
            if life.kind is DOCUMENT:
                states = (state_table(DOCUMENT),)
                named = "concat(number, '/', notation)"
                starts += (
                    f" OR entity_id IN (SELECT entity_id FROM {states[0].final} "
                    f"WHERE startsWith({named}, %(text)s) OR startsWith({named}, %(upper)s))"
                )
            where = Conditions((starts,), {"text": text, "upper": text.upper()}, states)
            rows = self._find(clock, life.kind, where, "exact", True, limit, 0)
            if rows.total:
                found[life.kind] = rows
        return found

    def nearest(self, clock: Clock, kind: Kind, row: Row, limit: int = 10) -> FoundRecords:
        """Return the records nearest to one.

        Of a document its other receivers, of a report those of its category in its commune within
        three days, of a filing the open ones of its procedure at its agency.
        """
        at = moment_sql(milliseconds(row["started_at"]))
        near = {
            FILING: "standing != 'closed' AND procedure = %(procedure)s AND agency = %(agency)s",
            FEEDBACK: "category = %(category)s AND commune = %(commune)s "
            f"AND abs(dateDiff('second', started_at, {at})) <= {NEAR.total_seconds():.0f}",
            DOCUMENT: "startsWith(entity_id, %(document)s)",
        }
        if kind not in near:
            return FoundRecords([], 0)
        names = ("procedure", "agency", "category", "commune")
        parameters = {name: row.get(name, "") for name in names} | {
            "own": row["entity_id"],
            # A document's entity is its id, a slash and its receiver.
            "document": row["entity_id"].removesuffix(str(row.get("to_organ", ""))),
        }
        where = Conditions((near[kind], "entity_id != %(own)s"), parameters)
        order = "left" if kind is FILING else "started"
        return self._find(clock, kind, where, order, kind is FEEDBACK, limit, 0)

    def state(self, kind: Kind, entity: str) -> Row | None:
        """Return the newest state of an entity, without encrypted fields.

        `sealed` says whether it has encrypted fields.
        """
        table = state_table(kind)
        query = Query(
            f"SELECT {_shown(table.columns)}, {_is_sealed(kind)} AS sealed FROM {table.final} "
            "WHERE {entities}",
            (table,),
            entities="entity_id = %(entity)s",
        )
        rows = self.lives.connection.rows(query, entity=entity)
        return rows[0] if rows else None

    def events(self, kind: Kind, entity: str) -> list[Row]:
        """Return all events of an entity in the order of its steps, without encrypted fields."""
        table = events_table(kind)
        query = Query(
            f"SELECT {_shown(table.columns)}, {_is_sealed(kind)} AS sealed FROM {table.ref} "
            f"WHERE entity_id = %(entity)s ORDER BY {version_sql(kind)} "
            f"LIMIT 1 BY partition, offset LIMIT {MAX_EVENTS}",
            (table,),
        )
        return list(self.lives.connection.rows(query, entity=entity))

    def _find(
        self,
        clock: Clock,
        kind: Kind,
        where: Conditions,
        order: str,
        down: bool,
        limit: int,
        skip: int,
        since: datetime | None = None,
    ) -> FoundRecords:
        """Return the records that match conditions.

        `order` is one of `ORDERS`, or `exact`: those whose number equals `text` first.
        """
        now = QueryMoment.of(clock.now(), self.lives.calendar)
        clock_sql = clocked(now)
        by = {**ORDERS, "exact": "(entity_id = %(text)s OR entity_id = %(upper)s)"}
        by["status"] = BY_KIND[kind].status
        first = (
            by["left"]
            if order not in by or (order == "urgent" and kind is not DOCUMENT)
            else by[order]
        )
        way = "DESC" if down else "ASC"
        # The working clock stands still at night: records due in the same night are sorted by due
        # time.
        then = {"urgent": "since", "left": f"due_at {way} NULLS LAST, started_at DESC"}.get(
            order, "started_at DESC"
        )
        table = current_table(kind)
        query = Query(
            f"SELECT * EXCEPT version, {clock_sql['overdue']} AS overdue, "
            f"{clock_sql['left']} AS left, toString({SUBJECTS.get(kind, 'agency')}) AS what, "
            f"count() OVER () AS total FROM {table.final} WHERE {where.sql} "
            f"ORDER BY {first} {way} NULLS LAST, {then}, entity_id "
            f"LIMIT {limit:d} OFFSET {skip:d}",
            (table, *where.tables),
            since=since,
        )
        rows = self.lives.connection.rows(query, **where.parameters)
        held = [self.lives.with_holder(row, clock.now()) for row in rows]
        return FoundRecords(self._with_names(kind, held), rows[0]["total"] if rows else 0)

    def _with_names(self, kind: Kind, rows: list[Row]) -> list[Row]:
        """Add to documents how people refer to them: number, notation, subject."""
        if kind is not DOCUMENT or not rows:
            return rows
        table = state_table(DOCUMENT)
        query = Query(
            f"SELECT entity_id, number, notation, subject FROM {table.final} WHERE {{entities}}",
            (table,),
            entities="entity_id IN %(ids)s",
        )
        names = self.lives.connection.rows(query, ids=tuple(row["entity_id"] for row in rows))
        by_id = {row["entity_id"]: row for row in names}
        return [{**row, **by_id.get(row["entity_id"], {})} for row in rows]


def _shown(columns: tuple[Any, ...]) -> str:
    return ", ".join(
        f"`{column.name}`" for column in columns if column.name not in (*SEALED, *TECHNICAL)
    )


def _is_sealed(kind: Kind) -> str:
    sealed = [column.name for column in state_table(kind).columns if column.name in SEALED]
    return " OR ".join(f"{name} != ''" for name in sealed) or "false"
