"""Recompute every window and every entity's state from the raw events, inside ClickHouse, and compare.

Safe while workers run: raw rows are written before the windows that count them, so a difference of a moving stream is looked at
again, and only one that stays is a difference.
"""

import time
from dataclasses import dataclass, field

from clickhouse_driver import Client

from schemas.kinds import KINDS, Kind
from schemas.settings import Settings
from schemas.tables import VERSION, events_table, state_table, windows_table

MOST = 1000
"""Differences of one sort that are looked at."""


@dataclass
class Report:
    """What was compared for a kind, and what differs: one line each."""

    kind: Kind
    events: int = 0
    pending: int = 0
    """Events kept, whose windows a worker has yet to write (it was stopped between the two, or is writing now)."""
    windows: int = 0
    entities: int = 0
    differences: list[str] = field(default_factory=list)


def verify(settings: Settings, attempts: int = 10) -> list[Report]:
    """Compare all kinds. Raises clickhouse-driver's errors."""
    client = Client.from_url(settings.clickhouse_url)
    try:
        return [_settled(client, kind, attempts) for kind in KINDS]
    finally:
        client.disconnect()


def _settled(client: Client, kind: Kind, attempts: int) -> Report:
    """Compare until nothing differs, or until what differs has stayed: two comparisons of a stream that moves differ in passing."""
    before: set[str] | None = None
    for _ in range(attempts):
        offsets = _offsets(client, kind)
        report = _compare(client, kind)
        still = offsets == _offsets(client, kind)
        found = set(report.differences)
        report.differences = [line for line in report.differences if before is None or line in before]
        if not found or (before is not None and (still or not report.differences)):
            break
        before = found
        time.sleep(0.2)
    return report


def _offsets(client: Client, kind: Kind) -> list[tuple[int, int]]:
    rows = client.execute(
        f"SELECT partition, max(last_offset) FROM {windows_table(kind).name} GROUP BY partition ORDER BY partition"
    )
    return list(rows)


def _compare(client: Client, kind: Kind) -> Report:
    events, windows, state = events_table(kind).name, windows_table(kind).name, state_table(kind).name
    names = ", ".join(["window_start", "partition", *kind.dimensions, *(measure.name for measure in kind.measures)])
    measures = ", ".join(f"toInt64({measure.sql()}) AS {measure.name}" for measure in kind.measures)
    keys = ", ".join(["window_start", "partition", *kind.dimensions])
    counted = (
        f"WITH checkpoints AS (SELECT partition AS p, max(last_offset) AS upto FROM {windows} GROUP BY p) "
        f"SELECT toDateTime(toStartOfMinute(occurred_at)) AS window_start, partition, {', '.join(kind.dimensions)}, {measures} "
        f"FROM {events} FINAL INNER JOIN checkpoints ON partition = p WHERE offset <= upto GROUP BY {keys}"
    )
    stored = f"SELECT {names} FROM {windows} FINAL WHERE window_start > toDateTime(0)"
    report = Report(kind)
    report.events = client.execute(f"SELECT count() FROM {events} FINAL")[0][0]
    report.windows = client.execute(f"SELECT count() FROM ({stored})")[0][0]
    report.entities = client.execute(f"SELECT count() FROM {state} FINAL")[0][0]
    report.pending = client.execute(
        f"WITH checkpoints AS (SELECT partition AS p, max(last_offset) AS upto, count() AS n FROM {windows} GROUP BY p) "
        f"SELECT countIf(n = 0 OR offset > upto) FROM {events} FINAL LEFT JOIN checkpoints ON partition = p"
    )[0][0]
    for label, one, other in (("stored, not counted", stored, counted), ("counted, not stored", counted, stored)):
        rows = client.execute(f"SELECT * FROM (({one}) EXCEPT ({other})) ORDER BY ALL LIMIT {MOST}")
        report.differences += [f"window {label}: {' '.join(map(str, row))}" for row in rows]
    twice = client.execute(
        f"SELECT any(event_id), count() FROM {events} FINAL GROUP BY toStartOfMinute(occurred_at), identity "
        f"HAVING count() > 1 ORDER BY ALL LIMIT {MOST}"
    )
    report.differences += [f"event counted {times} times: {event_id}" for event_id, times in twice]
    columns = ", ".join(column.name for column in state_table(kind).columns[:-1])
    newest = f"SELECT {columns}, {VERSION} AS version FROM {events} ORDER BY version DESC LIMIT 1 BY entity_id"
    kept = f"SELECT {columns}, version FROM {state} FINAL"
    for label, one, other in (("stored, not the newest step", kept, newest), ("newest step, not stored", newest, kept)):
        rows = client.execute(f"SELECT DISTINCT entity_id FROM (({one}) EXCEPT ({other})) ORDER BY ALL LIMIT {MOST}")
        report.differences += [f"state {label}: {entity_id}" for (entity_id,) in rows]
    return report
