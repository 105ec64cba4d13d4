"""What the stream engine reads from and writes to ClickHouse.

One `WorkerStore` per thread; after any error its connection is dropped and the next call makes a new one. Every statement is safe
to repeat: rows are keyed by their Kafka position or carry the offset up to which they hold.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from clickhouse_driver import Client

from schemas.clickhouse.columns import Table
from schemas.clickhouse.rows import RowCodec
from schemas.clickhouse.tables import events_table, windows_table
from schemas.events.kinds import KINDS, Kind
from streams.worker.fold import Checkpoint
from streams.worker.rows import Cell, Columns
from streams.worker.table_rows import (
    HEARTBEAT_ROWS,
    JOB_ROWS,
    LETTER_ROWS,
    PROGRESS_ROWS,
    REFUSAL_ROWS,
    DeadLetter,
    HeartbeatRow,
    JobRow,
    ProgressRow,
    RefusalRow,
)

T = TypeVar("T")

SETTINGS = {
    # An insert must be on disk, as one part per table partition, when it is answered.
    "async_insert": 0,
    "max_partitions_per_insert_block": 0,
    # A block's rows of one key are left to merges and to FINAL: collapsing each insert costs ClickHouse a third of it.
    "optimize_on_insert": 0,
    # Default compression of many small blocks costs more than it saves on the way to the server.
    "max_insert_threads": 1,
}


class WorkerStore:
    """The stream engine's connection to ClickHouse. Raises what clickhouse-driver raises; then reconnects at the next call."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Client | None = None

    def execute(self, query: str, parameters: Any = None, **options: Any) -> Any:
        """Run one statement; the connection is dropped if it fails."""
        if self._client is None:
            self._client = Client.from_url(self._url)
        try:
            return self._client.execute(query, parameters, settings=SETTINGS, **options)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Drop the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()

    def checkpoint(self, kind: Kind, partition: int) -> Checkpoint:
        """Up to where the partition is counted, and the newest minute that has an event that counts."""
        upto = self._upto(kind, partition)
        newest = self.execute(
            f"SELECT toUnixTimestamp(toStartOfMinute(occurred_at)) FROM {events_table(kind).name} "
            f"WHERE partition = {partition} AND offset <= {upto} ORDER BY toStartOfMinute(occurred_at) DESC LIMIT 1"
        )
        return Checkpoint(upto, newest[0][0] if newest else -1)

    def windows(
        self, kind: Kind, partition: int, minutes: Iterable[int]
    ) -> tuple[int, list[tuple[int, Cell, list[int]]]]:
        """The checkpoint, and (minute, cell, counts) of some minutes as the raw rows up to it give them.

        Not as they are stored: so what is stored wrong never comes back through a worker's memory, and a rebuild may put windows
        right while workers count in them. Raw rows up to a checkpoint do not change: two statements see the same.
        """
        upto = self._upto(kind, partition)
        dimensions, measures = (
            ", ".join(kind.dimensions),
            ", ".join(measure.sql() for measure in kind.measures),
        )
        rows = self.execute(
            f"SELECT toUnixTimestamp(toStartOfMinute(occurred_at)) AS minute, {dimensions}, {measures} "
            f"FROM {events_table(kind).name} FINAL WHERE toStartOfMinute(occurred_at) IN ({_numbers(minutes)}) "
            f"AND partition = {partition} AND offset <= {upto} GROUP BY minute, {dimensions}"
        )
        cut = 1 + len(kind.dimensions)
        return upto, [(row[0], row[1:cut], [*row[cut:], -1]) for row in rows]

    def _upto(self, kind: Kind, partition: int) -> int:
        """The partition's newest checkpoint; -1 for none."""
        rows = self.execute(
            f"SELECT max(last_offset) FROM {windows_table(kind).name} "
            f"WHERE partition = {partition} AND window_start = toDateTime(0) HAVING count() > 0"
        )
        return int(rows[0][0]) if rows else -1

    def identities(
        self, kind: Kind, partition: int, minutes: Iterable[int], upto: int
    ) -> list[tuple[int, int, int]]:
        """(minute, identity, body) of the events of some minutes that count up to an offset.

        Rows beyond it were written before a crash and are about to be read again: they judge nothing.
        """
        found = self.execute(
            f"SELECT toUnixTimestamp(toStartOfMinute(occurred_at)) AS minute, identity, argMin(body, offset) "
            f"FROM {events_table(kind).name} WHERE toStartOfMinute(occurred_at) IN ({_numbers(minutes)}) "
            f"AND partition = {partition} AND offset <= {upto} GROUP BY minute, identity"
        )
        return list(found)

    def write_events(self, kind: Kind, columns: Columns) -> None:
        """Keep events; a row that is written again collapses with itself."""
        self._insert(events_table(kind), columns)

    def write_windows(self, kind: Kind, columns: Columns) -> None:
        """Keep window values and checkpoints, all in one atomic part."""
        self._insert(windows_table(kind), columns)

    def write_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep records that could not be counted."""
        self.keep(LETTER_ROWS, letters)

    def write_heartbeats(self, rows: Sequence[HeartbeatRow]) -> None:
        """Keep heartbeats of gateways."""
        self.keep(HEARTBEAT_ROWS, rows)

    def write_refusals(self, rows: Sequence[RefusalRow]) -> None:
        """Keep what gateways refused."""
        self.keep(REFUSAL_ROWS, rows)

    def write_watch(self, rows: Sequence[JobRow]) -> None:
        """Keep when jobs of the watch were done."""
        self.keep(JOB_ROWS, rows)

    def write_progress(self, rows: Sequence[ProgressRow]) -> None:
        """Keep how far partitions are counted."""
        self.keep(PROGRESS_ROWS, rows)

    def keep(self, codec: RowCodec[T], objects: Sequence[T]) -> None:
        """Keep objects as rows of the codec's table; nothing for none."""
        if objects:
            self.execute(codec.insert, codec.columns(objects), columnar=True)

    def checkpoints(self) -> list[tuple[str, int, int]]:
        """(kind, partition, offset of the last record that is counted) of every partition that has one."""
        each = (
            f"SELECT '{kind.name}', partition, max(last_offset) FROM {windows_table(kind).name} "
            "WHERE window_start = toDateTime(0) GROUP BY partition"
            for kind in KINDS
        )
        return list(self.execute(" UNION ALL ".join(each)))

    def _insert(self, table: Table, columns: Columns) -> None:
        names = ", ".join(column.name for column in table.columns)
        self.execute(f"INSERT INTO {table.name} ({names}) VALUES", columns, columnar=True)


def _numbers(values: Iterable[int]) -> str:
    """Integers as the inside of an SQL list; never empty."""
    return ",".join(map(str, values)) or "NULL"
