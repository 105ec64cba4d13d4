"""Slices: tables with the lives that moments of a period can see.

A page runs dozens of queries, and each would read all of history. A slice is a table with the rows
of a kind's lives that any moment of a period can see; it is made by the first query, or ahead of
time (`Slices.prepare`), and kept for later ones. It holds `life_K` as of its making; entities with
relevant events since then are read from `life_K` itself. A second table holds all known versions of
the lives into which a late step was sorted (`dashboard.history.lives`). Where no table may be made,
queries read all of history.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from datetime import datetime
from functools import partial
from itertools import islice

from dashboard.history.lives import KNOWN, MAX_ENTITIES, came_late, versions
from dashboard.history.moments import Moments
from dashboard.history.periods import end_of, period, periods
from dashboard.history.slice_tables import (
    GENTLY,
    SPAN,
    Marks,
    Slice,
    SliceView,
    Tier,
    ddl,
    tier_sql,
)
from dashboard.history.tables import LEFT_OVER, Prefix, TemporaryTables
from dashboard.query.clock import Picture, Replay
from dashboard.query.connection import Connection, UnreachableError
from dashboard.query.time_limit import within
from dashboard.query.turns import holding
from schemas.clickhouse.columns import Column, quoted
from schemas.clickhouse.lives import LIVES, LIVES_PROGRESS, Life, life_table
from schemas.clickhouse.ordering import happened_sql
from schemas.clickhouse.retention import LOOKBACK
from schemas.clickhouse.sql import FIRST, at
from schemas.clickhouse.tables import events_table

log = logging.getLogger(__name__)
MAX_SLICES = 36
"""Most slices kept per kind."""
MAX_CHECKED = 100
"""Most moments of a slice for which newer entities are cached."""
AHEAD_SECONDS = 3600.0
"""Interval at which slices are made ahead again, as the periods move on with the days."""
SLICES_AHEAD = 27
"""Number of slices made ahead: those of the last year."""
FEW, MANY = 100, 1_000
"""Entities with events since a slice was made: above `FEW` it is remade while the old one serves;
above `MANY` it is remade before it is used again.
"""
MAX_SECONDS = 1800.0
"""Age at which a slice is remade while the old one serves: lives may have been recomputed."""
CHECK_SECONDS = 1.0
"""Interval at which relevant new events are looked for."""
REST_SECONDS = 5.0
"""Least seconds between two slices of the same period; meanwhile queries read all of history."""
MAKE_SECONDS = 120.0
"""Time limit for making a slice, whatever remains of the page's own: the next page finds it made.
"""
GRACE_SECONDS = 60.0
"""Seconds until a replaced slice is dropped, as queries may still be about to read it."""
BREATH_SECONDS = 3.0
"""Seconds to wait before making slices ahead, so that the viewer who looks back is answered first.
"""


class Slices:
    """Makes and keeps slices. Safe to use from many threads."""

    def __init__(self, present: Connection, province: str) -> None:
        """Keep slices of the database of `present`; lives follow the calendar of `province`."""
        self._present = present
        self._province = province
        self.tables = TemporaryTables(present)
        self.moments = Moments(self.tables)
        self._locks: dict[tuple[Life, datetime], threading.Lock] = {}
        self._kept: dict[Life, dict[datetime, Slice]] = {life: {} for life in LIVES}
        self._known: tuple[float, dict[str, Marks]] = (0.0, {})
        self._guard, self._checking = threading.Lock(), threading.Lock()
        self._workers = ThreadPoolExecutor(len(LIVES), "slices")
        self._ahead_worker = ThreadPoolExecutor(1, "slices-ahead")
        self._queued: set[object] = set()
        self._ahead_again = 0.0
        self._ended = threading.Event()

    def at(self, life: Life, replay: Replay) -> SliceView | None:
        """Return the slice for queries about a moment that look back no further than `LOOKBACK`.

        None if no table may be made, or if the current slice is outdated and too young to be
        replaced (`REST_SECONDS`). Raises `dashboard.query.connection.UnreachableError`.
        """
        if self.tables.refused:
            return None
        since, until = period(replay.at)
        if since not in self._kept[life]:
            # A page queries all kinds, one after the other: make their slices at the same time.
            for other in LIVES:
                if other is not life and since not in self._kept[other]:
                    self.run_in_background(partial(self._view, other, replay, since, until))
        return self._view(life, replay, since, until)

    def prepare(self) -> None:
        """Make the slices of the last year in the background, newest first."""
        with self._guard:
            if time.monotonic() < self._ahead_again:
                return
            self._ahead_again = time.monotonic() + AHEAD_SECONDS
        self._run_later("ahead", self._make_ahead)

    def settle(self) -> None:
        """Wait until the background work queued so far is done."""
        self._ahead_worker.submit(lambda: None).result()

    def run_in_background(self, work: Callable[[], object]) -> None:
        """Run work in another thread, without a time limit and without waiting for it."""
        self._workers.submit(copy_context().run, within, None, work)

    def close(self) -> None:
        """Drop all tables. Raises `dashboard.query.connection.UnreachableError`."""
        self._ended.set()
        self._ahead_worker.shutdown(cancel_futures=True)
        self.tables.close()

    def _run_later(self, key: object, work: Callable[[], object]) -> None:
        """Queue work for the background thread, unless work of the same key is queued already."""
        with self._guard:
            if key in self._queued or self._ended.is_set():
                return
            self._queued.add(key)

        def run() -> None:
            try:
                work()
            except UnreachableError as error:
                log.warning("slices of the past were not made ahead: %s", error)
            finally:
                self._queued.discard(key)

        with suppress(RuntimeError):  # closed meanwhile
            self._ahead_worker.submit(copy_context().run, within, None, run)

    def _make_ahead(self) -> None:
        if self._ended.wait(BREATH_SECONDS):
            return
        began = time.monotonic()
        ((first,),) = self._present.tuples(FIRST)
        ahead = list(islice(periods(first), SLICES_AHEAD)) if first else []
        for since, until in ahead:
            for life in LIVES:
                if self._ended.is_set():
                    return
                with self._lock(life, since):
                    kept = self._kept[life].get(since)
                    if (
                        kept is None
                        or kept.until != until
                        or (kept.goes_on and time.monotonic() - kept.made > MAX_SECONDS)
                    ):
                        kept = self._make(life, since, until, GENTLY)
                if kept:
                    self._complete(life, kept)
        log.info("%d slices of the past made ahead in %.0f s", len(ahead), time.monotonic() - began)

    def _lock(self, life: Life, since: datetime) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault((life, since), threading.Lock())

    def _view(
        self, life: Life, replay: Replay, since: datetime, until: datetime
    ) -> SliceView | None:
        with holding(self._lock(life, since)):
            kept = self._kept[life]
            found = kept.get(since)
            newer = (
                self._newer(life, found, replay)
                if found is not None and found.until == until
                else None
            )
            if found is not None and newer is not None:
                with self._guard:
                    if since in kept:
                        kept[since] = kept.pop(since)  # the last key is the most recently used
                if time.monotonic() - found.made > (
                    MAX_SECONDS if len(newer) <= FEW else REST_SECONDS
                ):
                    self._run_later((life, since), lambda: self._make_again(life, found))
                return SliceView(found, newer)
            if found is not None and time.monotonic() - found.made < REST_SECONDS:
                return None
            made = within(MAKE_SECONDS, lambda: self._make(life, since, until))
        if made is None:
            return None
        # A page waits for the slice; the versions take about as long again, so they follow later.
        self._run_later((life, since), lambda: self._complete(life, made))
        return SliceView(made)

    def _complete(self, life: Life, made: Slice) -> None:
        if not made.versions:
            made.late, made.versions = self._make_versions(life, made)

    def _make_again(self, life: Life, old: Slice) -> None:
        made = self._make_table(life, old.since, old.until, GENTLY)
        if made is not None:
            self._complete(life, made)
            self._keep(life, made)

    def _make(
        self, life: Life, since: datetime, until: datetime, settings: str = ""
    ) -> Slice | None:
        made = self._make_table(life, since, until, settings)
        return made and self._keep(life, made)

    def _keep(self, life: Life, made: Slice) -> Slice:
        with self._guard:
            kept = self._kept[life]
            replaced = [kept.pop(made.since, None)]
            kept[made.since] = made
            while len(kept) > MAX_SLICES:
                replaced.append(kept.pop(next(iter(kept))))
        for one in replaced:
            if one is not None:
                self.tables.drop_later(one.name, GRACE_SECONDS)
                self.tables.drop_later(one.versions, GRACE_SECONDS)
        return made

    def _make_table(
        self, life: Life, since: datetime, until: datetime, settings: str
    ) -> Slice | None:
        marks = self._marks(life, fresh=True)
        if not marks:
            return None
        until, end = end_of(until), until
        held = (
            f"since <= {at(until)} "
            f"AND greatest(until, next_received_at, received_at) > {at(since - LOOKBACK)}"
        )
        span = (
            "toDate(greatest(until, next_received_at)) AS ends, least(since, received_at) AS begins"
        )
        source = f"{life_table(life.kind).name} FINAL WHERE {held}{settings}"
        rows = f"SELECT {life.names}, {tier_sql(since, until)} AS tier, {span} FROM {source}"
        columns = ddl((*life.columns, Column("tier", "UInt8", ""), *SPAN))
        name = self.tables.make(
            Prefix.SLICE, f"{columns} ENGINE = MergeTree ORDER BY (tier, ends, begins) AS {rows}"
        )
        if name is None:
            return None
        # The tier in the SELECT has no alias, so that WHERE refers to the stored column.
        self._present.tuples(
            f"INSERT INTO {name} SELECT {life.names}, {Tier.UNIT:d}, ends, begins FROM {name} "
            f"WHERE tier > {Tier.UNIT:d} AND least(until, next_received_at) > {at(until)} "
            f"LIMIT 1 BY agency, commune, unit{settings}"
        )
        return Slice(since, end, marks, name)

    def _make_versions(
        self, life: Life, made: Slice
    ) -> tuple[tuple[tuple[str, int, int], ...], str | None]:
        since, until = made.since, end_of(made.until)
        late = self._present.tuples(
            "SELECT entity_id, toUnixTimestamp64Milli(next_received_at), "
            f"toUnixTimestamp64Milli(received_at) FROM {made.name} "
            f"WHERE tier != {Tier.UNIT:d} AND {came_late(since, until)}"
        )
        if len(late) > MAX_ENTITIES:
            return (), None
        select = versions(life, self._province, since, until)
        columns = ddl((*life.columns, *KNOWN))
        name = self.tables.make(
            Prefix.VERSIONS, f"{columns} ENGINE = MergeTree ORDER BY known_from AS {select}{GENTLY}"
        )
        return tuple(late), name

    def _newer(self, life: Life, kept: Slice, replay: Replay) -> tuple[str, ...] | None:
        """Return the entities with events since a slice was made that a moment can see.

        None if the slice is too old to be used.
        """
        now = time.monotonic()
        if now - kept.made > LEFT_OVER.total_seconds() / 2:
            return None  # another dashboard drops tables of that age as left over
        key = replay.picture, replay.at if kept.goes_on else kept.until
        checked, newer = kept.checked.get(key, (0.0, ()))
        if now - checked < CHECK_SECONDS:
            return newer
        marks = self._marks(life)
        rules, known = ({mark[1:3] for mark in one} for one in (marks, kept.marks))
        if rules != known:
            return None
        newer = self._came(life, kept, *key) if marks != kept.marks else ()
        if len(newer) > MANY:
            return None
        if (
            newer
            and replay.picture is Picture.KNOWN
            and (not kept.goes_on or self._is_mixed(life, newer, replay.at))
        ):
            return None  # the slice's table of versions does not have the newer ones
        if len(kept.checked) > MAX_CHECKED:
            kept.checked.clear()
        kept.checked[key] = now, newer
        return newer

    def _came(self, life: Life, kept: Slice, picture: Picture, until: datetime) -> tuple[str, ...]:
        """Query the entities with events since a slice was made that a moment can see.

        At most `MANY` + 1 of them.
        """
        known = {mark[0]: mark[3] for mark in kept.marks}
        listed = ", ".join(map(str, known))
        new = [
            f"(partition = {partition} AND offset > {offset})"
            for partition, offset in known.items()
        ]
        seen = "received_at" if picture is Picture.KNOWN else happened_sql(life.kind)
        rows = self._present.tuples(
            f"SELECT DISTINCT entity_id FROM {events_table(life.kind).name} "
            f"WHERE ({' OR '.join(new)} OR partition NOT IN ({listed})) "
            f"AND {seen} <= {at(until)} LIMIT {MANY + 1}"
        )
        return tuple(sorted(entity for (entity,) in rows))

    def _is_mixed(self, life: Life, entities: Iterable[str], moment: datetime) -> bool:
        """Tell whether one of some entities was known in another version at a moment.

        If so, the versions must be derived again.
        """
        of = f"entity_id IN ({', '.join(map(quoted, entities))}) AND {came_late(moment, moment)}"
        return bool(
            self._present.tuples(f"SELECT 1 FROM {life_table(life.kind).name} WHERE {of} LIMIT 1")
        )

    def _marks(self, life: Life, *, fresh: bool = False) -> Marks:
        now = time.monotonic()
        # a page queries all kinds at once: only one of its threads checks
        with holding(self._checking):
            checked, found = self._known
            is_old = checked < now if fresh else now - checked > CHECK_SECONDS
            if is_old:
                began, by_kind = time.monotonic(), dict[str, list[tuple[int, ...]]]()
                for kind, *mark in self._present.tuples(
                    "SELECT kind, partition, rules, epoch, offset "
                    f"FROM {LIVES_PROGRESS.name} FINAL ORDER BY kind, partition"
                ):
                    by_kind.setdefault(kind, []).append(tuple(mark))
                found = {kind: tuple(marks) for kind, marks in by_kind.items()}
                self._known = began, found
        return found.get(life.kind.name, ())
