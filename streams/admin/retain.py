"""Lets go of single events that are kept no longer, by the rules of `schemas.clickhouse.retention`: raw events, states and lives.

An entity goes whole. First it is told from when on everything is kept, so that nobody compares or shows what is about to go; then
who goes is listed in a table of its own; then it goes, the events last. Killed at any step, the next run ends what this one began.
Call it from the thread that computes the lives: these stand still meanwhile.
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
from schemas.clickhouse.retention import HORIZONS, KINDS, Horizon, horizon
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
"""Entities of a kind that go at a time: meanwhile no lives are computed."""
BEHIND = timedelta(days=1)
"""A worker that is further behind may still have to tell whether what it reads was counted before."""
INTERVAL_SECONDS = 3600.0
SYNC = {"mutations_sync": 1}
"""A change of rows is waited for."""


class WorkersBehindError(ValueError):
    """Nothing may go, as workers are not known to have counted what had arrived; the message says which."""


@dataclass
class DeletedEntities:
    """What went of a kind."""

    kind: Kind
    entities: int = 0
    events: int = 0


def events_kept_from(client: Client, kind: Kind) -> int:
    """From when on all events of a kind are there: Unix seconds, a whole minute."""
    known = horizon(client.execute) if kind in KINDS else None
    return math.ceil(known.removed_before.timestamp() / 60) * 60 if known else 0


def windows_kept_from(client: Client, settings: Settings, kind: Kind) -> int:
    """From when on a kind's windows are there, and all events that they follow from."""
    first = events_kept_from(client, kind)
    if settings.keep_windows_days:
        # An hour later, so that none goes while it is looked at.
        kept = datetime.now(UTC) - timedelta(days=settings.keep_windows_days) + timedelta(hours=1)
        first = max(first, int(kept.timestamp()) // 60 * 60)
    return first


def require_kept(period: MinutePeriod, first: int) -> None:
    """Raises `ValueError` for a period that begins before."""
    if period.start < first:
        since = datetime.fromtimestamp(first, ZONE).isoformat(timespec="minutes")
        raise ValueError(
            f"From before {since} not everything is kept any more: take a period from then on."
        )


def retain(
    client: Client,
    settings: Settings,
    now: datetime | None = None,
    most: int = MAX_ENTITIES,
    tell: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> list[DeletedEntities]:
    """Let go of what is due, of at most so many entities of a kind. Raises `WorkersBehindError`, and clickhouse-driver's errors."""
    now = now or datetime.now(UTC)
    known = horizon(client.execute)
    if settings.keep_events_days:
        _counted(client, now)
        due = Horizon.due(now, settings.keep_events_days)
        if known is None or due.whole_from > known.whole_from:
            row = ("events", due.whole_from, due.removed_before, now)
            client.execute(
                f"INSERT_SETTINGS INTO {HORIZONS.name} VALUES", [row], settings={"async_insert": 0}
            )
            known = due
    if known is None:
        return []
    done = []
    for number, life in enumerate(LIVES):
        tell(life.kind.name, number, len(LIVES))
        done.append(
            _let_go(client, settings, life, known, most if settings.keep_events_days else 0)
        )
    tell("", len(LIVES), len(LIVES))
    return done


def _counted(client: Client, now: datetime) -> None:
    rows = client.execute(
        f"SELECT kind, partition, waits_since, at FROM {PROGRESS.name} FINAL ORDER BY kind, partition"
    )
    if not rows:
        raise WorkersBehindError("No worker has told how far it is.")
    for kind, partition, waits_since, told_at in rows:
        since = min(waits_since or told_at, told_at)
        if now - since > BEHIND:
            raise WorkersBehindError(
                f"What arrived in {kind}[{partition}] since {since.isoformat(timespec='seconds')} may not be counted yet."
            )


def _let_go(
    client: Client, settings: Settings, life: Life, known: Horizon, most: int
) -> DeletedEntities:
    kind, bound = life.kind, at(known.removed_before)
    events, leaving = events_table(kind).name, f"leaving_{kind.name}"
    client.execute(
        f"CREATE TABLE IF NOT EXISTS {leaving} (entity_id String) ENGINE = MergeTree ORDER BY entity_id"
    )
    if not client.execute(f"SELECT 1 FROM {leaving} LIMIT 1"):
        client.execute(
            f"INSERT_SETTINGS INTO {leaving} SELECT entity_id FROM {events} WHERE entity_id IN ("
            f"SELECT entity_id FROM {current_table(kind).name} FINAL WHERE standing = 'closed' AND since < {bound}) "
            f"GROUP BY entity_id HAVING max(greatest(occurred_at, received_at)) < {bound} ORDER BY entity_id LIMIT {most:d}",
            settings={"async_insert": 0},
        )
    database = client.connection.database
    theirs = f"entity_id IN (SELECT entity_id FROM `{database}`.{leaving})"
    old = f"greatest(occurred_at, received_at) < {bound}"
    ((entities,),) = client.execute(f"SELECT count() FROM {leaving}")
    gone = DeletedEntities(kind, entities)
    if entities:
        ((gone.events,),) = client.execute(
            f"SELECT count() FROM {events} FINAL WHERE {theirs} AND {old}"
        )
        for table in (current_table(kind), life_table(kind)):
            client.execute(f"ALTER TABLE {table.name} DELETE WHERE {theirs}", settings=SYNC)
        for table in (state_table(kind), events_table(kind)):
            client.execute(
                f"ALTER TABLE {table.name} DELETE WHERE {theirs} AND {old}", settings=SYNC
            )
        # Of one that something was heard of meanwhile, that is its whole life now.
        left = f"SELECT entity_id FROM {events} WHERE {theirs}"
        if client.execute(f"{left} LIMIT 1"):
            working, _ = calendar_row(calendar(settings.province))
            anew = derive(
                life, working, of_entities(kind, left), read_progress(client, life, working).epoch
            )
            client.execute(
                f"INSERT_SETTINGS INTO {life_table(kind).name} ({life.names}) {anew}",
                settings=INSERT_SETTINGS,
            )
    client.execute(f"DROP TABLE {leaving} SYNC")
    return gone


class Retention:
    """Looks now and then whether something is to go."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client, self._settings = client, settings
        self._next = 0.0
        self._trouble = ""

    def look(self) -> None:
        """Let go of what is due, where it is time. Raises clickhouse-driver's errors."""
        if (
            not self._settings.keep_events_days
            or is_sandbox(self._settings)
            or time.monotonic() < self._next
        ):
            return
        try:
            gone, self._trouble = retain(self._client, self._settings), ""
            more = any(one.entities == MAX_ENTITIES for one in gone)
            if events := sum(one.events for one in gone):
                log.info(
                    "let go of %d events of %d entities", events, sum(one.entities for one in gone)
                )
        except WorkersBehindError as error:
            more = False
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.warning("nothing is let go of: %s", error)
        self._next = time.monotonic() + (60.0 if more else INTERVAL_SECONDS)
