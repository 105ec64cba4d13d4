"""The one Kafka producer of everything that brings events in: gateway, file import, simulator.

Idempotent, acknowledged by all in-sync replicas, lz4. It belongs to kafka-python 3, whose buffer has no bound of its own: here the
bytes not yet acknowledged are bounded, and `send` waits for room.
"""

import threading
import time
from collections import deque
from datetime import datetime
from functools import cached_property, lru_cache
from types import TracebackType
from typing import Any, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.future import Future

from ingest.murmur import murmur2
from schemas.events.envelope import write
from schemas.events.kinds import Kind
from schemas.events.payloads import Event
from schemas.events.topics import RECEIVED_AT
from schemas.moments import milliseconds
from schemas.seal import Sealer, sealed, sealer
from schemas.settings import Settings

PENDING_BYTES = 64 << 20
"""Bytes of records that may wait for their acknowledgement; more make `send` wait."""
FORGET_INTERVAL_RECORDS = 256
"""Records after which those that are acknowledged are looked for: each time would cost more than it frees."""

_hash = lru_cache(65_536)(murmur2)
"""Kafka's hash of a key, which an entity's steps share."""


class KafkaUnavailableError(Exception):
    """Kafka does not answer or did not acknowledge within the patience; says which servers were asked."""


class _Kafka(KafkaProducer):  # type: ignore[misc]  # kafka-python has no types.
    """kafka-python's producer, which says its name for each record, logged or not."""

    def __str__(self) -> str:
        return "<KafkaProducer>"


