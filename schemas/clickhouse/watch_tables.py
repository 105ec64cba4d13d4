"""Declare the tables of the watch: arrivals of sources, refusals, alarms, and its own last runs.

The last runs of its jobs show whether the watch still works.
"""

from schemas.clickhouse.columns import MOMENT, Column, Table
from schemas.moments import ZONE

AGENCY = Column(
    "agency",
    "LowCardinality(String)",
    "Code of its agency; empty if unknown.",
)
KIND = Column("kind", "LowCardinality(String)", "Kind of event; empty if unknown.")

ALARM_STEPS_DAYS = 400
"""Days for which the states of alarms are retained."""
ARRIVALS = Table(
    "arrival_minutes",
    (
        Column("minute", f"DateTime('{ZONE}')", "A minute in which events arrived."),
        AGENCY,
        KIND,
        Column("received_at", MOMENT, "Arrival of the newest of them."),
        Column("occurred_at", MOMENT, "Newest time among them by the source's own clock."),
    ),
    "ENGINE = ReplacingMergeTree(received_at)\nORDER BY (minute, agency, kind)",
    (
        "Minutes in which each agency sent events, per kind, in order of time: the history of a "
        "source derives from them"
    ),
)
ARRIVAL_DAYS = Table(
    "arrival_days",
    (
        Column("day", "Date", "A day in Việt Nam on which events arrived."),
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
            "Newest time among them by the source's own clock.",
        ),
    ),
    "ENGINE = AggregatingMergeTree\nORDER BY (day, agency, kind)",
    (
        "Days on which each agency sent events, per kind: its newest arrival at a past moment, "
        "without reading every minute"
    ),
)
REFUSALS = Table(
    "refusal_rows",
    (
        Column("since", MOMENT, "Start of the count."),
        Column("until", MOMENT, "End of the count."),
        Column("gateway", "LowCardinality(String)", "Gateway that refused."),
        Column(
            "source",
            "String",
            "CloudEvents source of the refused events, as far as it could be read.",
        ),
        AGENCY,
        KIND,
        Column("category", "LowCardinality(String)", "Category of the error, a stable word."),
        Column("count", "UInt64", "Number of events, or of requests without a readable event."),
        Column("reason", "String", "Reason for one of them, without the event's content."),
        Column("written_at", MOMENT, "Time at which a worker wrote it to ClickHouse."),
    ),
    "ENGINE = ReplacingMergeTree(written_at)\nORDER BY (since, gateway, source, agency, kind, "
    "category)\n"
    "TTL toDateTime(until) + INTERVAL 400 DAY",
    "Events that gateways refused, counted over some seconds; never the event itself",
)
ALARMS = Table(
    "alarm_rows",
    (
        Column(
            "id",
            "String",
            "Rule and subject: the same as long as the alarm lasts, and when it is raised again.",
        ),
        Column(
            "began_at",
            MOMENT,
            "Time at which the rule's level was first reached; with the id, the key.",
        ),
        Column(
            "rule",
            "LowCardinality(String)",
            "Code of the rule, see schemas/reference/data/alarms.csv.",
        ),
        Column(
            "cause",
            "LowCardinality(String)",
            "Cause, a stable word; alarms of one cause are shown together.",
        ),
        Column(
            "subject",
            "LowCardinality(String)",
            "Category, kind of feed or reason that it is about.",
        ),
        Column("priority", "UInt8", "Priority: 1 is the highest, 3 the lowest."),
        Column(
            "since",
            f"Nullable({MOMENT})",
            "Time since which the cause exists, as far as it is known.",
        ),
        Column(
            "raised_at",
            f"Nullable({MOMENT})",
            "Time at which it was raised; NULL during the rule's hold time.",
        ),
        Column(
            "below_since",
            f"Nullable({MOMENT})",
            "Time at which the value fell below the clear level; NULL while it is not below.",
        ),
        Column(
            "cleared_at",
            f"Nullable({MOMENT})",
            ("Time at which it was cleared; NULL while it is open."),
        ),
        Column(
            "communes",
            "Array(String)",
            "Codes of its communes; none for the province as a whole.",
        ),
        Column("agencies", "Array(String)", "Codes of its agencies."),
        Column("count", "Int64", "Number of the entities that it counts."),
        Column("change", "Int64", "Increase of that number."),
        Column("value", "Float64", "Value compared with the levels at the newest evaluation."),
        Column("level", "Float64", "Level at which it is raised."),
        Column("lat", "Nullable(Float64)", "Latitude of the centre of a cluster, in degrees."),
        Column("lon", "Nullable(Float64)", "Longitude of the centre of a cluster, in degrees."),
        Column("radius", "Float64", "Distance from there to the outermost entity, in metres."),
        Column(
            "evaluated_at",
            MOMENT,
            "Moment of the evaluation in which any of this last changed.",
        ),
        Column(
            "version",
            "UInt64",
            "Orders the states of an alarm: by evaluation; a cleared alarm stays cleared.",
        ),
    ),
    "ENGINE = ReplacingMergeTree(version)\nORDER BY (id, began_at)",
    "Alarms with the times at which they were raised and cleared",
)
ALARM_STEPS = Table(
    "alarm_steps",
    ALARMS.columns,
    "ENGINE = ReplacingMergeTree\nORDER BY (id, began_at, version)\n"
    f"TTL toDateTime(evaluated_at) + INTERVAL {ALARM_STEPS_DAYS} DAY",
    "Every state of each alarm, by evaluation: the alarms of a past moment",
)
WATCH = Table(
    "watch_jobs",
    (
        Column("job", "LowCardinality(String)", "A job of the watch."),
        Column("period_seconds", "Float64", "Interval of the job, in seconds."),
        Column("at", MOMENT, "Moment of its last successful run; the newest holds."),
        Column("took_ms", "UInt32", "Duration of that run, in milliseconds."),
        Column("watch", "LowCardinality(String)", "Process that ran it."),
    ),
    "ENGINE = ReplacingMergeTree(at)\nORDER BY job",
    "Last run of each job of the watch: alarms are no newer than that",
)


def late_after(period: float, stale_after: float) -> float:
    """Return the seconds after which a job of the watch counts as overdue.

    Args:
        period: The interval of the job.
        stale_after: `IOC_STALE_AFTER_SECONDS`.
    """
    return stale_after + 2 * period
