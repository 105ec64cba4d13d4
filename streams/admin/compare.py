"""What is stored against what the raw events give, inside ClickHouse: the statements that verify and rebuild share.

The truth: at a partition's checkpoint a window counts exactly the raw events of its minute and cell up to that offset, and an
entity's state is its newest step. Raw rows are kept before a window counts them, and a checkpoint is kept with its windows.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from clickhouse_driver import Client

from schemas.clickhouse.ordering import version_sql
from schemas.clickhouse.tables import events_table, state_table, windows_table
from schemas.events.kinds import Kind
from streams.admin.period import MinutePeriod, Minutes

MAX_DIFFERENCES = 1000
"""Differences of one sort and one piece that are told one by one; all are counted."""
MAX_ATTEMPTS = 20
"""How often what moves is looked at again."""


@dataclass
class Comparison:
    """What a comparison came to."""

    stored: int = 0
    """Windows, or states, that are stored."""
    lines: dict[str, str] = field(default_factory=dict)
    """Window or entity → what differs, in a line."""
    more: int = 0
    """Differences beyond those lines."""
    moving: int = 0
    """What workers wrote anew at every look, so that it could not be compared."""


def checkpoints(client: Client, kind: Kind) -> dict[int, int]:
    """Partition → offset up to which it is counted."""
    rows = client.execute(
        f"SELECT partition, max(last_offset) FROM {windows_table(kind).name} WHERE window_start = toDateTime(0) GROUP BY partition"
    )
    return dict(rows)


def checkpoint_sql(offsets: Mapping[int, int]) -> str:
    """The checkpoint of a row's partition as an expression; -1 where there is none."""
    if not offsets:
        return "-1"
    return f"transform(partition, {list(offsets)}::Array(UInt16), {list(offsets.values())}::Array(Int64), -1)"


def window_key(kind: Kind) -> str:
    """The columns that name a window."""
    return ", ".join(("window_start", "partition", *kind.dimensions))


def contributions(kind: Kind, scope: MinutePeriod | Minutes, offsets: Mapping[int, int]) -> str:
    """What each raw event up to the checkpoints adds to which window: a query with a window's key and its measures, 0 or 1."""
    measures = ", ".join(
        f"toInt64({measure.condition()}) AS {measure.name}" for measure in kind.measures
    )
    return (
        f"SELECT toDateTime(toStartOfMinute(occurred_at)) AS window_start, partition, {', '.join(kind.dimensions)}, {measures} "
        f"FROM {events_table(kind).name} FINAL WHERE {scope.events} AND offset <= {checkpoint_sql(offsets)}"
    )


def recomputed_windows(
    kind: Kind, scope: MinutePeriod | Minutes, offsets: Mapping[int, int]
) -> str:
    """The windows of a time as the raw events give them: a query with the columns of the windows table."""
    sums = ", ".join(f"sum(one.{measure.name})" for measure in kind.measures)
    return (
        f"SELECT {window_key(kind)}, {sums}, toUInt64({checkpoint_sql(offsets)}) FROM ({contributions(kind, scope, offsets)}) AS one "
        f"GROUP BY {window_key(kind)}"
    )


def compare_windows(client: Client, kind: Kind, period: MinutePeriod) -> Comparison:
    """The stored windows of a period against the raw events, while workers may run.

    A window that a worker wrote after the checkpoints were read cannot be compared with them: it is looked at again. One that
    is ahead even of a checkpoint read later is wrong, as a checkpoint is kept with its windows.
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
                    f"window {window.name}: holds up to offset {window.offset}, beyond the checkpoint"
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
    """Compare once, quickly, with `truth` (a query like `contributions` at `offsets`).

    Returns how many windows differ, and the minutes, `MAX_DIFFERENCES` at most, with windows that differ or are beyond their
    checkpoint. A window's dimensions are told apart within its minute and partition by 64 bits.
    """
    names = [measure.name for measure in kind.measures]
    cell = f"xxh3({', '.join(kind.dimensions)}) AS cell"
    differs = " OR ".join(("here = 0", "here = count()", *(f"sum({name}) != 0" for name in names)))
    rows = client.execute(
        f"SELECT sum(here), countIf(wrong AND NOT moved), "
        f"groupUniqArrayIf({MAX_DIFFERENCES})(toUnixTimestamp(window_start), wrong OR moved) "
        f"FROM (SELECT window_start, sum(stored) AS here, max(ahead) AS moved, {differs} AS wrong FROM ("
        f"SELECT window_start, partition, {cell}, 1 AS stored, last_offset > {checkpoint_sql(offsets)} AS ahead, {', '.join(names)} "
        f"FROM {windows_table(kind).name} FINAL WHERE {scope.windows} UNION ALL "
        f"SELECT window_start, partition, {cell}, 0, 0, {', '.join(f'-{name}' for name in names)} FROM ({truth})"
        f") GROUP BY window_start, partition, cell)"
    )
    found.stored, differing, minutes = rows[0]
    return differing, set(minutes)


class AheadWindow(NamedTuple):
    """A stored window that says to hold up to an offset beyond its partition's checkpoint."""

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
    """Name what differs in some minutes, in `found`; returns the windows beyond their checkpoint, which are not compared."""
    values = f"[{', '.join(measure.name for measure in kind.measures)}]"
    name = f"arrayStringConcat([{', '.join(f'toString({key})' for key in ('window_start', 'partition', *kind.dimensions))}], ' ')"
    rows = client.execute(
        f"SELECT {name}, toUnixTimestamp(window_start), partition, maxIf(last, stored), max(ahead) AS moved, "
        f"anyIf(v, stored) AS have, sumForEachIf(v, NOT stored) AS want FROM ("
        f"SELECT {window_key(kind)}, true AS stored, last_offset > {checkpoint_sql(offsets)} AS ahead, last_offset AS last, {values} AS v "
        f"FROM {windows_table(kind).name} FINAL WHERE {scope.windows} UNION ALL "
        f"SELECT {window_key(kind)}, false, false, 0, {values} FROM ({truth})) "
        f"GROUP BY {window_key(kind)} HAVING moved OR have != want ORDER BY {window_key(kind)}"
    )
    moved = []
    for name, minute, partition, offset, beyond, have, want in rows:
        if beyond:
            moved.append(AheadWindow(name, minute, partition, offset))
        elif len(found.lines) < MAX_DIFFERENCES:
            found.lines[name] = f"window {name}: {_said(kind, have, want)}"
    return moved


