"""Derive lives as they were known at a past moment, where the stored rows do not show it.

A life (`schemas.clickhouse.lives`) is a row per step, and each row depends only on the steps up to
its own. So the rows received by a moment are the life as it was known then, unless a step received
later was sorted in between them. Such entities are few; their lives are derived again from the
events received by then. Deriving takes ClickHouse about the same time for one entity as for some
thousands, so each pass derives every version of all lives that need it within some hours around the
moment: a replay that moves on finds them cached.
"""

import math
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from dashboard.query.connection import Connection
from dashboard.query.turns import holding
from schemas.clickhouse.columns import MOMENT, Column
from schemas.clickhouse.derivation import derive
from schemas.clickhouse.lives import FAR, LIVES, Life, life_table
from schemas.clickhouse.sql import at
from schemas.clickhouse.tables import events_table
from schemas.clickhouse.working_time import calendar_row
from schemas.moments import ZONE
from schemas.reference import calendar

BEFORE, AFTER = timedelta(hours=1), timedelta(hours=6)
"""Time before and after a moment for which versions of lives are derived in the same pass."""
ON_THEIR_WAY = timedelta(minutes=1)
"""Age up to which received events may not all be in ClickHouse yet."""
CHECK_SECONDS = 1.0
"""Interval at which new late arrivals are looked for."""
MAX_ENTITIES, MAX_MOMENTS = 50_000, 1_000
"""Most entities and moments cached per kind."""
SEPARATOR = "\n"
Row = tuple[Any, ...]
KNOWN = (
    Column("known_from", MOMENT, "From when on the life was known so."),
    Column("known_until", MOMENT, "Before when; 2100 while it is."),
)


class Version(NamedTuple):
    """A life as it was known from `since` until just before `until`."""

    since: datetime
    until: datetime
    rows: list[Row]


@dataclass
class _Derived:
    """All versions of an entity's life that were known between two moments."""

    since: datetime
    until: datetime
    good_until: float
    """Time of the monotonic clock at which to derive it again: some events that had been received
    may not have been in ClickHouse yet.
    """
    versions: list[Version] = field(default_factory=list)

    def at(self, moment: datetime) -> list[Row]:
        return next((one.rows for one in self.versions if one.since <= moment < one.until), [])


class PastLives:
    """Derives and caches lives as they were known. Safe to use from many threads."""

    def __init__(self, present: Connection, province: str) -> None:
        """Read the events of `present`; `province` is the code whose working calendar applies."""
        self._present = present
        self._province = province
        self._locks = {life: threading.Lock() for life in LIVES}
        self._derived: dict[Life, dict[str, _Derived]] = {life: {} for life in LIVES}
        self._checked: dict[Life, dict[datetime, tuple[float, list[str]]]] = {
            life: {} for life in LIVES
        }

    def at(self, life: Life, moment: datetime) -> list[Row]:
        """Return the rows of `life_K` as known at a moment, where the stored rows differ.

        All rows of such entities. Raises `dashboard.query.connection.UnreachableError`.
        """
        with holding(self._locks[life]):
            entities = self._mixed(life, moment)
            if any(not self._has(life, entity, moment) for entity in entities):
                self._derive(life, moment)
            found = (self._derived[life].get(entity) for entity in entities)
            return [row for one in found if one for row in one.at(moment)]

    def _has(self, life: Life, entity: str, moment: datetime) -> bool:
        found = self._derived[life].get(entity)
        return (
            found is not None
            and found.since <= moment <= found.until
            and time.monotonic() < found.good_until
        )

    def _mixed(self, life: Life, moment: datetime) -> list[str]:
        """Return the entities with a step unknown at a moment before one that was known.

        Unmerged rows may add entities, which is harmless.
        """
        checked, found = self._checked[life].get(moment, (0.0, []))
        if time.monotonic() - checked > CHECK_SECONDS:
            found = [entity for (entity,) in self._present.tuples(_late(life, moment, moment))]
            if len(self._checked[life]) > MAX_MOMENTS:
                self._checked[life].clear()
            self._checked[life][moment] = time.monotonic(), found
        return found

    def _derive(self, life: Life, moment: datetime) -> None:
        since = moment - BEFORE
        settled = datetime.now(UTC) - ON_THEIR_WAY
        until, good_until = (
            max(moment, min(moment + AFTER, settled)),
            math.inf if moment <= settled else time.monotonic() + CHECK_SECONDS,
        )
        if len(self._derived[life]) > MAX_ENTITIES:
            self._derived[life].clear()
        found = {
            entity: _Derived(since, until, good_until)
            for (entity,) in self._present.tuples(_late(life, since, until))
        }
        known: dict[tuple[str, datetime, datetime], list[Row]] = {}
        for *row, first, last in self._present.tuples(versions(life, self._province, since, until)):
            known.setdefault((row[0], first, last), []).append(tuple(row))
        for (entity, first, last), rows in known.items():
            if entity in found:
                found[entity].versions.append(Version(first, last, rows))
        self._derived[life] |= found


