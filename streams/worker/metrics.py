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
OPENED = Counter(
    "ioc_worker_open_identities_total",
    "Records in which who reported came in the open; sealed here.",
    ["kind"],
)
DEAD = Counter("ioc_worker_dead_letters_total", "Records that could not be counted.", ["category"])
AHEAD = Counter(
    "ioc_worker_ahead_total",
    "Events counted whose time is ahead of their arrival: a wrong clock.",
    ["kind"],
)
RETRIES = Counter(
    "ioc_worker_retries_total", "Batches that had to be taken in again after an error."
)
TAKE_SECONDS = Histogram(
    "ioc_worker_take_seconds", "Time to take in a batch: decode, judge, fold, in seconds."
)
WRITE_SECONDS = Histogram(
    "ioc_worker_write_seconds", "Time to write a batch, tries that failed included, in seconds."
)
LAG = Gauge(
    "ioc_worker_lag_records",
    "Records in the partition that are not yet written.",
    ["topic", "partition"],
)
STALLED = Gauge(
    "ioc_worker_stalled",
    "1 while the partition has records to write and none is written.",
    ["topic", "partition"],
)
WATERMARK = Gauge(
    "ioc_worker_received_seconds",
    "Arrival time of the newest written record, Unix seconds.",
    ["topic", "partition"],
)
LAST_CHUNK = Gauge(
    "ioc_worker_last_chunk_seconds",
    "When the partition's newest chunk was written, Unix seconds.",
    ["topic", "partition"],
)


def count(batch: Batch) -> None:
    """Count a written batch."""
    for kind, columns in batch.events.items():
        EVENTS.labels(kind.name).inc(len(columns[0]))
        occurred, received = columns[OCCURRED_AT], columns[RECEIVED_AT]
        if max(occurred) > min(received) + TOLERANCE_MS:  # Rarely: each is asked only then.
            ahead = sum(
                one > other + TOLERANCE_MS for one, other in zip(occurred, received, strict=True)
            )
            AHEAD.labels(kind.name).inc(ahead)
    REPEATS.inc(batch.repeats)
    for kind, number in batch.opened.items():
        OPENED.labels(kind.name).inc(number)
    for letter in batch.dead:
        DEAD.labels(letter.category).inc()


def progress(tp: Any, last: Any) -> None:
    """Note a partition's progress after a written chunk, whose last record is `last`."""
    labels = (tp.topic, tp.partition)
    _told.add(labels)
    WATERMARK.labels(*labels).set(received_ms(last) / 1000)
    LAST_CHUNK.labels(*labels).set(time.time())


def stand(lags: Mapping[Any, int], stalled: Container[Any], held: Iterable[Any]) -> None:
    """Note the lag of partitions and whether they stand still; of those that are not `held` nothing is told any longer."""
    for tp, lag in lags.items():
        _told.add((tp.topic, tp.partition))
        LAG.labels(tp.topic, tp.partition).set(lag)
        STALLED.labels(tp.topic, tp.partition).set(tp in stalled)
    gone = _told - {(tp.topic, tp.partition) for tp in held}
    _told.difference_update(gone)
    for labels in gone:
        for gauge in (LAG, STALLED, WATERMARK, LAST_CHUNK):
            gauge.remove(*labels)


_told: set[tuple[str, int]] = set()
"""Partitions of which something is told."""
