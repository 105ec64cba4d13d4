"""Declare the tables of units: every unit of all days, and what former communes became."""

from schemas.clickhouse.columns import Column, Table

UNITS = Table(
    "unit_rows",
    (
        Column(
            "code",
            "LowCardinality(String)",
            "Official code; with the level and the day it names one unit.",
        ),
        Column("level", "LowCardinality(String)", "province, district or commune."),
        Column(
            "type",
            "LowCardinality(String)",
            "Type of the unit, such as phường; together with the name its full name.",
        ),
        Column("name", "String", "Name in Vietnamese, without the type."),
        Column(
            "parent",
            "LowCardinality(String)",
            "Code of the parent unit: of a former commune its district; empty for a province.",
        ),
        Column(
            "valid_from",
            "Nullable(Date)",
            "First day on which it is in force; empty if that is not recorded.",
        ),
        Column(
            "valid_to",
            "Nullable(Date)",
            "First day on which it is no longer in force; empty for units of today.",
        ),
        Column(
            "source",
            "LowCardinality(String)",
            "Source of the row; see schemas/places/data/sources.csv.",
        ),
    ),
    "ENGINE = ReplacingMergeTree\nORDER BY (level, code, ifNull(valid_from, toDate(0)))",
    "Provinces, districts and communes of all days",
)
SUCCESSORS = Table(
    "unit_successor_rows",
    (
        Column("former", "LowCardinality(String)", "Code of a commune before 2025-07-01."),
        Column(
            "successor",
            "LowCardinality(String)",
            "Code of a commune of today that it became a part of, wholly or partly.",
        ),
        Column(
            "is_default",
            "Bool",
            "Whether figures are restated to this successor; true for one of each former commune.",
        ),
        Column(
            "reused",
            "Bool",
            "Whether a commune of today uses the former code, which then has two meanings.",
        ),
        Column("valid_to", "Date", "First day on which the former unit was no longer in force."),
    ),
    "ENGINE = ReplacingMergeTree\nORDER BY (former, successor)",
    "Communes of today that each former commune became part of",
)

HEIRS = Table(
    "unit_heirs",
    (
        Column("former", "String", "Code of a commune before 2025-07-01."),
        Column(
            "then",
            "String",
            "Code of the commune of today for events before that day.",
        ),
        Column(
            "later",
            "String",
            (
                "Code of the commune of today for events from that day on: the code itself, if a "
                "commune of today uses it."
            ),
        ),
    ),
    "ENGINE = Join(ANY, LEFT, former)",
    (
        "Commune of today for each code of before 2025-07-01: derived from "
        "`unit_successor_rows`, for look-ups by row"
    ),
)
