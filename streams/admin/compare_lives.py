"""Compare the stored lives of entities with what the raw events give, and repair them."""

import time

from clickhouse_driver import Client

from schemas.clickhouse.columns import quoted
from schemas.clickhouse.derivation import derive
from schemas.clickhouse.lives import BY_KIND, FAR, Life, current_table, life_table
from schemas.clickhouse.tables import events_table
from schemas.events.kinds import Kind
from streams.admin.compare import MAX_ATTEMPTS, MAX_DIFFERENCES, Comparison, checkpoint_sql
from streams.lives import INSERT_SETTINGS, LivesProgress, read_progress

EVENTS_PER_PIECE = 300_000
"""About how many events' lives are computed at a time."""


def compare_lives(client: Client, kind: Kind, calendar: int, where: str) -> tuple[Comparison, int]:
    """Compare the lives of some entities with the raw events, while lives are being computed.

    An entity differs if it does so twice in a row with the same events. Without lives there is
    nothing to compare.

    Args:
        client: A connection to the database.
        kind: The kind whose lives are compared.
        calendar: The number of the working calendar.
        where: A condition that chooses the entities.

    Returns:
        The comparison, and the number of events that are not in the lives yet.
    """
    found, life = Comparison(), BY_KIND[kind]
    progress = read_progress(client, life, calendar)
    ((events, beyond),) = client.execute(
        f"SELECT count(), countIf(offset > {checkpoint_sql(progress.offsets)}) "
        f"FROM {events_table(kind).name} WHERE {where}"
    )
    if not progress.offsets:
        return found, events
    pieces = max(1, events // EVENTS_PER_PIECE)
    seen: dict[str, int] = {}
    for piece in range(pieces):
        part = f"({where}) AND cityHash64(entity_id) % {pieces} = {piece}"
        stored, differing, more = _compare_once(client, life, calendar, progress, part)
        found.stored += stored
        found.more += more
        seen |= differing
    for _ in range(MAX_ATTEMPTS):
        if not seen:
            break
        time.sleep(0.2)
        names = ", ".join(map(quoted, seen))
        _, again, _ = _compare_once(
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
    """Return whether lives of a kind were computed by the current rules."""
    return kind in BY_KIND and bool(read_progress(client, BY_KIND[kind], calendar).offsets)


def repair_lives(client: Client, kind: Kind, calendar: int, where: str) -> int:
    """Recompute the lives of some entities, and delete those without raw events.

    Returns:
        The number of rows that are stored afterwards.
    """
    life = BY_KIND[kind]
    progress = read_progress(client, life, calendar)
    events = (
        f"SELECT entity_id, count() AS steps FROM {events_table(kind).name} FINAL "
        f"WHERE {where} GROUP BY entity_id"
    )
    steps = f"SELECT entity_id, arrayJoin(range(1, steps + 1)) FROM ({events})"
    orphans = {
        life_table(kind).name: f"(entity_id, step) NOT IN ({steps})",
        current_table(kind).name: f"entity_id NOT IN (SELECT entity_id FROM ({events}))",
    }
    for table, condition in orphans.items():
        # A mutation scans the whole table: only run it if there is something to delete.
        if client.execute(f"SELECT 1 FROM {table} WHERE ({where}) AND {condition} LIMIT 1"):
            client.execute(
                f"ALTER TABLE {table} DELETE WHERE ({where}) AND {condition}",
                settings={"mutations_sync": 1},
            )
    query = derive(life, calendar, f"{events_table(kind).name} WHERE {where}", progress.epoch)
    # Of two rows computed from as many events, the one that was written last wins.
    client.execute(
        f"INSERT INTO {life_table(kind).name} ({life.names}) {query}",
        settings=INSERT_SETTINGS,
    )
    ((rows,),) = client.execute(f"SELECT count() FROM {life_table(kind).name} FINAL WHERE {where}")
    return int(rows)


def _compare_once(
    client: Client, life: Life, calendar: int, progress: LivesProgress, where: str
) -> tuple[int, dict[str, int], int]:
    """Compare once the lives of the entities whose events are all in the lives already.

    The others are left out: their lives are about to be computed.

    Returns:
        The number of entities with stored lives; those that differ, with the number of their
        events; the number of differences beyond those.
    """
    kind = life.kind
    # Cast to the stored types, because equal values of other types have other hashes.
    typed = ", ".join(f"CAST({column.name} AS {column.type})" for column in life.columns[:-1])
    pending = (
        f"SELECT entity_id FROM {events_table(kind).name} "
        f"WHERE offset > {checkpoint_sql(progress.offsets)} AND {where}"
    )
    settled = f"{where} AND entity_id NOT IN ({pending})"
    hashed = f"xxh3(tuple({typed}))"
    truth = derive(life, calendar, f"{events_table(kind).name} WHERE {settled}", progress.epoch)
    rows = client.execute(
        f"SELECT countIf(here), countIf(differs), "
        f"groupArrayIf({MAX_DIFFERENCES})((entity_id, events), differs) FROM ("
        f"SELECT entity_id, max(which = 0) AS here, max(which = 1) AS told, "
        f"countIf(which = 1) AS events, "
        f"sumIf(hash, which = 0) != sumIf(hash, which = 1) OR countIf(which = 0) != events "
        f"OR sumIf(hash, which = 2) != sumIf(hash, which = 1 AND last) AS differs FROM ("
        f"SELECT entity_id, 0 AS which, false AS last, {hashed} AS hash "
        f"FROM {life_table(kind).name} FINAL WHERE {settled} UNION ALL "
        f"SELECT entity_id, 2, false, {hashed} "
        f"FROM {current_table(kind).name} FINAL WHERE {settled} UNION ALL "
        f"SELECT entity_id, 1, until = {FAR}, {hashed} FROM ({truth})"
        f") GROUP BY entity_id)",
        settings={"max_bytes_before_external_sort": 1 << 30},
    )
    stored, differing, listed = rows[0]
    return stored, dict(listed), differing - len(listed)