class Producer:
    """Sends records to Kafka; safe to share between threads.

    Every `send…` returns a future of kafka-python: `get(timeout)` gives `partition` and `offset` once the broker has acknowledged,
    or raises `kafka.errors.KafkaError`; `add_callback` and `add_errback` are called from the producer's own thread. A record is
    retried for `patience` seconds, through a restart of the broker, and written once although it was retried. A record whose
    future failed may still be in the log: sending it again is safe, as identity is judged downstream.
    """

    def __init__(self, settings: Settings, *, patience: float = 60.0) -> None:
        """Connects. Raises `KafkaUnavailableError` when no broker answers within 5 seconds. Topics must exist: see
        `ingest.topics`."""
        self._settings = settings
        self._servers = settings.kafka_servers
        self._prefix = settings.topic_prefix
        self._partitions = settings.partitions
        self._patience = patience
        try:
            self._kafka = _Kafka(
                bootstrap_servers=settings.kafka_servers.split(","),
                client_id="ioc-ingest",
                enable_idempotence=True,
                acks="all",
                compression_type="lz4",
                linger_ms=20,  # fewer, fuller batches: a fifth less CPU than at 5 ms, which no screen would notice
                batch_size=512 << 10,
                max_request_size=settings.event_max_bytes + (2 << 20),
                request_timeout_ms=int(min(10.0, patience / 2) * 1000),
                delivery_timeout_ms=int(patience * 1000),
                max_block_ms=int(min(10.0, patience) * 1000),
                bootstrap_timeout_ms=5_000,
                reconnect_backoff_max_ms=500,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
        except KafkaError as error:
            raise KafkaUnavailableError(
                f"Kafka at {self._servers} does not answer ({error or type(error).__name__})."
            ) from None
        self._lock = threading.Lock()
        self._pending: deque[tuple[Any, int]] = deque()
        self._pending_bytes = 0
        self._failures: list[Exception] = []
        self._failed = 0

    @cached_property
    def _sealer(self) -> Sealer:
        return sealer(self._settings)

    @property
    def pending_bytes(self) -> int:
        """Bytes of the records that are not acknowledged yet."""
        with self._lock:
            self._forget()
            return self._pending_bytes

    def send(
        self,
        kind: Kind,
        event: Event,
        *,
        id: str,
        source: str,
        time: datetime,
        received_at: datetime | None = None,
    ) -> "Future[Any]":
        """Send an event, keyed by its entity. It arrives when the broker takes it in, or arrived at `received_at` (history)."""
        value = write(kind, event, id=id, source=source, time=time)
        arrived = None if received_at is None else milliseconds(received_at)
        return self.send_record(kind, kind.entity_id(event).encode(), value, arrived)

    def send_record(
        self, topic_kind: Kind, key: bytes, value: bytes, received_ms: int | None = None
    ) -> "Future[Any]":
        """Send a record, valid or not, to the topic of a kind: as it is, but who reported is sealed.

        Raises `schemas.seal.SealError` when the key cannot be had.
        """
        return self.put(
            topic_kind.topic(self._prefix),
            key,
            sealed(value, self._sealer),
            received_ms=received_ms,
        )

    def put(
        self,
        topic: str,
        key: bytes,
        value: bytes,
        partition: int | None = None,
        received_ms: int | None = None,
    ) -> "Future[Any]":
        """Send a record as it is to a topic, to the partition of its key and time (`schemas.events.partitions`) unless one is
        named.

        `received_ms` states a past arrival (`schemas.events.topics.RECEIVED_AT`); else a record arrives when the broker takes it
        in. Raises `KafkaUnavailableError` when there is no room, or the topic is unknown, for the patience; or when it lacks the
        partition.
        """
        if partition is None:
            partition = self._partitions.of(_hash(key), value)
        size = len(value)
        # Without the lock this may be off by what other threads send in this moment, which does not matter.
        if self._pending_bytes + size > PENDING_BYTES:
            self._make_room(size)
        headers = None if received_ms is None else [(RECEIVED_AT, b"%d" % received_ms)]
        try:
            future = self._kafka.send(topic, value, key, headers, partition)
        except (
            KafkaError,
            ValueError,
        ) as error:  # ValueError: kafka-python does not know the partition (yet).
            self._kafka._metadata.request_update()
            raise KafkaUnavailableError(
                f"Kafka at {self._servers} took no record for {topic}: {error}"
            ) from None
        with self._lock:
            self._pending.append((future, size))
            self._pending_bytes += size
            if len(self._pending) % FORGET_INTERVAL_RECORDS == 0:
                self._forget()
        return future

    def flush(self) -> None:
        """Wait until every record is acknowledged. Raises `KafkaUnavailableError` if any since the last flush was not."""
        try:
            self._kafka.flush(self._patience + 10)
        except KafkaError as error:
            raise KafkaUnavailableError(
                f"Kafka at {self._servers} does not acknowledge: {error}"
            ) from None
        with self._lock:
            self._forget()
            failed, failures = self._failed, self._failures
            self._failed, self._failures = 0, []
        if failed:
            raise KafkaUnavailableError(
                f"Kafka at {self._servers} did not acknowledge {failed} records: {failures[0]}"
            )

    def close(self, timeout: float = 10.0) -> None:
        """Send what is left, for at most `timeout` seconds; what is not acknowledged by then fails. Never raises."""
        try:
            self._kafka.close(timeout)
        except KafkaError:
            # Its own flush ran out of time; then kafka-python would leave its thread and the futures as they are.
            self._kafka._sender.force_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.flush()
        self.close()

    def _make_room(self, size: int) -> None:
        deadline = time.monotonic() + self._patience
        while True:
            with self._lock:
                self._forget()
                if not self._pending or self._pending_bytes + size <= PENDING_BYTES:
                    return
                oldest = self._pending[0][0]
            try:
                oldest.get(max(0.0, deadline - time.monotonic()))
            except KafkaError:
                if not oldest.is_done:
                    raise KafkaUnavailableError(
                        f"Kafka at {self._servers} has not acknowledged for {self._patience:g} s."
                    ) from None

    def _forget(self) -> None:
        """Drop what is done from the head of the pending records, counting failures. Called with the lock held."""
        pending = self._pending
        while pending and pending[0][0].is_done:
            future, size = pending.popleft()
            self._pending_bytes -= size
            if future.exception is not None:
                self._failed += 1
                if not self._failures:
                    self._failures.append(future.exception)
