"""The lives of entities: every step with how long it lasted, its deadline, and the time worked; derived from the raw events.

`life_K` has a row per step, valid from `since` until the next one: what stood at a moment T are the rows with `since <= T < until`,
what was known of it then are those with `received_at <= T < next_received_at`, unless a step that arrived later was sorted in
before one that was known. A row depends on the steps up to its own only, so what is told of a moment does not change by what came
later. `current_K` has the newest step of each entity, for all that asks for now. `schemas.clickhouse.derivation` has the SQL.

Rules. A step happens at its own time, at the latest when it arrived. The clock runs in `open` statuses and stands still in
`paused` ones (`schemas.reference.statuses`); it counts working time, or all time where `around` says so. A due date holds from the
step that first states it: pauses after that move it, and one that is stated anew is taken as it is. Where no step states one, it
is the deadline of the reference data, from the first step in `due_from` on.
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
"""Until when the newest step of an entity holds."""
Code = IntEnum | StrEnum
Allowance = tuple[str, int, Dated]
"""A value of the field that decides, the milliseconds that it allows, and from when to when that holds."""


@dataclass(frozen=True, eq=False)
class Life:
    """How the steps of a kind make a life."""

    kind: Kind
    status: str
    started: str
    """Field with the time at which it began."""
    kept: tuple[str, ...]
    """Further fields that figures ask for."""
    work_from: tuple[Code, ...] = ()
    """The time worked counts from the first of these statuses, before it from the first step."""
    taken: tuple[Code, ...] = ()
    """The first of these statuses says that somebody took it in hand."""
    reopened: tuple[Code, ...] = ()
    planned: bool = False
    """Whether it is known before it begins. Of the others, one that says to begin in the future comes from a wrong clock."""
    around: str = "false"
    """SQL: whether its clock runs round the clock."""
    decides: str = ""
    due_from: tuple[Code, ...] = ()
    allowances: Callable[[], tuple[Allowance, ...]] = tuple

    @property
    def names(self) -> str:
        """The names of its columns, for SQL."""
        return ", ".join(f"`{column.name}`" for column in self.columns)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of `life_K` and `current_K`."""
        own = {column.name: column for column in fields(self.kind)}
        known = {column.name: column for column in (*COMMON, *POSITION)}
        return (
            known["entity_id"],
            Column("step", "UInt32", "Which step of its life, from 1."),
            Column(
                "since", MOMENT, "When the step was taken: its own time, at the latest its arrival."
            ),
            Column("until", MOMENT, "When the next step was taken; 2100 while there is none."),
            known["received_at"],
            Column(
                "next_received_at",
                MOMENT,
                "When the next step arrived, which may be before this one; 2100 while there is none.",
            ),
            *POSITION,
            known["agency"],
            known["commune"],
            Column(
                "unit",
                "LowCardinality(String)",
                "Code of the commune of today that answers for the commune.",
                "commune",
            ),
            own[self.status],
            Column("started_at", MOMENT, f"When it began: {self.started}."),
            *(own[name] for name in self.kept),
            Column("held_since", MOMENT, "Since when the agency of this step holds it."),
            Column("standing", "LowCardinality(String)", "open, paused or closed."),
            Column("turned", "Bool", "Whether this step closed it."),
            Column(
                "closed_at",
                f"Nullable({MOMENT})",
                "When it was closed: as its source says, else by the step that closed it.",
            ),
            Column("late", "Bool", "Whether it was closed after it was due."),
            Column(
                "around",
                "Bool",
                "Whether its clock runs round the clock: then positions are milliseconds since 1970.",
            ),
            Column(
                "at",
                "Int64",
                "Position of the step on its clock, ms; on the working clock since 1990.",
            ),
            Column(
                "due", "Nullable(Int64)", "Position at which it is due, pauses so far counted in."
            ),
            Column(
                "due_at",
                f"Nullable({MOMENT})",
                "When it is due, as its source says and while no pause has moved that.",
            ),
            Column("worked", "Int64", "Time worked on it before this step, ms of its clock."),
            Column(
                "paused", "Int64", "Time its clock stood still before this step, ms of its clock."
            ),
            Column(
                "taken",
                "Nullable(Int64)",
                "How long it took until somebody took it in hand, ms of its clock.",
            ),
            Column("reopened", "UInt16", "How often it was opened again."),
            Column("possible", "Bool", "Whether the status may follow the one before it."),
            Column("impossible", "UInt16", "Steps so far that may not follow the one before."),
            Column(
                "version",
                "UInt64",
                "By which rules and how many steps it was computed; the highest holds.",
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
    """Where the steps of a kind's lives are kept."""
    return Table(
        f"life_{kind.name}",
        BY_KIND[kind].columns,
        "ENGINE = ReplacingMergeTree(version)\nORDER BY (entity_id, step)\nSETTINGS index_granularity = 1024",
        f"{kind.en}: every step with how long it lasted",
    )


@cache
def current_table(kind: Kind) -> Table:
    """Where the newest step of each life is kept."""
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
            "rules", "UInt64", "Hash of the rules and the calendar that lives were computed by."
        ),
        Column("epoch", "UInt32", "Unix time at which these rules were taken up."),
        Column("offset", "Int64", "Offset up to which, itself included, events are in the lives."),
        Column("at", MOMENT, "When that was so."),
        Column("version", "UInt128", "The newest rules and then the highest offset hold."),
    ),
    "ENGINE = ReplacingMergeTree(version)\nORDER BY (kind, partition)",
    "How far the lives of entities are computed",
)


def life_tables() -> tuple[Table, ...]:
    """Every table of the lives."""
    return (
        *(table(life.kind) for life in LIVES for table in (life_table, current_table)),
        LIVES_PROGRESS,
    )


def life_views() -> dict[str, tuple[str, str]]:
    """Materialized views: name → (table it fills, its query)."""
    return {
        f"fill_{current_table(life.kind).name}": (
            current_table(life.kind).name,
            f"SELECT {life.names} FROM {life_table(life.kind).name} WHERE until = {FAR}",
        )
        for life in LIVES
    }
