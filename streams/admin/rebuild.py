"""Recompute a period's windows, states and lives from the raw events, and replace what differs.

The rows are computed in a staging table and swapped in when complete. This is safe at any time,
while workers count in the same minutes, because every step is exact by itself:

- A recomputed window carries the checkpoint at which it was computed. One that a worker wrote later
  carries a later offset and wins; an older one loses. Workers load minutes from the raw rows, never
  from stored windows, so a wrong value cannot come back.
- A window is deleted only if it is no newer than that checkpoint and the raw events give none: no
  worker can have written it.
- The recomputed rows are attached in one step. Until then the live tables are untouched. A rebuild
  that is killed before it leaves a table `…_rebuild`, which the next one drops; one that is killed
  after it leaves orphaned rows, which the next one deletes.

The raw events are the truth: a window whose raw events no longer exist is deleted too. Checkpoints
are not rebuilt.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from clickhouse_driver import Client

from schemas.clickhouse.columns import quoted
from schemas.clickhouse.ordering import version_sql
from schemas.clickhouse.tables import events_table, state_table, windows_table
from schemas.clickhouse.working_time import calendar_row
from schemas.events.kinds import KINDS, Kind
from schemas.reference import calendar
from schemas.settings import Settings
from streams.admin.compare import (
    Comparison,
    checkpoint_sql,
    checkpoints,
    compare_states,
    entities_in,
    list_differing,
    recomputed_windows,
    scan,
    wait_for_inserts,
    window_key,
)
from streams.admin.compare_lives import compare_lives, has_lives, repair_lives
from streams.admin.period import ALL_TIME, MinutePeriod, Minutes, ProgressCallback, pieces
from streams.admin.retain import SYNC, require_kept, windows_kept_from


@dataclass
class RebuildReport:
    """The result for one kind and one of windows, states and lives."""

    kind: Kind
    what: str
    """`windows`, `states` or `lives`."""
    events: int
    """Number of raw events that were read."""
    rows: int
    """Number of rows that were recomputed."""
    found: Comparison
    """The comparison before anything was changed."""
    swapped: bool = False
    """Whether rows were replaced; not if nothing differed, or in a dry run."""

    @property
    def differing(self) -> int:
        """Return the number of differences found."""
        return len(self.found.lines) + self.found.more


class RebuildError(Exception):
    """Raised if rows differ from the raw events even after they were replaced."""


def rebuild(
    settings: Settings,
    period: MinutePeriod,
    kinds: Sequence[Kind] = KINDS,
    *,
    states: bool = False,
    dry_run: bool = False,
    tell: ProgressCallback = lambda what, done, total: None,
) -> list[RebuildReport]:
    """Recompute some kinds in a period and replace what differs.

    Args:
        settings: The installation's settings.
        period: The period to rebuild.
        kinds: The kinds to rebuild.
        states: Also rebuild the states and lives of entities with a step in the period.
        dry_run: Compare only; change nothing.
        tell: Called as work proceeds.

    Returns:
        A report for each kind and each of windows, states and lives.

    Raises:
        ValueError: If raw events of the period were deleted by retention.
        RebuildError: If rows differ from the raw events even after they were replaced.
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    client = Client.from_url(settings.clickhouse_url)
    try:
        require_kept(period, max(windows_kept_from(client, settings, kind) for kind in kinds))
        parts: list[Callable[..., RebuildReport]] = [_windows, _states] if states else [_windows]
        done = [part(client, kind, period, dry_run, tell) for kind in kinds for part in parts]
        if states:
            working, _ = calendar_row(calendar(settings.province))
            done += [
                _lives(client, kind, period, working, dry_run, tell)
                for kind in kinds
                if has_lives(client, kind, working)
            ]
        return done
    finally:
        client.disconnect()


