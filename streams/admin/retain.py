"""Delete raw events, states and lives past their retention, by `schemas.clickhouse.retention`.

An entity is deleted as a whole. First the new retention horizon is stored, so that nobody compares
or shows what is about to be deleted; then the entities to delete are listed in a table of their
own; then their rows are deleted, the raw events last. If this is killed at any step, the next run
completes it. Call it from the thread that computes lives, so that lives do not change meanwhile.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clickhouse_driver import Client

from schemas.clickhouse.derivation import derive, of_entities
from schemas.clickhouse.lives import LIVES, Life, current_table, life_table
from schemas.clickhouse.replays import is_sandbox
from schemas.clickhouse.retention import HORIZON_ROWS, KINDS, Horizon, HorizonRow, horizon
from schemas.clickhouse.sql import at
from schemas.clickhouse.tables import PROGRESS, events_table, state_table
from schemas.clickhouse.working_time import calendar_row
from schemas.events.kinds import Kind
from schemas.reference import ZONE, calendar
from schemas.settings import Settings
from streams.admin.period import MinutePeriod
from streams.lives import INSERT_SETTINGS, read_progress

log = logging.getLogger(__name__)
MAX_ENTITIES = 100_000
"""Entities of a kind deleted at a time; no lives are computed meanwhile."""
MAX_WORKER_LAG = timedelta(days=1)
"""Lag of a worker beyond which nothing is deleted: it may need the rows to recognise repeats."""
INTERVAL_SECONDS = 3600.0
"""Seconds between two runs of retention."""
SYNC = {"mutations_sync": 1}
"""Query settings that make ClickHouse answer a mutation when it is complete."""


class WorkersBehindError(ValueError):
    """Raised if nothing may be deleted: a worker's lag is unknown or too large."""


@dataclass
class DeletedEntities:
    """The number of entities and events that were deleted of a kind."""

    kind: Kind
    entities: int = 0
    events: int = 0


def events_kept_from(client: Client, kind: Kind) -> int:
    """Return the Unix time, a whole minute, from which on all events of a kind are stored."""
    stored = horizon(client.execute) if kind in KINDS else None
    return math.ceil(stored.removed_before.timestamp() / 60) * 60 if stored else 0


