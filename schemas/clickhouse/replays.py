"""Replays of the stream: history that is sent again, through workers of its own into a database of its own, while live goes on.

A run has a name. All that is its own is derived from it, the same for who makes it (`streams.replay`) and who looks at it
(`dashboard`): a database beside the live one, topics behind a prefix of their own, a group of workers.
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
"""Where history may be read; auto: from Kafka while it holds all of a period, else from ClickHouse."""
OF_RUNS = "_replay_"
"""What stands in the names of their databases between that of live and their own."""
FOR_EVER = 36_500
"""Days for which Kafka keeps what is sent again: longer than any run; it is taken away with its run."""


class RunState(StrEnum):
    """How a run stands."""

    QUEUED = "queued"
    """It waits until fewer than `MAX_RUNNING` go on."""
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    """By whoever had begun it; what had come by then may be looked at."""
    REMOVED = "removed"


class RunMark(StrEnum):
    """What the screens say of it, all the time."""

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
            "replay or exercise: what screens that look at it say.",
        ),
        Column(
            "source",
            "LowCardinality(String)",
            "Where the history was read: kafka or clickhouse; others: what was sent to it.",
        ),
        Column("since", MOMENT, "Beginning of the period, by when events happened."),
        Column("until", MOMENT, "End of the period, itself not in it."),
        Column("speed", "Float64", "Seconds of history in a second; 0: as fast as possible."),
        Column(
            "live",
            "Bool",
            "Whether it goes as time goes: history that was moved to today, or what others send.",
        ),
        Column(
            "on_time",
            "Bool",
            "Whether each event arrived in it when it happened, whenever it had arrived.",
        ),
        Column(
            "state",
            "LowCardinality(String)",
            "queued, running, finished, failed, stopped or removed.",
        ),
        Column("total", "UInt64", "Events that are to be sent."),
        Column("sent", "UInt64", "Events that were sent."),
        Column("counted", "UInt64", "Events that workers were done with."),
        Column("moment", MOMENT, "How far the history was sent, by when events arrived."),
        Column("begun_at", MOMENT, "When the run began."),
        Column(
            "differing",
            "Nullable(UInt64)",
            "Windows that differ from the live ones, when it had finished.",
        ),
        Column("said", "String", "Why it failed."),
        Column("at", MOMENT, "When this was written; the newest holds."),
    ),
    "ENGINE = ReplacingMergeTree(at)\nORDER BY name",
    "Replays of the stream, and how they stand",
)
REPLAY_STOPS = Table(
    "replay_stops",
    (
        Column("name", "LowCardinality(String)", "Name of the run."),
        Column("asked_at", MOMENT, "When somebody asked."),
    ),
    "ENGINE = MergeTree\nORDER BY name\nTTL toDateTime(asked_at) + INTERVAL 1 DAY",
    "Which runs are to stop: each looks whether it is asked to, wherever its process is",
)
MAX_RUNNING, MAX_QUEUED = 2, 4
"""Runs that go on at a time, each with workers of its own, and how many may wait for their turn."""
COPIES = 3
"""A run takes about so many times what its events take in ClickHouse: topics of its own, uncompressed, and a database."""
RESERVE_BYTES = 1 << 30
"""What live needs free beside it."""
KILLED = "It was killed, or its machine went down."
SILENT = timedelta(minutes=1)
"""A run says each second how far it is."""


@dataclass(frozen=True, kw_only=True)
class ReplayRun:
    """A run as it stands; the fields are the columns of the table."""

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
        """From a row of the table. One that goes on and says nothing any more was killed: it failed."""
        found = RUN_ROWS.read(row)
        if found.goes_on and datetime.now(UTC) - found.at > SILENT:
            return replace(found, state=RunState.FAILED, said=KILLED)
        return found

    @property
    def goes_on(self) -> bool:
        """Whether a process of it says how far it is: it runs, or waits for its turn."""
        return self.state in (RunState.QUEUED, RunState.RUNNING)

    @property
    def row(self) -> tuple[Any, ...]:
        """As a row of the table."""
        return RUN_ROWS.row(self)

    def now(self, **changes: Any) -> "ReplayRun":
        """The same run as it stands now."""
        return replace(self, at=datetime.now(UTC), **changes)


RUN_ROWS = RowCodec(table=REPLAYS, of=ReplayRun)


def checked(name: str) -> str:
    """A name that can be one. Raises `ValueError` for any other."""
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot be a name: at most 32 small letters, digits and _, a letter first."
        )
    return name


def runs(name: str = "") -> str:
    """A question for the runs that are not removed, the newest first: all, or that of a name. Raises `ValueError`."""
    named = f"name = '{checked(name)}'" if name else "true"
    return f"SELECT {RUN_ROWS.read_names} FROM {REPLAYS.name} FINAL WHERE {named} AND state != '{RunState.REMOVED}' ORDER BY begun_at DESC"


def sandbox(settings: Settings, name: str) -> Settings:
    """The settings of what is a run's own. Raises `ValueError` for a name that can be none."""
    return settings.model_copy(
        update={
            "clickhouse_address": sandbox_url(settings.clickhouse_address, name),
            "topic_prefix": f"{settings.topic_prefix}replay.{name}.",
            "worker_group": f"{settings.worker_group}-replay-{name}",
            "topic_retention_days": FOR_EVER,
        }
    )


