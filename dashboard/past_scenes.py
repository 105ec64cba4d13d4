"""Lives around a moment of the past, set apart: a page asks dozens of questions, and each would go over all of history.

A scene is a table with the rows of a kind's lives that any moment of some time can see, made by the first question and kept for
those that follow: a replay that goes on, or a page after another, finds it. It holds `life_K` as it was when it was made; what came
later and matters makes it old. Near the present there is none. Where none can be made, questions go over history as ever.
"""

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dashboard.clock import Picture, Replay
from dashboard.connection import Connection, Unreachable
from schemas.lives import LIVES, LIVES_PROGRESS, Life, life_table
from schemas.moments import EPOCH
from schemas.retention import LOOKBACK
from schemas.sql import at
from schemas.tables import events_table

log = logging.getLogger(__name__)
SLOTS = (timedelta(days=7), timedelta(days=1), timedelta(hours=1))
"""How long scenes are. One is over for as long as it is: of the hours gone by, more comes late than of the weeks."""
MOST = 4
"""Scenes that are kept of a kind."""
LONGEST = 600.0
"""Seconds after which one is made anew: lives may have been mended."""
LOOKED_AT = 1.0
"""Seconds after which it is looked again whether something came that matters."""
REST = 5.0
"""Seconds for which none is made again of the same time: meanwhile questions go over history."""
GRACE = 60.0
"""Seconds for which one that is no longer used stays, as questions may be on their way to it."""
LEFT_OVER = timedelta(hours=1)
"""After which a table is one of a dashboard that was killed."""
PREFIX = "scene_"
Marks = tuple[tuple[int, ...], ...]


@dataclass
class _Scene:
    until: datetime
    marks: Marks
    """How far lives were computed when it was made: partition, rules, epoch, offset."""
    name: str = field(default_factory=lambda: f"{PREFIX}{uuid.uuid4().hex}")
    made: float = field(default_factory=time.monotonic)
    looked: dict[Picture, float] = field(default_factory=dict)


class Scenes:
    """Makes and keeps them; for all moments and from any thread."""

    def __init__(self, present: Connection) -> None:
        self._present = present
        self._locks = {life: threading.Lock() for life in LIVES}
        self._kept: dict[Life, dict[datetime, _Scene]] = {life: {} for life in LIVES}
        self._left: list[tuple[float, str]] = []
        self._guard = threading.Lock()
        self._threads = ThreadPoolExecutor(len(LIVES), "scenes")
        self._tidied = False
        self._refused = False

    def at(self, life: Life, replay: Replay) -> str | None:
        """The table in place of `life_K` at a moment, for questions that look back no further than `LOOKBACK`; None for none."""
        slot = _slot(replay.at)
        if slot is None or self._refused:
            return None
        since, until = slot
        if since not in self._kept[life]:
            # A page asks of all kinds, one after the other: they are made side by side.
            for other in LIVES:
                if other is not life and since not in self._kept[other]:
                    self._threads.submit(copy_context().run, self._made, other, replay.picture, since, until)
        return self._made(life, replay.picture, since, until)

    def _made(self, life: Life, picture: Picture, since: datetime, until: datetime) -> str | None:
        with self._locks[life]:
            kept = self._kept[life]
            scene = kept.get(since)
            if scene is not None and scene.until == until and not self._is_old(life, scene, picture):
                kept[since] = kept.pop(since)  # the last is the one that was used last
                return scene.name
            if scene is not None and time.monotonic() - scene.made < REST:
                return None
            return self._make(life, since, until)

    def close(self) -> None:
        """Take all away. Raises `Unreachable`."""
        for name in [scene.name for kept in self._kept.values() for scene in kept.values()] + [name for _, name in self._left]:
            self._present.tuples(f"DROP TABLE IF EXISTS {name}")

    def _make(self, life: Life, since: datetime, until: datetime) -> str | None:
        marks = self._marks(life)
        if not marks:
            return None
        scene, kept, whole = _Scene(until, marks), self._kept[life], life_table(life.kind).name
        try:
            self._tidy()
            self._present.tuples(
                f"CREATE TABLE {scene.name} ENGINE = MergeTree ORDER BY tuple() AS SELECT {life.names} FROM {whole} FINAL "
                f"WHERE since <= {at(until)} AND greatest(until, next_received_at) > {at(since - LOOKBACK)}"
            )
        except Unreachable as error:
            if "ACCESS_DENIED" in str(error) or "READONLY" in str(error) or "Not enough privileges" in str(error):
                self._refused = True
                log.warning("moments of the past take longer, as no table may be made: %s", error)
                return None
            raise
        self._leave(kept.pop(since, None))
        kept[since] = scene
        while len(kept) > MOST:
            self._leave(kept.pop(next(iter(kept))))
        return scene.name

    def _is_old(self, life: Life, scene: _Scene, picture: Picture) -> bool:
        now = time.monotonic()
        if now - scene.made > LONGEST:
            return True
        if now - scene.looked.get(picture, 0.0) < LOOKED_AT:
            return False
        marks = self._marks(life)
        rules, known = ({mark[1:3] for mark in one} for one in (marks, scene.marks))
        if rules != known or (marks != scene.marks and self._came(life, scene, picture)):
            return True
        scene.looked[picture] = now
        return False

    def _came(self, life: Life, scene: _Scene, picture: Picture) -> bool:
        """Whether something came since that a moment of the scene can see."""
        known = {mark[0]: mark[3] for mark in scene.marks}
        listed = ", ".join(map(str, known))
        new = [f"(partition = {partition} AND offset > {offset})" for partition, offset in known.items()]
        seen = "received_at" if picture is Picture.KNOWN else "least(occurred_at, received_at)"
        return bool(
            self._present.tuples(
                f"SELECT 1 FROM {events_table(life.kind).name} WHERE ({' OR '.join(new)} OR partition NOT IN ({listed})) "
                f"AND {seen} <= {at(scene.until)} LIMIT 1"
            )
        )

    def _marks(self, life: Life) -> Marks:
        rows = self._present.tuples(
            f"SELECT partition, rules, epoch, offset FROM {LIVES_PROGRESS.name} FINAL WHERE kind = '{life.kind.name}' "
            "ORDER BY partition"
        )
        return tuple(map(tuple, rows))

    def _leave(self, scene: _Scene | None) -> None:
        if scene is not None:
            with self._guard:
                self._left.append((time.monotonic() + GRACE, scene.name))

    def _tidy(self) -> None:
        """Take away what was left a while ago, at first also what dashboards left that were killed."""
        with self._guard:
            gone = [name for when, name in self._left if when <= time.monotonic()]
            self._left = [one for one in self._left if one[1] not in gone]
            first, self._tidied = not self._tidied, True
        if first:
            gone += list(self._left_over())
        for name in gone:
            self._present.tuples(f"DROP TABLE IF EXISTS {name}")

    def _left_over(self) -> Iterator[str]:
        rows = self._present.tuples(
            "SELECT name FROM system.tables WHERE database = currentDatabase() "
            f"AND startsWith(name, '{PREFIX}') AND metadata_modification_time < {at(datetime.now(UTC) - LEFT_OVER)}"
        )
        return (name for (name,) in rows)


def _slot(moment: datetime) -> tuple[datetime, datetime] | None:
    """The time that a scene of a moment covers; None near the present."""
    for length in SLOTS:
        since = EPOCH + (moment - EPOCH) // length * length
        if since + 2 * length <= datetime.now(UTC):
            return since, since + length
    return None
