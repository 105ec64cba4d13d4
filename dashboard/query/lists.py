"""Queries about lists of records that match conditions: a page, the total, choices, a stream.

They read `current_K`, which has one row per record once `FINAL` took the newest. That takes most of
a query's time (0.2 s for a million records), so each reads only the columns that it needs. A page
near the end is read from the end. Every method may raise
`dashboard.query.connection.UnreachableError`.

Of the tables read here, only `state_feedback` holds the identity of a reporter; only the columns in
`EXTRA` are selected from it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from dashboard.query.clock import Clock
from dashboard.query.figures import PERIOD, of_unit
from dashboard.query.lives import OVERDUE, LifeStore
from dashboard.query.store import Row
from schemas.clickhouse.columns import Table
from schemas.clickhouse.lives import BY_KIND, current_table
from schemas.clickhouse.query import Query
from schemas.clickhouse.tables import state_table
from schemas.events.kinds import DOCUMENT, FEEDBACK, MEETING, Kind
from schemas.figures import Figure, FigurePiece
from schemas.figures.aging import By
from schemas.figures.questions import QueryMoment, begun, key_sql, moment_sql
from schemas.moments import milliseconds
from schemas.places import fold
from schemas.places.restate import Units
from schemas.text import normalise

HIDDEN = ("unit", "version", "until", "step", "partition", "offset", "turned", "at", "due")
EXTRA = {
    DOCUMENT: ("number", "notation", "subject"),
    FEEDBACK: ("address", "description"),
    MEETING: ("title", "ends_at"),
}
"""Fields of a list that only `state_K` has."""
BLOCK = 4_000
"""Rows of a stream that are in memory at a time."""


@dataclass(frozen=True)
class Sought:
    """A search for records: all conditions must hold; of the values of one field, any.

    `only` maps fields of the list to their values as text; fields that the kind does not have are
    ignored. `text` is a part of a record's number or, with or without tone marks, of its words;
    `meant` holds the codes whose labels contain the text.
    """

    kind: Kind
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    text: str = ""
    meant: tuple[tuple[str, tuple[str, ...]], ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    """Records that began at or after `since` and before `until`."""
    figure: Figure | None = None
    by: By = "province"
    unit: str = ""


@dataclass(frozen=True)
class Order:
    """The field and the direction by which records are sorted.

    `ranks` gives the ranks of its codes where labels decide the order.
    """

    by: str = "started_at"
    down: bool = True
    ranks: tuple[tuple[str, int], ...] = ()

    def sql(self, expression: str, *, turned: bool = False) -> str:
        """Return an ORDER BY with unknown values last; `turned` reverses the whole order."""
        ways, then = (
            ("ASC", "DESC"),
            "started_at ASC, entity_id DESC" if turned else "started_at DESC, entity_id",
        )
        nulls = "FIRST" if turned else "LAST"
        return f"ORDER BY {expression} {ways[self.down != turned]} NULLS {nulls}, {then}"

    def key(self, known: Mapping[str, str]) -> str:
        """Return SQL of the sort key."""
        field = known[self.by]
        return (
            f"transform(toString({field}), %(rank_codes)s, %(rank_places)s, 65535)"
            if self.ranks
            else field
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of `key`."""
        codes, places = [code for code, _ in self.ranks], [place for _, place in self.ranks]
        return {"rank_codes": codes, "rank_places": places} if self.ranks else {}


@dataclass(frozen=True)
class Conditions:
    """Conditions on records that must all hold, with the parameters and tables that they use.

    Values are passed as parameters, never as SQL.
    """

    each: tuple[str, ...]
    """SQL templates (`schemas.clickhouse.query.Query`)."""
    parameters: Mapping[str, Any]
    tables: tuple[Table, ...] = ()

    @property
    def sql(self) -> str:
        """All conditions joined into one."""
        return _all(self.each)


def clocked(now: QueryMoment) -> dict[str, str]:
    """Return SQL of `overdue`, and of `left`: milliseconds on a record's clock until it is due.

    `left` is negative after the deadline, NULL without one.
    """
    position = f"if(standing = 'paused', at, if(around, {now.at}, {now.position}))"
    return {
        "overdue": now.sql(OVERDUE),
        "left": f"if(standing = 'closed', NULL, due - {position})",
    }


def fields(kind: Kind, now: QueryMoment, units: Units) -> dict[str, str]:
    """Return the fields that a list may show, sort and filter by: name → SQL.

    Communes are restated to `units`.
    """
    own = {
        column.name: column.name
        for column in current_table(kind).columns
        if column.name not in HIDDEN
    }
    return (
        own | clocked(now) | {"status": BY_KIND[kind].status, "commune": key_sql("commune", units)}
    )


