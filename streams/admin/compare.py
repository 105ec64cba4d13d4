"""Compare stored windows and states with the raw events, inside ClickHouse.

The invariant: at a partition's checkpoint a window counts exactly the raw events of its minute and
cell up to that offset, and an entity's state is its newest step. Raw rows are written before a
window counts them, and a checkpoint is written in one part with its windows.

`streams.admin.verify` and `streams.admin.rebuild` share these statements.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from clickhouse_driver import Client

from schemas.clickhouse.columns import quoted
from schemas.clickhouse.ordering import version_sql
from schemas.clickhouse.tables import events_table, state_table, windows_table
from schemas.events.kinds import Kind
from streams.admin.period import MinutePeriod, Minutes

MAX_DIFFERENCES = 1000
"""Differences that are listed at most, per comparison and piece; all are counted."""
MAX_ATTEMPTS = 20
"""How often rows that workers change during a comparison are compared again."""


@dataclass
class Comparison:
    """The result of a comparison."""

    stored: int = 0
    """Number of windows, or states, that are stored."""
    lines: dict[str, str] = field(default_factory=dict)
    """Window or entity → one line that says what differs."""
    more: int = 0
    """Number of differences beyond those in `lines`."""
    moving: int = 0
    """Number of rows that workers changed at every attempt, so that they were not compared."""


def checkpoints(client: Client, kind: Kind) -> dict[int, int]:
    """Return, per partition, the offset of the last record that is counted."""
    rows = client.execute(
        f"SELECT partition, max(last_offset) FROM {windows_table(kind).name} "
        "WHERE window_start = toDateTime(0) GROUP BY partition"
    )
    return dict(rows)


def checkpoint_sql(offsets: Mapping[int, int]) -> str:
    """Return an SQL expression for the checkpoint of a row's partition; -1 if it has none."""
    if not offsets:
        return "-1"
    partitions, values = list(offsets), list(offsets.values())
    return f"transform(partition, {partitions}::Array(UInt16), {values}::Array(Int64), -1)"


def window_key(kind: Kind) -> str:
    """Return the columns that identify a window, for a SELECT or GROUP BY."""
    return ", ".join(("window_start", "partition", *kind.dimensions))


def contributions(kind: Kind, scope: MinutePeriod | Minutes, offsets: Mapping[int, int]) -> str:
    """Return a query for what each raw event up to the checkpoints adds to its window.

    Its columns are the window's key and the kind's measures, each 0 or 1.
    """
    measures = ", ".join(
        f"toInt64({measure.condition()}) AS {measure.name}" for measure in kind.measures
    )
    return (
        f"SELECT toDateTime(toStartOfMinute(occurred_at)) AS window_start, partition, "
        f"{', '.join(kind.dimensions)}, {measures} FROM {events_table(kind).name} FINAL "
        f"WHERE {scope.events} AND offset <= {checkpoint_sql(offsets)}"
    )


def recomputed_windows(
    kind: Kind, scope: MinutePeriod | Minutes, offsets: Mapping[int, int]
) -> str:
    """Return a query for the windows that the raw events give, with the windows table's columns."""
    sums = ", ".join(f"sum(one.{measure.name})" for measure in kind.measures)
    return (
        f"SELECT {window_key(kind)}, {sums}, toUInt64({checkpoint_sql(offsets)}) "
        f"FROM ({contributions(kind, scope, offsets)}) AS one GROUP BY {window_key(kind)}"
    )


def compare_windows(client: Client, kind: Kind, period: MinutePeriod) -> Comparison:
    """Compare the stored windows of a period with the raw events, while workers may run.

    A window that a worker wrote after the checkpoints were read cannot be compared with them: it
    is compared again. One that is ahead even of a checkpoint read later is wrong, because a
    checkpoint is written in one part with its windows.
    """
    found = Comparison()
    offsets = checkpoints(client, kind)
    differing, minutes = scan(
        client, kind, period, contributions(kind, period, offsets), offsets, found
    )
    full = len(minutes) == MAX_DIFFERENCES
    for _ in range(MAX_ATTEMPTS):
        if not minutes:
            break
        scope = Minutes(frozenset(minutes))
        offsets = checkpoints(client, kind)
        moved = list_differing(
            client, kind, scope, contributions(kind, scope, offsets), offsets, found
        )
        later = checkpoints(client, kind)
        for window in moved:
            if window.offset > later.get(window.partition, -1):
                found.lines[window.name] = (
                    f"window {window.name}: counted up to offset {window.offset}, "
                    "beyond the checkpoint"
                )
        moving = [window for window in moved if window.name not in found.lines]
        found.moving, minutes = len(moving), {window.minute for window in moving}
        if minutes:
            time.sleep(0.1)
    found.more = max(differing - len(found.lines), 0) if full else 0
    return found


