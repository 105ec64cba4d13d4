"""Lives around a moment of the past, set apart: a page asks dozens of questions, and each would go over all of history.

A scene is a table with the rows of a kind's lives that any moment of some time can see, made by the first question, or ahead of all
(`prepare`), and kept for those that follow. It holds `life_K` as it was when it was made; about entities of which
something came later that matters, `life_K` itself is asked. With it go, in a table of their own, all versions that were known of
lives into which a step was sorted later (`dashboard.history.lives`). Where none can be made, questions go over history as ever.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from functools import partial
from itertools import islice
from typing import NamedTuple

from dashboard.history.lives import KNOWN, MAX_ENTITIES, came_late, versions
from dashboard.history.moments import Moments
from dashboard.history.periods import GOES_ON, end_of, slot, slots
from dashboard.history.tables import LEFT_OVER, Passing, Prefix
from dashboard.query.clock import Picture, Replay
from dashboard.query.connection import Connection, UnreachableError
from dashboard.query.time_limit import within
from dashboard.query.turns import holding
from schemas.clickhouse.columns import MOMENT, Column, quoted
from schemas.clickhouse.lives import LIVES, LIVES_PROGRESS, Life, life_table
from schemas.clickhouse.ordering import happened_sql
from schemas.clickhouse.retention import LOOKBACK
from schemas.clickhouse.sql import FIRST, at
from schemas.clickhouse.tables import events_table
from schemas.moments import milliseconds

log = logging.getLogger(__name__)
MAX_SLICES = 36
"""Scenes that are kept of a kind."""
MAX_LOOKED = 100
"""Moments of a scene of which it is remembered what came since."""
AGAIN = 3600.0
"""Seconds after which it is looked again what can be made ahead: days go by."""
SLICES_AHEAD = 27
"""Scenes that are made ahead: those of the last year."""
FEW, MANY = 100, 1_000
"""Of so many entities something may have come since a scene was made: of more, it is made anew beside those who use it; of many, at
once."""
MAX_SECONDS = 1800.0
"""Seconds after which one is made anew beside those who use it: lives may have been mended."""
LOOKED_AT = 1.0
"""Seconds after which it is looked again whether something came that matters."""
REST = 5.0
"""Seconds for which none is made again of the same time: meanwhile questions go over history."""
MAKE_SECONDS = 120.0
"""How long making one may take, whatever is left to who asks first: who asks again finds it."""
GRACE = 60.0
"""Seconds for which one that is no longer used stays, as questions may be on their way to it."""
BREATH = 3.0
"""Seconds after which those are begun that are made ahead: who looks back is first to be answered."""
LIGHT = " CODEC(T64, LZ4)"
"""How numbers and moments are kept: a quarter larger than by ZSTD, and read in three fifths of the time."""
GENTLY = " SETTINGS max_threads = 1"
MONTH = timedelta(days=31)
"""How far figures look back, with a day to spare."""
Marks = tuple[tuple[int, ...], ...]


class Tier(IntEnum):
    """What a row of a scene matters to, so that most questions read a part of them."""

    MONTH = 0
    """To figures, whatever the moment: open, or closed, begun or changed within the last month."""
    UNIT = 1
    """One more time a row of the others below, of each agency and commune: so that figures by unit know of all units."""
    LOOKBACK = 2
    """To figures of a month ago."""
    REST = 3
    """To lists of all records only."""


SPAN = (
    Column("ends", "Date", "The day on which it no longer holds."),
    Column("begins", MOMENT, "Since when it may hold."),
)
"""Columns of a scene, by which it is sorted after the tier: they narrow what a moment reads, in both pictures."""


@dataclass(eq=False)
class Slice:
    """The tables of a time."""

    since: datetime
    until: datetime
    marks: Marks
    """How far lives were computed when it was made: partition, rules, epoch, offset."""
    name: str
    versions: str | None = None
    """Where the versions are of lives that were known in several; None until they are made, and where there are too many."""
    made: float = field(default_factory=time.monotonic)
    looked: dict[tuple[Picture, datetime], tuple[float, tuple[str, ...]]] = field(
        default_factory=dict
    )
    """When it was looked what came since that can be seen until a moment, and of which entities."""
    late: tuple[tuple[str, int, int], ...] = ()
    """Steps that arrived later than the next one: the entity, when the next one arrived, when it did (ms since 1970)."""
    _mixed: tuple[datetime, list[str]] | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it is that of the time near the present."""
        return self.until == GOES_ON

    def mixed(self, moment: datetime) -> list[str]:
        """The entities with a step that arrived after a moment before one that had arrived by then: their lives were known in
        another version."""
        known = self._mixed
        if known is None or known[0] != moment:  # a page asks two dozen times
            ms = milliseconds(moment)
            known = self._mixed = (
                moment,
                sorted({one for one, since, until in self.late if since <= ms < until}),
            )
        return known[1]


