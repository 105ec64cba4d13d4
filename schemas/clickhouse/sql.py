"""Define SQL that several packages use: moments, last arrivals, refusals, reports of indicators.

Queries are texts with named parameters: moments in whole milliseconds since 1970.
"""

from datetime import datetime
from urllib.parse import urlsplit

from schemas.clickhouse.query import Query
from schemas.clickhouse.tables import DEAD_LETTERS, FRESHNESS, events_table, state_table
from schemas.clickhouse.watch_tables import ARRIVALS, REFUSALS
from schemas.events.envelope import CLOCK_TOLERANCE
from schemas.events.kinds import INDICATOR, KINDS, Kind
from schemas.moments import ZONE, milliseconds


def moment(name: str) -> str:
    """Return the SQL of a query parameter that is given in milliseconds."""
    return f"fromUnixTimestamp64Milli(%({name})s, '{ZONE}')"


def at(moment: datetime) -> str:
    """Return a moment as SQL."""
    return f"fromUnixTimestamp64Milli({milliseconds(moment)}, '{ZONE}')"


def database(url: str) -> str:
    """Return the database of a ClickHouse address."""
    return urlsplit(url).path.strip("/")


def codes(*values: int | str) -> str:
    """Return codes as the content of an SQL list."""
    return ", ".join(
        repr(str(code)) if isinstance(code, str) else str(int(code)) for code in values
    )


HEARD = Query(
    "SELECT agency, kind, max(f.received_at) AS received_at, max(f.occurred_at) AS occurred_at "
    f"FROM {FRESHNESS.ref} AS f GROUP BY agency, kind ORDER BY kind, agency",
    (FRESHNESS,),
)
"""Newest arrival of each agency, per kind."""


def _lead(kind: Kind) -> str:
    return (
        f"SELECT agency, '{kind.name}' AS kind, received_at, "
        "dateDiff('second', received_at, occurred_at) AS lead "
        f"FROM {events_table(kind).ref} "
        f"WHERE toStartOfMinute(occurred_at) >= {moment('hour_ago')} AND received_at >= "
        f"{moment('hour_ago')} "
        f"AND received_at <= {moment('now')} AND lead > {CLOCK_TOLERANCE.total_seconds():.0f}"
    )


AHEAD = Query(
    "SELECT agency, kind, argMax(lead, e.received_at) AS seconds, min(e.received_at) AS since "
    f"FROM ({' UNION ALL '.join(map(_lead, KINDS))}) AS e GROUP BY agency, kind",
    tuple(map(events_table, KINDS)),
)
"""Agencies whose events since `hour_ago` are ahead of their arrival: agency, kind, seconds, since.

The time of such an event is after `hour_ago`, too, so the tables are read only from there on.
"""
FIRST = (
    f"SELECT minOrNull(received_at) FROM (SELECT received_at FROM {ARRIVALS.name} ORDER BY minute "
    "LIMIT 1)"
)
"""Arrival of the first event, to the minute."""
REFUSED = (
    f"SELECT agency, kind, until AS refused_at FROM {REFUSALS.ref} "
    f"WHERE agency != '' AND until > {moment('start')} AND until <= {moment('end')} "
    f"UNION ALL SELECT agency, kind, received_at FROM {DEAD_LETTERS.ref} "
    f"WHERE agency != '' AND received_at > {moment('start')} AND received_at <= {moment('end')}"
)
"""Part of a template that selects refusals by gateways and workers: agency, kind, refused_at.

It covers the time after `start` up to and including `end`, and only refusals whose agency is known.
"""
REFUSED_TABLES = (REFUSALS, DEAD_LETTERS)
"""Tables that a `Query` with `REFUSED` must declare."""
REFUSED_LAST = Query(
    f"SELECT agency, kind, max(refused_at) AS refused_at FROM ({REFUSED}) GROUP BY agency, kind",
    REFUSED_TABLES,
)

REPORT_DAYS = 3 * 366
"""Days for which reports of indicators are read; a yearly report repeats the last five years."""
REPORTS = Query(
    "SELECT indicator, unit, period, value, measure_unit, agency, reported_at "
    f"FROM {state_table(INDICATOR).final} "
    f"WHERE {{entities}} AND reported_at > {moment('since')} AND reported_at <= {moment('now')}",
    (state_table(INDICATOR),),
    entities="unit IN %(units)s",
)
"""Newest report of each indicator, unit and period since `since`, of some units, in any order."""
