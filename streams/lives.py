"""Keeps the lives of entities (`schemas.clickhouse.lives`) up with the raw events: a job that may be stopped, killed and doubled at
any time.

What is new lies between the offset up to which lives are computed and the worker's checkpoint. The entities that these events
are about get their whole lives computed anew, from all their raw events, so that late events and corrections need no special
case. Rows carry the number of steps that they were computed from: more knowledge wins, whoever writes last.
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

SLICE = 25_000
"""Events that are taken in at a time, per partition: what bounds the memory of ClickHouse."""
INSERT_SETTINGS = {
    "async_insert": 0,
    "max_bytes_before_external_sort": 1 << 30,
    "max_bytes_before_external_group_by": 1 << 30,
    # One part of the table for each insert, whatever its size.
    "max_insert_threads": 1,
}


@dataclass
class LivesProgress:
    """How far a kind's lives are computed, and by which rules."""

    rules: int
    epoch: int
    offsets: dict[int, int]


def read_progress(client: Client, life: Life, calendar: int) -> LivesProgress:
    """How far a kind's lives are computed by the rules of now; nowhere, if those that are there were computed by others.

    Then all is computed anew, in a new epoch, and wins by it.
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
    """Computes the lives of one installation. One thread at a time; several processes do each other no harm."""

    def __init__(self, client: Client, province: str) -> None:
        self._client = client
        self._calendar, row = calendar_row(calendar(province))
        if not client.execute(
            f"SELECT 1 FROM {WORKING_WEEKS.name} WHERE calendar = {self._calendar} LIMIT 1"
        ):
            names = ", ".join(column.name for column in WORKING_WEEKS.columns)
            client.execute(f"INSERT_SETTINGS INTO {WORKING_WEEKS.name} ({names}) VALUES", [row])
        self._marks: dict[Kind, LivesProgress] = {}

    @property
    def calendar(self) -> int:
        """The number of the calendar in `working_weeks`."""
        return self._calendar

    def offsets(self) -> dict[Kind, dict[int, int]]:
        """Of each kind, partition → offset up to which lives are computed."""
        return {kind: dict(mark.offsets) for kind, mark in self._marks.items()}

    def catch_up(self, most: int = 1 << 62) -> int:
        """Take in the events that were counted since; at most about `most` of them. Returns how many were taken in."""
        return sum(self._catch_up(life, most) for life in LIVES)

    def _catch_up(self, life: Life, most: int) -> int:
        kind, taken = life.kind, 0
        mark = self._marks.get(kind)
        if mark is None:
            mark = self._marks[kind] = read_progress(self._client, life, self._calendar)
        counted = self._counted(kind)
        while taken < most:
            spans = {
                partition: (
                    mark.offsets.get(partition, -1),
                    min(upto, mark.offsets.get(partition, -1) + SLICE),
                )
                for partition, upto in counted.items()
                if upto > mark.offsets.get(partition, -1)
            }
            if not spans:
                break
            self._take(life, mark, spans)
            taken += sum(upto - since for since, upto in spans.values())
        return taken

    def _take(self, life: Life, mark: LivesProgress, spans: Mapping[int, tuple[int, int]]) -> None:
        new = " OR ".join(
            f"(partition = {partition} AND offset > {since} AND offset <= {upto})"
            for partition, (since, upto) in spans.items()
        )
        which = f"SELECT entity_id FROM {events_table(life.kind).name} WHERE {new}"
        query = derive(life, self._calendar, of_entities(life.kind, which), mark.epoch)
        self._client.execute(
            f"INSERT_SETTINGS INTO {life_table(life.kind).name} ({life.names}) {query}",
            settings=INSERT_SETTINGS,
        )
        # After the lives: what is marked must be there.
        now = time.time_ns() // 1_000_000
        rows = [
            (
                life.kind.name,
                partition,
                mark.rules,
                mark.epoch,
                upto,
                now,
                (mark.epoch << 64) + upto + 1,
            )
            for partition, (_, upto) in spans.items()
        ]
        columns = ", ".join(column.name for column in LIVES_PROGRESS.columns)
        self._client.execute(
            f"INSERT_SETTINGS INTO lives_progress ({columns}) VALUES",
            rows,
            settings={"async_insert": 0},
        )
        mark.offsets |= {partition: upto for partition, (_, upto) in spans.items()}

    def _counted(self, kind: Kind) -> dict[int, int]:
        """Partition → offset up to which, itself included, the worker has written all it will."""
        return dict(
            self._client.execute(
                f"SELECT partition, toInt64(max(last_offset)) FROM {windows_table(kind).name} "
                "WHERE window_start = toDateTime(0) GROUP BY partition"
            )
        )
