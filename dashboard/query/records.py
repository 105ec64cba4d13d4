"""Questions about single records: which ones are behind a figure, which have a number, what was said of one, which are near it.

SQL of the dashboard beside `store`. A record is an entity with a life (`schemas.clickhouse.lives`); its rows are those of
`current_K` with `level` and `held_hours` (`LifeStore.told`), `overdue`, and `left`: the milliseconds of its clock until it is due,
negative when that has passed, None when it is closed or has no deadline. Every question may raise
`dashboard.query.connection.Unreachable`.

The identity of who made a field report is sealed: no question here selects it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from dashboard.query.clock import Clock
from dashboard.query.connection import Connection
from dashboard.query.figures import PERIOD
from dashboard.query.lists import Sought, clocked, conditions
from dashboard.query.lives import LifeStore
from dashboard.query.store import Row
from schemas.clickhouse.lives import BY_KIND, LIVES, current_table
from schemas.clickhouse.ordering import version_sql
from schemas.clickhouse.tables import events_table, state_table
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, Kind
from schemas.figures import Figure
from schemas.figures.aging import By
from schemas.figures.questions import AskedMoment, moment_sql
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
"""What records may be sorted by, and how that is said to ClickHouse."""
SUBJECTS = {FILING: "procedure", FEEDBACK: "category", DOCUMENT: "document_type"}
"""The field that says shortest what a record is about."""
NEAR = timedelta(days=3)
MAX_EVENTS = 500


class FoundRecords(NamedTuple):
    """Some records, and how many there are in all."""

    rows: list[Row]
    total: int


@dataclass(frozen=True)
class RecordStore:
    """Asks about records; `lives` gives the connection and the calendar."""

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
        """The records behind a figure of a unit: those that it counts; of a share, those of its whole that it lacks. `since` is how
        far it looks back, a month if that is not said.

        `only` narrows them to values of fields of the kind; one that it does not have is left out. `order` is one of `ORDERS`.
        """
        sought = Sought(figure.kind, tuple((only or {}).items()), figure=figure, by=by, unit=unit)
        said, given = conditions(
            sought, AskedMoment.of(clock.now(), self.lives.calendar, PERIOD), self.lives.told_by
        )
        condition = " AND ".join(f"({one})" for one in said)
        connection = self.lives.connection.reaching(since or clock.now() - PERIOD)
        return self._asked(
            connection, clock, figure.kind, condition, order, down, limit, skip, **given
        )

    def numbered(self, clock: Clock, text: str, limit: int = 8) -> dict[Kind, FoundRecords]:
        """Records whose number is a text, as typed or in capitals, or begins with it, the exact one first; documents also by
        number/notation."""
        found, text = {}, normalise(text)
        for life in LIVES:
            starts = "startsWith(entity_id, %(text)s) OR startsWith(entity_id, %(upper)s)"
            if life.kind is DOCUMENT:
                named = "concat(number, '/', notation)"
                starts += (
                    f" OR entity_id IN (SELECT entity_id FROM {state_table(DOCUMENT).name} FINAL "
                    f"WHERE startsWith({named}, %(text)s) OR startsWith({named}, %(upper)s))"
                )
            rows = self._asked(
                self.lives.connection,
                clock,
                life.kind,
                starts,
                "exact",
                True,
                limit,
                0,
                text=text,
                upper=text.upper(),
            )
            if rows.total:
                found[life.kind] = rows
        return found

    def beside(self, clock: Clock, kind: Kind, row: Row, limit: int = 10) -> FoundRecords:
        """The records nearest to one: a document's other receivers, reports of its category in its commune within three days, open
        filings of its procedure at its agency."""
        at = moment_sql(milliseconds(row["started_at"]))
        conditions = {
            FILING: "standing != 'closed' AND procedure = %(procedure)s AND agency = %(agency)s",
            FEEDBACK: f"category = %(category)s AND commune = %(commune)s AND abs(dateDiff('second', started_at, {at})) "
            f"<= {NEAR.total_seconds():.0f}",
            DOCUMENT: "startsWith(entity_id, %(document)s)",
        }
        if kind not in conditions:
            return FoundRecords([], 0)
        given = {name: row.get(name, "") for name in ("procedure", "agency", "category", "commune")}
        # A document's entity is its id, a slash and its receiver.
        document = row["entity_id"].removesuffix(str(row.get("to_organ", "")))
        condition = f"({conditions[kind]}) AND entity_id != %(own)s"
        order = "left" if kind is FILING else "started"
        return self._asked(
            self.lives.connection,
            clock,
            kind,
            condition,
            order,
            kind is FEEDBACK,
            limit,
            0,
            own=row["entity_id"],
            document=document,
            **given,
        )

    def state(self, kind: Kind, entity: str) -> Row | None:
        """What was said last of an entity, without what is sealed; `sealed` tells whether there is anything of the kind."""
        rows = self.lives.connection.rows(
            f"SELECT {_shown(state_table(kind).columns)}, {_is_sealed(kind)} AS sealed FROM {state_table(kind).name} FINAL "
            "WHERE entity_id = %(entity)s",
            entity=entity,
        )
        return rows[0] if rows else None

    def events(self, kind: Kind, entity: str) -> list[Row]:
        """All that was said of an entity, as it was sent, in the order of its steps; without what is sealed, as in `state`."""
        return list(
            self.lives.connection.rows(
                f"SELECT {_shown(events_table(kind).columns)}, {_is_sealed(kind)} AS sealed FROM {events_table(kind).name} "
                f"WHERE entity_id = %(entity)s ORDER BY {version_sql(kind)} "
                f"LIMIT 1 BY partition, offset LIMIT {MAX_EVENTS}",
                entity=entity,
            )
        )

    def _asked(
        self,
        connection: Connection,
        clock: Clock,
        kind: Kind,
        condition: str,
        order: str,
        down: bool,
        limit: int,
        skip: int,
        **given: Any,
    ) -> FoundRecords:
        """The records that meet a condition; `order` is one of `ORDERS`, or `exact`: those whose number is the `text` first."""
        now = AskedMoment.of(clock.now(), self.lives.calendar)
        clock_sql = clocked(now)
        by = {**ORDERS, "exact": "(entity_id = %(text)s OR entity_id = %(upper)s)"}
        by["status"] = BY_KIND[kind].status
        said = (
            by["left"]
            if order not in by or (order == "urgent" and kind is not DOCUMENT)
            else by[order]
        )
        way = "DESC" if down else "ASC"
        # The clock stands still at night: of those due in one night, what was due first still comes first.
        then = {"urgent": "since", "left": f"due_at {way} NULLS LAST, started_at DESC"}.get(
            order, "started_at DESC"
        )
        rows = connection.rows(
            f"SELECT * EXCEPT version, {clock_sql['overdue']} AS overdue, {clock_sql['left']} AS left, "
            f"toString({SUBJECTS.get(kind, 'agency')}) AS what, count() OVER () AS total "
            f"FROM {current_table(kind).name} FINAL WHERE {condition} "
            f"ORDER BY {said} {way} NULLS LAST, {then}, entity_id "
            f"LIMIT {limit:d} OFFSET {skip:d}",
            **given,
        )
        told = [self.lives.told(row, clock.now()) for row in rows]
        return FoundRecords(self._named(kind, told), rows[0]["total"] if rows else 0)

    def _named(self, kind: Kind, rows: list[Row]) -> list[Row]:
        """Documents with what a person calls them by: number, notation, subject."""
        if kind is not DOCUMENT or not rows:
            return rows
        names = self.lives.connection.rows(
            f"SELECT entity_id, number, notation, subject FROM {state_table(DOCUMENT).name} FINAL WHERE entity_id IN %(ids)s",
            ids=tuple(row["entity_id"] for row in rows),
        )
        by_id = {row["entity_id"]: row for row in names}
        return [{**row, **by_id.get(row["entity_id"], {})} for row in rows]


def _shown(columns: tuple[Any, ...]) -> str:
    return ", ".join(
        f"`{column.name}`" for column in columns if column.name not in (*SEALED, *TECHNICAL)
    )


def _is_sealed(kind: Kind) -> str:
    sealed = [column.name for column in state_table(kind).columns if column.name in SEALED]
    return " OR ".join(f"{name} != ''" for name in sealed) or "false"
