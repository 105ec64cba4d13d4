"""Queries about unknown codes: in which fields of current records, and from which agencies.

Codes are few: all codes of a kind are read first, without `FINAL`, in one pass over dictionary
columns; records are counted only for the unknown ones. Every method may raise
`dashboard.query.connection.UnreachableError`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from dashboard.query.clock import Clock
from dashboard.query.connection import Connection
from schemas.clickhouse.lives import current_table
from schemas.clickhouse.query import Query
from schemas.clickhouse.sql import moment
from schemas.clickhouse.tables import state_table
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, INDICATOR, MEETING, Kind
from schemas.moments import milliseconds

LISTS = ("invited",)
"""Fields that hold several codes."""
FIELDS: Mapping[Kind, tuple[str, ...]] = {
    FILING: ("commune", "agency"),
    FEEDBACK: ("commune", "agency", "category"),
    DOCUMENT: ("commune", "agency"),
    MEETING: ("commune", "agency", "invited"),
    INDICATOR: ("agency", "unit", "indicator"),
}
"""Kind → the fields whose codes are checked.

Procedures are not: the reference data lists only those with a deadline. Nor are the organs of
documents, which may be anywhere.
"""


@dataclass(frozen=True)
class UnknownCode:
    """An unknown code, as one agency sends it in one field of one kind."""

    kind: Kind
    field: str
    code: str
    agency: str
    records: int
    """The number of records that hold it now."""
    since: datetime
    """When the first of them began."""
    example: str
    """The id of the newest of them."""


@dataclass(frozen=True)
class UnknownStore:
    """Queries one ClickHouse database; `is_known` tells whether a code of a field is known."""

    connection: Connection
    is_known: Callable[[str, str], bool]

    def codes(
        self, clock: Clock, kinds: Collection[Kind] = tuple(FIELDS), agency: str = ""
    ) -> list[UnknownCode]:
        """Return the unknown codes in current records, of one agency or of all.

        Codes with the most records come first.
        """
        found = [one for kind in kinds for one in self._of(clock, kind, agency)]
        return sorted(
            found, key=lambda one: (-one.records, one.kind.name, one.field, one.code, one.agency)
        )

    def _of(self, clock: Clock, kind: Kind, agency: str) -> list[UnknownCode]:
        fields, began = FIELDS[kind], "reported_at" if kind is INDICATOR else "started_at"
        table = state_table(kind) if kind is INDICATOR else current_table(kind)
        parameters = {"now": milliseconds(clock.now()), "agency": agency}
        only = f"{began} <= {moment('now')} AND (%(agency)s = '' OR agency = %(agency)s)"
        sets = ", ".join(
            f"groupUniqArray{'Array' if name in LISTS else ''}({name})" for name in fields
        )
        query = Query(f"SELECT {sets} FROM {table.ref} WHERE {only}", (table,))
        (codes,) = self.connection.tuples(query, **parameters)
        unknown = {
            name: found
            for name, held in zip(fields, codes, strict=True)
            if (found := tuple(code for code in held if code and not self.is_known(name, code)))
        }
        if not unknown:
            return []
        pairs = [
            f"arrayMap(x -> ('{name}', toString(x)), {name if name in LISTS else f'[{name}]'})"
            for name in unknown
        ]
        chosen = " OR ".join(
            f"(pair.1 = '{name}' AND pair.2 IN %({name}_codes)s)" for name in unknown
        )
        query = Query(
            f"""SELECT pair.1, pair.2, agency, uniqExact(entity_id) AS records, min(began),
                argMax(entity_id, (began, entity_id))
            FROM (SELECT entity_id, agency, {began} AS began,
                    arrayJoin(arrayConcat({", ".join(pairs)})) AS pair
                FROM {table.final} WHERE {only})
            WHERE {chosen} GROUP BY pair.1, pair.2, agency""",
            (table,),
        )
        rows = self.connection.tuples(
            query,
            **parameters,
            **{f"{name}_codes": held for name, held in unknown.items()},
        )
        return [UnknownCode(kind, *row) for row in rows]
