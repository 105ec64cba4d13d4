"""The tables of what is watched over: when sources were heard of, what was refused, what calls for people, and whether any of that
is still being looked at."""

from schemas.clickhouse.columns import MOMENT, Column, Table
from schemas.moments import ZONE

AGENCY = Column(
    "agency",
    "LowCardinality(String)",
    "Code of the agency that it is of; empty where it can not be told.",
)
KIND = Column("kind", "LowCardinality(String)", "Kind of event; empty where it can not be told.")

ALARM_STEPS_DAYS = 400
"""For how many days what was said of alarms is kept."""
ARRIVALS = Table(
    "arrival_minutes",
    (
        Column("minute", f"DateTime('{ZONE}')", "A minute in which events arrived."),
        AGENCY,
        KIND,
        Column("received_at", MOMENT, "Arrival of the newest of them."),
        Column("occurred_at", MOMENT, "Newest time of the source's own clock among them."),
    ),
    "ENGINE = ReplacingMergeTree(received_at)\nORDER BY (minute, agency, kind)",
    "In which minutes each agency was heard of, per kind, in order of time: what the history of a source is derived from",
)
ARRIVAL_DAYS = Table(
    "arrival_days",
    (
        Column("day", "Date", "A day in Viet Nam on which events arrived."),
        AGENCY,
        KIND,
        Column(
            "received_at",
            f"SimpleAggregateFunction(max, {MOMENT})",
            "Arrival of the newest of them.",
        ),
        Column(
            "occurred_at",
            f"SimpleAggregateFunction(max, {MOMENT})",
            "Newest time of the source's own clock among them.",
        ),
    ),
    "ENGINE = AggregatingMergeTree\nORDER BY (day, agency, kind)",
    "The same by days: when each agency was last heard of at a moment of the past, without a look at every minute before",
)
REFUSALS = Table(
    "refusal_rows",
    (
        Column("since", MOMENT, "When the gateway began to count."),
        Column("until", MOMENT, "When it ended counting."),
        Column("gateway", "LowCardinality(String)", "The gateway that refused."),
        Column(
            "source",
            "String",
            "CloudEvents source of what was refused, as far as it could be read.",
        ),
        AGENCY,
        KIND,
        Column("category", "LowCardinality(String)", "What is wrong, as a stable word."),
        Column("count", "UInt64", "Events, or requests of which no event could be had."),
        Column("reason", "String", "What was wrong with one of them; without what the event says."),
        Column("written_at", MOMENT, "When a worker wrote it to ClickHouse."),
    ),
    "ENGINE = ReplacingMergeTree(written_at)\nORDER BY (since, gateway, source, agency, kind, category)\n"
    "TTL toDateTime(until) + INTERVAL 400 DAY",
    "What gateways refused, counted over some seconds; never the event itself",
)
ALARMS = Table(
    "alarm_rows",
    (
        Column(
            "id",
            "String",
            "Rule and what it calls about: the same as long as the alarm lasts, and when it comes again.",
        ),
        Column(
            "began_at", MOMENT, "When the rule's level was first reached; with the id, the key."
        ),
        Column(
            "rule",
            "LowCardinality(String)",
            "Code of the rule, see schemas/reference/data/alarms.csv.",
        ),
        Column(
            "cause",
            "LowCardinality(String)",
            "What is the matter, as a stable word; alarms of one cause are told together.",
        ),
        Column(
            "subject",
            "LowCardinality(String)",
            "The category, kind of feed or reason that it is about.",
        ),
        Column("priority", "UInt8", "1 is the gravest, 3 the least."),
        Column(
            "since", f"Nullable({MOMENT})", "Since when the cause is there, as far as it is known."
        ),
        Column(
            "raised_at",
            f"Nullable({MOMENT})",
            "When it was raised; NULL while the rule's hold time passes.",
        ),
        Column(
            "below_since",
            f"Nullable({MOMENT})",
            "Since when it is below the level that clears it; NULL while it is not.",
        ),
        Column("cleared_at", f"Nullable({MOMENT})", "When it was cleared; NULL while it is open."),
        Column(
            "communes",
            "Array(String)",
            "Codes of the communes that it is about; none for the province as a whole.",
        ),
        Column("agencies", "Array(String)", "Codes of the agencies that it is about."),
        Column("count", "Int64", "How many there are of what it counts."),
        Column("change", "Int64", "How many more than before."),
        Column(
            "value", "Float64", "What is measured against the levels, when it was last looked at."
        ),
        Column("level", "Float64", "The level that it had to reach."),
        Column("lat", "Nullable(Float64)", "Latitude of the middle of a cluster, in degrees."),
        Column("lon", "Nullable(Float64)", "Longitude of the middle of a cluster, in degrees."),
        Column("radius", "Float64", "Distance from there to the outermost, in metres."),
        Column(
            "evaluated_at",
            MOMENT,
            "The moment that it was evaluated for when any of this last changed.",
        ),
        Column(
            "version",
            "UInt64",
            "Orders what is said of an alarm: by evaluation, and what was cleared stays cleared.",
        ),
    ),
    "ENGINE = ReplacingMergeTree(version)\nORDER BY (id, began_at)",
    "What called for people, from when to when",
)
ALARM_STEPS = Table(
    "alarm_steps",
    ALARMS.columns,
    "ENGINE = ReplacingMergeTree\nORDER BY (id, began_at, version)\n"
    f"TTL toDateTime(evaluated_at) + INTERVAL {ALARM_STEPS_DAYS} DAY",
    "All that was ever said of alarms, evaluation by evaluation: what called for people at a moment of the past",
)
WATCH = Table(
    "watch_jobs",
    (
        Column("job", "LowCardinality(String)", "A job of the watch."),
        Column("period_seconds", "Float64", "How often it is done, in seconds."),
        Column("at", MOMENT, "The moment that it was last done for, well; the newest holds."),
        Column("took_ms", "UInt32", "How long that took, in milliseconds."),
        Column("watch", "LowCardinality(String)", "The process that did it."),
    ),
    "ENGINE = ReplacingMergeTree(at)\nORDER BY job",
    "When each job of the watch was last done: alarms are no younger than that",
)


def late_after(period: float, stale_after: float) -> float:
    """Seconds after which a job of the watch counts as not done, from its period and `IOC_STALE_AFTER_SECONDS`."""
    return stale_after + 2 * period
