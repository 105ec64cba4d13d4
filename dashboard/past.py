"""The past behind the same questions: a connection on which every table is what it was at a moment.

The stores do not know whether they ask the present or the past. On a `PastConnection` each table that a question names is replaced
by what may be seen of it at the moment of its `Replay`: one place, so that nothing received later can come in by a question that
forgot to leave it out. A table that has no past here is refused.

`known`: of events only those received by then. A life (`schemas.lives`) is a row per step that depends on the steps up to its own
only, so the rows received by then are its past, unless something received later was sorted in between them: the lives of such
entities are derived anew from the events received by then. `corrected`: what had happened by then, whenever it was received.
When something arrived, was refused or was said of an alarm is the same in both pictures.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from dashboard.clock import Picture, Replay
from dashboard.connection import Connection, Said
from schemas.columns import ZONE, Table
from schemas.derivation import derive
from schemas.kinds import KINDS, Kind
from schemas.lives import FAR, LIVES, Life, current_table, life_table
from schemas.moments import milliseconds
from schemas.reference import calendar
from schemas.tables import (
    DEAD_LETTERS,
    FRESHNESS,
    HEARTBEATS,
    PROGRESS,
    SUCCESSORS,
    UNITS,
    VERSION,
    alarms_select,
    events_table,
    state_table,
    views,
    windows_table,
)
from schemas.watch_tables import ALARM_STEPS, ALARMS, ARRIVALS, REFUSALS, WATCH
from schemas.worktime import WORKING_DAYS, calendar_rows

TIMELESS = {"units", "unit_successors", *(table.name for table in (UNITS, SUCCESSORS, WORKING_DAYS))}
"""Tables whose rows say themselves for which days they hold."""


ENDS = ("until", "next_received_at")
"""What tells of the next step, of which nothing is known at the newest."""


class NoPastError(LookupError):
    """A question names a table whose past is not kept."""


@dataclass(frozen=True)
class Tables:
    """The tables of one database as they were at a moment: name → a query in place of it."""

    database: str
    province: str
    replay: Replay
    anew: Callable[[Life], list[tuple[Any, ...]]]
    """The rows that `derived` answers for a kind; questions that need them find them in a table `anew_name`."""

    @cached_property
    def past(self) -> dict[str, Callable[[], str]]:
        """Every table that has a past."""
        return {
            **{events_table(kind).name: _of(self._events, kind) for kind in KINDS},
            **{state_table(kind).name: _of(self._state, kind) for kind in KINDS},
            **{life_table(life.kind).name: _of(self._life, life) for life in LIVES},
            **{current_table(life.kind).name: _of(self._current, life) for life in LIVES},
            ARRIVALS.name: self._arrivals,
            FRESHNESS.name: self._freshness,
            DEAD_LETTERS.name: self._dead_letters,
            REFUSALS.name: lambda: f"SELECT * FROM {self._table(REFUSALS)} FINAL WHERE until <= {self.moment}",
            HEARTBEATS.name: lambda: f"SELECT * FROM {self._table(HEARTBEATS)} FINAL WHERE written_at <= {self.moment}",
            ALARMS.name: self._alarms,
            "alarms": lambda: alarms_select(f"({self._alarms()})"),
            # Who looked and how far workers had come is not kept: neither is in doubt unless it ended before the moment.
            WATCH.name: lambda: f"SELECT * REPLACE (least(at, {self.moment}) AS at) FROM {self._table(WATCH)} FINAL",
            PROGRESS.name: self._progress,
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
        return re.compile(rf"(?<=\b(?:FROM|JOIN) )({'|'.join(sorted(known, key=len, reverse=True))})\b( AS \w+)?( FINAL\b)?")

    def question(self, sql: str, percent: str = "%") -> tuple[str, list[Life]]:
        """A question of the present as one of the past, and whose lives it needs anew; `percent` is how it writes that sign.

        Raises `NoPastError`.
        """
        names = {found[0] for found in self._named.findall(sql)}
        if unknown := names - self.past.keys():
            raise NoPastError(", ".join(sorted(unknown)))
        if not names:
            return sql, []
        tables = ", ".join(f"{name} AS ({self.past[name]()})" for name in sorted(names)).replace("%", percent)
        lives = [life for life in LIVES if {life_table(life.kind).name, current_table(life.kind).name} & names and self.anew(life)]
        return f"WITH {tables} " + self._named.sub(r"\1\2", sql), lives

    @property
    def moment(self) -> str:
        """The moment as SQL."""
        return f"fromUnixTimestamp64Milli({milliseconds(self.replay.at)}, '{ZONE}')"

    @cached_property
    def _calendar(self) -> int:
        return calendar_rows(calendar(self.province))[0]

    @property
    def _is_known(self) -> bool:
        return self.replay.picture is Picture.KNOWN

    def _table(self, table: Table) -> str:
        return f"`{self.database}`.{table.name}"

    def _happened(self) -> str:
        return f"received_at <= {self.moment}" if self._is_known else f"least(occurred_at, received_at) <= {self.moment}"

    def _events(self, kind: Kind) -> str:
        return f"SELECT * FROM {self._table(events_table(kind))} WHERE {self._happened()}"

    def _state(self, kind: Kind) -> str:
        """The newest step where that is one of then; else the newest of those that are, from the events."""
        table = state_table(kind)
        columns = ", ".join(f"`{column.name}`" for column in table.columns[:-1])
        kept = f"SELECT entity_id FROM {self._table(table)} FINAL WHERE NOT ({self._happened()})"
        return (
            f"SELECT {columns}, version FROM {self._table(table)} FINAL WHERE {self._happened()} UNION ALL "
            f"SELECT {columns}, {VERSION} AS version FROM {self._table(events_table(kind))} "
            f"WHERE {self._happened()} AND entity_id IN ({kept}) ORDER BY entity_id, version DESC LIMIT 1 BY entity_id"
        )

    def _life(self, life: Life) -> str:
        ends = ", ".join(f"if({self._newest()}, {FAR}, l.{name}) AS {name}" for name in ENDS)
        return self._with_anew(life, f"SELECT {_names(life)}, {ends} FROM {self._table(life_table(life.kind))} AS l FINAL")

    def _current(self, life: Life) -> str:
        ends = ", ".join(f"{FAR} AS {name}" for name in ENDS)
        kept = f"SELECT {_names(life)}, {ends} FROM {self._table(life_table(life.kind))} AS l FINAL"
        return self._with_anew(life, kept, self._newest(), f"until = {FAR}")

    def _newest(self) -> str:
        return f"l.{'next_received_at' if self._is_known else 'until'} > {self.moment}"

    def _seen(self) -> str:
        return f"received_at <= {self.moment}" if self._is_known else f"since <= {self.moment}"

    def _with_anew(self, life: Life, kept: str, condition: str = "true", of_anew: str = "true") -> str:
        """Lives as they are kept, but for those that are derived anew."""
        said = f"{kept} WHERE {self._seen()} AND {condition}"
        if not self.anew(life):
            return said
        return (
            f"{said} AND entity_id NOT IN (SELECT entity_id FROM {anew_name(life)}) "
            f"UNION ALL SELECT {_names(life)}, {', '.join(ENDS)} FROM {anew_name(life)} WHERE {of_anew}"
        )

    def mixed(self, life: Life) -> str:
        """A question for the entities with a step that arrived later before one that had arrived by then."""
        return (
            f"SELECT DISTINCT entity_id FROM {self._table(life_table(life.kind))} FINAL "
            f"WHERE received_at > {self.moment} AND next_received_at <= {self.moment}"
        )

    def derived(self, life: Life) -> str:
        """A question for the lives of these entities as they were known."""
        events = self._table(events_table(life.kind))
        return derive(life, self._calendar, f"{events} WHERE entity_id IN ({self.mixed(life)}) AND received_at <= {self.moment}")

    def _arrivals(self) -> str:
        """The minutes before the one that is going on; of that, what had come."""
        begun = f"toStartOfMinute({self.moment})"
        names = "agency, kind, minute, received_at, occurred_at"
        rest = " UNION ALL ".join(
            f"SELECT agency, '{kind.name}' AS kind, toStartOfMinute(e.received_at) AS minute, max(e.received_at) AS received_at, "
            f"max(e.occurred_at) AS occurred_at FROM {self._table(events_table(kind))} AS e "
            f"WHERE e.received_at >= {begun} AND e.received_at <= {self.moment} GROUP BY agency, minute"
            for kind in KINDS
        )
        return f"SELECT {names} FROM {self._table(ARRIVALS)} FINAL WHERE minute < {begun} UNION ALL SELECT {names} FROM ({rest})"

    def _freshness(self) -> str:
        return (
            "SELECT agency, kind, max(a.received_at) AS received_at, max(a.occurred_at) AS occurred_at "
            f"FROM ({self._arrivals()}) AS a GROUP BY agency, kind"
        )

    def _dead_letters(self) -> str:
        state = f"if(changed_at > {self.moment}, 'open', state) AS state, least(changed_at, {self.moment}) AS changed_at"
        return f"SELECT * REPLACE ({state}) FROM {self._table(DEAD_LETTERS)} FINAL WHERE received_at <= {self.moment}"

    def _alarms(self) -> str:
        return (
            f"SELECT * FROM {self._table(ALARM_STEPS)} WHERE evaluated_at <= {self.moment} "
            "ORDER BY id, began_at, version DESC LIMIT 1 BY id, began_at"
        )

    def _progress(self) -> str:
        return (
            f"SELECT * REPLACE (end AS written, NULL AS waits_since, {self.moment} AS moved_at, {self.moment} AS at) "
            f"FROM {self._table(PROGRESS)} FINAL"
        )


class PastConnection(Connection):
    """Runs the questions of the present on the past of the same database; each thread's client is that of the other connection."""

    def __init__(self, present: Connection, province: str, replay: Replay) -> None:
        super().__init__(present._url)
        self._local = present._local
        self._present = present
        self._lock = threading.Lock()
        self._anew: dict[Life, list[tuple[Any, ...]]] = {}
        self._tables = Tables(urlsplit(self._url).path.strip("/"), province, replay, self._derived)

    @property
    def tables(self) -> frozenset[str]:
        """The tables that have a past."""
        return frozenset(self._tables.past)

    def _said(self, sql: str, given: object) -> Said:
        text, lives = self._tables.question(sql, "%" if given is None else "%%")
        return Said(text, [_external(life, self._anew[life]) for life in lives])

    def _derived(self, life: Life) -> list[tuple[Any, ...]]:
        """Asked once: the past does not change."""
        if self._tables.replay.picture is Picture.CORRECTED:
            return []
        with self._lock:
            if life not in self._anew:
                some = self._present.tuples(f"{self._tables.mixed(life)} LIMIT 1")
                self._anew[life] = self._present.tuples(self._tables.derived(life)) if some else []
            return self._anew[life]


def anew_name(life: Life) -> str:
    """The table that goes with a question: lives that are derived anew."""
    return f"anew_{life.kind.name}"


def _external(life: Life, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    return {"name": anew_name(life), "structure": [(column.name, column.type) for column in life.columns], "data": rows}


def _of(make: Callable[..., str], what: object) -> Callable[[], str]:
    return lambda: make(what)


def _names(life: Life) -> str:
    return ", ".join(f"`{column.name}`" for column in life.columns if column.name not in ENDS)