def versions(life: Life, province: str, since: datetime, until: datetime) -> str:
    """Return a SELECT of all versions of lives that were known between two moments.

    It covers only entities with a step that arrived late. It returns the columns of `life_K` and
    the interval in which each row was known: from `known_from` until just before `known_until`.
    """
    parts = f"splitByString('{SEPARATOR}', named)"
    rest = f"length({parts}[-2]) - length({parts}[-1])"
    entity = f"substring(named, 1, length(named) - {rest} - 2) AS entity_id"
    names = [
        entity if column.name == "entity_id" else f"`{column.name}`" for column in life.columns
    ]
    known = [
        f"fromUnixTimestamp64Milli(toInt64({parts}[{number}]), '{ZONE}') AS {name}"
        for number, name in zip((-2, -1), (column.name for column in KNOWN), strict=True)
    ]
    number, _ = calendar_row(calendar(province))
    derived = derive(life, number, _named_by_version(life, since, until))
    return (
        f"SELECT {', '.join([*names, *known])} "
        f"FROM (SELECT entity_id AS named, * EXCEPT entity_id FROM ({derived}))"
    )


def came_late(since: datetime, until: datetime) -> str:
    """Return SQL: whether at some moment of a period a step was unknown, its successor known."""
    return (
        f"received_at > {at(since)} AND next_received_at <= {at(until)} "
        "AND received_at > next_received_at"
    )


def _late(life: Life, since: datetime, until: datetime) -> str:
    """Return a SELECT of the entities with a step that arrived after its successor."""
    return (
        f"SELECT DISTINCT entity_id FROM {life_table(life.kind).name} "
        f"WHERE {came_late(since, until)}"
    )


def _named_by_version(life: Life, since: datetime, until: datetime) -> str:
    """Return SQL for the events of late entities, repeated once per known version of each life.

    The version is appended to the entity's id, so that each is derived as an entity of its own.
    """
    events = f"{events_table(life.kind).name} WHERE entity_id IN ({_late(life, since, until)})"
    known = (
        "SELECT entity_id AS entity, received_at AS known_from, leadInFrame(received_at, 1, "
        f"{FAR}) OVER (PARTITION BY entity_id ORDER BY received_at "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) "
        f"AS known_until FROM (SELECT DISTINCT entity_id, received_at FROM {events})"
    )
    name = f" || '{SEPARATOR}' || ".join(
        (
            "entity_id",
            *(f"toString(toUnixTimestamp64Milli({one}))" for one in ("known_from", "known_until")),
        )
    )
    return (
        f"(SELECT e.* REPLACE ({name} AS entity_id) FROM (SELECT * FROM {events}) AS e "
        f"INNER JOIN ({known}) AS k ON e.entity_id = k.entity "
        f"WHERE received_at <= known_from AND known_from <= {at(until)} "
        f"AND known_until > {at(since)})"
    )
