"""Declare the histories of entities: every step with its duration, deadline and time worked.

Histories are derived from the raw events. An entity's *life* is its history of states. `life_K` has
one row per step, valid from `since` until the next step. The rows that held at a moment T are those
with `since <= T < until`. The rows that were known at T are those with `received_at <= T <
next_received_at`, except where a step that arrived later was sorted in before a known one. Apart
from `until`, `next_received_at` and `version`, a row depends only on the steps up to its own.
`current_K` has the newest step of each entity, for all queries about now.
`schemas.clickhouse.derivation` has the SQL.

Rules. A step happens at its own time, or when it arrived if that is earlier. The clock runs in
`open` statuses and stops in `paused` ones (`schemas.reference.statuses`); it counts working time,
or all time where `around` says so. A due date applies from the step that first states it: later
pauses move it, and a new due date replaces it, not moved by the pauses before. If no step states a
due date, the deadline is that of the reference data, counted from the first step in `due_from`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache

from schemas.clickhouse.columns import MOMENT, Column, Table
from schemas.clickhouse.tables import COMMON, POSITION, fields
from schemas.events.codes import DocumentStatus, FeedbackStatus, FilingStatus, Priority
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind
from schemas.moments import ZONE
from schemas.reference import categories, procedures
from schemas.reference.table import Dated

HOUR = 3_600_000
FAR = f"toDateTime64('2100-01-01 00:00:00', 3, '{ZONE}')"
"""Moment until which the newest step of an entity holds."""
Code = IntEnum | StrEnum
Allowance = tuple[str, int, Dated]
"""A value of the deciding field, the milliseconds that it allows, and the row with its validity."""


@dataclass(frozen=True, eq=False)
class Life:
    """How the steps of a kind make a history."""

    kind: Kind
    status: str
    started: str
    """Field with the time at which it began."""
    kept: tuple[str, ...]
    """Further fields that figures need."""
    work_from: tuple[Code, ...] = ()
    """Time worked counts from the first step in one of these statuses; until there is one, from the
    start.
    """
    taken: tuple[Code, ...] = ()
    """Statuses which mean that somebody has begun to handle the entity; the first such step counts.
    """
    reopened: tuple[Code, ...] = ()
    planned: bool = False
    """Whether entities are known before they begin, as meetings are.

    For any other kind, a beginning in the future comes from a wrong clock.
    """
    around: str = "false"
    """SQL for whether its clock runs round the clock."""
    decides: str = ""
    due_from: tuple[Code, ...] = ()
    allowances: Callable[[], tuple[Allowance, ...]] = tuple

    @property
    def names(self) -> str:
        """Return the names of its columns, for SQL."""
        return ", ".join(f"`{column.name}`" for column in self.columns)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns of `life_K` and `current_K`."""
        own = {column.name: column for column in fields(self.kind)}
        known = {column.name: column for column in (*COMMON, *POSITION)}
        return (
            known["entity_id"],
            Column("step", "UInt32", "Number of the step, from 1."),
            Column("since", MOMENT, "Time of the step: its own time, at the latest its arrival."),
            Column("until", MOMENT, "Time of the next step; 2100 while there is none."),
            known["received_at"],
            Column(
                "next_received_at",
                MOMENT,
                (
                    "Arrival of the next step, which may be before this one; 2100 while there is "
                    "none."
                ),
            ),
            *POSITION,
            known["agency"],
            known["commune"],
            Column(
                "unit",
                "LowCardinality(String)",
                "Code of the commune of today to which the commune is restated.",
                "commune",
            ),
            own[self.status],
            Column("started_at", MOMENT, f"Time at which it began: {self.started}."),
            *(own[name] for name in self.kept),
            Column("held_since", MOMENT, "Time since which the agency of this step holds it."),
            Column("standing", "LowCardinality(String)", "open, paused or closed."),
            Column("turned", "Bool", "Whether this step closed it."),
            Column(
                "closed_at",
                f"Nullable({MOMENT})",
                (
                    "Time at which it was closed: as its source states, else by the step that "
                    "closed it."
                ),
            ),
            Column("late", "Bool", "Whether it was closed after its deadline."),
            Column(
                "around",
                "Bool",
                (
                    "Whether its clock runs round the clock; then positions are milliseconds "
                    "since 1970."
                ),
            ),
            Column(
                "at",
                "Int64",
                "Position of the step on its clock, in ms; on the working clock since 1990.",
            ),
            Column("due", "Nullable(Int64)", "Position of its deadline, pauses so far included."),
            Column(
                "due_at",
                f"Nullable({MOMENT})",
                "Deadline as its source states, while no pause has moved it.",
            ),
            Column("worked", "Int64", "Time worked on it before this step, in ms of its clock."),
            Column(
                "paused",
                "Int64",
                "Time its clock was stopped before this step, in ms of its clock.",
            ),
            Column(
                "taken",
                "Nullable(Int64)",
                "Time until somebody took it in hand, in ms of its clock.",
            ),
            Column("reopened", "UInt16", "Number of times it was reopened."),
            Column("possible", "Bool", "Whether the status may follow the previous one."),
            Column(
                "impossible",
                "UInt16",
                ("Number of steps so far that may not follow the previous one."),
            ),
            Column(
                "version",
                "UInt64",
                (
                    "Version of the rules and number of steps it was computed from; the highest "
                    "holds."
                ),
            ),
        )


