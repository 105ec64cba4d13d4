"""Declare replay runs: history sent again, through workers and a database of their own.

A run has a name. Everything that belongs to the run is derived from that name, in the same way
where it is created (`streams.replay`) and where it is viewed (`dashboard`): a database beside the
live one, topics with a prefix of their own, a group of workers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from schemas.clickhouse.columns import MOMENT, Column, Table
from schemas.clickhouse.rows import RowCodec
from schemas.clickhouse.sql import at
from schemas.clickhouse.tables import events_table, windows_table
from schemas.events.kinds import KINDS, Kind
from schemas.settings import Settings

NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
SOURCES = ("auto", "kafka", "clickhouse")
"""Sources of history; auto: Kafka while it holds all of a period, else ClickHouse."""
RUN_INFIX = "_replay_"
"""Infix of the name of a run's database, between the live database's name and the run's."""
FOREVER_DAYS = 36_500
"""Days for which Kafka retains the records of a run: longer than any run exists."""


class RunState(StrEnum):
    """State of a run."""

    QUEUED = "queued"
    """It waits until fewer than `MAX_RUNNING` are running."""
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    """It was stopped on request; what had arrived by then can be viewed."""
    REMOVED = "removed"


class RunMark(StrEnum):
    """Mark that screens show all the time while they show a run."""

    REPLAY = "replay"
    EXERCISE = "exercise"


REPLAYS = Table(
    "replays",
    (
        Column(
            "name", "LowCardinality(String)", "Name of the run; its database is named after it."
        ),
        Column(
            "mark",
            "LowCardinality(String)",
            "replay or exercise: the mark on screens that view it.",
        ),
        Column(
            "source",
            "LowCardinality(String)",
            "Source of the history: kafka or clickhouse; others: events were sent to it.",
        ),
        Column("since", MOMENT, "Start of the period, by the events' own times."),
        Column("until", MOMENT, "End of the period, excluded."),
        Column("speed", "Float64", "Speed: seconds of history per second; 0: as fast as possible."),
        Column(
            "live",
            "Bool",
            (
                "Whether it runs in real time: history that was moved to today, or events that "
                "others send."
            ),
        ),
        Column(
            "on_time",
            "Bool",
            "Whether each event arrives at its own time, whenever it had arrived.",
        ),
        Column(
            "state",
            "LowCardinality(String)",
            "queued, running, finished, failed, stopped or removed.",
        ),
        Column("total", "UInt64", "Number of events to send."),
        Column("sent", "UInt64", "Number of events sent."),
        Column("counted", "UInt64", "Number of events that workers processed."),
        Column("moment", MOMENT, "Arrival up to which the history was sent."),
        Column("begun_at", MOMENT, "Start of the run."),
        Column(
            "differing",
            "Nullable(UInt64)",
            "Number of windows that differ from the live ones, once it had finished.",
        ),
        Column("said", "String", "Reason for its failure."),
        Column("at", MOMENT, "Time at which this was written; the newest holds."),
    ),
    "ENGINE = ReplacingMergeTree(at)\nORDER BY name",
    "Replays of the stream and their states",
)
REPLAY_STOPS = Table(
    "replay_stops",
    (
        Column("name", "LowCardinality(String)", "Name of the run."),
        Column("asked_at", MOMENT, "Time of the request."),
    ),
    "ENGINE = MergeTree\nORDER BY name\nTTL toDateTime(asked_at) + INTERVAL 1 DAY",
    "Requests to stop a run: each run checks for one, wherever its process is",
)
MAX_RUNNING, MAX_QUEUED = 2, 4
"""Maximum number of runs at a time, each with workers of its own, and of runs in the queue."""
SPACE_FACTOR = 3
"""Space that a run takes, as a multiple of the space of its events in ClickHouse.

A run has topics of its own, uncompressed, and a database.
"""
RESERVE_BYTES = 1 << 30
"""Free space to leave for the live installation."""
KILLED = "It was killed, or its machine went down."
SILENT_AFTER = timedelta(minutes=1)
"""Time without a report after which a run counts as killed; it reports its progress each second."""


@dataclass(frozen=True, kw_only=True)
class ReplayRun:
    """A run with its current state; the fields are the columns of the table."""

    name: str
    mark: RunMark
    source: str
    since: datetime
    until: datetime
    speed: float
    live: bool
    on_time: bool
    state: RunState
    total: int
    sent: int
    counted: int
    moment: datetime
    begun_at: datetime
    differing: int | None
    said: str
    at: datetime

    @classmethod
    def of(cls, row: Sequence[Any]) -> "ReplayRun":
        """Return a run from a row of the table; one that stopped reporting counts as failed."""
        found = RUN_ROWS.read(row)
        if found.goes_on and datetime.now(UTC) - found.at > SILENT_AFTER:
            return replace(found, state=RunState.FAILED, said=KILLED)
        return found

    @property
    def goes_on(self) -> bool:
        """Return whether one of its processes reports progress: it runs, or waits for its turn."""
        return self.state in (RunState.QUEUED, RunState.RUNNING)

    def now(self, **changes: Any) -> "ReplayRun":
        """Return a copy of the run with changes and the current time."""
        return replace(self, at=datetime.now(UTC), **changes)


RUN_ROWS = RowCodec(table=REPLAYS, of=ReplayRun)