def scan(
    client: Client,
    kind: Kind,
    scope: MinutePeriod,
    truth: str,
    offsets: Mapping[int, int],
    found: Comparison,
) -> tuple[int, set[int]]:
    """Compare the stored windows with `truth` once, without naming each difference.

    Within a minute and partition, windows are matched by a 64-bit hash of their dimensions.

    Args:
        client: A connection to the database.
        kind: The kind whose windows are compared.
        scope: The period to compare.
        truth: A query like `contributions` at `offsets`.
        offsets: The checkpoints at which to compare.
        found: Gets the number of stored windows.

    Returns:
        The number of windows that differ, and the minutes (at most `MAX_DIFFERENCES`) with windows
        that differ or are beyond their checkpoint.
    """
    names = [measure.name for measure in kind.measures]
    cell = f"xxh3({', '.join(kind.dimensions)}) AS cell"
    differs = " OR ".join(("here = 0", "here = count()", *(f"sum({name}) != 0" for name in names)))
    rows = client.execute(
        f"SELECT sum(here), countIf(wrong AND NOT moved), "
        f"groupUniqArrayIf({MAX_DIFFERENCES})(toUnixTimestamp(window_start), wrong OR moved) "
        f"FROM (SELECT window_start, sum(stored) AS here, max(ahead) AS moved, {differs} AS wrong "
        f"FROM (SELECT window_start, partition, {cell}, 1 AS stored, "
        f"last_offset > {checkpoint_sql(offsets)} AS ahead, {', '.join(names)} "
        f"FROM {windows_table(kind).name} FINAL WHERE {scope.windows} UNION ALL "
        f"SELECT window_start, partition, {cell}, 0, 0, "
        f"{', '.join(f'-{name}' for name in names)} FROM ({truth})"
        f") GROUP BY window_start, partition, cell)"
    )
    found.stored, differing, minutes = rows[0]
    return differing, set(minutes)


class AheadWindow(NamedTuple):
    """A stored window whose offset is beyond its partition's checkpoint."""

    name: str
    minute: int
    partition: int
    offset: int


def list_differing(
    client: Client,
    kind: Kind,
    scope: Minutes,
    truth: str,
    offsets: Mapping[int, int],
    found: Comparison,
) -> list[AheadWindow]:
    """Add a line to `found` for each window that differs in some minutes.

    Args:
        client: A connection to the database.
        kind: The kind whose windows are compared.
        scope: The minutes to compare.
        truth: A query like `contributions` at `offsets`.
        offsets: The checkpoints at which to compare.
        found: Gets the lines, at most `MAX_DIFFERENCES`.

    Returns:
        The windows beyond their checkpoint, which are not compared.
    """
    values = f"[{', '.join(measure.name for measure in kind.measures)}]"
    columns = ("window_start", "partition", *kind.dimensions)
    texts = ", ".join(f"toString({column})" for column in columns)
    rows = client.execute(
        f"SELECT arrayStringConcat([{texts}], ' '), toUnixTimestamp(window_start), partition, "
        f"maxIf(last, stored), max(ahead) AS moved, anyIf(v, stored) AS have, "
        f"sumForEachIf(v, NOT stored) AS want FROM (SELECT {window_key(kind)}, true AS stored, "
        f"last_offset > {checkpoint_sql(offsets)} AS ahead, last_offset AS last, {values} AS v "
        f"FROM {windows_table(kind).name} FINAL WHERE {scope.windows} UNION ALL "
        f"SELECT {window_key(kind)}, false, false, 0, {values} FROM ({truth})) "
        f"GROUP BY {window_key(kind)} HAVING moved OR have != want ORDER BY {window_key(kind)}"
    )
    moved = []
    for name, minute, partition, offset, beyond, have, want in rows:
        if beyond:
            moved.append(AheadWindow(name, minute, partition, offset))
        elif len(found.lines) < MAX_DIFFERENCES:
            found.lines[name] = f"window {name}: {_describe_window(kind, have, want)}"
    return moved


def _describe_window(kind: Kind, have: list[int], want: list[int]) -> str:
    def values(counts: list[int]) -> str:
        return ", ".join(
            f"{measure.name} {count}"
            for measure, count in zip(kind.measures, counts, strict=True)
            if count
        )

    if not have:
        return f"counted, not stored ({values(want)})"
    if not want:
        return f"stored, not counted ({values(have)})"
    wrong = [
        (m.name, one, other)
        for m, one, other in zip(kind.measures, have, want, strict=True)
        if one != other
    ]
    return ", ".join(f"{name} is {one}, must be {other}" for name, one, other in wrong)


