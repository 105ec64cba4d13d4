"""SQL of each table as it was at a moment; the only module that decides what a moment can see.

So no query can show later data because its author forgot a condition. `known`: the events received
by then, and the rows of lives received by then; where those do not show a life as it was known, the
rows that `dashboard.history.lives` derives. `corrected`: what had happened by then, whenever it was
received. The times of arrivals, refusals and evaluations of alarms are the same in both pictures.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from dashboard.history.prepared import Prepared
from dashboard.history.slice_tables import MONTH, Tier
from dashboard.query.clock import Picture, Replay
from schemas.clickhouse.columns import Table, quoted
from schemas.clickhouse.lives import FAR, LIVES, Life, current_table, life_table
from schemas.clickhouse.ordering import happened_sql, version_sql
from schemas.clickhouse.query import ENTITIES, Query
from schemas.clickhouse.retention import LOOKBACK
from schemas.clickhouse.sql import at
from schemas.clickhouse.tables import (
    DEAD_LETTERS,
    FRESHNESS,
    HEARTBEATS,
    PROGRESS,
    events_table,
    state_table,
)
from schemas.clickhouse.unit_tables import HEIRS, SUCCESSORS, UNITS
from schemas.clickhouse.views import alarms_select
from schemas.clickhouse.watch_tables import (
    ALARM_STEPS,
    ALARMS,
    ARRIVAL_DAYS,
    ARRIVALS,
    REFUSALS,
    WATCH,
)
from schemas.clickhouse.working_time import WORKING_WEEKS
from schemas.events.kinds import KINDS, Kind

TIMELESS = {
    "units",
    "unit_successors",
    *(table.name for table in (UNITS, SUCCESSORS, HEIRS, WORKING_WEEKS)),
}
"""Tables whose rows themselves state the days on which they are valid."""
ARRIVED = ARRIVALS.names
"""The columns of the table of arrivals."""
ENDS = ("until", "next_received_at")
"""Columns about the following step, which have no value while a step is the newest."""
READ_ARRIVALS = {ARRIVALS.name, ARRIVAL_DAYS.name, FRESHNESS.name}
"""Tables whose past includes the arrivals of the moment's own, unfinished minute."""


class NoPastError(LookupError):
    """A query reads a table whose past is not kept."""


