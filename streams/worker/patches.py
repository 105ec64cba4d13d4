"""Patch libraries for the whole process of a worker.

`streams.worker.app.create` calls `apply`; importing this module changes nothing. Each patch says
why. `tests/unit/test_patches.py` fails if a library's version is not the one in `WRITTEN_FOR` or
the replaced code has changed.
"""

import logging
from functools import cache
from typing import Any

from aiokafka.consumer import fetcher, subscription_state
from clickhouse_driver.columns.datetimecolumn import DateTime64Column

from streams.worker.fetching import ChunkResult, PartitionState

WRITTEN_FOR = {"aiokafka": "0.14.0", "clickhouse-driver": "0.2.11"}
"""The versions that the patches were written for, by distribution."""


@cache
def apply() -> None:
    """Patch aiokafka's fetcher and clickhouse-driver's column of times; safe to call again."""
    _keep_records_unwrapped()
    _hand_out_chunks()
    _take_ticks()
    # `schemas.logs` does so for our own commands; `faust -A` starts the worker without it.
    logging.getLogger("clickhouse_driver").setLevel(logging.ERROR)


def _keep_records_unwrapped() -> None:
    """Use records as aiokafka unpacked them.

    It wraps each in a dataclass of eleven fields, which takes a fifth of a worker's time. The
    engine needs offset, timestamp, headers, key and value, which the unpacked record has.
    """
    fetcher.PartitionRecords._consumer_record = lambda self, tp, record: record


def _hand_out_chunks() -> None:
    """Have the fetcher return chunks that say from which offset on they are complete.

    Only the fetcher knows that (`streams.worker.fetching`).
    """
    fetcher.FetchResult = ChunkResult
    subscription_state.TopicPartitionState = PartitionState


def _take_ticks() -> None:
    """Send times unchanged if they are ticks already.

    The worker's rows hold times as the ticks that ClickHouse stores. The driver accepts ticks, but
    checks each of them, which takes longer than sending them.
    """
    prepare = DateTime64Column.prepare_items

    def ticks(column: DateTime64Column, items: Any) -> Any:
        if not isinstance(next(filter(None, items), 0), int):
            return prepare(column, items)
        return [tick or 0 for tick in items] if column.nullable else items

    DateTime64Column.prepare_items = ticks