def _procedure_allowances() -> tuple[Allowance, ...]:
    return tuple((one.code, round(one.hours * HOUR), one) for one in procedures())


def _category_allowances() -> tuple[Allowance, ...]:
    return tuple((one.code, round(one.hours * HOUR), one) for one in categories())


LIVES = (
    Life(
        FILING,
        "status",
        "registered_at",
        kept=(
            *("procedure", "channel", "service_level", "applicant", "fee", "paid_online"),
            *("digitisation", "reuse", "satisfaction"),
        ),
        work_from=(FilingStatus.ACCEPTED,),
        taken=(FilingStatus.ACCEPTED,),
        decides="procedure",
        due_from=(FilingStatus.ACCEPTED,),
        allowances=_procedure_allowances,
    ),
    Life(
        FEEDBACK,
        "status",
        "reported_at",
        kept=("category", "urgency", "lat", "lon", "rating"),
        taken=(FeedbackStatus.VERIFIED,),
        reopened=(FeedbackStatus.REOPENED,),
        around="urgency = 'immediate'",
        decides="category",
        due_from=(FeedbackStatus.ROUTED,),
        allowances=_category_allowances,
    ),
    Life(
        DOCUMENT,
        "status",
        "sent_at",
        kept=("from_organ", "to_organ", "priority", "document_type", "action", "signed", "reason"),
        taken=(DocumentStatus.RECEIVED,),
        around=f"priority >= {Priority.FLASH:d}",
    ),
    Life(MEETING, "state", "starts_at", kept=("invited", "connected"), around="true", planned=True),
)
BY_KIND = {life.kind: life for life in LIVES}


@cache
def life_table(kind: Kind) -> Table:
    """Return the table of the steps of a kind's histories."""
    return Table(
        f"life_{kind.name}",
        BY_KIND[kind].columns,
        "ENGINE = ReplacingMergeTree(version)\nORDER BY (entity_id, step)\nSETTINGS "
        "index_granularity = 1024",
        f"{kind.en}: every step with how long it lasted",
    )


@cache
def current_table(kind: Kind) -> Table:
    """Return the table of the newest step of each history."""
    return Table(
        f"current_{kind.name}",
        BY_KIND[kind].columns,
        "ENGINE = ReplacingMergeTree(version)\nORDER BY entity_id",
        f"{kind.en}: the newest step of each life",
    )


LIVES_PROGRESS = Table(
    "lives_progress",
    (
        Column("kind", "LowCardinality(String)", "Kind of event."),
        POSITION[0],
        Column(
            "rules",
            "UInt64",
            "Hash of the rules and the calendar by which the histories were computed.",
        ),
        Column("epoch", "UInt32", "Unix time at which these rules were adopted."),
        Column("offset", "Int64", "Offset up to which, included, events are in the histories."),
        Column("at", MOMENT, "Time at which that held."),
        Column("version", "UInt128", "The newest rules and then the highest offset hold."),
    ),
    "ENGINE = ReplacingMergeTree(version)\nORDER BY (kind, partition)",
    "Progress of the computed histories",
)


def life_tables() -> tuple[Table, ...]:
    """Return every table of the histories."""
    return (
        *(table(life.kind) for life in LIVES for table in (life_table, current_table)),
        LIVES_PROGRESS,
    )


def life_views() -> dict[str, tuple[str, str]]:
    """Return the materialized views: {name: (table it fills, its query)}."""
    return {
        f"fill_{current_table(life.kind).name}": (
            current_table(life.kind).name,
            f"SELECT {life.names} FROM {life_table(life.kind).name} WHERE until = {FAR}",
        )
        for life in LIVES
    }
