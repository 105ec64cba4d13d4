"""Temporary tables that the dashboard creates for itself and drops again.

Their names have prefixes of their own, so that no other table is dropped.
"""

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
    """Prefixes of the names of temporary tables."""

    SLICE = "scene_"
    VERSIONS = "versions_"
    MOMENT = "moment_"


LEFT_OVER = timedelta(hours=6)
"""Age from which a table is taken to be left over by a dashboard that was killed."""
MAX_WAITING = 24
"""Most tables that wait to be dropped; above this, the oldest are dropped at once."""


class TemporaryTables:
    """Creates temporary tables and drops them. Safe to use from many threads."""

    def __init__(self, present: Connection) -> None:
        """Create tables in the database of a connection."""
        self._present = present
        self._guard = threading.Lock()
        self._known: set[str] = set()
        self._waiting: list[tuple[float, str]] = []
        self._tidied = False
        self._worker = ThreadPoolExecutor(1, "temporary-tables")
        self._refused = self._closed = False

    @property
    def refused(self) -> bool:
        """Whether the account may not create tables."""
        return self._refused

    def make(self, prefix: Prefix, definition: str) -> str | None:
        """Create a table.

        Args:
            prefix: how its name begins.
            definition: the DDL that follows its name.

        Returns:
            Its name; None if none may be created.

        Raises:
            UnreachableError: `dashboard.query.connection.UnreachableError`.
        """
        if self._refused or self._closed:
            return None
        name = f"{prefix}{uuid.uuid4().hex}"
        with suppress(RuntimeError):  # closed meanwhile
            self._worker.submit(copy_context().run, within, None, self._tidy)
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

    def drop_later(self, name: str | None, grace: float) -> None:
        """Drop a table after `grace` seconds, as queries may still be about to read it."""
        if name:
            with self._guard:
                self._waiting.append((time.monotonic() + grace, name))

    def close(self) -> None:
        """Drop all tables. Raises `dashboard.query.connection.UnreachableError`."""
        self._worker.shutdown(cancel_futures=True)
        with self._guard:
            names, self._known, self._waiting, self._closed = sorted(self._known), set(), [], True
        for name in names:
            self._drop(name)

    def _tidy(self) -> None:
        """Drop tables that are due; the first time also those left over by killed dashboards."""
        with self._guard:
            now, over = time.monotonic(), len(self._waiting) - MAX_WAITING
            gone = [
                name
                for number, (when, name) in enumerate(self._waiting)
                if when <= now or number < over
            ]
            self._waiting = [one for one in self._waiting if one[1] not in gone]
            self._known -= set(gone)
            first, self._tidied = not self._tidied, True
        try:
            if first:
                gone += list(self._left_over())
            for name in gone:
                self._drop(name)
        except UnreachableError as error:
            log.warning("temporary tables were not dropped: %s", error)

    def _drop(self, name: str) -> None:
        # Tables in memory with SYNC, as ClickHouse would keep a dropped one for minutes; tables on
        # disk without, so as not to wait for their readers.
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