class SliceView(NamedTuple):
    """What shows a moment: a scene, and the entities of which something came since it was made."""

    scene: Slice
    newer: tuple[str, ...] = ()


class Scenes:
    """Makes and keeps them; for all moments and from any thread. Lives are worked out by the calendar of `province`."""

    def __init__(self, present: Connection, province: str) -> None:
        self._present = present
        self._province = province
        self.tables = Passing(present)
        self.moments = Moments(self.tables)
        self._locks: dict[tuple[Life, datetime], threading.Lock] = {}
        self._kept: dict[Life, dict[datetime, Slice]] = {life: {} for life in LIVES}
        self._known: tuple[float, dict[str, Marks]] = (0.0, {})
        self._guard, self._looking = threading.Lock(), threading.Lock()
        self._threads = ThreadPoolExecutor(len(LIVES), "scenes")
        self._behind = ThreadPoolExecutor(1, "scenes-ahead")
        self._asked: set[object] = set()
        self._ahead_again = 0.0
        self._ended = threading.Event()

    def at(self, life: Life, replay: Replay) -> SliceView | None:
        """That of a moment, for questions that look back no further than `LOOKBACK`; None for none."""
        if self.tables.refused:
            return None
        since, until = slot(replay.at)
        if since not in self._kept[life]:
            # A page asks of all kinds, one after the other: they are made side by side.
            for other in LIVES:
                if other is not life and since not in self._kept[other]:
                    self.beside(partial(self._made, other, replay, since, until))
        return self._made(life, replay, since, until)

    def prepare(self) -> None:
        """Have those of the last year made, one after the other and the newest first, beside all else."""
        with self._guard:
            if time.monotonic() < self._ahead_again:
                return
            self._ahead_again = time.monotonic() + AGAIN
        self._later("ahead", self._ahead)

    def settle(self) -> None:
        """Wait until those are made that were begun."""
        self._behind.submit(lambda: None).result()

    def beside(self, work: Callable[[], object]) -> None:
        """Do it in a thread of its own; nobody waits for it."""
        self._threads.submit(copy_context().run, within, None, work)

    def close(self) -> None:
        """Take all away. Raises `UnreachableError`."""
        self._ended.set()
        self._behind.shutdown(cancel_futures=True)
        self.tables.close()

    def _later(self, what: object, work: Callable[[], object]) -> None:
        """Do it beside all else; not twice at a time."""
        with self._guard:
            if what in self._asked or self._ended.is_set():
                return
            self._asked.add(what)

        def done() -> None:
            try:
                work()
            except UnreachableError as error:
                log.warning("scenes of the past were not made ahead: %s", error)
            finally:
                self._asked.discard(what)

        with suppress(RuntimeError):  # it was closed meanwhile
            self._behind.submit(copy_context().run, within, None, done)

    def _ahead(self) -> None:
        if self._ended.wait(BREATH):
            return
        began = time.monotonic()
        ((first,),) = self._present.tuples(FIRST)
        ahead = list(islice(slots(first), SLICES_AHEAD)) if first else []
        for since, until in ahead:
            for life in LIVES:
                if self._ended.is_set():
                    return
                with self._lock(life, since):
                    scene = self._kept[life].get(since)
                    if (
                        scene is None
                        or scene.until != until
                        or (scene.goes_on and time.monotonic() - scene.made > MAX_SECONDS)
                    ):
                        scene = self._make(life, since, until, GENTLY)
                if scene:
                    self._complete(life, scene)
        log.info("%d scenes of the past made ahead in %.0f s", len(ahead), time.monotonic() - began)

    def _lock(self, life: Life, since: datetime) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault((life, since), threading.Lock())

    def _made(
        self, life: Life, replay: Replay, since: datetime, until: datetime
    ) -> SliceView | None:
        with holding(self._lock(life, since)):
            kept = self._kept[life]
            scene = kept.get(since)
            newer = (
                self._newer(life, scene, replay)
                if scene is not None and scene.until == until
                else None
            )
            if scene is not None and newer is not None:
                with self._guard:
                    if since in kept:
                        kept[since] = kept.pop(since)  # the last is the one that was used last
                if time.monotonic() - scene.made > (MAX_SECONDS if len(newer) <= FEW else REST):
                    self._later((life, since), lambda: self._again(life, scene))
                return SliceView(scene, newer)
            if scene is not None and time.monotonic() - scene.made < REST:
                return None
            made = within(MAKE_SECONDS, lambda: self._make(life, since, until))
        if made is None:
            return None
        # Somebody waits for it: the versions, which take about as long, come after.
        self._later((life, since), lambda: self._complete(life, made))
        return SliceView(made)

    def _complete(self, life: Life, scene: Slice) -> None:
        if not scene.versions:
            scene.late, scene.versions = self._versions(life, scene)

    def _again(self, life: Life, scene: Slice) -> None:
        made = self._tables(life, scene.since, scene.until, GENTLY)
        if made is not None:
            self._complete(life, made)
            self._keep(life, made)

    def _make(self, life: Life, since: datetime, until: datetime, how: str = "") -> Slice | None:
        scene = self._tables(life, since, until, how)
        return scene and self._keep(life, scene)

    def _keep(self, life: Life, scene: Slice) -> Slice:
        with self._guard:
            kept = self._kept[life]
            left = [kept.pop(scene.since, None)]
            kept[scene.since] = scene
            while len(kept) > MAX_SLICES:
                left.append(kept.pop(next(iter(kept))))
        for one in left:
            if one is not None:
                self.tables.leave(one.name, GRACE)
                self.tables.leave(one.versions, GRACE)
        return scene

    def _tables(self, life: Life, since: datetime, until: datetime, how: str) -> Slice | None:
        marks = self._marks(life, fresh=True)
        if not marks:
            return None
        until, end = end_of(until), until
        held = f"since <= {at(until)} AND greatest(until, next_received_at, received_at) > {at(since - LOOKBACK)}"
        span = (
            "toDate(greatest(until, next_received_at)) AS ends, least(since, received_at) AS begins"
        )
        source = f"{life_table(life.kind).name} FINAL WHERE {held}{how}"
        rows = f"SELECT {life.names}, {_tier(since, until)} AS tier, {span} FROM {source}"
        columns = _columns((*life.columns, Column("tier", "UInt8", ""), *SPAN))
        name = self.tables.make(
            Prefix.SCENE, f"{columns} ENGINE = MergeTree ORDER BY (tier, ends, begins) AS {rows}"
        )
        if name is None:
            return None
        # The column, not what is selected in place of it, decides: so that has no name.
        self._present.tuples(
            f"INSERT INTO {name} SELECT {life.names}, {Tier.UNIT:d}, ends, begins FROM {name} WHERE tier > {Tier.UNIT:d} "
            f"AND least(until, next_received_at) > {at(until)} LIMIT 1 BY agency, commune, unit{how}"
        )
        return Slice(since, end, marks, name)

    def _versions(
        self, life: Life, scene: Slice
    ) -> tuple[tuple[tuple[str, int, int], ...], str | None]:
        since, until = scene.since, end_of(scene.until)
        late = self._present.tuples(
            f"SELECT entity_id, toUnixTimestamp64Milli(next_received_at), toUnixTimestamp64Milli(received_at) FROM {scene.name} "
            f"WHERE tier != {Tier.UNIT:d} AND {came_late(since, until)}"
        )
        if len(late) > MAX_ENTITIES:
            return (), None
        asked = versions(life, self._province, since, until)
        columns = _columns((*life.columns, *KNOWN))
        name = self.tables.make(
            Prefix.VERSIONS, f"{columns} ENGINE = MergeTree ORDER BY known_from AS {asked}{GENTLY}"
        )
        return tuple(late), name

    def _newer(self, life: Life, scene: Slice, replay: Replay) -> tuple[str, ...] | None:
        """The entities of which something came since that a moment can see; None where the scene is old."""
        now = time.monotonic()
        if now - scene.made > LEFT_OVER.total_seconds() / 2:
            return None  # of one older than that another dashboard takes its tables for left over
        key = replay.picture, replay.at if scene.goes_on else scene.until
        looked, newer = scene.looked.get(key, (0.0, ()))
        if now - looked < LOOKED_AT:
            return newer
        marks = self._marks(life)
        rules, known = ({mark[1:3] for mark in one} for one in (marks, scene.marks))
        if rules != known:
            return None
        newer = self._came(life, scene, *key) if marks != scene.marks else ()
        if len(newer) > MANY:
            return None
        if (
            newer
            and replay.picture is Picture.KNOWN
            and (not scene.goes_on or self._is_mixed(life, newer, replay.at))
        ):
            return None  # of versions of lives that were known only what was made with it tells
        if len(scene.looked) > MAX_LOOKED:
            scene.looked.clear()
        scene.looked[key] = now, newer
        return newer

    def _came(self, life: Life, scene: Slice, picture: Picture, until: datetime) -> tuple[str, ...]:
        """The entities of which something came since that can be seen until a moment, one more than `MANY` at most."""
        known = {mark[0]: mark[3] for mark in scene.marks}
        listed = ", ".join(map(str, known))
        new = [
            f"(partition = {partition} AND offset > {offset})"
            for partition, offset in known.items()
        ]
        seen = "received_at" if picture is Picture.KNOWN else happened_sql(life.kind)
        rows = self._present.tuples(
            f"SELECT DISTINCT entity_id FROM {events_table(life.kind).name} "
            f"WHERE ({' OR '.join(new)} OR partition NOT IN ({listed})) AND {seen} <= {at(until)} LIMIT {MANY + 1}"
        )
        return tuple(sorted(entity for (entity,) in rows))

    def _is_mixed(self, life: Life, entities: Iterable[str], moment: datetime) -> bool:
        """Whether one of these was known in another version at a moment: of that the versions tell, which are to be made anew."""
        of = f"entity_id IN ({', '.join(map(quoted, entities))}) AND {came_late(moment, moment)}"
        return bool(
            self._present.tuples(f"SELECT 1 FROM {life_table(life.kind).name} WHERE {of} LIMIT 1")
        )

    def _marks(self, life: Life, *, fresh: bool = False) -> Marks:
        asked = time.monotonic()
        with holding(self._looking):  # a page asks of all kinds at once: one of them looks
            looked, found = self._known
            is_old = looked < asked if fresh else asked - looked > LOOKED_AT
            if is_old:
                began, by_kind = time.monotonic(), dict[str, list[tuple[int, ...]]]()
                for kind, *mark in self._present.tuples(
                    f"SELECT kind, partition, rules, epoch, offset FROM {LIVES_PROGRESS.name} FINAL ORDER BY kind, partition"
                ):
                    by_kind.setdefault(kind, []).append(tuple(mark))
                found = {kind: tuple(marks) for kind, marks in by_kind.items()}
                self._known = began, found
        return found.get(life.kind.name, ())


def _columns(columns: Iterable[Column]) -> str:
    """As DDL. Without a codec what is no number, or a byte."""
    kept = [
        (one, LIGHT if re.search(r"\bU?Int(16|32|64)|DateTime", one.type) else "")
        for one in columns
    ]
    return f"({', '.join(f'`{one.name}` {one.type}{codec}' for one, codec in kept)})"


def _tier(since: datetime, until: datetime) -> str:
    def is_over(back: timedelta) -> str:
        return (
            f"standing = 'closed' AND greatest(assumeNotNull(closed_at), started_at, since, received_at) <= {at(since - back)} "
            f"AND least(until, next_received_at) > {at(until)}"
        )

    holds = f"greatest(until, next_received_at) > {at(since)}"
    tiers = f"{holds} AND NOT ({is_over(MONTH)}), {Tier.MONTH:d}, NOT ({is_over(LOOKBACK)}), {Tier.LOOKBACK:d}, {Tier.REST:d}"
    return f"CAST(multiIf({tiers}) AS UInt8)"
