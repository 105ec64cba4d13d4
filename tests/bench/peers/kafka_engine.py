"""ClickHouse's Kafka table engine with materialized views, as its documentation shows it.

No validation, no exactness.

A queue, a view that fills the raw table (the columns of ours without the two hashes), and a view on
that which counts per minute and dimensions (the measures of ours). No entity states, no freshness,
no deduplication, at least once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from schemas.clickhouse.tables import COMMON, POSITION, fields, windows_table
from schemas.events.kinds import FILING

RAW = (*COMMON, *POSITION, *fields(FILING))
GIVEN = {
    "event_id": "concat(source, '#', id)",
    "entity_id": "subject",
    "occurred_at": "time",
    "received_at": "assumeNotNull(_timestamp_ms)",
    "partition": "_partition",
    "offset": "_offset",
}
"""Columns that the envelope or the record gives; the others are those of the data."""


def statements(servers: str, topic: str, group: str, consumers: int, block: int) -> Iterator[str]:
    """Yield what to run, in this order; consumption begins with the last one."""
    data = ", ".join(f"{column.name} {column.type}" for column in RAW if column.name not in GIVEN)
    types = {column.name: column.type for column in windows_table(FILING).columns}
    counts = ", ".join(
        f"{name} {types[name]}"
        for name in ("window_start", *FILING.dimensions, *(m.name for m in FILING.measures))
    )
    dimensions = ", ".join(FILING.dimensions)
    yield (
        f"CREATE TABLE raw ({', '.join(f'{c.name} {c.type}' for c in RAW)}) ENGINE = MergeTree "
        "PARTITION BY toYYYYMM(occurred_at) ORDER BY (toStartOfMinute(occurred_at), event_id)"
    )
    yield (
        f"CREATE TABLE counts ({counts}) ENGINE = SummingMergeTree ORDER BY (window_start, "
        f"{dimensions})"
    )
    yield (
        f"CREATE TABLE queue (id String, source String, subject String, time {COMMON[2].type}, "
        f"data Tuple({data})) ENGINE = Kafka "
        f"SETTINGS kafka_broker_list = '{servers}', kafka_topic_list = '{topic}', kafka_group_name "
        f"= '{group}', "
        f"kafka_format = 'JSONEachRow', kafka_num_consumers = {consumers}, "
        f"kafka_thread_per_consumer = {int(consumers > 1)}, "
        f"kafka_max_block_size = {block}, date_time_input_format = 'best_effort'"
    )
    counted = ", ".join(
        f"toInt64({measure.sql()}) AS {measure.name}" for measure in FILING.measures
    )
    yield (
        "CREATE MATERIALIZED VIEW to_counts TO counts AS SELECT toStartOfMinute(occurred_at) AS "
        "window_start, "
        f"{dimensions}, {counted} FROM raw GROUP BY window_start, {dimensions}"
    )
    chosen = ", ".join(
        f"{GIVEN.get(column.name, f'data.{column.name}')} AS {column.name}" for column in RAW
    )
    yield f"CREATE MATERIALIZED VIEW to_raw TO raw AS SELECT {chosen} FROM queue"


@contextmanager
def kafka_engine(
    client: Any, servers: str, topic: str, group: str, consumers: int, block: int
) -> Iterator[Callable[[], int]]:
    """Make the tables and consume; gives how many rows were written so far."""
    for statement in statements(servers, topic, group, consumers, block):
        client.execute(statement)
    try:
        yield lambda: client.execute("SELECT count() FROM raw")[0][0]
    finally:
        for name in ("to_raw", "to_counts", "queue"):
            client.execute(f"DROP TABLE {name} SYNC")