def _said(kind: Kind, have: list[int], want: list[int]) -> str:
    if not have:
        return f"counted, not stored ({', '.join(f'{m.name} {n}' for m, n in zip(kind.measures, want, strict=True) if n)})"
    if not want:
        return f"stored, not counted ({', '.join(f'{m.name} {n}' for m, n in zip(kind.measures, have, strict=True) if n)})"
    wrong = [
        (m.name, one, other)
        for m, one, other in zip(kind.measures, have, want, strict=True)
        if one != other
    ]
    return ", ".join(f"{name} is {one}, must be {other}" for name, one, other in wrong)


def entities_in(kind: Kind, period: MinutePeriod) -> str:
    """The entities with a step in a period, by the raw events or by the states: a condition on either table."""
    tables = (events_table(kind).name, state_table(kind).name)
    return f"entity_id IN ({' UNION ALL '.join(f'SELECT entity_id FROM {name} WHERE {period.events}' for name in tables)})"


def compare_states(client: Client, kind: Kind, where: str) -> Comparison:
    """The stored states of some entities against the newest of their raw events, while workers may run.

    One insert brings an event and its state, but a reader may see either first: what differs is looked at again when every
    insert of that moment is over, and differs if it stayed as it was.
    """
    found = Comparison()
    found.stored, seen, found.more = _look_at_states(client, kind, where)
    for _ in range(MAX_ATTEMPTS):
        found.moving = 0
        if not seen:
            break
        wait_for_inserts(client)
        _, again, _ = _look_at_states(client, kind, f"entity_id IN ({', '.join(map(quote, seen))})")
        found.lines |= {
            name: f"state of {name}: {_told(again[name])}"
            for name in seen.keys() & again
            if seen[name] == again[name]
        }
        seen = {name: value for name, value in again.items() if name not in found.lines}
        found.moving = len(seen)
    return found


State = tuple[int, int, int, int]
"""Version and hash of what is stored, version and hash of the newest raw event; versions are 0 where there is none."""


def _look_at_states(client: Client, kind: Kind, where: str) -> tuple[int, dict[str, State], int]:
    columns = f"xxh3(tuple({', '.join(column.name for column in state_table(kind).columns[:-1])}))"
    table, events, version = state_table(kind).name, events_table(kind).name, version_sql(kind)
    rows = client.execute(
        f"SELECT countIf(here), countIf(differs), groupArrayIf({MAX_DIFFERENCES})((entity_id, have, want), differs) FROM ("
        f"SELECT entity_id, max(stored) AS here, anyIf((v, h), stored) AS have, anyIf((v, h), NOT stored) AS want, "
        f"have != want AS differs FROM ("
        f"SELECT entity_id, true AS stored, version AS v, {columns} AS h FROM {table} FINAL WHERE {where} UNION ALL "
        f"SELECT entity_id, false, max({version}), argMax({columns}, {version}) FROM {events} WHERE {where} GROUP BY entity_id"
        f") GROUP BY entity_id)"
    )
    stored, differing, listed = rows[0]
    return stored, {name: (*have, *want) for name, have, want in listed}, differing - len(listed)


def _told(state: State) -> str:
    have, _, want, _ = state
    if not have:
        return "newest step, not stored"
    if have == want:
        return "stored, but not what its newest step says"
    return "stored, not the newest step"


def wait_for_inserts(client: Client) -> None:
    """Wait until every insert that runs now is over, so that all it brings is seen or none."""
    running = "SELECT query_id FROM system.processes WHERE query_kind = 'Insert'"
    begun = {query for (query,) in client.execute(running)}
    while begun:
        time.sleep(0.05)
        begun &= {query for (query,) in client.execute(running)}


def quote(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def find_repeated(
    client: Client, kind: Kind, period: MinutePeriod, found: Comparison
) -> tuple[int, int]:
    """Look for identities that are kept more than once, at whatever times; returns (events, those beyond the checkpoints)."""
    table = events_table(kind).name
    offsets = checkpoints(client, kind)
    rows: list[tuple[int, int, int, list[Any]]] = client.execute(
        f"SELECT sum(n), sum(late), countIf(n > 1), groupArrayIf({MAX_DIFFERENCES})((identity, n), n > 1) FROM ("
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