def checked(name: str) -> str:
    """Return a valid name.

    Raises:
        ValueError: The name is not valid.
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot be a name: at most 32 small letters, digits and _, a letter first."
        )
    return name


def runs(name: str = "") -> str:
    """Return a query for the runs that are not removed, the newest first: all, or that of a name.

    Raises:
        ValueError: The name is not valid.
    """
    named = f"name = '{checked(name)}'" if name else "true"
    return (
        f"SELECT {RUN_ROWS.read_names} FROM {REPLAYS.name} FINAL WHERE {named} AND state != "
        f"'{RunState.REMOVED}' ORDER BY begun_at DESC"
    )


def sandbox(settings: Settings, name: str) -> Settings:
    """Return the settings of a run's own database, topics and workers.

    Raises:
        ValueError: The name is not valid.
    """
    return settings.model_copy(
        update={
            "clickhouse_address": sandbox_url(settings.clickhouse_address, name),
            "topic_prefix": f"{settings.topic_prefix}replay.{name}.",
            "worker_group": f"{settings.worker_group}-replay-{name}",
            "topic_retention_days": FOREVER_DAYS,
        }
    )


def is_sandbox(settings: Settings) -> bool:
    """Return whether settings are those of a run.

    In a run, nothing is deleted by retention; it is deleted as a whole.
    """
    return re.search(rf"(^|\.)replay\.{NAME.pattern}\.$", settings.topic_prefix) is not None


def sandbox_url(live: str, name: str) -> str:
    """Return the ClickHouse address of a run.

    Raises:
        ValueError: The name is not valid.
    """
    url = urlsplit(live)
    return urlunsplit(url._replace(path=f"{url.path}{RUN_INFIX}{checked(name)}"))


def stop(name: str) -> str:
    """Return the statement that asks a run to stop.

    Raises:
        ValueError: The name is not valid.
    """
    return f"INSERT INTO {REPLAY_STOPS.name} SELECT '{checked(name)}', now64(3)"


def room() -> str:
    """Return a query for one row: bytes of the live database on disk, events in it, free bytes."""
    parts = "FROM system.parts WHERE active AND database = currentDatabase()"
    return (
        f"SELECT (SELECT toInt64(sum(bytes_on_disk)) {parts}), "
        f"(SELECT toInt64(sum(rows)) {parts} AND startsWith(table, 'events_')), "
        "(SELECT toInt64(min(unreserved_space)) FROM system.disks)"
    )


def needed_bytes(events: int, taken: int, known: int) -> int:
    """Return the bytes that must be free before `events` events are sent again.

    Args:
        events: The number of events to send.
        taken: The bytes that the known events take.
        known: The number of known events.
    """
    return RESERVE_BYTES + SPACE_FACTOR * events * taken // max(known, 1)


def is_asked_to_stop(run: ReplayRun) -> str:
    """Return a query for how often a run was asked to stop since it began."""
    return (
        f"SELECT count() FROM {REPLAY_STOPS.name} WHERE name = '{checked(run.name)}' AND asked_at "
        f">= {at(run.begun_at)}"
    )


def happened(since: datetime, until: datetime, arrived_after: datetime | None = None) -> str:
    """Return a query for the number of live events in a period.

    Args:
        since: Start of the period, by the events' own times.
        until: End of the period, excluded.
        arrived_after: Count only events that arrived after this moment.
    """
    late = f" AND received_at > {at(arrived_after)}" if arrived_after else ""
    each = " UNION ALL ".join(
        f"SELECT uniqExact(partition, offset) AS n FROM {events_table(kind).name} "
        f"WHERE occurred_at >= {at(since)} AND occurred_at < {at(until)}{late}"
        for kind in KINDS
    )
    return f"SELECT toInt64(sum(n)) FROM ({each})"


@dataclass(frozen=True)
class Difference:
    """Difference between a kind's windows in a run and in live: how many differ, and the sums."""

    differing: int
    windows: int
    sums: tuple[tuple[int, int], ...]
    """Pairs (live, run), in the order of the kind's measures."""

    @classmethod
    def of(cls, row: Sequence[int]) -> "Difference":
        """Return the difference in a row that the query of `difference` returned."""
        differing, windows, *sums = row
        return cls(differing, windows, tuple(zip(sums[::2], sums[1::2], strict=True)))


def difference(kind: Kind, live: str, other: str, since: datetime, until: datetime) -> str:
    """Return a query that compares the windows of a period in two databases.

    Its one row has the number of windows that differ, the number of all windows, then for each
    measure of the kind its sum in `live` and its sum in `other`. Counts are added up over Kafka's
    partitions before they are compared.
    """
    names = [measure.name for measure in kind.measures]
    dimensions = ", ".join(("window_start", *kind.dimensions))
    period = (
        f"window_start > toDateTime(0) AND window_start >= {at(since)} AND window_start < "
        f"{at(until)}"
    )
    both = " UNION ALL ".join(
        f"SELECT {number} AS side, {dimensions}, {', '.join(names)} FROM "
        f"`{where}`.{windows_table(kind).name} FINAL WHERE {period}"
        for number, where in enumerate((live, other))
    )
    sides = ", ".join(
        f"sumIf(one.{name}, side = {side}) AS {name}_{side}" for name in names for side in (0, 1)
    )
    wrong = " OR ".join(f"{name}_0 != {name}_1" for name in names)
    sums = ", ".join(f"sum({name}_{side})" for name in names for side in (0, 1))
    return (
        f"SELECT countIf({wrong}), count(), {sums} FROM (SELECT {dimensions}, {sides} FROM "
        f"({both}) AS one GROUP BY {dimensions})"
    )
