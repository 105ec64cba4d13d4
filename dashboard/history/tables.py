"""Tables that the dashboard makes for itself, for a while: named so that nobody else's is taken, and taken away again."""

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from dashboard.query.connection import Connection, UnreachableError
from dashboard.query.time_limit import within
from schemas.clickhouse.sql import at

log = logging.getLogger(__name__)


class Prefix(StrEnum):
    """With what their names begin."""

    SCENE = "scene_"
    VERSIONS = "versions_"
    MOMENT = "moment_"


LEFT_OVER = timedelta(hours=6)
"""After which a table is one of a dashboard that was killed."""
MAX_LEFT = 24
"""Tables that wait to be taken away; beyond, the oldest goes at once."""


class Passing:
    """Makes such tables and takes them away; from any thread."""

    def __init__(self, present: Connection) -> None:
        self._present = present
        self._guard = threading.Lock()
        self._known: set[str] = set()
        self._left: list[tuple[float, str]] = []
        self._tidied = False
        self._away = ThreadPoolExecutor(1, "passing")
        self._refused = self._closed = False

    @property
    def refused(self) -> bool:
        """Whether none may be made."""
        return self._refused

    def make(self, prefix: Prefix, definition: str) -> str | None:
        """A new table; `definition` is what follows its name in DDL. None where none may be made. Raises `UnreachableError`."""
        if self._refused or self._closed:
            return None
        name = f"{prefix}{uuid.uuid4().hex}"
        with suppress(RuntimeError):  # it was closed meanwhile
            self._away.submit(copy_context().run, within, None, self._tidy)
        try:
            self._present.tuples(f"CREATE TABLE {name} {definition}")
        except UnreachableError as error:
            if (
                "ACCESS_DENIED" in str(error)
                or "READONLY" in str(error)
                or "Not enough privileges" in str(error)
            ):
                self._refused = True
                log.warning("moments of the past take longer, as no table may be made: %s", error)
                return None
            raise
        with self._guard:
            self._known.add(name)
            is_closed = self._closed
        if is_closed:
            self._drop(name)
        return None if is_closed else name

    def leave(self, name: str | None, grace: float) -> None:
        """Take it away in so many seconds: until then questions may be on their way to it."""
        if name:
            with self._guard:
                self._left.append((time.monotonic() + grace, name))

    def close(self) -> None:
        """Take all away. Raises `UnreachableError`."""
        self._away.shutdown(cancel_futures=True)
        with self._guard:
            names, self._known, self._left, self._closed = sorted(self._known), set(), [], True
        for name in names:
            self._drop(name)

    def _tidy(self) -> None:
        """Take away what was left a while ago, at first also what dashboards left that were killed. Nobody waits for it."""
        with self._guard:
            now, kept = time.monotonic(), len(self._left) - MAX_LEFT
            gone = [
                name
                for number, (when, name) in enumerate(self._left)
                if when <= now or number < kept
            ]
            self._left = [one for one in self._left if one[1] not in gone]
            self._known -= set(gone)
            first, self._tidied = not self._tidied, True
        try:
            if first:
                gone += list(self._left_over())
            for name in gone:
                self._drop(name)
        except UnreachableError as error:
            log.warning("tables that were made for a while were not taken away: %s", error)

    def _drop(self, name: str) -> None:
        # From memory at once, as what is only forgotten stays there for minutes; from disk without waiting for who still reads it.
        self._present.tuples(
            f"DROP TABLE IF EXISTS {name}{' SYNC' if name.startswith(Prefix.MOMENT) else ''}"
        )

    def _left_over(self) -> Iterator[str]:
        named = " OR ".join(f"startsWith(name, '{prefix}')" for prefix in Prefix)
        rows = self._present.tuples(
            f"SELECT name FROM system.tables WHERE database = currentDatabase() AND ({named}) "
            f"AND metadata_modification_time < {at(datetime.now(UTC) - LEFT_OVER)}"
        )
        return (name for (name,) in rows if name not in self._known)