def is_sandbox(settings: Settings) -> bool:
    """Whether settings are those of what is a run's own: nothing is let go of there but with the run."""
    return re.search(rf"(^|\.)replay\.{NAME.pattern}\.$", settings.topic_prefix) is not None


def sandbox_url(live: str, name: str) -> str:
    """The ClickHouse address of a run. Raises `ValueError` for a name that can be none."""
    url = urlsplit(live)
    return urlunsplit(url._replace(path=f"{url.path}{OF_RUNS}{checked(name)}"))


def stop(name: str) -> str:
    """What asks a run to stop. Raises `ValueError`."""
    return f"INSERT INTO {REPLAY_STOPS.name} SELECT '{checked(name)}', now64(3)"


def room() -> str:
    """A question for one row: bytes that the live database takes on disk, events in it, bytes that are free."""
    parts = "FROM system.parts WHERE active AND database = currentDatabase()"
    return (
        f"SELECT (SELECT toInt64(sum(bytes_on_disk)) {parts}), "
        f"(SELECT toInt64(sum(rows)) {parts} AND startsWith(table, 'events_')), "
        "(SELECT toInt64(min(unreserved_space)) FROM system.disks)"
    )


def needed_bytes(events: int, taken: int, known: int) -> int:
    """The bytes that have to be free before so many events are sent again, of `known` ones that take `taken` bytes in all."""
    return RESERVE_BYTES + COPIES * events * taken // max(known, 1)


def is_asked_to_stop(run: ReplayRun) -> str:
    """A question for how often a run was asked to stop since it began."""
    return f"SELECT count() FROM {REPLAY_STOPS.name} WHERE name = '{checked(run.name)}' AND asked_at >= {at(run.begun_at)}"


def happened(since: datetime, until: datetime, arrived_after: datetime | None = None) -> str:
    """A question for how many live events happened in a period; those that arrived after a moment, where one is given."""
    late = f" AND received_at > {at(arrived_after)}" if arrived_after else ""
    each = " UNION ALL ".join(
        f"SELECT uniqExact(partition, offset) AS n FROM {events_table(kind).name} "
        f"WHERE occurred_at >= {at(since)} AND occurred_at < {at(until)}{late}"
        for kind in KINDS
    )
    return f"SELECT toInt64(sum(n)) FROM ({each})"


@dataclass(frozen=True)
class Difference:
    """How a kind's windows of a run differ from the live ones: how many of how many, and of each measure the sums."""

    differing: int
    windows: int
    sums: tuple[tuple[int, int], ...]
    """(live, run), in the order of the kind's measures."""

    @classmethod
    def of(cls, row: Sequence[int]) -> "Difference":
        """From the answer to `difference`."""
        differing, windows, *sums = row
        return cls(differing, windows, tuple(zip(sums[::2], sums[1::2], strict=True)))


def difference(kind: Kind, live: str, other: str, since: datetime, until: datetime) -> str:
    """A question for one row: in how many windows of a period two databases differ, how many there are, then of each measure of the
    kind its sum in the one and in the other. Kafka's partitions do not matter."""
    names = [measure.name for measure in kind.measures]
    dimensions = ", ".join(("window_start", *kind.dimensions))
    period = f"window_start > toDateTime(0) AND window_start >= {at(since)} AND window_start < {at(until)}"
    both = " UNION ALL ".join(
        f"SELECT {number} AS side, {dimensions}, {', '.join(names)} FROM `{where}`.{windows_table(kind).name} FINAL WHERE {period}"
        for number, where in enumerate((live, other))
    )
    sides = ", ".join(
        f"sumIf(one.{name}, side = {side}) AS {name}_{side}" for name in names for side in (0, 1)
    )
    wrong = " OR ".join(f"{name}_0 != {name}_1" for name in names)
    sums = ", ".join(f"sum({name}_{side})" for name in names for side in (0, 1))
    return f"SELECT countIf({wrong}), count(), {sums} FROM (SELECT {dimensions}, {sides} FROM ({both}) AS one GROUP BY {dimensions})"
