"""Read views for outsiders, and materialized views that fill tables, derived from the kinds."""

from functools import cache

from schemas.clickhouse.columns import Table
from schemas.clickhouse.ordering import version_sql
from schemas.clickhouse.tables import (
    COMMON,
    DEAD_LETTERS,
    FRESHNESS,
    events_table,
    fields,
    state_table,
)
from schemas.clickhouse.unit_tables import SUCCESSORS, UNITS
from schemas.clickhouse.watch_tables import (
    ALARM_STEPS,
    ALARMS,
    ARRIVAL_DAYS,
    ARRIVALS,
    REFUSALS,
)
from schemas.events.envelope import CLOCK_TOLERANCE
from schemas.events.kinds import KINDS, Kind

WINDOW_SECONDS = 60
AHEAD = (
    f"if(occurred_at > received_at + toIntervalSecond({CLOCK_TOLERANCE.total_seconds():.0f}), "
    "dateDiff('second', received_at, occurred_at), 0) AS ahead_seconds"
)
"""Column of the views: seconds by which the source's clock is ahead, 0 within the tolerance."""
MASKED = (
    "replaceRegexpAll(replaceRegexpAll(payload, "
    r"""'("reporter\\\\*"\\s*:\\s*\\\\*")(?:[^"\\\\]|\\\\.)+', '\\1***'), """
    r"""'sealed:1:[A-Za-z0-9_-]+', '***') AS payload"""
)
"""Payload in the view of dead letters, without even the encrypted identity of a reporter.

The table has it, for whoever corrects a record.
"""


def materialized_views() -> dict[str, tuple[str, str]]:
    """Return {name: (table it fills, its query)}."""
    views = {}
    for kind in KINDS:
        source, target = events_table(kind), state_table(kind)
        views[f"fill_{target.name}"] = (
            target.name,
            f"SELECT {target.unversioned}, {version_sql(kind)} AS version FROM {source.name}",
        )
        views[f"fill_{ARRIVALS.name}_{kind.name}"] = (
            ARRIVALS.name,
            f"SELECT toStartOfMinute(s.received_at) AS minute, agency, '{kind.name}' AS kind, "
            "max(s.received_at) AS received_at, "
            f"max(s.occurred_at) AS occurred_at FROM {source.name} AS s GROUP BY agency, minute",
        )
    # It reads the few rows of arrivals, not the events again: it runs with every batch.
    views["fill_freshness"] = (
        FRESHNESS.name,
        "SELECT agency, kind, max(s.received_at) AS received_at, max(s.occurred_at) AS occurred_at "
        f"FROM {ARRIVALS.name} AS s GROUP BY agency, kind",
    )
    views["fill_arrival_days"] = (
        ARRIVAL_DAYS.name,
        "SELECT toDate(s.minute) AS day, agency, kind, max(s.received_at) AS received_at, "
        "max(s.occurred_at) AS occurred_at "
        f"FROM {ARRIVALS.name} AS s GROUP BY day, agency, kind",
    )
    views["fill_alarm_steps"] = (
        ALARM_STEPS.name,
        f"SELECT {ALARM_STEPS.names} FROM {ALARMS.name}",
    )
    return views


def views(prefix: str) -> dict[str, str]:
    """Return {name: query} of the read views that outsiders rely on.

    Args:
        prefix: The prefix of the Kafka topics.
    """
    return {
        "events": "\nUNION ALL\n".join(_events_select(kind, prefix) for kind in KINDS),
        **{kind.plural: _state_select(kind) for kind in KINDS},
        "windows": "\nUNION ALL\n".join(_windows_select(kind) for kind in KINDS),
        "source_freshness": "SELECT agency, kind, max(f.received_at) AS received_at, "
        "max(f.occurred_at) AS occurred_at "
        "FROM freshness AS f GROUP BY agency, kind",
        "dead_letters": f"SELECT {DEAD_LETTERS.names.replace('payload', MASKED)} "
        "FROM dead_letter_rows FINAL",
        "refusals": f"SELECT {REFUSALS.names} FROM {REFUSALS.name} FINAL",
        "alarms": alarms_select(f"{ALARMS.name} FINAL"),
        "units": f"SELECT {UNITS.names} FROM {UNITS.name} FINAL",
        "unit_successors": f"SELECT {SUCCESSORS.names} FROM {SUCCESSORS.name} FINAL",
    }


def alarms_select(source: str) -> str:
    """Return the query of the view `alarms`, of the rows of ALARMS in `source`.

    It leaves out alarms that were not raised, or that were cleared in the same moment.
    """
    return (
        f"SELECT {_names(ALARMS, but=('began_at', 'below_since', 'version'))} FROM {source} "
        "WHERE raised_at IS NOT NULL AND (cleared_at IS NULL OR cleared_at > raised_at)"
    )


def _names(table: Table, but: tuple[str, ...] = ()) -> str:
    return ", ".join(column.name for column in table.columns if column.name not in but)


def _events_select(kind: Kind, prefix: str) -> str:
    common = ", ".join(column.name for column in COMMON)
    own = {column.name for column in fields(kind)}
    rest = ", ".join(_wide(name, kinds, name in own) for name, kinds in _wide_fields().items())
    return (
        f"SELECT '{kind.name}' AS kind, '{kind.topic(prefix)}' AS topic, {common}, partition, "
        f"offset, {AHEAD}, {rest} "
        f"FROM events_{kind.name} FINAL"
    )


@cache
def _wide_fields() -> dict[str, set[str]]:
    """Return {field name: its types} over all kinds, the columns of the `events` view."""
    found: dict[str, set[str]] = {}
    for kind in KINDS:
        for column in fields(kind):
            found.setdefault(column.name, set()).add(column.type)
    return found


def _wide(name: str, column_types: set[str], own: bool) -> str:
    """Return a field as a column of the view of all kinds.

    It is NULL for a kind without the field, and a text if its type differs between kinds.
    """
    if len(column_types) > 1:
        return f"{f'toString({name})' if own else 'NULL'}::Nullable(String) AS {name}"
    (column_type,) = column_types
    if column_type.startswith("Array"):
        return name if own else f"[]::{column_type} AS {name}"
    bare = (
        column_type.removeprefix("LowCardinality(").removeprefix("Nullable(").rstrip(")")
        if "(String" in column_type
        else column_type
    )
    nullable = bare if bare.startswith("Nullable") else f"Nullable({bare})"
    return f"{name if own else 'NULL'}::{nullable} AS {name}"


def _state_select(kind: Kind) -> str:
    return f"SELECT {state_table(kind).unversioned}, {AHEAD} FROM state_{kind.name} FINAL"


def _windows_select(kind: Kind) -> str:
    dimensions = ", ".join(f"'{name}', toString({name})" for name in kind.dimensions)
    measures = ", ".join(f"'{measure.name}', {measure.name}" for measure in kind.measures)
    return (
        f"SELECT window_start, {WINDOW_SECONDS} AS window_seconds, '{kind.name}' AS kind, agency, "
        "commune, "
        f"map({dimensions}) AS dimensions, map({measures}) AS measures "
        f"FROM windows_{kind.name} FINAL WHERE window_start > toDateTime(0)"
    )
