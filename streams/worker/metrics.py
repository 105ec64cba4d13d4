"""Prometheus metrics of a stream worker."""

import time
from collections.abc import Container, Iterable, Mapping
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from schemas.events.envelope import CLOCK_TOLERANCE
from streams.worker.batch import Batch, received_ms
from streams.worker.rows import OCCURRED_AT, RECEIVED_AT

TOLERANCE_MS = CLOCK_TOLERANCE.total_seconds() * 1000
EVENTS = Counter("ioc_worker_events_total", "Events counted and written.", ["kind"])
REPEATS = Counter("ioc_worker_repeats_total", "Events dropped because they were counted before.")
UNENCRYPTED = Counter(
    "ioc_worker_open_identities_total",
    "Records whose reporter identity arrived unencrypted; encrypted before storage.",
    ["kind"],
)
DEAD = Counter("ioc_worker_dead_letters_total", "Records that could not be counted.", ["category"])
AHEAD = Counter(
    "ioc_worker_ahead_total",
    "Events counted whose time is later than their arrival: the sender's clock is ahead.",
    ["kind"],
)
RETRIES = Counter(
    "ioc_worker_retries_total", "Failed attempts to process or write a batch, each tried again."
)
TAKE_SECONDS = Histogram(
    "ioc_worker_take_seconds",
    "Time to process a batch (decode, deduplicate, fold), in seconds.",
)
WRITE_SECONDS = Histogram(
    "ioc_worker_write_seconds", "Time to write a batch, failed attempts included, in seconds."
)
LAG = Gauge(
    "ioc_worker_lag_records",
    "Records in the partition that are not written yet.",
    ["topic", "partition"],
)
STALLED = Gauge(
    "ioc_worker_stalled",
    "1 while the partition has records to write but none is written.",
    ["topic", "partition"],
)
WATERMARK = Gauge(
    "ioc_worker_received_seconds",
    "Arrival time of the newest written record, Unix seconds.",
    ["topic", "partition"],
)
LAST_CHUNK = Gauge(
    "ioc_worker_last_chunk_seconds",
    "Time when the partition's newest chunk was written, Unix seconds.",
    ["topic", "partition"],
)


def count(batch: Batch) -> None:
    """Update the counters after a batch was written."""
    for kind, columns in batch.events.items():
        EVENTS.labels(kind.name).inc(len(columns[0]))
        occurred, received = columns[OCCURRED_AT], columns[RECEIVED_AT]
        if max(occurred) > min(received) + TOLERANCE_MS:  # Rare: check each event only then.
            ahead = sum(
                one > other + TOLERANCE_MS for one, other in zip(occurred, received, strict=True)
            )
            AHEAD.labels(kind.name).inc(ahead)
    REPEATS.inc(batch.repeats)
    for kind, number in batch.unencrypted.items():
        UNENCRYPTED.labels(kind.name).inc(number)
    for letter in batch.dead:
        DEAD.labels(letter.category).inc()


def mark_written(tp: Any, last: Any) -> None:
    """Update a partition's gauges after a chunk was written, whose last record is `last`."""
    labels = (tp.topic, tp.partition)
    _labelled.add(labels)
    WATERMARK.labels(*labels).set(received_ms(last) / 1000)
    LAST_CHUNK.labels(*labels).set(time.time())


def set_lag(lags: Mapping[Any, int], stalled: Container[Any], assigned: Iterable[Any]) -> None:
    """Update the lag of partitions and whether they stall; drop gauges of unassigned partitions.

    Args:
        lags: The lag in records, by topic-partition.
        stalled: The topic-partitions that stall.
        assigned: The topic-partitions that this worker owns.
    """
    for tp, lag in lags.items():
        _labelled.add((tp.topic, tp.partition))
        LAG.labels(tp.topic, tp.partition).set(lag)
        STALLED.labels(tp.topic, tp.partition).set(tp in stalled)
    dropped = _labelled - {(tp.topic, tp.partition) for tp in assigned}
    _labelled.difference_update(dropped)
    for labels in dropped:
        for gauge in (LAG, STALLED, WATERMARK, LAST_CHUNK):
            gauge.remove(*labels)


_labelled: set[tuple[str, int]] = set()
"""Partitions that have gauges."""