def entities_in(kind: Kind, period: MinutePeriod) -> str:
    """Return a condition for the entities that have a step in a period.

    It can be used on the events table and on the state table.
    """
    tables = (events_table(kind).name, state_table(kind).name)
    queries = (f"SELECT entity_id FROM {name} WHERE {period.events}" for name in tables)
    return f"entity_id IN ({' UNION ALL '.join(queries)})"


def compare_states(client: Client, kind: Kind, where: str) -> Comparison:
    """Compare the stored states of some entities with their newest raw events, while workers run.

    One insert brings an event and its state, but a reader may see either first. So what differs is
    compared again when every insert that was running is over; it counts as a difference if it is
    unchanged.
    """
    found = Comparison()
    found.stored, seen, found.more = _differing_states(client, kind, where)
    for _ in range(MAX_ATTEMPTS):
        found.moving = 0
        if not seen:
            break
        wait_for_inserts(client)
        _, again, _ = _differing_states(
            client, kind, f"entity_id IN ({', '.join(map(quoted, seen))})"
        )
        found.lines |= {
            name: f"state of {name}: {_describe_state(again[name])}"
            for name in seen.keys() & again
            if seen[name] == again[name]
        }
        seen = {name: value for name, value in again.items() if name not in found.lines}
        found.moving = len(seen)
    return found


State = tuple[int, int, int, int]
"""Version and hash of the stored state, version and hash of the newest raw event.

A version is 0 where there is no such row.
"""


def _differing_states(client: Client, kind: Kind, where: str) -> tuple[int, dict[str, State], int]:
    columns = f"xxh3(tuple({state_table(kind).unversioned}))"
    table, events, version = state_table(kind).name, events_table(kind).name, version_sql(kind)
    rows = client.execute(
        f"SELECT countIf(here), countIf(differs), "
        f"groupArrayIf({MAX_DIFFERENCES})((entity_id, have, want), differs) FROM ("
        f"SELECT entity_id, max(stored) AS here, anyIf((v, h), stored) AS have, "
        f"anyIf((v, h), NOT stored) AS want, have != want AS differs FROM ("
        f"SELECT entity_id, true AS stored, version AS v, {columns} AS h "
        f"FROM {table} FINAL WHERE {where} UNION ALL "
        f"SELECT entity_id, false, max({version}), argMax({columns}, {version}) "
        f"FROM {events} WHERE {where} GROUP BY entity_id) GROUP BY entity_id)"
    )
    stored, differing, listed = rows[0]
    return stored, {name: (*have, *want) for name, have, want in listed}, differing - len(listed)


def _describe_state(state: State) -> str:
    have, _, want, _ = state
    if not have:
        return "newest step, not stored"
    if have == want:
        return "stored, but not what its newest step says"
    return "stored, not the newest step"


def wait_for_inserts(client: Client) -> None:
    """Wait until every insert that is running now is over, so that all of it is visible."""
    running = "SELECT query_id FROM system.processes WHERE query_kind = 'Insert'"
    begun = {query for (query,) in client.execute(running)}
    while begun:
        time.sleep(0.05)
        begun &= {query for (query,) in client.execute(running)}


def find_repeated(
    client: Client, kind: Kind, period: MinutePeriod, found: Comparison
) -> tuple[int, int]:
    """Add a line to `found` for each identity stored more than once, whatever its times.

    Returns:
        The number of events, and the number of those beyond the checkpoints.
    """
    table = events_table(kind).name
    offsets = checkpoints(client, kind)
    rows: list[tuple[int, int, int, list[Any]]] = client.execute(
        f"SELECT sum(n), sum(late), countIf(n > 1), "
        f"groupArrayIf({MAX_DIFFERENCES})((identity, n), n > 1) FROM ("
        f"SELECT identity, count() AS n, countIf(offset > {checkpoint_sql(offsets)}) AS late "
        f"FROM {table} FINAL WHERE {period.events} GROUP BY identity)",
        settings={"max_bytes_before_external_group_by": 1 << 30},
    )
    events, late, times, listed = rows[0]
    for identity, count in listed:
        named = client.execute(
            f"SELECT any(event_id) FROM {table} WHERE {period.events} AND identity = {identity}"
        )
        found.lines[f"event {named[0][0]}"] = f"event counted {count} times: {named[0][0]}"
    found.more += times - len(listed)
    return events, late
