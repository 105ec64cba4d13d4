"""Derive the lives of entities (`schemas.clickhouse.lives`) from the raw events.

A life is an entity's history of states. The job may be stopped, killed or run twice at any time.

New events lie between the offset up to which lives are computed and the worker's checkpoint. For
each entity in them the whole life is recomputed from all its raw events, so that late events and
corrections need no special case. Rows carry the number of steps that they were computed from: the
row with more steps wins, whoever writes last.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import xxhash
from clickhouse_driver import Client

from schemas.clickhouse.derivation import derive, of_entities, rules
from schemas.clickhouse.lives import LIVES, LIVES_PROGRESS, Life, life_table
from schemas.clickhouse.tables import events_table, windows_table
from schemas.clickhouse.working_time import WORKING_WEEKS, calendar_row
from schemas.events.kinds import Kind
from schemas.reference import calendar

SLICE_EVENTS = 25_000
"""Events processed at a time, per partition; bounds the memory that ClickHouse needs."""
INSERT_SETTINGS = {
    "async_insert": 0,
    "max_bytes_before_external_sort": 1 << 30,
    "max_bytes_before_external_group_by": 1 << 30,
    # One table part per insert, whatever its size.
    "max_insert_threads": 1,
}


@dataclass
class LivesProgress:
    """The offsets up to which a kind's lives are computed, and the hash of the rules used."""

    rules: int
    epoch: int
    offsets: dict[int, int]


def read_progress(client: Client, life: Life, calendar: int) -> LivesProgress:
    """Return how far a kind's lives are computed by the current rules.

    If the stored lives were computed by other rules, the offsets are empty and the epoch is a new
    one: everything is recomputed, and its rows win by the higher epoch.

    Args:
        client: A connection to the database.
        life: The declaration of the kind's life.
        calendar: The number of the working calendar in `working_weeks`.
    """
    known = xxhash.xxh3_64_intdigest(rules(life, calendar).encode())
    rows = client.execute(
        "SELECT rules, epoch, partition, offset FROM lives_progress FINAL WHERE kind = %(kind)s",
        {"kind": life.kind.name},
    )
    newest = max((epoch for _, epoch, _, _ in rows), default=0)
    offsets = {
        partition: offset for by, epoch, partition, offset in rows if (by, epoch) == (known, newest)
    }
    return LivesProgress(known, newest if offsets else max(newest + 1, int(time.time())), offsets)


class Lives:
    """Computes the lives of one installation.

    Use it from one thread at a time; several processes may compute the same lives at once.
    """

    def __init__(self, client: Client, province: str) -> None:
        """Make sure that the working calendar of the province is stored.

        Args:
            client: A connection to the database, used by this object only.
            province: The code of the province, which determines the calendar.

        Raises:
            clickhouse_driver.errors.Error: If ClickHouse cannot be used.
        """
        self._client = client
        self._calendar, row = calendar_row(calendar(province))
        if not client.execute(
            f"SELECT 1 FROM {WORKING_WEEKS.name} WHERE calendar = {self._calendar} LIMIT 1"
        ):
            names = WORKING_WEEKS.names
            client.execute(f"INSERT INTO {WORKING_WEEKS.name} ({names}) VALUES", [row])
        self._progress: dict[Kind, LivesProgress] = {}

    @property
    def calendar(self) -> int:
        """Return the number of the calendar in `working_weeks`."""
        return self._calendar

    def offsets(self) -> dict[Kind, dict[int, int]]:
        """Return, per kind and partition, the offset up to which lives are computed."""
        return {kind: dict(progress.offsets) for kind, progress in self._progress.items()}

    def catch_up(self, max_events: int = 1 << 62) -> int:
        """Process the events that were counted since the last call.

        Args:
            max_events: About how many events of each kind to process at most.

        Returns:
            The number of offsets processed.

        Raises:
            clickhouse_driver.errors.Error: If ClickHouse cannot be used.
        """
        return sum(self._catch_up(life, max_events) for life in LIVES)

    def _catch_up(self, life: Life, max_events: int) -> int:
        kind, processed = life.kind, 0
        progress = self._progress.get(kind)
        if progress is None:
            progress = self._progress[kind] = read_progress(self._client, life, self._calendar)
        counted = self._counted(kind)
        while processed < max_events:
            spans = {
                partition: (
                    progress.offsets.get(partition, -1),
                    min(upto, progress.offsets.get(partition, -1) + SLICE_EVENTS),
                )
                for partition, upto in counted.items()
                if upto > progress.offsets.get(partition, -1)
            }
            if not spans:
                break
            self._process(life, progress, spans)
            processed += sum(upto - since for since, upto in spans.values())
        return processed

    def _process(
        self, life: Life, progress: LivesProgress, spans: Mapping[int, tuple[int, int]]
    ) -> None:
        new = " OR ".join(
            f"(partition = {partition} AND offset > {since} AND offset <= {upto})"
            for partition, (since, upto) in spans.items()
        )
        which = f"SELECT entity_id FROM {events_table(life.kind).name} WHERE {new}"
        query = derive(life, self._calendar, of_entities(life.kind, which), progress.epoch)
        self._client.execute(
            f"INSERT INTO {life_table(life.kind).name} ({life.names}) {query}",
            settings=INSERT_SETTINGS,
        )
        # After the lives: offsets that are recorded as processed must be in them.
        now = time.time_ns() // 1_000_000
        rows = [
            (
                life.kind.name,
                partition,
                progress.rules,
                progress.epoch,
                upto,
                now,
                (progress.epoch << 64) + upto + 1,
            )
            for partition, (_, upto) in spans.items()
        ]
        columns = LIVES_PROGRESS.names
        self._client.execute(
            f"INSERT INTO lives_progress ({columns}) VALUES",
            rows,
            settings={"async_insert": 0},
        )
        progress.offsets |= {partition: upto for partition, (_, upto) in spans.items()}

    def _counted(self, kind: Kind) -> dict[int, int]:
        """Return, per partition, the worker's checkpoint: the last offset that is counted."""
        return dict(
            self._client.execute(
                f"SELECT partition, toInt64(max(last_offset)) FROM {windows_table(kind).name} "
                "WHERE window_start = toDateTime(0) GROUP BY partition"
            )
        )