@dataclass(frozen=True)
class Tables:
    """The tables of one database as they were at a moment."""

    database: str
    replay: Replay

    def rewrite(self, query: Query, prepared: Prepared, percent: str = "%") -> str:
        """Rewrite a query of the present as SQL about the past.

        Args:
            query: a query that `check` accepts.
            prepared: what was prepared for it.
            percent: how a percent sign is written: `%%` in a query with parameters.
        """
        # The condition itself may name parameters: its placeholder is filled after the escaping.
        prepared = prepared._replace(entities=ENTITIES if query.entities else "true")
        materialised = {
            current_table(life.kind).name: f"`{self.database}`.{name}"
            for life, name in prepared.moments.items()
        }
        expressions = [
            f"{name} AS ({_SOURCES[name](self, prepared)})".replace("%", percent)
            for name in sorted(query.names - materialised.keys() - TIMELESS)
        ]

        def source(name: str, is_final: bool) -> str:
            if name in TIMELESS:
                return f"{name} FINAL" if is_final else name
            return materialised.get(name, name)

        return query.render(source, tuple(expressions))

    @cached_property
    def moment(self) -> str:
        """The moment as SQL."""
        return at(self.replay.at)

    def is_near(self, since: datetime | None) -> bool:
        """Tell whether a query looks back no further than figures do."""
        return since is not None and since >= self.replay.at - MONTH

    def newest_of_figures(self, life: Life, prepared: Prepared) -> str:
        """Return a query for the rows of `current_K` that figures need, to be materialised.

        The version is left out: there is one row per entity, and no figure reads it.
        """
        near = prepared._replace(since=self.replay.at - MONTH)
        return f"SELECT * EXCEPT version FROM ({self.current(near, life)})"

    def this_minute(self) -> str:
        """Return a query for the arrivals of the moment's own minute, up to the moment."""
        return " UNION ALL ".join(
            f"SELECT {self._minute} AS minute, agency, '{kind.name}' AS kind, "
            f"received_at, occurred_at FROM {self._table(events_table(kind))} "
            f"WHERE received_at >= {self._minute} AND received_at <= {self.moment}"
            for kind in KINDS
        )

    def as_values(self, rows: Iterable[Sequence[Any]]) -> str:
        """Return SQL of rows (agency, kind, received_at, occurred_at) as literal values."""
        values = [
            f"({quoted(agency)}, {quoted(kind)}, {at(received)}, {at(occurred)})"
            for agency, kind, received, occurred in rows
        ]
        columns = ", ".join(f"{one.name} {one.type}" for one in ARRIVALS.columns[1:])
        source = (
            f"values({quoted(columns)}, {', '.join(values)})"
            if values
            else f"{self._table(ARRIVALS)} WHERE false"
        )
        return (
            f"SELECT {self._minute} AS minute, agency, kind, received_at, occurred_at FROM {source}"
        )

    # Sources: each table as a query for the rows that may be seen of it.

    def events(self, _: Prepared, kind: Kind) -> str:
        """Return the events of a kind."""
        return f"SELECT * FROM {self._table(events_table(kind))} WHERE {self._happened(kind)}"

    def state(self, prepared: Prepared, kind: Kind) -> str:
        """Return the newest step of each entity.

        If today's newest step can be seen at the moment, it was the newest then, too; otherwise the
        newest of then is taken from the events, for the requested entities only.
        """
        table, only = state_table(kind), prepared.entities
        columns = ", ".join(f"`{column.name}`" for column in table.columns[:-1])
        version = version_sql(kind)
        later = (
            f"SELECT entity_id FROM {self._table(table)} FINAL "
            f"WHERE NOT ({self._happened(kind)}) AND {only}"
        )
        return (
            f"SELECT {columns}, version FROM {self._table(table)} FINAL "
            f"WHERE {self._happened(kind)} AND {only} UNION ALL "
            f"SELECT {columns}, {version} AS version FROM {self._table(events_table(kind))} "
            f"WHERE {self._happened(kind)} AND {only} AND entity_id IN ({later}) "
            "ORDER BY entity_id, version DESC LIMIT 1 BY entity_id"
        )

    def life(self, prepared: Prepared, life: Life) -> str:
        """Return the steps of all lives; the newest step of each has no end."""
        ends = ", ".join(f"if({self._is_newest()}, {FAR}, l.{name}) AS {name}" for name in ENDS)
        if prepared.since is None or prepared.since < self.replay.at - LOOKBACK:
            prepared = prepared._replace(slices={}, mixed={}, newer={})
        slice_ = prepared.slices.get(life)
        is_near = (
            slice_
            and prepared.held
            and prepared.since
            and prepared.held >= slice_.since
            and prepared.since >= slice_.since - MONTH
        )
        tiers = (
            f"tier = {Tier.MONTH:d}" if is_near else f"tier IN ({Tier.MONTH:d}, {Tier.LOOKBACK:d})"
        )
        if prepared.held:
            tiers += f" AND ends >= toDate({at(prepared.held)})"
        return self._with_derived(life, prepared, f"SELECT {_names(life)}, {ends}", tiers)

    def current(self, prepared: Prepared, life: Life) -> str:
        """Return the newest step of each life."""
        ends = ", ".join(f"{FAR} AS {name}" for name in ENDS)
        tiers = (
            f"tier <= {Tier.UNIT:d}" if self.is_near(prepared.since) else f"tier != {Tier.UNIT:d}"
        )
        tiers += f" AND ends >= toDate({self.moment})"
        return self._with_derived(
            life,
            prepared,
            f"SELECT {_names(life)}, {ends}",
            tiers,
            self._is_newest(),
            f"until = {FAR}",
        )

    def arrivals(self, prepared: Prepared) -> str:
        """Return the arrivals of full minutes, and of the moment's own minute up to the moment.

        `FINAL` is not needed: readers take the newest arrivals, merged or not.
        """
        return (
            f"SELECT {ARRIVED} FROM {self._table(ARRIVALS)} WHERE minute < {self._minute} "
            f"UNION ALL {prepared.minute or self.this_minute()}"
        )

    def arrival_days(self, prepared: Prepared) -> str:
        """Return the arrivals of full days, and those of the moment's own day up to the moment."""
        today = f"toStartOfDay({self._minute})"
        minutes = (
            f"SELECT {ARRIVED} FROM {self._table(ARRIVALS)} "
            f"WHERE minute >= {today} AND minute < {self._minute}"
        )
        names = "agency, kind, received_at, occurred_at"
        return (
            f"SELECT day, {names} FROM {self._table(ARRIVAL_DAYS)} WHERE day < toDate({today}) "
            f"UNION ALL SELECT toDate({today}) AS day, {names} "
            f"FROM ({minutes} UNION ALL {prepared.minute or self.this_minute()})"
        )

    def freshness(self, prepared: Prepared) -> str:
        """Return when each agency was last heard from, by kind.

        `FINAL` is not needed: the maximum is the same over earlier rows of a day or minute.
        """
        return (
            "SELECT agency, kind, max(a.received_at) AS received_at, "
            f"max(a.occurred_at) AS occurred_at FROM ({self.arrival_days(prepared)}) AS a "
            "GROUP BY agency, kind"
        )

    def dead_letters(self, _: Prepared) -> str:
        """Return the dead letters received by the moment; one that was changed later was open."""
        state = (
            f"if(changed_at > {self.moment}, 'open', state) AS state, "
            f"least(changed_at, {self.moment}) AS changed_at"
        )
        return (
            f"SELECT * REPLACE ({state}) FROM {self._table(DEAD_LETTERS)} FINAL "
            f"WHERE received_at <= {self.moment}"
        )

    def refusals(self, _: Prepared) -> str:
        """Return the refusals that gateways had reported by the moment."""
        return f"SELECT * FROM {self._table(REFUSALS)} FINAL WHERE until <= {self.moment}"

    def heartbeats(self, _: Prepared) -> str:
        """Return the heartbeats written by the moment."""
        return f"SELECT * FROM {self._table(HEARTBEATS)} FINAL WHERE written_at <= {self.moment}"

    def alarm_rows(self, _: Prepared) -> str:
        """Return the newest step of each alarm, as of the moment."""
        return (
            f"SELECT * FROM {self._table(ALARM_STEPS)} WHERE evaluated_at <= {self.moment} "
            "ORDER BY id, began_at, version DESC LIMIT 1 BY id, began_at"
        )

    def alarms(self, prepared: Prepared) -> str:
        """Return the rows of the view `alarms`."""
        return alarms_select(f"({self.alarm_rows(prepared)})")

    def watch(self, _: Prepared) -> str:
        """Return when each job of the watch last ran, as of the moment.

        Earlier runs are not stored: a job is taken to have run at the moment, unless its last run
        was earlier. Before the first step of any alarm nothing was watched.
        """
        begun = f"(SELECT minOrNull(evaluated_at) FROM {self._table(ALARM_STEPS)})"
        # A watch that follows the moment itself, as in an exercise, counts without any alarm step.
        seen = f"{begun} <= {self.moment} OR at <= {self.moment} + INTERVAL 1 MINUTE"
        # Filter in a subquery, as `REPLACE` would make the condition see the replaced `at`.
        chosen = f"SELECT * FROM {self._table(WATCH)} FINAL WHERE {seen}"
        return f"SELECT * REPLACE (least(at, {self.moment}) AS at) FROM ({chosen})"

    def progress(self, _: Prepared) -> str:
        """Return progress as if every worker were up to date: past progress is not stored."""
        return (
            f"SELECT * REPLACE (end AS written, NULL AS waits_since, {self.moment} AS moved_at, "
            f"{self.moment} AS at) FROM {self._table(PROGRESS)} FINAL"
        )

    @property
    def _is_known(self) -> bool:
        return self.replay.picture is Picture.KNOWN

    @property
    def _minute(self) -> str:
        return f"toStartOfMinute({self.moment})"

    def _table(self, table: Table) -> str:
        return f"`{self.database}`.{table.name}"

    def _happened(self, kind: Kind) -> str:
        return f"{'received_at' if self._is_known else happened_sql(kind)} <= {self.moment}"

    def _is_newest(self) -> str:
        return f"l.{'next_received_at' if self._is_known else 'until'} > {self.moment}"

    def _is_seen(self) -> str:
        return f"received_at <= {self.moment}" if self._is_known else f"since <= {self.moment}"

    def _with_derived(
        self,
        life: Life,
        prepared: Prepared,
        select: str,
        tiers: str,
        condition: str = "true",
        of_derived: str = "true",
    ) -> str:
        """Return lives from a slice or from `life_K`, with the exceptions from other sources.

        Exceptions are the lives with events since the slice was made, those known in another
        version, and those derived again.
        """
        slice_, others = prepared.slices.get(life), [f"{self._is_seen()} AND {condition}"]
        kept, derived = f"{self._table(life_table(life.kind))} AS l FINAL", ""
        columns = f"SELECT {_names(life)}, {', '.join(ENDS)} FROM"
        if slice_ and prepared.mixed.get(life):
            entities = ", ".join(map(quoted, prepared.mixed[life]))
            known = (
                f"known_from <= {self.moment} AND known_until > {self.moment} "
                f"AND entity_id IN ({entities})"
            )
            derived = (
                f" UNION ALL {columns} `{self.database}`.{slice_.versions} "
                f"WHERE {known} AND {of_derived}"
            )
            others.append(f"entity_id NOT IN ({entities})")
        elif life in prepared.derived:
            table = derived_name(life)
            derived = f" UNION ALL {columns} {table} WHERE true AND {of_derived}"
            others.append(f"entity_id NOT IN (SELECT entity_id FROM {table})")
        if not slice_:
            return f"{select} FROM {kept} WHERE {' AND '.join(others)}{derived}"
        newer = ", ".join(map(quoted, prepared.newer.get(life, ())))
        if newer:
            only = " AND ".join([*others, f"entity_id IN ({newer})"])
            derived += f" UNION ALL {select} FROM {kept} WHERE {only}"
            others.append(f"entity_id NOT IN ({newer})")
        others += [tiers, f"begins <= {self.moment}"]
        return (
            f"{select} FROM `{self.database}`.{slice_.name} AS l "
            f"WHERE {' AND '.join(others)}{derived}"
        )


