"""Answer the queries of the present for a past moment: a connection that rewrites each query.

The stores do not know whether their connection is to the present or to the past. A `PastConnection`
renders each `Query` with every table replaced by what could be seen of it at the moment of its
`Replay` (`dashboard.history.sql`), and refuses a query that reads a table without a past.
"""

import math
import threading
from datetime import UTC, datetime
from functools import partial
from typing import Any

from dashboard.history.lives import ON_THEIR_WAY, PastLives
from dashboard.history.prepared import Prepared
from dashboard.history.slices import Slices
from dashboard.history.sql import (
    READ_ARRIVALS,
    NoPastError,
    Tables,
    check,
    derived_name,
)
from dashboard.query.cache import AnswerCache
from dashboard.query.clock import Picture, Replay
from dashboard.query.connection import Connection, Statement
from schemas.clickhouse.lives import LIVES, Life, current_table, life_table
from schemas.clickhouse.query import Query
from schemas.clickhouse.retention import LOOKBACK

OF_LIVES = {
    name for life in LIVES for name in (life_table(life.kind).name, current_table(life.kind).name)
}
ONE_THREAD = {"max_threads": 1}
"""Settings for queries on slices: a page runs several at a time, and more threads per query cost
more CPU time in all.
"""


class PastConnection(Connection):
    """Answers the queries of the present for a past moment of the same database.

    Each thread uses the client that it has for the connection to the present.
    """

    def __init__(
        self,
        present: Connection,
        province: str,
        replay: Replay,
        lives: PastLives | None = None,
        slices: Slices | None = None,
    ) -> None:
        """Look back through a connection to the present.

        Args:
            present: the connection to the database.
            province: code of the province by whose working calendar lives are derived.
            replay: the moment, and the picture: as known or as corrected.
            lives: lives derived again, shared by all moments.
            slices: slices, shared by all moments; without them, each query reads all of history.
        """
        super().__init__(present.url)
        self._local = present._local
        self._lives = lives or PastLives(present, province)
        self._slices = slices
        self._tables = Tables(self.database, replay)
        self._begun = threading.Event()
        self._arrived = AnswerCache()

    def _statement(self, query: Query | str, *, has_parameters: bool) -> Statement:
        """Return the statement that is sent for a query. Raises `NoPastError`."""
        if isinstance(query, str):
            raise NoPastError("a text does not say which tables it reads: ask with a Query")
        check(query)
        lives = [
            life
            for life in LIVES
            if {life_table(life.kind).name, current_table(life.kind).name} & query.names
        ]
        if lives and query.since:
            self._prepare_all_kinds()
        prepared = Prepared(
            since=query.since,
            held=query.held,
            minute=self._minute() if query.names & READ_ARRIVALS else "",
        )
        rows: dict[Life, list[tuple[Any, ...]]] = {}
        for life in lives:
            prepared, rows[life] = self._prepare(life, query, prepared)
        sql = self._tables.rewrite(query, prepared, "%%" if has_parameters else "%")
        is_sliced = (
            bool(query.names)
            and query.names <= OF_LIVES
            and all(life in prepared.slices for life in lives)
            and not prepared.derived
        )
        return Statement(
            sql,
            [_external(life, rows[life]) for life in prepared.derived],
            ONE_THREAD if is_sliced else {},
        )

    def _prepare_all_kinds(self) -> None:
        """Materialise what figures need, for all kinds at once, in the background.

        A page would wait for one kind after the other. Errors are raised to the query that needs
        the table.
        """
        if not self._slices or self._begun.is_set():
            return
        self._begun.set()
        for life in LIVES:
            table = current_table(life.kind)
            query = Query(f"SELECT 1 FROM {table.final}", (table,), since=self._tables.replay.at)
            prepared = Prepared(since=query.since)
            self._slices.run_in_background(partial(self._prepare, life, query, prepared))

    def _minute(self) -> str:
        """Return SQL for the events that had arrived in the moment's minute, as values.

        They are queried once and cached, as that takes longer than a query of a page.
        """
        latest = Query(
            "SELECT agency, kind, max(e.received_at), max(e.occurred_at) "
            f"FROM ({self._tables.this_minute()}) AS e GROUP BY agency, kind"
        )
        is_settled = self._tables.replay.at < datetime.now(UTC) - ON_THEIR_WAY
        return self._arrived(
            "minute",
            lambda: self._tables.as_values(self.tuples(latest)),
            math.inf if is_settled else 0.0,
        )

    def _prepare(
        self, life: Life, query: Query, prepared: Prepared
    ) -> tuple[Prepared, list[tuple[Any, ...]]]:
        """Return `prepared` with the tables that a query needs, and the rows derived for it."""
        replay, is_current = self._tables.replay, current_table(life.kind).name in query.names
        is_known = replay.picture is Picture.KNOWN
        needs_life = life_table(life.kind).name in query.names
        reaches = query.since is not None and query.since >= replay.at - LOOKBACK
        view = self._slices.at(life, replay) if self._slices and (is_current or reaches) else None
        if self._slices and view:
            slice_ = view.slice
            prepared = prepared._replace(
                slices={**prepared.slices, life: slice_},
                newer={**prepared.newer, life: view.newer},
            )
            if not is_known or slice_.versions:
                if is_known:
                    mixed = slice_.mixed(replay.at)
                    prepared = prepared._replace(mixed={**prepared.mixed, life: mixed})
                if is_current and self._tables.is_near(query.since):
                    select = partial(self._tables.newest_of_figures, life, prepared)
                    if name := self._slices.moments.at(life, replay, view, select):
                        prepared = prepared._replace(moments={**prepared.moments, life: name})
                if reaches or not needs_life:
                    return prepared, []
        rows = self._lives.at(life, replay.at) if is_known else []
        if rows:
            prepared = prepared._replace(derived=(*prepared.derived, life))
        return prepared, rows


def _external(life: Life, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "name": derived_name(life),
        "structure": [(column.name, column.type) for column in life.columns],
        "data": rows,
    }
