"""Derive ClickHouse tables and read views from the kinds.

Per kind: `events_K` (one row per record that counted; a row written twice collapses, as its key
holds the record's offset), `windows_K` (one row per Kafka partition, minute and dimensions:
absolute values with the offset up to which they hold, the newest offset wins; the row of 1970 is
the partition's checkpoint), `state_K` (the newest step of each entity, kept by a materialized
view). Outsiders read the views: `events`, the kinds' plurals, `windows`, `source_freshness`,
`dead_letters`, `refusals`, `alarms`, `units`, `unit_successors`.
"""

import types
import typing
from datetime import datetime
from enum import IntEnum, StrEnum
from functools import cache
from typing import Annotated, Any

from msgspec import Meta, UnsetType

from schemas.clickhouse.columns import MOMENT, Column, Table
from schemas.clickhouse.unit_tables import HEIRS, SUCCESSORS, UNITS
from schemas.clickhouse.watch_tables import (
    ALARM_STEPS,
    ALARMS,
    ARRIVAL_DAYS,
    ARRIVALS,
    REFUSALS,
    WATCH,
)
from schemas.events.kinds import KINDS, Kind
from schemas.events.payloads import CODE
from schemas.moments import ZONE


def clickhouse_type(annotation: Any) -> str:
    """Return the ClickHouse type of a field's annotation.

    Raises:
        TypeError: The annotation has none.
    """
    base, code = _unwrap(annotation)
    if isinstance(base, types.UnionType) or typing.get_origin(base) is typing.Union:
        inner = [part for part in typing.get_args(base) if part not in (type(None), UnsetType)]
        if len(inner) == 1:
            found = clickhouse_type(inner[0])
            return f"Nullable({found})" if type(None) in typing.get_args(base) else found
    elif typing.get_origin(base) is list:
        return f"Array({clickhouse_type(typing.get_args(base)[0])})"
    elif issubclass(base, IntEnum):
        return "UInt8"
    elif issubclass(base, StrEnum) or (base is str and code):
        return "LowCardinality(String)"
    elif base in _PLAIN:
        return _PLAIN[base]
    raise TypeError(f"no ClickHouse type for {annotation!r}")


_PLAIN = {str: "String", bool: "Bool", int: "Int64", float: "Float64", datetime: MOMENT}


def _unwrap(annotation: Any) -> tuple[Any, bool]:
    code = False
    while typing.get_origin(annotation) is Annotated:
        annotation, *metas = typing.get_args(annotation)
        code |= any(isinstance(meta, Meta) and bool((meta.extra or {}).get(CODE)) for meta in metas)
    return annotation, code


def sentence(annotation: Any) -> str:
    """Return the description of a field, from its annotation; empty if there is none."""
    found = ""
    while typing.get_origin(annotation) is Annotated:
        annotation, *metas = typing.get_args(annotation)
        found = found or next(
            (m.description for m in metas if isinstance(m, Meta) and m.description), ""
        )
    return found


def annotations(kind: Kind) -> dict[str, Any]:
    """Return {field name: annotation} of a kind's event, in declared order."""
    return typing.get_type_hints(kind.event, include_extras=True)


@cache
def fields(kind: Kind) -> tuple[Column, ...]:
    """Return a kind's own fields as columns, without `agency` and `commune`."""
    return tuple(
        Column(name, clickhouse_type(annotation), sentence(annotation))
        for name, annotation in annotations(kind).items()
        if name not in ("agency", "commune")
    )


COMMON = (
    Column("event_id", "String", "Identity of the event: CloudEvents source and id, joined by #."),
    Column("entity_id", "String", "Entity that the event is about; the key of its Kafka record."),
    Column("occurred_at", MOMENT, "Time of the event, by the clock of its source."),
    Column("received_at", MOMENT, "Time of arrival: the time of its Kafka record."),
    Column(
        "agency",
        "LowCardinality(String)",
        "Code of the agency responsible for the entity at this step.",
    ),
    Column(
        "commune",
        "LowCardinality(String)",
        "Code of the entity's commune; empty for the province as a whole.",
    ),
)
POSITION = (
    Column("partition", "UInt16", "Kafka partition of the record."),
    Column("offset", "UInt64", "Kafka offset of the record."),
)
HASHES = (
    Column("identity", "UInt64", "xxh3 of event_id."),
    Column(
        "body", "UInt64", "xxh3 of the event's content: one identity with two bodies is a conflict."
    ),
)


@cache
def events_table(kind: Kind) -> Table:
    """Return the table of a kind's events, one row per record that counted."""
    return Table(
        f"events_{kind.name}",
        (*COMMON, *POSITION, *HASHES, *fields(kind)),
        "ENGINE = ReplacingMergeTree\nPARTITION BY toYYYYMM(occurred_at)\n"
        "ORDER BY (toStartOfMinute(occurred_at), identity, partition, offset)",
        f"{kind.en}: one row per event that counted",
        # The indexes find new rows, and all steps of an entity, without reading the rest
        # (`streams.lives`).
        (
            ("by_offset", "offset TYPE minmax GRANULARITY 1"),
            ("by_entity", "entity_id TYPE bloom_filter(0.01) GRANULARITY 1"),
            ("by_arrival", "received_at TYPE minmax GRANULARITY 1"),
        ),
    )