_SOURCES: Mapping[str, Callable[[Tables, Prepared], str]] = {
    **{events_table(kind).name: partial(Tables.events, kind=kind) for kind in KINDS},
    **{state_table(kind).name: partial(Tables.state, kind=kind) for kind in KINDS},
    **{life_table(life.kind).name: partial(Tables.life, life=life) for life in LIVES},
    **{current_table(life.kind).name: partial(Tables.current, life=life) for life in LIVES},
    ARRIVALS.name: Tables.arrivals,
    ARRIVAL_DAYS.name: Tables.arrival_days,
    FRESHNESS.name: Tables.freshness,
    DEAD_LETTERS.name: Tables.dead_letters,
    REFUSALS.name: Tables.refusals,
    HEARTBEATS.name: Tables.heartbeats,
    ALARMS.name: Tables.alarm_rows,
    "alarms": Tables.alarms,
    WATCH.name: Tables.watch,
    PROGRESS.name: Tables.progress,
}
PAST_TABLES = frozenset(_SOURCES)
"""The tables and views that have a past."""


def check(query: Query) -> None:
    """Raise `NoPastError` for a query that reads a table without a past."""
    if unknown := query.names - PAST_TABLES - TIMELESS:
        raise NoPastError(", ".join(sorted(unknown)))


def derived_name(life: Life) -> str:
    """Return the name of the external table with the lives derived again of a kind."""
    return f"derived_{life.kind.name}"


def _names(life: Life) -> str:
    return ", ".join(f"`{column.name}`" for column in life.columns if column.name not in ENDS)