def conditions(
    sought: Sought, now: QueryMoment, units: Units, *, without: Sequence[str] = ()
) -> Conditions:
    """Return the conditions of a search, except those on the fields of `without`."""
    each = [f"{begun(sought.kind)} <= {moment_sql(now.at)}"]
    parameters: dict[str, Any] = {}
    tables: tuple[Table, ...] = ()
    if sought.figure is not None:
        each.append(_behind(sought.figure, now))
    if unit := of_unit(sought.by, units):
        each.append(unit)
        parameters["unit"] = sought.unit
    each += [f"started_at >= {moment_sql(milliseconds(sought.since))}"] if sought.since else []
    each += [f"started_at < {moment_sql(milliseconds(sought.until))}"] if sought.until else []
    if sought.text:
        contains, tables = _contains_text(sought)
        each.append(contains)
        # Normalised as ids are when they are sent.
        text = normalise(sought.text)
        parameters |= {"text": text, "folded": fold(text)} | {
            f"meant_{name}": codes for name, codes in sought.meant
        }
    known = fields(sought.kind, now, units)
    for name, values in sought.only:
        if name in known and name not in without:
            each.append(f"{_text(name, known[name], sought.kind)} IN %(only_{name})s")
            parameters[f"only_{name}"] = values
    return Conditions(tuple(each), parameters, tables)


def _contains_text(sought: Sought) -> tuple[str, tuple[Table, ...]]:
    any_of = ["positionCaseInsensitiveUTF8(entity_id, %(text)s) > 0"]
    any_of += [f"toString({name}) IN %(meant_{name})s" for name, _ in sought.meant]
    texts = {
        DOCUMENT: "concat(number, '/', notation, ' ', subject)",
        FEEDBACK: "description",
        MEETING: "title",
    }
    tables: tuple[Table, ...] = ()
    if words := texts.get(sought.kind):
        tables = (state_table(sought.kind),)
        plain = f"normalizeUTF8NFD(translateUTF8(lowerUTF8({words}), 'đ', 'd'))"
        bare = f"replaceRegexpAll({plain}, '\\\\p{{M}}', '')"
        any_of.append(
            f"entity_id IN (SELECT entity_id FROM {tables[0].final} "
            f"WHERE position({bare}, %(folded)s) > 0)"
        )
    return " OR ".join(any_of), tables


def _text(name: str, expression: str, kind: Kind) -> str:
    """Return SQL of a field as text to filter by; empty if unknown."""
    kinds = {column.name: column.type for column in current_table(kind).columns}
    if name == "overdue" or kinds.get(name) == "Bool":
        return f"toString(toUInt8({expression}))"
    return (
        f"ifNull(toString({expression}), '')"
        if kinds.get(name, "").startswith("Nullable")
        else f"toString({expression})"
    )


def _behind(figure: Figure, moment: QueryMoment) -> str:
    def any_of(pieces: tuple[FigurePiece, ...]) -> str:
        each = (moment.sql(FigurePiece(piece.where, piece.when, "{where}")) for piece in pieces)
        return " OR ".join(f"({one})" for one in dict.fromkeys(each))

    part, whole = any_of(figure.part), any_of(figure.whole)
    return part if not whole or whole == part else f"({whole}) AND NOT ({part})"


