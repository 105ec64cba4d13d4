"""The past behind the same questions: a connection on which every table is what it was at a moment.

The stores do not know whether they ask the present or the past. On a `PastConnection` each table that a question names is replaced
by what may be seen of it at the moment of its `Replay` (`dashboard.history.sql`). A table that has no past is refused.
"""

import math
import threading
from collections.abc import Collection
from copy import copy
from datetime import UTC, datetime
from functools import partial
from typing import Any

from dashboard.history.lives import ON_THEIR_WAY, PastLives
from dashboard.history.slices import Scenes
from dashboard.history.sql import ONLY, SAY_WHAT_ARRIVED, Lived, Tables, anew_name
from dashboard.query.cache import AnswerCache
from dashboard.query.clock import Picture, Replay
from dashboard.query.connection import Connection, Statement
from schemas.clickhouse.lives import LIVES, Life, current_table, life_table
from schemas.clickhouse.retention import LOOKBACK

OF_LIVES = {
    name for life in LIVES for name in (life_table(life.kind).name, current_table(life.kind).name)
}
ONE_THREAD = {"max_threads": 1}
"""For questions about what is set apart: a page asks several at a time, and more threads for each take more of the cores in all."""


class PastConnection(Connection):
    """Runs the questions of the present on the past of the same database; each thread's client is that of the other connection.

    `lives` and `scenes` are shared by all moments; without scenes each question goes over all of history.
    """

    def __init__(
        self,
        present: Connection,
        province: str,
        replay: Replay,
        lives: PastLives | None = None,
        scenes: Scenes | None = None,
    ) -> None:
        super().__init__(present.url)
        self._local = present._local
        self._lives = lives or PastLives(present, province)
        self._scenes = scenes
        self._tables = Tables(self.database, replay)
        self._since: datetime | None = None
        self._held: datetime | None = None
        self._begun = threading.Event()
        self._arrived = AnswerCache()

    def reaching(self, since: datetime, held: datetime | None = None) -> "PastConnection":
        """The same, for questions that look back no further."""
        found = copy(self)
        found._since, found._held = since, held
        return found

    def _begin(self) -> None:
        """Make what figures ask, of all kinds at once: a page would wait for one after the other. What goes wrong is
        told to whoever asks then."""
        if not self._scenes or self._begun.is_set():
            return
        self._begun.set()
        near = self.reaching(self._tables.replay.at)
        for life in LIVES:
            self._scenes.beside(partial(near._with, life, Lived(), {current_table(life.kind).name}))

    @property
    def tables(self) -> frozenset[str]:
        """The tables that have a past."""
        return frozenset(self._tables.past)

    def _said(self, sql: str, given: object) -> Statement:
        names = self._tables.named(sql)
        if not names:
            return Statement(sql)
        lives = [
            life
            for life in LIVES
            if {life_table(life.kind).name, current_table(life.kind).name} & names
        ]
        if lives and self._since:
            self._begin()
        asked = ONLY.findall(sql)
        only = asked[0] if len(names) == len(asked) == 1 else "true"
        lived = Lived(
            since=self._since,
            held=self._held,
            only=only,
            minute=self._minute() if names & SAY_WHAT_ARRIVED else "",
        )
        rows: dict[Life, list[tuple[Any, ...]]] = {}
        for life in lives:
            lived, rows[life] = self._with(life, lived, names)
        text = self._tables.question(sql, names, "%" if given is None else "%%", lived)
        is_apart = (
            all(life in lived.scenes for life in lives) and not lived.anew and names <= OF_LIVES
        )
        return Statement(
            text,
            [_external(life, rows[life]) for life in lived.anew],
            ONE_THREAD if is_apart else {},
        )

    def _minute(self) -> str:
        """What arrived in the minute that is going on: each kind's events are asked once, as that takes longer than a question."""
        columns = "agency, kind, max(e.received_at), max(e.occurred_at)"
        asked = f"SELECT {columns} FROM ({self._tables.this_minute()}) AS e GROUP BY agency, kind"
        settled = self._tables.replay.at < datetime.now(UTC) - ON_THEIR_WAY
        return self._arrived(
            "minute", lambda: self._tables.told(self.tuples(asked)), math.inf if settled else 0.0
        )

    def _with(
        self, life: Life, lived: Lived, names: Collection[str]
    ) -> tuple[Lived, list[tuple[Any, ...]]]:
        """What goes with a question about lives, and the lives that are derived anew."""
        replay, is_current = self._tables.replay, current_table(life.kind).name in names
        is_known = replay.picture is Picture.KNOWN
        needs_life = life_table(life.kind).name in names
        reaches = self._since is not None and self._since >= replay.at - LOOKBACK
        seen = self._scenes.at(life, replay) if self._scenes and (is_current or reaches) else None
        if self._scenes and seen:
            scene = seen.scene
            lived = lived._replace(
                scenes={**lived.scenes, life: scene}, newer={**lived.newer, life: seen.newer}
            )
            if not is_known or scene.versions:
                if is_known:
                    lived = lived._replace(mixed={**lived.mixed, life: scene.mixed(replay.at)})
                if is_current and self._tables.is_near(self._since):
                    said = partial(self._tables.current, life, lived)
                    if name := self._scenes.moments.at(life, replay, seen, said):
                        lived = lived._replace(moments={**lived.moments, life: name})
                if reaches or not needs_life:
                    return lived, []
        rows = self._lives.at(life, replay.at) if is_known else []
        return (lived._replace(anew=(*lived.anew, life)) if rows else lived), rows


def _external(life: Life, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "name": anew_name(life),
        "structure": [(column.name, column.type) for column in life.columns],
        "data": rows,
    }
