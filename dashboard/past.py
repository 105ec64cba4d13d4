"""The past behind the same questions: a connection on which every table is what it was at a moment.

The stores do not know whether they ask the present or the past. On a `PastConnection` each table that a question names is replaced
by what may be seen of it at the moment of its `Replay`: one place, so that nothing received later can come in by a question that
forgot to leave it out. A table that has no past here is refused.

`known`: of events only those received by then; of lives the rows received by then, and where these do not tell it those that
`dashboard.past_lives` derives anew. `corrected`: what had happened by then, whenever it was received.
When something arrived, was refused or was said of an alarm is the same in both pictures.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlsplit

from dashboard.clock import Picture, Replay
from dashboard.connection import Connection, Said
from dashboard.past_lives import PastLives
from schemas.columns import ZONE, Table
from schemas.kinds import KINDS, Kind
from schemas.lives import FAR, LIVES, Life, current_table, life_table
from schemas.moments import milliseconds
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
from schemas.worktime import WORKING_DAYS

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
    replay: Replay

    @cached_property
    def past(self) -> dict[str, Callable[[Collection[Life]], str]]:
        """Every table that has a past; what of it is seen depends on whose lives go with the question, in a table `anew_name`."""
        return {
            **{events_table(kind).name: _of(self._events, kind) for kind in KINDS},
            **{state_table(kind).name: _of(self._state, kind) for kind in KINDS},
            **{life_table(life.kind).name: partial(self._life, life) for life in LIVES},
            **{current_table(life.kind).name: partial(self._current, life) for life in LIVES},
            ARRIVALS.name: lambda _: self._arrivals(),
            FRESHNESS.name: lambda _: self._freshness(),
            DEAD_LETTERS.name: lambda _: self._dead_letters(),
            REFUSALS.name: lambda _: f"SELECT * FROM {self._table(REFUSALS)} FINAL WHERE until <= {self.moment}",
            HEARTBEATS.name: lambda _: f"SELECT * FROM {self._table(HEARTBEATS)} FINAL WHERE written_at <= {self.moment}",
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
        return re.compile(rf"(?<=\b(?:FROM|JOIN) )({'|'.join(sorted(known, key=len, reverse=True))})\b( AS \w+)?( FINAL\b)?")

    def named(self, sql: str) -> frozenset[str]:
        """The tables of a question. Raises `NoPastError` for one that has no past."""
        names = frozenset(found[0] for found in self._named.findall(sql))
        if unknown := names - self.past.keys():
            raise NoPastError(", ".join(sorted(unknown)))
        return names

    def question(self, sql: str, percent: str = "%", anew: Collection[Life] = ()) -> str:
        """A question of the present as one of the past; `percent` is how it writes that sign, `anew` whose lives go with it.

        Raises `NoPastError`.
        """
        names = sorted(self.named(sql))
        if not names:
            return sql
        tables = ", ".join(f"{name} AS ({self.past[name](anew)})" for name in names).replace("%", percent)
        return f"WITH {tables} " + self._named.sub(r"\1\2", sql)

    @property
    def moment(self) -> str:
        """The moment as SQL."""
        return f"fromUnixTimestamp64Milli({milliseconds(self.replay.at)}, '{ZONE}')"

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

    def _life(self, life: Life, anew: Collection[Life]) -> str:
        ends = ", ".join(f"if({self._newest()}, {FAR}, l.{name}) AS {name}" for name in ENDS)
        return self._with_anew(life, anew, f"SELECT {_names(life)}, {ends} FROM {self._table(life_table(life.kind))} AS l FINAL")

    def _current(self, life: Life, anew: Collection[Life]) -> str:
        ends = ", ".join(f"{FAR} AS {name}" for name in ENDS)
        kept = f"SELECT {_names(life)}, {ends} FROM {self._table(life_table(life.kind))} AS l FINAL"
        return self._with_anew(life, anew, kept, self._newest(), f"until = {FAR}")

    def _newest(self) -> str:
        return f"l.{'next_received_at' if self._is_known else 'until'} > {self.moment}"

    def _seen(self) -> str:
        return f"received_at <= {self.moment}" if self._is_known else f"since <= {self.moment}"

    def _with_anew(self, life: Life, anew: Collection[Life], kept: str, condition: str = "true", of_anew: str = "true") -> str:
        """Lives as they are kept, but for those that are derived anew."""
        said = f"{kept} WHERE {self._seen()} AND {condition}"
        if life not in anew:
            return said
        return (
            f"{said} AND entity_id NOT IN (SELECT entity_id FROM {anew_name(life)}) "
            f"UNION ALL SELECT {_names(life)}, {', '.join(ENDS)} FROM {anew_name(life)} WHERE {of_anew}"
        )

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

    def _watch(self) -> str:
        begun = f"(SELECT minOrNull(evaluated_at) FROM {self._table(ALARM_STEPS)})"
        return f"SELECT * REPLACE (least(at, {self.moment}) AS at) FROM {self._table(WATCH)} FINAL WHERE {begun} <= {self.moment}"

    def _progress(self) -> str:
        return (
            f"SELECT * REPLACE (end AS written, NULL AS waits_since, {self.moment} AS moved_at, {self.moment} AS at) "
            f"FROM {self._table(PROGRESS)} FINAL"
        )


class PastConnection(Connection):
    """Runs the questions of the present on the past of the same database; each thread's client is that of the other connection.

    `lives` are shared by all moments.
    """

    def __init__(self, present: Connection, province: str, replay: Replay, lives: PastLives | None = None) -> None:
        super().__init__(present._url)
        self._local = present._local
        self._lives = lives or PastLives(present, province)
        self._tables = Tables(urlsplit(self._url).path.strip("/"), replay)

    @property
    def tables(self) -> frozenset[str]:
        """The tables that have a past."""
        return frozenset(self._tables.past)

    def _said(self, sql: str, given: object) -> Said:
        names, replay = self._tables.named(sql), self._tables.replay
        lives = [life for life in LIVES if {life_table(life.kind).name, current_table(life.kind).name} & names]
        rows = {life: self._lives.at(life, replay.at) for life in lives if replay.picture is Picture.KNOWN}
        anew = [life for life in rows if rows[life]]
        text = self._tables.question(sql, "%" if given is None else "%%", anew)
        return Said(text, [_external(life, rows[life]) for life in anew])


def anew_name(life: Life) -> str:
    """The table that goes with a question: lives that are derived anew."""
    return f"anew_{life.kind.name}"


def _external(life: Life, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    return {"name": anew_name(life), "structure": [(column.name, column.type) for column in life.columns], "data": rows}


def _of(make: Callable[[Kind], str], kind: Kind) -> Callable[[Collection[Life]], str]:
    return lambda _: make(kind)


def _names(life: Life) -> str:
    return ", ".join(f"`{column.name}`" for column in life.columns if column.name not in ENDS)