@dataclass(frozen=True)
class ListStore:
    """Queries lists of records; `lives` holds the connection and the calendar."""

    lives: LifeStore

    def page(
        self,
        clock: Clock,
        sought: Sought,
        names: Sequence[str],
        order: Order,
        *,
        limit: int,
        skip: int = 0,
        total: int = 0,
    ) -> list[Row]:
        """Return some fields of a page of records, with their `entity_id`.

        With `total`, the page is read from the end if that is nearer.
        """
        turned = skip > total // 2 > 0
        count = min(limit, total - skip) if turned else limit
        if count <= 0:
            return []
        start = total - skip - count if turned else skip
        own = [
            "entity_id",
            *(
                name
                for name in dict.fromkeys(names)
                if name != "entity_id" and name not in EXTRA.get(sought.kind, ())
            ),
        ]
        now, table = self._moment(clock), current_table(sought.kind)
        known, where = fields(sought.kind, now, self._units), conditions(sought, now, self._units)
        query = Query(
            f"SELECT {', '.join(known[name] for name in own)} FROM {table.final} "
            f"WHERE {where.sql} {order.sql(order.key(known), turned=turned)} "
            f"LIMIT {count:d} OFFSET {start:d}",
            (table, *where.tables),
        )
        rows: list[Row] = [
            dict(zip(own, row, strict=True)) for row in self._tuples(query, where, order.parameters)
        ]
        return self._with_extra(sought.kind, rows[::-1] if turned else rows, names)

    def total(self, clock: Clock, sought: Sought) -> int:
        """Return the number of records that match."""
        where = conditions(sought, self._moment(clock), self._units)
        table = current_table(sought.kind)
        query = Query(
            f"SELECT count() FROM {table.final} WHERE {where.sql}", (table, *where.tables)
        )
        ((found,),) = self._tuples(query, where)
        return int(found)

    def choices(
        self, clock: Clock, sought: Sought, names: Sequence[str]
    ) -> dict[str, dict[str, int]]:
        """Return the values of each field with the number of records that each would leave.

        All conditions apply except the field's own.
        """
        now, table = self._moment(clock), current_table(sought.kind)
        known, active = (
            fields(sought.kind, now, self._units),
            [name for name, _ in sought.only if name in names],
        )
        base = conditions(sought, now, self._units, without=active)
        own = {
            name: conditions(Sought(sought.kind, ((name, values),)), now, self._units).each[-1]
            for name, values in sought.only
            if name in active
        }
        counts = [
            f"countIf({_all([one for other, one in own.items() if other != name])})"
            for name in ("", *active)
        ]
        keys = [
            f"{_text(name, known[name], sought.kind)} AS key_{number}"
            for number, name in enumerate(names)
        ]
        sets = ", ".join(f"(key_{number})" for number in range(len(names)))
        listed = ", ".join(f"key_{number}" for number in range(len(names)))
        query = Query(
            f"SELECT {listed}, grouping({listed}), {', '.join(counts)} "
            f"FROM (SELECT *, {', '.join(keys)} FROM {table.final} WHERE {base.sql}) "
            f"GROUP BY GROUPING SETS ({sets})",
            (table, *base.tables),
        )
        own_values = {f"only_{name}": values for name, values in sought.only}
        rows = self.lives.connection.tuples(query, **{**base.parameters, **own_values})
        found: dict[str, dict[str, int]] = {name: {} for name in names}
        for row in rows:
            # A grouping set of a single field has no bit in `grouping`.
            number = next(
                at for at in range(len(names)) if not row[len(names)] >> (len(names) - 1 - at) & 1
            )
            name, counted = names[number], row[len(names) + 1 :]
            count = counted[1 + active.index(name)] if name in active else counted[0]
            if count:
                found[name][row[number]] = count
        return found

    def stream(
        self, clock: Clock, sought: Sought, names: Sequence[str], order: Order
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield some fields of all matching records, in blocks of `BLOCK` rows.

        The values are in the order of `names`.
        """
        now, table = self._moment(clock), current_table(sought.kind)
        known, where = fields(sought.kind, now, self._units), conditions(sought, now, self._units)
        tables = {table.name: table} | {one.name: one for one in where.tables}
        extra = [name for name in EXTRA.get(sought.kind, ()) if name in names]
        own = "".join(f"{known[name]} AS own_{name}, " for name in names if name not in extra)
        selected = (f"s.{name}" if name in extra else f"own_{name}" for name in names)
        sql = (
            f"SELECT {', '.join(selected)} FROM "
            f"(SELECT {own}{order.key(known)} AS sorted_by, started_at, entity_id "
            f"FROM {table.final} WHERE {where.sql}) AS c "
        )
        if extra:
            state = state_table(sought.kind)
            tables[state.name] = state
            sql += (
                f"LEFT JOIN (SELECT entity_id, {', '.join(extra)} FROM {state.final}) AS s "
                "ON s.entity_id = c.entity_id "
            )
        query = Query(sql + order.sql("sorted_by"), tuple(tables.values()))
        return self.lives.connection.stream(query, BLOCK, **where.parameters, **order.parameters)

    def _with_extra(self, kind: Kind, rows: list[Row], names: Sequence[str]) -> list[Row]:
        extra = [name for name in EXTRA.get(kind, ()) if name in names]
        if not extra or not rows:
            return rows
        table = state_table(kind)
        query = Query(
            f"SELECT entity_id, {', '.join(extra)} FROM {table.final} WHERE {{entities}}",
            (table,),
            entities="entity_id IN %(ids)s",
        )
        found = self.lives.connection.rows(query, ids=tuple(row["entity_id"] for row in rows))
        by_id = {row["entity_id"]: row for row in found}
        return [{**dict.fromkeys(extra), **row, **by_id.get(row["entity_id"], {})} for row in rows]

    @property
    def _units(self) -> Units:
        return self.lives.commune_units

    def _moment(self, clock: Clock) -> QueryMoment:
        return QueryMoment.of(clock.now(), self.lives.calendar, PERIOD)

    def _tuples(
        self, query: Query, where: Conditions, more: Mapping[str, Any] = MappingProxyType({})
    ) -> list[tuple[Any, ...]]:
        return self.lives.connection.tuples(query, **where.parameters, **more)


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(f"({one})" for one in conditions) or "true"