class StagingTable:
    """A temporary table like a live one, to recompute rows in."""

    def __init__(self, client: Client, live: str) -> None:
        """Name the table `…_rebuild` after the table `live`."""
        self._client, self.live, self.name = client, live, f"{live}_rebuild"

    def __enter__(self) -> "StagingTable":
        """Create the table; drop one that a killed rebuild left."""
        self._drop()
        self._client.execute(f"CREATE TABLE {self.name} AS {self.live}")
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the table."""
        with suppress(Exception):
            self._drop()

    def _drop(self) -> None:
        # A mutation of a killed rebuild may still be pending in the server: it must not run against
        # the next table of this name.
        self._client.execute(
            "KILL MUTATION WHERE database = currentDatabase() AND table = %(live)s AND NOT is_done "
            "AND position(command, %(name)s) > 0 SYNC",
            {"live": self.live, "name": self.name},
        )
        self._client.execute(f"DROP TABLE IF EXISTS {self.name} SYNC")

    def attach(self) -> None:
        """Add all rows to the live table in one step; they stay in this table too."""
        self._client.execute(f"ALTER TABLE {self.live} ATTACH PARTITION tuple() FROM {self.name}")


def _windows(
    client: Client, kind: Kind, period: MinutePeriod, dry_run: bool, tell: ProgressCallback
) -> RebuildReport:
    live, what = windows_table(kind).name, f"{kind.name}: windows"
    parts = pieces(client, kind, period)
    total = sum(events for _, events in parts)
    before = Comparison()
    _drop_beyond_checkpoint(client, kind, period, before, dry_run)
    with StagingTable(client, live) as staging:
        offsets = checkpoints(client, kind)
        done = 0
        for piece, events in parts:
            tell(what, done, total)
            client.execute(f"INSERT INTO {staging.name} {recomputed_windows(kind, piece, offsets)}")
            done += events
        ((rows,),) = client.execute(f"SELECT count() FROM {staging.name}")
        _compare(client, kind, period, staging, offsets, before)
        rebuilt = RebuildReport(kind, "windows", total, rows, before)
        if rebuilt.differing and not dry_run:
            staging.attach()
            orphans = (
                f"{period.windows} AND last_offset <= {checkpoint_sql(offsets)} "
                f"AND ({window_key(kind)}) NOT IN (SELECT {window_key(kind)} FROM {staging.name})"
            )
            # A mutation scans the whole table: only run it if there is something to delete.
            if client.execute(f"SELECT 1 FROM {live} WHERE {orphans} LIMIT 1"):
                client.execute(f"ALTER TABLE {live} DELETE WHERE {orphans}", settings=SYNC)
            after = Comparison()
            _compare(client, kind, period, staging, offsets, after)
            _require_equal(what, after)
            rebuilt.swapped = True
    tell(what, total, total)
    return rebuilt


def _compare(
    client: Client,
    kind: Kind,
    period: MinutePeriod,
    staging: StagingTable,
    offsets: Mapping[int, int],
    found: Comparison,
) -> None:
    """Compare the live windows with the recomputed ones.

    Those that a worker wrote since carry a later offset and are left out.
    """
    recomputed = f"SELECT * FROM {staging.name}"
    differing, minutes = scan(client, kind, period, recomputed, offsets, found)
    if differing:
        scope = Minutes(frozenset(minutes))
        listed = Comparison()
        list_differing(client, kind, scope, f"{recomputed} WHERE {scope.windows}", offsets, listed)
        found.lines |= listed.lines
        found.more += max(differing - len(listed.lines), 0)


def _drop_beyond_checkpoint(
    client: Client, kind: Kind, period: MinutePeriod, found: Comparison, dry_run: bool
) -> None:
    """Delete windows beyond their partition's checkpoint, which would win over what workers write.

    A checkpoint is written in one part with its windows. So one that is read after a window cannot
    be before it, and one that the mutation itself reads is no older than any part that it changes.
    """
    table = windows_table(kind).name
    newest = client.execute(
        f"SELECT partition, max(last_offset) FROM {table} WHERE {period.windows} GROUP BY partition"
    )
    offsets = checkpoints(client, kind)
    for partition in sorted(
        partition for partition, offset in newest if offset > offsets.get(partition, -1)
    ):
        beyond = (
            f"partition = {partition} AND {period.windows} AND last_offset > ("
            f"SELECT if(count() = 0, -1, toInt64(max(last_offset))) FROM {table} "
            f"WHERE partition = {partition} AND window_start = toDateTime(0))"
        )
        ((count,),) = client.execute(f"SELECT count() FROM {table} WHERE {beyond}")
        name = f"partition {partition}"
        found.lines[name] = f"{name}: {count} windows are beyond the checkpoint"
        if not dry_run:
            client.execute(f"ALTER TABLE {table} DELETE WHERE {beyond}", settings=SYNC)


def _states(
    client: Client, kind: Kind, period: MinutePeriod, dry_run: bool, tell: ProgressCallback
) -> RebuildReport:
    live, events, what = state_table(kind).name, events_table(kind).name, f"{kind.name}: states"
    where = "1" if period == ALL_TIME else entities_in(kind, period)
    columns, version = (
        state_table(kind).unversioned,
        version_sql(kind),
    )
    ((total,),) = client.execute(f"SELECT count() FROM {events} WHERE {where}")
    tell(what, 0, total)
    with StagingTable(client, live) as staging:
        client.execute(
            f"INSERT INTO {staging.name} SELECT {columns}, {version} AS version "
            f"FROM {events} WHERE {where} AND (entity_id, version) IN ("
            f"SELECT entity_id, max({version}) FROM {events} WHERE {where} GROUP BY entity_id)"
        )
        ((rows,),) = client.execute(f"SELECT count() FROM {staging.name} FINAL")
        tell(what, total * 2 // 3, total)
        rebuilt = RebuildReport(kind, "states", total, rows, compare_states(client, kind, where))
        if rebuilt.differing and not dry_run:
            # A newer state has a higher version and wins; among equal versions the one that is
            # attached last wins.
            staging.attach()
            _drop_orphans(client, kind, where)
            _require_equal(what, compare_states(client, kind, where))
            rebuilt.swapped = True
    tell(what, total, total)
    return rebuilt


def _lives(
    client: Client,
    kind: Kind,
    period: MinutePeriod,
    working: int,
    dry_run: bool,
    tell: ProgressCallback,
) -> RebuildReport:
    what, where = f"{kind.name}: lives", "1" if period == ALL_TIME else entities_in(kind, period)
    ((events,),) = client.execute(f"SELECT count() FROM {events_table(kind).name} WHERE {where}")
    tell(what, 0, events)
    found, _ = compare_lives(client, kind, working, where)
    rebuilt = RebuildReport(kind, "lives", events, found.stored, found)
    if rebuilt.differing and not dry_run:
        rebuilt.rows = repair_lives(client, kind, working, where)
        after, _ = compare_lives(client, kind, working, where)
        _require_equal(what, after)
        rebuilt.swapped = True
    tell(what, events, events)
    return rebuilt


def _drop_orphans(client: Client, kind: Kind, where: str) -> None:
    """Delete states without a raw event, even after all inserts that were running have ended."""
    live = state_table(kind).name
    orphans = (
        f"SELECT entity_id, version FROM {live} WHERE {where} AND (entity_id, version) NOT IN ("
        f"SELECT entity_id, {version_sql(kind)} FROM {events_table(kind).name})"
    )
    found = set(client.execute(orphans))
    if found:
        wait_for_inserts(client)
        found &= set(client.execute(orphans))
    pairs = [f"({quoted(entity)}, toUInt128('{version}'))" for entity, version in sorted(found)]
    for start in range(0, len(pairs), 1000):
        some = ", ".join(pairs[start : start + 1000])
        client.execute(
            f"ALTER TABLE {live} DELETE WHERE (entity_id, version) IN ({some})", settings=SYNC
        )


def _require_equal(what: str, after: Comparison) -> None:
    if after.lines:
        raise RebuildError(
            f"{what}: rows still differ from the raw events after they were replaced: "
            f"{next(iter(after.lines.values()))}"
        )
