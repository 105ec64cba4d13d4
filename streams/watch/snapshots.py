"""Records what the live tables show (`schemas.figures.snapshots`), about once a minute, at moments that a replay can name.

What is counted is known by offsets, a replay knows only when something arrived. So a snapshot is kept only if the two agree:
nothing that arrived by its moment was still on its way. That is looked at a minute later; where it was, another is taken soon.
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
SOON = timedelta(seconds=5)
SETTLED = timedelta(seconds=60)
"""After which what had arrived by a moment is counted."""
RECENT = timedelta(days=1)
Offsets = Mapping[Kind, Mapping[int, int]]


@dataclass(frozen=True)
class _Taken:
    moment: datetime
    taken_at: datetime
    counted: Offsets
    snapshot: RecordedSnapshot


class Snapshots:
    """Takes and keeps them. One thread at a time: that which computes the lives, so that these stand still meanwhile."""

    def __init__(self, client: Client, province: str, lives: Lives) -> None:
        self._client, self._lives, self._calendar = client, lives, calendar(province)
        self._rules = rules(self._calendar, lives.calendar)
        self._waiting: deque[_Taken] = deque()
        self._next = datetime.min.replace(tzinfo=UTC)

    def look(self) -> None:
        """Take one if it is time, keep those of a while ago. Raises clickhouse-driver's errors."""
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
        snapshot = take(self._client.execute, moment, self._calendar)
        marks = {
            life.kind: read_progress(self._client, life, self._lives.calendar).offsets
            for life in LIVES
        }
        if marks != counted:
            return None  # another watch computed lives meanwhile
        return _Taken(moment, now, counted, snapshot)

    def _others(self) -> bool:
        """Whether another watch computes lives, too: they would not stand still."""
        rows = self._client.execute(
            "SELECT watch FROM watch_jobs FINAL WHERE job = 'lives' AND at > now() - INTERVAL 10 SECOND"
        )
        return any(not name.endswith(f":{os.getpid()}") for (name,) in rows)

    def _newest(self, counted: Offsets, since: datetime) -> datetime | None:
        """When the newest event arrived that is counted."""
        each = " UNION ALL ".join(
            f"SELECT maxOrNull(received_at) AS newest FROM {events_table(kind).name} "
            f"WHERE received_at > {at(since)} AND offset <= {checkpoint_sql(offsets)}"
            for kind, offsets in counted.items()
        )
        ((newest,),) = self._client.execute(f"SELECT max(newest) FROM ({each})")
        return newest.astimezone(UTC) if newest else None

    def _missing(self, counted: Offsets, moment: datetime) -> bool:
        """Whether something that arrived by a moment is not counted."""
        each = " UNION ALL ".join(
            f"SELECT count() AS n FROM {events_table(kind).name} WHERE received_at <= {at(moment)} AND offset > {checkpoint_sql(offsets)}"
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
