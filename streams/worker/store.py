"""Read and write the worker's data in ClickHouse.

Use one `WorkerStore` per thread; after any error its connection is dropped and the next call
reconnects. Every statement is safe to repeat: rows are keyed by their Kafka position or carry the
offset up to which they hold.
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
    # An insert must be on disk, as one part per table partition, when ClickHouse answers.
    "async_insert": 0,
    "max_partitions_per_insert_block": 0,
    # Rows of one key are collapsed by merges and FINAL: collapsing them in each insert takes a
    # third of the insert's time.
    "optimize_on_insert": 0,
    # Compressing many small blocks costs more than it saves on the way to the server.
    "max_insert_threads": 1,
}


class WorkerStore:
    """A worker's connection to ClickHouse, for one thread.

    All methods raise clickhouse-driver's errors; the next call reconnects.
    """

    def __init__(self, url: str) -> None:
        """Connect to `url` at the first statement."""
        self._url = url
        self._client: Client | None = None

    def execute(self, query: str, parameters: Any = None, **options: Any) -> Any:
        """Run one statement; drop the connection if it fails."""
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
        """Return a partition's checkpoint, and its newest minute that has a counted event."""
        upto = self._checkpoint_offset(kind, partition)
        newest = self.execute(
            f"SELECT toUnixTimestamp(toStartOfMinute(occurred_at)) FROM {events_table(kind).name} "
            f"WHERE partition = {partition} AND offset <= {upto} "
            "ORDER BY toStartOfMinute(occurred_at) DESC LIMIT 1"
        )
        return Checkpoint(upto, newest[0][0] if newest else -1)

    def windows(
        self, kind: Kind, partition: int, minutes: Iterable[int]
    ) -> tuple[int, list[tuple[int, Cell, list[int]]]]:
        """Recompute the windows of some minutes from the raw rows up to the checkpoint.

        The stored windows are not used: so a wrong value never comes back through a worker's
        memory, and a rebuild may repair windows while workers count in them. Raw rows up to a
        checkpoint do not change, so two statements see the same rows.

        Returns:
            The checkpoint, and (minute, cell, counts) of the windows.
        """
        upto = self._checkpoint_offset(kind, partition)
        dimensions, measures = (
            ", ".join(kind.dimensions),
            ", ".join(measure.sql() for measure in kind.measures),
        )
        rows = self.execute(
            "SELECT toUnixTimestamp(toStartOfMinute(occurred_at)) AS minute, "
            f"{dimensions}, {measures} FROM {events_table(kind).name} FINAL "
            f"WHERE toStartOfMinute(occurred_at) IN ({_numbers(minutes)}) "
            f"AND partition = {partition} AND offset <= {upto} GROUP BY minute, {dimensions}"
        )
        cut = 1 + len(kind.dimensions)
        return upto, [(row[0], row[1:cut], [*row[cut:], -1]) for row in rows]

    def _checkpoint_offset(self, kind: Kind, partition: int) -> int:
        """Return the partition's newest checkpoint; -1 if it has none."""
        rows = self.execute(
            f"SELECT max(last_offset) FROM {windows_table(kind).name} "
            f"WHERE partition = {partition} AND window_start = toDateTime(0) HAVING count() > 0"
        )
        return int(rows[0][0]) if rows else -1

    def identities(
        self, kind: Kind, partition: int, minutes: Iterable[int], upto: int
    ) -> list[tuple[int, int, int]]:
        """Return (minute, identity, body) of the events of some minutes up to an offset.

        Rows beyond it were written before a crash and are about to be consumed again: they must not
        make these events repeats.
        """
        found = self.execute(
            "SELECT toUnixTimestamp(toStartOfMinute(occurred_at)) AS minute, identity, "
            f"argMin(body, offset) FROM {events_table(kind).name} "
            f"WHERE toStartOfMinute(occurred_at) IN ({_numbers(minutes)}) "
            f"AND partition = {partition} AND offset <= {upto} GROUP BY minute, identity"
        )
        return list(found)

    def write_events(self, kind: Kind, columns: Columns) -> None:
        """Write raw events; a row that is written again replaces itself."""
        self._insert(events_table(kind), columns)

    def write_windows(self, kind: Kind, columns: Columns) -> None:
        """Write window values and checkpoints in one atomic part."""
        self._insert(windows_table(kind), columns)

    def write_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Write records that could not be counted."""
        self.insert(LETTER_ROWS, letters)

    def write_heartbeats(self, rows: Sequence[HeartbeatRow]) -> None:
        """Write heartbeats of gateways."""
        self.insert(HEARTBEAT_ROWS, rows)

    def write_refusals(self, rows: Sequence[RefusalRow]) -> None:
        """Write refusals of gateways."""
        self.insert(REFUSAL_ROWS, rows)

    def write_watch(self, rows: Sequence[JobRow]) -> None:
        """Write when jobs of the watch were completed."""
        self.insert(JOB_ROWS, rows)

    def write_progress(self, rows: Sequence[ProgressRow]) -> None:
        """Write the progress of partitions."""
        self.insert(PROGRESS_ROWS, rows)

    def insert(self, codec: RowCodec[T], objects: Sequence[T]) -> None:
        """Insert objects as rows of the codec's table; do nothing if there are none."""
        if objects:
            self.execute(codec.insert, codec.columns(objects), columnar=True)

    def checkpoints(self) -> list[tuple[str, int, int]]:
        """Return (kind, partition, offset of the last counted record) of all partitions."""
        each = (
            f"SELECT '{kind.name}', partition, max(last_offset) FROM {windows_table(kind).name} "
            "WHERE window_start = toDateTime(0) GROUP BY partition"
            for kind in KINDS
        )
        return list(self.execute(" UNION ALL ".join(each)))

    def _insert(self, table: Table, columns: Columns) -> None:
        self.execute(f"INSERT INTO {table.name} ({table.names}) VALUES", columns, columnar=True)


def _numbers(values: Iterable[int]) -> str:
    """Return integers as the content of an SQL list; never empty."""
    return ",".join(map(str, values)) or "NULL"
