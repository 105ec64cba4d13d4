"""Patch libraries for the worker's whole process.

What makes the worker's app calls `apply`; importing this module changes nothing. Each patch says
why. `tests/unit/test_patches.py` fails when a library's version or the code that is replaced is
another one than `WRITTEN_FOR` says.
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
    """Patch aiokafka's fetcher and clickhouse-driver's column of times; a second call changes nothing."""
    _keep_records_unwrapped()
    _hand_out_chunks()
    _take_ticks()
    # Its errors reach the worker as exceptions; its warnings would repeat them at each attempt.
    logging.getLogger("clickhouse_driver").setLevel(logging.ERROR)


def _keep_records_unwrapped() -> None:
    """Leave records as aiokafka unpacked them.

    It wraps each into a dataclass of eleven fields: a fifth of all that a worker does. The engine
    needs offset, timestamp, headers, key and value, which the unpacked record has.
    """
    fetcher.PartitionRecords._consumer_record = lambda self, tp, record: record


def _hand_out_chunks() -> None:
    """Have the fetcher say from which offset on a chunk holds all that can be read.

    Nothing outside of the fetcher knows it: `streams.worker.fetching` says why.
    """
    fetcher.FetchResult = ChunkResult
    subscription_state.TopicPartitionState = PartitionState


def _take_ticks() -> None:
    """Send times that are ticks already as they are.

    The worker's rows hold times as the ticks that ClickHouse takes. The driver takes them, too, but
    looks at each of them, which takes longer than to send them.
    """
    prepare = DateTime64Column.prepare_items

    def ticks(column: DateTime64Column, items: Any) -> Any:
        if not isinstance(next(filter(None, items), 0), int):
            return prepare(column, items)
        return [tick or 0 for tick in items] if column.nullable else items

    DateTime64Column.prepare_items = ticks
