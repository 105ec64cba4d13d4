"""The stored lives of entities against what the raw events give, and their mending: what verify and rebuild do about lives."""

import time

from clickhouse_driver import Client

from schemas.clickhouse.derivation import derive
from schemas.clickhouse.lives import BY_KIND, FAR, Life, current_table, life_table
from schemas.clickhouse.tables import events_table
from schemas.events.kinds import Kind
from streams.admin.compare import MAX_ATTEMPTS, MAX_DIFFERENCES, Comparison, checkpoint_sql, quote
from streams.lives import INSERT_SETTINGS, LivesProgress, read_progress

EVENTS_PER_PIECE = 300_000
"""Events whose lives are computed at a time, about."""


def compare_lives(client: Client, kind: Kind, calendar: int, where: str) -> tuple[Comparison, int]:
    """Compare the lives of some entities, while they are being computed; also how many events are not in the lives yet.

    An entity differs if it does by the same events at two looks in a row. Without lives there is nothing to compare.
    """
    found, life = Comparison(), BY_KIND[kind]
    mark = read_progress(client, life, calendar)
    ((events, beyond),) = client.execute(
        f"SELECT count(), countIf(offset > {checkpoint_sql(mark.offsets)}) FROM {events_table(kind).name} WHERE {where}"
    )
    if not mark.offsets:
        return found, events
    pieces = max(1, events // EVENTS_PER_PIECE)
    seen: dict[str, int] = {}
    for piece in range(pieces):
        part = f"({where}) AND cityHash64(entity_id) % {pieces} = {piece}"
        stored, differing, more = _look(client, life, calendar, mark, part)
        found.stored += stored
        found.more += more
        seen |= differing
    for _ in range(MAX_ATTEMPTS):
        if not seen:
            break
        time.sleep(0.2)
        names = ", ".join(map(quote, seen))
        _, again, _ = _look(
            client, life, calendar, read_progress(client, life, calendar), f"entity_id IN ({names})"
        )
        same = {name for name, steps in seen.items() if again.get(name) == steps}
        found.lines |= {
            f"life {name}": f"life of {name}: not what its {again[name]} events give"
            for name in same
        }
        seen = {name: steps for name, steps in again.items() if name not in same}
    found.moving = len(seen)
    return found, beyond


def has_lives(client: Client, kind: Kind, calendar: int) -> bool:
    """Whether lives of a kind were computed by the rules of now."""
    return kind in BY_KIND and bool(read_progress(client, BY_KIND[kind], calendar).offsets)


def repair_lives(client: Client, kind: Kind, calendar: int, where: str) -> int:
    """Compute the lives of some entities anew, and take away those of which no raw event tells; returns how many rows."""
    life = BY_KIND[kind]
    mark = read_progress(client, life, calendar)
    events = f"SELECT entity_id, count() AS steps FROM {events_table(kind).name} FINAL WHERE {where} GROUP BY entity_id"
    ghosts = {
        life_table(
            kind
        ).name: f"(entity_id, step) NOT IN (SELECT entity_id, arrayJoin(range(1, steps + 1)) FROM ({events}))",
        current_table(kind).name: f"entity_id NOT IN (SELECT entity_id FROM ({events}))",
    }
    for table, condition in ghosts.items():
        # A deletion goes over the whole table: only where there is something to take away.
        if client.execute(f"SELECT 1 FROM {table} WHERE ({where}) AND {condition} LIMIT 1"):
            client.execute(
                f"ALTER TABLE {table} DELETE WHERE ({where}) AND {condition}",
                settings={"mutations_sync": 1},
            )
    query = derive(life, calendar, f"{events_table(kind).name} WHERE {where}", mark.epoch)
    # Of two rows by as many events the one that was written last holds.
    client.execute(
        f"INSERT_SETTINGS INTO {life_table(kind).name} ({life.names}) {query}",
        settings=INSERT_SETTINGS,
    )
    ((rows,),) = client.execute(f"SELECT count() FROM {life_table(kind).name} FINAL WHERE {where}")
    return int(rows)


def _look(
    client: Client, life: Life, calendar: int, mark: LivesProgress, where: str
) -> tuple[int, dict[str, int], int]:
    """How many entities have stored lives; those that differ, with the number of their events; differences beyond those.

    Entities with events that are not in the lives yet are left out: they are about to be computed.
    """
    kind = life.kind
    # As the types that they are stored in, lest equal values have other hashes.
    typed = ", ".join(f"CAST({column.name} AS {column.type})" for column in life.columns[:-1])
    fresh = f"SELECT entity_id FROM {events_table(kind).name} WHERE offset > {checkpoint_sql(mark.offsets)} AND {where}"
    settled = f"{where} AND entity_id NOT IN ({fresh})"
    hashed = f"xxh3(tuple({typed}))"
    truth = derive(life, calendar, f"{events_table(kind).name} WHERE {settled}", mark.epoch)
    rows = client.execute(
        f"SELECT countIf(here), countIf(differs), groupArrayIf({MAX_DIFFERENCES})((entity_id, events), differs) FROM ("
        f"SELECT entity_id, max(which = 0) AS here, max(which = 1) AS told, countIf(which = 1) AS events, "
        f"sumIf(hash, which = 0) != sumIf(hash, which = 1) OR countIf(which = 0) != events "
        f"OR sumIf(hash, which = 2) != sumIf(hash, which = 1 AND last) AS differs FROM ("
        f"SELECT entity_id, 0 AS which, false AS last, {hashed} AS hash FROM {life_table(kind).name} FINAL WHERE {settled} "
        f"UNION ALL "
        f"SELECT entity_id, 2, false, {hashed} FROM {current_table(kind).name} FINAL WHERE {settled} UNION ALL "
        f"SELECT entity_id, 1, until = {FAR}, {hashed} FROM ({truth})"
        f") GROUP BY entity_id)",
        settings={"max_bytes_before_external_sort": 1 << 30},
    )
    stored, differing, listed = rows[0]
    return stored, dict(listed), differing - len(listed)