def windows_kept_from(client: Client, settings: Settings, kind: Kind) -> int:
    """Return the Unix time from which on a kind's windows and all their events are stored."""
    first = events_kept_from(client, kind)
    if settings.keep_windows_days:
        # An hour later, so that none expires while it is compared.
        kept = datetime.now(UTC) - timedelta(days=settings.keep_windows_days) + timedelta(hours=1)
        first = max(first, int(kept.timestamp()) // 60 * 60)
    return first


def require_kept(period: MinutePeriod, first: int) -> None:
    """Check that a period does not begin before `first`, the Unix time from which on data is kept.

    Raises:
        ValueError: If it does; the message says from when on data is complete.
    """
    if period.start < first:
        since = datetime.fromtimestamp(first, ZONE).isoformat(timespec="minutes")
        raise ValueError(
            f"Data before {since} was deleted in part by retention: choose a period after it."
        )


def retain(
    client: Client,
    settings: Settings,
    now: datetime | None = None,
    max_entities: int = MAX_ENTITIES,
    tell: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> list[DeletedEntities]:
    """Delete the entities whose retention has ended, a bounded number per call.

    Args:
        client: A connection to the database.
        settings: The installation's settings; `keep_events_days` is the retention.
        now: The current time; only tests pass another one.
        max_entities: Entities of each kind to delete at most.
        tell: Called as work proceeds.

    Returns:
        What was deleted, for each kind; empty if raw events have always been kept forever.

    Raises:
        WorkersBehindError: If a worker may still need what is due.
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    now = now or datetime.now(UTC)
    stored = horizon(client.execute)
    if settings.keep_events_days:
        _require_workers_caught_up(client, now)
        due = Horizon.due(now, settings.keep_events_days)
        if stored is None or due.whole_from > stored.whole_from:
            row = HorizonRow(
                what="events",
                whole_from=due.whole_from,
                removed_before=due.removed_before,
                at=now,
            )
            client.execute(
                HORIZON_ROWS.insert, [HORIZON_ROWS.row(row)], settings={"async_insert": 0}
            )
            stored = due
    if stored is None:
        return []
    limit = max_entities if settings.keep_events_days else 0
    done = []
    for number, life in enumerate(LIVES):
        tell(life.kind.name, number, len(LIVES))
        done.append(_delete(client, settings, life, stored, limit))
    tell("", len(LIVES), len(LIVES))
    return done


def _require_workers_caught_up(client: Client, now: datetime) -> None:
    rows = client.execute(
        f"SELECT kind, partition, waits_since, at FROM {PROGRESS.name} FINAL "
        "ORDER BY kind, partition"
    )
    if not rows:
        raise WorkersBehindError("No worker has reported its progress.")
    for kind, partition, waits_since, reported_at in rows:
        since = min(waits_since or reported_at, reported_at)
        if now - since > MAX_WORKER_LAG:
            raise WorkersBehindError(
                f"What arrived in {kind}[{partition}] since "
                f"{since.isoformat(timespec='seconds')} may not be counted yet."
            )


def _delete(
    client: Client, settings: Settings, life: Life, stored: Horizon, max_entities: int
) -> DeletedEntities:
    kind, bound = life.kind, at(stored.removed_before)
    events, leaving = events_table(kind).name, f"leaving_{kind.name}"
    client.execute(
        f"CREATE TABLE IF NOT EXISTS {leaving} (entity_id String) "
        "ENGINE = MergeTree ORDER BY entity_id"
    )
    if not client.execute(f"SELECT 1 FROM {leaving} LIMIT 1"):
        client.execute(
            f"INSERT INTO {leaving} SELECT entity_id FROM {events} WHERE entity_id IN ("
            f"SELECT entity_id FROM {current_table(kind).name} FINAL "
            f"WHERE standing = 'closed' AND since < {bound}) "
            f"GROUP BY entity_id HAVING max(greatest(occurred_at, received_at)) < {bound} "
            f"ORDER BY entity_id LIMIT {max_entities:d}",
            settings={"async_insert": 0},
        )
    database = client.connection.database
    theirs = f"entity_id IN (SELECT entity_id FROM `{database}`.{leaving})"
    old = f"greatest(occurred_at, received_at) < {bound}"
    ((entities,),) = client.execute(f"SELECT count() FROM {leaving}")
    deleted = DeletedEntities(kind, entities)
    if entities:
        ((deleted.events,),) = client.execute(
            f"SELECT count() FROM {events} FINAL WHERE {theirs} AND {old}"
        )
        for table in (current_table(kind), life_table(kind)):
            client.execute(f"ALTER TABLE {table.name} DELETE WHERE {theirs}", settings=SYNC)
        for table in (state_table(kind), events_table(kind)):
            client.execute(
                f"ALTER TABLE {table.name} DELETE WHERE {theirs} AND {old}", settings=SYNC
            )
        # An entity that got events meanwhile keeps only those: recompute its life from them.
        remaining = f"SELECT entity_id FROM {events} WHERE {theirs}"
        if client.execute(f"{remaining} LIMIT 1"):
            working, _ = calendar_row(calendar(settings.province))
            epoch = read_progress(client, life, working).epoch
            query = derive(life, working, of_entities(kind, remaining), epoch)
            client.execute(
                f"INSERT INTO {life_table(kind).name} ({life.names}) {query}",
                settings=INSERT_SETTINGS,
            )
    client.execute(f"DROP TABLE {leaving} SYNC")
    return deleted


class Retention:
    """Runs `retain` once an hour, or each minute while more is due than one run may delete."""

    def __init__(self, client: Client, settings: Settings) -> None:
        """Schedule the first run at once.

        Args:
            client: The connection of the thread that computes lives.
            settings: The installation's settings.
        """
        self._client, self._settings = client, settings
        self._next = 0.0
        self._problem = ""

    def run_if_due(self) -> None:
        """Delete what is past its retention if it is time to; log if workers are too far behind.

        Raises:
            clickhouse_driver.errors.Error: If ClickHouse cannot be used.
        """
        if (
            not self._settings.keep_events_days
            or is_sandbox(self._settings)
            or time.monotonic() < self._next
        ):
            return
        try:
            deleted, self._problem = retain(self._client, self._settings), ""
            more = any(one.entities == MAX_ENTITIES for one in deleted)
            if events := sum(one.events for one in deleted):
                entities = sum(one.entities for one in deleted)
                log.info("retention deleted %d events of %d entities", events, entities)
        except WorkersBehindError as error:
            more = False
            if str(error) != self._problem:
                self._problem = str(error)
                log.warning("retention skipped: %s", error)
        self._next = time.monotonic() + (60.0 if more else INTERVAL_SECONDS)