@cache
def windows_table(kind: Kind) -> Table:
    """Return the table of a kind's window values, with the checkpoints in its rows of 1970."""
    dimensions = {column.name: column for column in (*COMMON, *fields(kind))}
    return Table(
        f"windows_{kind.name}",
        (
            Column(
                "window_start",
                f"DateTime('{ZONE}')",
                "First second of the window; 1970 marks a partition's checkpoint.",
            ),
            POSITION[0],
            *(dimensions[name] for name in kind.dimensions),
            *(Column(measure.name, "Int64", measure.sentence) for measure in kind.measures),
            Column("last_offset", "UInt64", "Offset in the partition up to which the values hold."),
        ),
        "ENGINE = ReplacingMergeTree(last_offset)\nORDER BY (window_start, partition, "
        f"{', '.join(kind.dimensions)})",
        f"{kind.en}: counts per minute, Kafka partition and dimensions",
    )


@cache
def state_table(kind: Kind) -> Table:
    """Return the table of the newest step of each entity of a kind."""
    version = Column(
        "version",
        "UInt128",
        (
            "Orders the steps of an entity: by the time of the step, at the latest its arrival; "
            "then its own time; the legal order; offset."
        ),
    )
    return Table(
        f"state_{kind.name}",
        (*COMMON, *POSITION, *fields(kind), version),
        "ENGINE = ReplacingMergeTree(version)\nORDER BY entity_id",
        f"{kind.en}: newest step of each entity",
    )


FRESHNESS = Table(
    "freshness",
    (
        COMMON[4],
        Column("kind", "LowCardinality(String)", "Kind of event."),
        Column(
            "received_at", f"SimpleAggregateFunction(max, {MOMENT})", "Arrival of the newest event."
        ),
        Column(
            "occurred_at",
            f"SimpleAggregateFunction(max, {MOMENT})",
            "Newest time by the source's own clock.",
        ),
    ),
    "ENGINE = AggregatingMergeTree\nORDER BY (agency, kind)",
    "Newest arrival of each agency, per kind",
)
DEAD_LETTERS = Table(
    "dead_letter_rows",
    (
        Column(
            "topic",
            "LowCardinality(String)",
            "Kafka topic of the record that could not be counted.",
        ),
        *POSITION,
        Column("received_at", MOMENT, "Time at which the record arrived."),
        Column("category", "LowCardinality(String)", "Category of the error, a stable word."),
        Column("reason", "String", "Reason, a sentence to act on."),
        Column("key", "String", "Key of the record."),
        Column(
            "payload",
            "String",
            "The record, unchanged except for the reporter's identity, which is encrypted.",
        ),
        Column("kind", "LowCardinality(String)", "Kind of event of the topic."),
        Column(
            "agency",
            "LowCardinality(String)",
            "Code of the agency in the record, as far as it can be read.",
        ),
        Column("state", "LowCardinality(String)", "open, or resent after it was mended."),
        Column("changed_at", MOMENT, "Time at which the state was set; the newest holds."),
    ),
    "ENGINE = ReplacingMergeTree(changed_at)\nORDER BY (topic, partition, offset)",
    "Records that could not be counted, with the reason",
)
HEARTBEATS_DAYS = 30
"""Days for which heartbeats of the data path are retained."""
HEARTBEATS = Table(
    "heartbeats",
    (
        Column("gateway", "LowCardinality(String)", "Gateway that sent it."),
        POSITION[0],
        Column("sent_at", MOMENT, "Time at which the gateway sent it into Kafka."),
        Column("written_at", MOMENT, "Time at which a worker wrote it to ClickHouse."),
    ),
    "ENGINE = ReplacingMergeTree(written_at)\nORDER BY (sent_at, gateway, partition)\n"
    f"TTL toDateTime(sent_at) + INTERVAL {HEARTBEATS_DAYS} DAY",
    "Proof that the path from gateway to ClickHouse works",
)
PROGRESS = Table(
    "progress",
    (
        Column("kind", "LowCardinality(String)", "Kind of event."),
        Column("partition", "UInt16", "Partition of its topic."),
        Column("worker", "LowCardinality(String)", "Worker that holds it."),
        Column("written", "UInt64", "Offset up to which, excluded, records are written."),
        Column("end", "UInt64", "Offset at which the partition ends in Kafka."),
        Column(
            "received_at",
            f"Nullable({MOMENT})",
            "Arrival of the newest record that this worker wrote.",
        ),
        Column(
            "waits_since",
            f"Nullable({MOMENT})",
            "Time since which the oldest unwritten record is known to wait.",
        ),
        Column(
            "moved_at",
            MOMENT,
            ("Time at which records were last written, or there were none to write."),
        ),
        Column("at", MOMENT, "Time at which the worker checked; the newest holds."),
    ),
    "ENGINE = ReplacingMergeTree(at)\nORDER BY (kind, partition)\nTTL toDateTime(at) + INTERVAL "
    "30 DAY",
    "Progress of each partition, as its worker sees it",
)


def tables() -> tuple[Table, ...]:
    """Return every table."""
    return (
        *(
            table
            for kind in KINDS
            for table in (events_table(kind), windows_table(kind), state_table(kind))
        ),
        FRESHNESS,
        ARRIVALS,
        ARRIVAL_DAYS,
        DEAD_LETTERS,
        REFUSALS,
        HEARTBEATS,
        PROGRESS,
        ALARMS,
        ALARM_STEPS,
        WATCH,
        UNITS,
        SUCCESSORS,
        HEIRS,
    )
