"""Record about once a minute what the live tables show, at moments that a replay can reproduce.

What is counted is known by offsets, but a replay knows only the times of arrival. So a snapshot
(`schemas.figures.snapshots`) is stored only if the two agree: everything that arrived by its moment
was counted. That is checked a minute later; if it was not, another snapshot is taken soon.
"""

import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clickhouse_driver import Client

from schemas.clickhouse.lives import LIVES
from schemas.clickhouse.sql import at
from schemas.clickhouse.tables import events_table
from schemas.events.kinds import Kind
from schemas.figures.snapshots import SNAPSHOT_ROWS, RecordedSnapshot, SnapshotRow, rules, take
from schemas.reference import calendar
from streams.admin.compare import checkpoint_sql
from streams.lives import Lives, read_progress

SNAPSHOT_INTERVAL = timedelta(minutes=1)
"""Time between two snapshots."""
SOON = timedelta(seconds=5)
"""Time until the next attempt if no snapshot could be taken."""
SETTLED = timedelta(seconds=60)
"""Time after which everything that had arrived by a moment is counted."""
RECENT = timedelta(days=1)
"""Age of the newest event beyond which no snapshot is taken."""
Offsets = Mapping[Kind, Mapping[int, int]]


@dataclass(frozen=True)
class _Taken:
    moment: datetime
    taken_at: datetime
    counted: Offsets
    snapshot: RecordedSnapshot


class Snapshots:
    """Takes and stores snapshots; use it in the thread that computes lives, so that none change."""

    def __init__(self, client: Client, province: str, lives: Lives) -> None:
        """Schedule the first snapshot at once.

        Args:
            client: The connection of the thread that computes lives.
            province: The code of the province.
            lives: The object that computes lives.
        """
        self._client, self._lives, self._calendar = client, lives, calendar(province)
        self._rules = rules(self._calendar, lives.calendar)
        self._waiting: deque[_Taken] = deque()
        self._next = datetime.min.replace(tzinfo=UTC)

    def run_if_due(self) -> None:
        """Take a snapshot if it is time to, and store those that are old enough to be checked.

        Raises:
            clickhouse_driver.errors.Error: If ClickHouse cannot be used.
        """
        now = datetime.now(UTC)
        while self._waiting and now - self._waiting[0].taken_at > SETTLED:
            self._keep(self._waiting.popleft())
        if now >= self._next:
            taken = self._take(now)
            self._next = now + (SNAPSHOT_INTERVAL if taken else SOON)
            if taken:
                self._waiting.append(taken)

    def _take(self, now: datetime) -> _Taken | None:
        if self._others():
            return None
        counted = self._lives.offsets()
        moment = self._newest(counted, now - RECENT)
        if moment is None or moment > now or self._missing(counted, moment):
            return None
        snapshot = take(lambda query: self._client.execute(query.live), moment, self._calendar)
        marks = {
            life.kind: read_progress(self._client, life, self._lives.calendar).offsets
            for life in LIVES
        }
        if marks != counted:
            return None  # Another watch computed lives meanwhile.
        return _Taken(moment, now, counted, snapshot)

    def _others(self) -> bool:
        """Return whether another watch computes lives, too: they could change meanwhile."""
        rows = self._client.execute(
            "SELECT watch FROM watch_jobs FINAL "
            "WHERE job = 'lives' AND at > now() - INTERVAL 10 SECOND"
        )
        return any(not name.endswith(f":{os.getpid()}") for (name,) in rows)

    def _newest(self, counted: Offsets, since: datetime) -> datetime | None:
        """Return the time of arrival of the newest counted event."""
        each = " UNION ALL ".join(
            f"SELECT maxOrNull(received_at) AS newest FROM {events_table(kind).name} "
            f"WHERE received_at > {at(since)} AND offset <= {checkpoint_sql(offsets)}"
            for kind, offsets in counted.items()
        )
        ((newest,),) = self._client.execute(f"SELECT max(newest) FROM ({each})")
        return newest.astimezone(UTC) if newest else None

    def _missing(self, counted: Offsets, moment: datetime) -> bool:
        """Return whether an event that arrived by a moment is not counted."""
        each = " UNION ALL ".join(
            f"SELECT count() AS n FROM {events_table(kind).name} "
            f"WHERE received_at <= {at(moment)} AND offset > {checkpoint_sql(offsets)}"
            for kind, offsets in counted.items()
        )
        ((count,),) = self._client.execute(f"SELECT sum(n) FROM ({each})")
        return bool(count)

    def _keep(self, one: _Taken) -> None:
        if self._missing(one.counted, one.moment):
            self._next = min(self._next, datetime.now(UTC))
            return
        said = one.snapshot
        row = SnapshotRow(
            moment=one.moment,
            hash=said.hash,
            rules=self._rules,
            readings=said.readings,
            figures=said.figures,
            taken_at=one.taken_at,
        )
        self._client.execute(
            SNAPSHOT_ROWS.insert, [SNAPSHOT_ROWS.row(row)], settings={"async_insert": 0}
        )
