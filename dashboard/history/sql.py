"""Every table as it was at a moment, as SQL: one place, so that nothing received later can come in by a question that forgot to
leave it out.

`known`: of events only those received by then; of lives the rows received by then, and where these do not tell it those that
`dashboard.history.lives` derives anew. `corrected`: what had happened by then, whenever it was received.
When something arrived, was refused or was said of an alarm is the same in both pictures.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any, NamedTuple

from dashboard.history.slices import MONTH, Slice, Tier
from dashboard.query.clock import Picture, Replay
from schemas.clickhouse.columns import Table, quoted
from schemas.clickhouse.lives import FAR, LIVES, Life, current_table, life_table
from schemas.clickhouse.ordering import happened_sql, version_sql
from schemas.clickhouse.retention import LOOKBACK
from schemas.clickhouse.sql import at
from schemas.clickhouse.tables import (
    DEAD_LETTERS,
    FRESHNESS,
    HEARTBEATS,
    HEIRS,
    PROGRESS,
    SUCCESSORS,
    UNITS,
    alarms_select,
    events_table,
    state_table,
    views,
    windows_table,
)
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
"""Tables whose rows say themselves for which days they hold."""


ARRIVED = ", ".join(column.name for column in ARRIVALS.columns)
"""The columns of the arrivals."""
ONLY = re.compile(r"\bFROM state_\w+ FINAL WHERE ((?:entity_id|unit) (?:=|IN) %\(\w+\)s)")
"""Where a question says which entities it asks for: by their ids, or by a part of these."""
ENDS = ("until", "next_received_at")
"""What tells of the next step, of which nothing is known at the newest."""


SAY_WHAT_ARRIVED = {ARRIVALS.name, ARRIVAL_DAYS.name, FRESHNESS.name}


class NoPastError(LookupError):
    """A question names a table whose past is not kept."""


class Lived(NamedTuple):
    """What goes with a question about lives."""

    anew: Collection[Life] = ()
    """Whose lives, derived anew, are in a table `anew_name`."""
    scenes: Mapping[Life, Slice] = {}
    """Those that hold what of `life_K` the moment can see, back to `LOOKBACK`."""
    mixed: Mapping[Life, Sequence[str]] = {}
    """Of which of them some lives were known in another version: their entities."""
    newer: Mapping[Life, Sequence[str]] = {}
    """Of which entities something came since a scene was made: it is not to be asked about them."""
    moments: Mapping[Life, str] = {}
    """Tables that hold what of `current_K` figures ask for."""
    since: datetime | None = None
    """How far the question looks back on what is closed; None where that is not said."""
    held: datetime | None = None
    """It asks for what held then or later only; None where that is not said."""
    only: str = "true"
    """SQL: which entities a question about states asks for."""
    minute: str = ""
    """SQL for what arrived in the minute that is going on; empty where it is looked for among the events."""


@dataclass(frozen=True)
class Tables:
    """The tables of one database as they were at a moment: name → a query in place of it."""

    database: str
    replay: Replay

    @cached_property
    def past(self) -> dict[str, Callable[[Lived], str]]:
        """Every table that has a past; what of it is seen depends on what of lives goes with the question."""
        return {
            **{events_table(kind).name: _of(self._events, kind) for kind in KINDS},
            **{state_table(kind).name: partial(self._state, kind) for kind in KINDS},
            **{life_table(life.kind).name: partial(self._life, life) for life in LIVES},
            **{current_table(life.kind).name: partial(self._current, life) for life in LIVES},
            ARRIVALS.name: self._arrivals,
            ARRIVAL_DAYS.name: self._arrival_days,
            FRESHNESS.name: self._freshness,
            DEAD_LETTERS.name: lambda _: self._dead_letters(),
            REFUSALS.name: lambda _: (
                f"SELECT * FROM {self._table(REFUSALS)} FINAL WHERE until <= {self.moment}"
            ),
            HEARTBEATS.name: lambda _: (
                f"SELECT * FROM {self._table(HEARTBEATS)} FINAL WHERE written_at <= {self.moment}"
            ),
            ALARMS.name: lambda _: self._alarms(),
            "alarms": lambda _: alarms_select(f"({self._alarms()})"),
            # Who looked and how far workers had come is not kept: neither is in doubt unless it ended before the moment, but nobody
            # looked before anything was said of an alarm.
            WATCH.name: lambda _: self._watch(),
            PROGRESS.name: lambda _: self._progress(),
        }

    @cached_property
    def _named(self) -> re.Pattern[str]:
        known = {
            *self.past,
            *(windows_table(kind).name for kind in KINDS),
            *(name for name in views("") if name not in TIMELESS and name != "alarms"),
            "lives_progress",
            ALARM_STEPS.name,
        }
        return re.compile(
            rf"(?<=\b(?:FROM|JOIN) )({'|'.join(sorted(known, key=len, reverse=True))})\b( AS \w+)?( FINAL\b)?"
        )

    def named(self, sql: str) -> frozenset[str]:
        """The tables of a question. Raises `NoPastError` for one that has no past."""
        names = frozenset(found[0] for found in self._named.findall(sql))
        if unknown := names - self.past.keys():
            raise NoPastError(", ".join(sorted(unknown)))
        return names

    def question(
        self, sql: str, names: Collection[str], percent: str = "%", lived: Lived = Lived()
    ) -> str:
        """A question of the present as one of the past; `names` are its tables, `percent` is how it writes that sign."""
        said = lived._replace(only="{only}")  # its sign is that of a parameter
        made = {
            current_table(life.kind).name: f"`{self.database}`.{name}"
            for life, name in lived.moments.items()
        }
        tables = [
            f"{name} AS ({self.past[name](said)})".replace("%", percent)
            for name in sorted({*names} - made.keys())
        ]
        tables = [one.replace("{only}", lived.only) for one in tables]
        own = self._named.sub(lambda found: made.get(found[1], found[1]) + (found[2] or ""), sql)
        if own.startswith("WITH "):
            tables, own = [*tables, own.removeprefix("WITH ")], ""
        return (f"WITH {', '.join(tables)} " if tables else "") + own

    @cached_property
    def moment(self) -> str:
        """The moment as SQL."""
        return at(self.replay.at)

    @property
    def _is_known(self) -> bool:
        return self.replay.picture is Picture.KNOWN

    def _table(self, table: Table) -> str:
        return f"`{self.database}`.{table.name}"

    def _happened(self, kind: Kind) -> str:
        return f"{'received_at' if self._is_known else happened_sql(kind)} <= {self.moment}"

    def _events(self, kind: Kind) -> str:
        return f"SELECT * FROM {self._table(events_table(kind))} WHERE {self._happened(kind)}"

    def _state(self, kind: Kind, lived: Lived) -> str:
        """The newest step where that is one of then; else the newest of those that are, from the events. Only of the entities that
        are asked for: whoever asks for some would wait for all."""
        table, only = state_table(kind), lived.only
        columns = ", ".join(f"`{column.name}`" for column in table.columns[:-1])
        version = version_sql(kind)
        kept = f"SELECT entity_id FROM {self._table(table)} FINAL WHERE NOT ({self._happened(kind)}) AND {only}"
        return (
            f"SELECT {columns}, version FROM {self._table(table)} FINAL WHERE {self._happened(kind)} AND {only} UNION ALL "
            f"SELECT {columns}, {version} AS version FROM {self._table(events_table(kind))} "
            f"WHERE {self._happened(kind)} AND {only} AND entity_id IN ({kept}) "
            "ORDER BY entity_id, version DESC LIMIT 1 BY entity_id"
        )

    def _life(self, life: Life, lived: Lived) -> str:
        ends = ", ".join(f"if({self._newest()}, {FAR}, l.{name}) AS {name}" for name in ENDS)
        if lived.since is None or lived.since < self.replay.at - LOOKBACK:
            lived = lived._replace(scenes={}, mixed={}, newer={})
        scene = lived.scenes.get(life)
        near = (
            scene
            and lived.held
            and lived.since
            and lived.held >= scene.since
            and lived.since >= scene.since - MONTH
        )
        tiers = f"tier = {Tier.MONTH:d}" if near else f"tier IN ({Tier.MONTH:d}, {Tier.LOOKBACK:d})"
        if lived.held:
            tiers += f" AND ends >= toDate({at(lived.held)})"
        return self._with_anew(life, lived, f"SELECT {_names(life)}, {ends}", tiers)

    def _current(self, life: Life, lived: Lived) -> str:
        ends = ", ".join(f"{FAR} AS {name}" for name in ENDS)
        select = f"SELECT {_names(life)}, {ends}"
        tiers = f"tier <= {Tier.UNIT:d}" if self.is_near(lived.since) else f"tier != {Tier.UNIT:d}"
        tiers += f" AND ends >= toDate({self.moment})"
        return self._with_anew(life, lived, select, tiers, self._newest(), f"until = {FAR}")

    def is_near(self, since: datetime | None) -> bool:
        """Whether a question looks back no further than figures do."""
        return since is not None and since >= self.replay.at - MONTH

    def current(self, life: Life, lived: Lived) -> str:
        """A query for what of `current_K` figures ask for, which a scene tells. Nobody asks for the version of what is one row."""
        said = self._current(life, lived._replace(since=self.replay.at - MONTH))
        return f"SELECT * EXCEPT version FROM ({said})"

    def _newest(self) -> str:
        return f"l.{'next_received_at' if self._is_known else 'until'} > {self.moment}"

    def _seen(self) -> str:
        return f"received_at <= {self.moment}" if self._is_known else f"since <= {self.moment}"

    def _with_anew(
        self,
        life: Life,
        lived: Lived,
        select: str,
        tiers: str,
        condition: str = "true",
        of_anew: str = "true",
    ) -> str:
        """Lives as a scene or `life_K` has them, but for those of which something came since, that were known in another version,
        or are derived anew."""
        scene, others = lived.scenes.get(life), [f"{self._seen()} AND {condition}"]
        kept, anew = f"{self._table(life_table(life.kind))} AS l FINAL", ""
        told = f"SELECT {_names(life)}, {', '.join(ENDS)} FROM"
        if scene and lived.mixed.get(life):
            who = ", ".join(map(quoted, lived.mixed[life]))
            known = f"known_from <= {self.moment} AND known_until > {self.moment} AND entity_id IN ({who})"
            anew = (
                f" UNION ALL {told} `{self.database}`.{scene.versions} WHERE {known} AND {of_anew}"
            )
            others.append(f"entity_id NOT IN ({who})")
        elif life in lived.anew:
            anew = f" UNION ALL {told} {anew_name(life)} WHERE true AND {of_anew}"
            others.append(f"entity_id NOT IN (SELECT entity_id FROM {anew_name(life)})")
        if not scene:
            return f"{select} FROM {kept} WHERE {' AND '.join(others)}{anew}"
        newer = ", ".join(map(quoted, lived.newer.get(life, ())))
        if newer:
            anew += f" UNION ALL {select} FROM {kept} WHERE {' AND '.join([*others, f'entity_id IN ({newer})'])}"
            others.append(f"entity_id NOT IN ({newer})")
        others += [tiers, f"begins <= {self.moment}"]
        return (
            f"{select} FROM `{self.database}`.{scene.name} AS l WHERE {' AND '.join(others)}{anew}"
        )

    def _arrivals(self, lived: Lived) -> str:
        """The minutes before the one that is going on; of that, what had come: not merged, as the newest are the newest."""
        this_minute = lived.minute or self.this_minute()
        return f"SELECT {ARRIVED} FROM {self._table(ARRIVALS)} WHERE minute < {self._begun} UNION ALL {this_minute}"

    @property
    def _begun(self) -> str:
        return f"toStartOfMinute({self.moment})"

    def this_minute(self) -> str:
        """A query for what had arrived in the minute that is going on."""
        return " UNION ALL ".join(
            f"SELECT {self._begun} AS minute, agency, '{kind.name}' AS kind, received_at, occurred_at "
            f"FROM {self._table(events_table(kind))} WHERE received_at >= {self._begun} AND received_at <= {self.moment}"
            for kind in KINDS
        )

    def told(self, rows: Iterable[Sequence[Any]]) -> str:
        """The same as the rows that were found: agency, kind, received_at, occurred_at."""
        said = [
            f"({quoted(agency)}, {quoted(kind)}, {at(received)}, {at(occurred)})"
            for agency, kind, received, occurred in rows
        ]
        columns = ", ".join(f"{one.name} {one.type}" for one in ARRIVALS.columns[1:])
        source = (
            f"values({quoted(columns)}, {', '.join(said)})"
            if said
            else f"{self._table(ARRIVALS)} WHERE false"
        )
        return (
            f"SELECT {self._begun} AS minute, agency, kind, received_at, occurred_at FROM {source}"
        )

    def _arrival_days(self, lived: Lived) -> str:
        """The days before the one that is going on; of that, what had come."""
        today = f"toStartOfDay({self._begun})"
        minutes = f"SELECT {ARRIVED} FROM {self._table(ARRIVALS)} WHERE minute >= {today} AND minute < {self._begun}"
        names = "agency, kind, received_at, occurred_at"
        return (
            f"SELECT day, {names} FROM {self._table(ARRIVAL_DAYS)} WHERE day < toDate({today}) "
            f"UNION ALL SELECT toDate({today}) AS day, {names} FROM ({minutes} UNION ALL {lived.minute or self.this_minute()})"
        )

    def _freshness(self, lived: Lived) -> str:
        # The newest are the newest, whatever of a day or minute was written before: there is no need to merge.
        return (
            "SELECT agency, kind, max(a.received_at) AS received_at, max(a.occurred_at) AS occurred_at "
            f"FROM ({self._arrival_days(lived)}) AS a GROUP BY agency, kind"
        )

    def _dead_letters(self) -> str:
        state = f"if(changed_at > {self.moment}, 'open', state) AS state, least(changed_at, {self.moment}) AS changed_at"
        return f"SELECT * REPLACE ({state}) FROM {self._table(DEAD_LETTERS)} FINAL WHERE received_at <= {self.moment}"

    def _alarms(self) -> str:
        return (
            f"SELECT * FROM {self._table(ALARM_STEPS)} WHERE evaluated_at <= {self.moment} "
            "ORDER BY id, began_at, version DESC LIMIT 1 BY id, began_at"
        )

    def _watch(self) -> str:
        begun = f"(SELECT minOrNull(evaluated_at) FROM {self._table(ALARM_STEPS)})"
        # Nor is there need for that where a watch looks on at the very moment, as over an exercise that goes on.
        seen = f"{begun} <= {self.moment} OR at <= {self.moment} + INTERVAL 1 MINUTE"
        # Chosen first, as `at` would be what it is replaced with.
        chosen = f"SELECT * FROM {self._table(WATCH)} FINAL WHERE {seen}"
        return f"SELECT * REPLACE (least(at, {self.moment}) AS at) FROM ({chosen})"

    def _progress(self) -> str:
        return (
            f"SELECT * REPLACE (end AS written, NULL AS waits_since, {self.moment} AS moved_at, {self.moment} AS at) "
            f"FROM {self._table(PROGRESS)} FINAL"
        )


def anew_name(life: Life) -> str:
    """The table that goes with a question: lives that are derived anew."""
    return f"anew_{life.kind.name}"


def _of(make: Callable[[Kind], str], kind: Kind) -> Callable[[Lived], str]:
    return lambda _: make(kind)


def _names(life: Life) -> str:
    return ", ".join(f"`{column.name}`" for column in life.columns if column.name not in ENDS)
