"""Send records to Kafka: the one producer of gateway, file import and simulator.

It is idempotent, waits for all in-sync replicas and compresses with lz4. kafka-python 3, which it
wraps, does not bound its buffer: here the bytes that are not yet acknowledged are bounded, and
`send` waits for room.
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
"""Maximal bytes of records awaiting acknowledgement; beyond, `send` blocks."""
FORGET_INTERVAL_RECORDS = 256
"""Records between two searches for acknowledged ones.

Searching after each record would cost more than it frees.
"""

_hash = lru_cache(65_536)(murmur2)
"""Kafka's hash of a key, cached, because the steps of an entity share their key."""


class KafkaUnavailableError(Exception):
    """Kafka does not answer or did not acknowledge in time; the message names the servers."""


class _Kafka(KafkaProducer):  # type: ignore[misc]  # kafka-python has no types.
    """kafka-python's producer with a cheap name: it formats that for each record, logged or not."""

    def __str__(self) -> str:
        """Return a constant."""
        return "<KafkaProducer>"


class Producer:
    """Sends records to Kafka; safe to share between threads.

    Every `send…` returns a future of kafka-python: `get(timeout)` gives `partition` and `offset`
    once the broker has acknowledged, or raises `kafka.errors.KafkaError`; `add_callback` and
    `add_errback` are called from the producer's own thread. A record is retried for
    `timeout_seconds`, through a restart of the broker, and written once even if it was retried. A
    record whose future failed may still be in the log: sending it again is safe, because events are
    deduplicated downstream.
    """

    def __init__(self, settings: Settings, *, timeout_seconds: float = 60.0) -> None:
        """Connect to Kafka. Topics must exist: see `ingest.topics`.

        Args:
            settings: servers, topic prefix, partitions and the largest event.
            timeout_seconds: how long a record is retried, and how long sending waits for room.

        Raises:
            KafkaUnavailableError: no broker answers within 5 seconds.
        """
        self._settings = settings
        self._servers = settings.kafka_servers
        self._prefix = settings.topic_prefix
        self._partitions = settings.partitions
        self._timeout_seconds = timeout_seconds
        try:
            self._kafka = _Kafka(
                bootstrap_servers=settings.kafka_servers.split(","),
                client_id="ioc-ingest",
                enable_idempotence=True,
                acks="all",
                compression_type="lz4",
                # Fewer, fuller batches: a fifth less CPU than at 5 ms; no screen shows the delay.
                linger_ms=20,
                batch_size=512 << 10,
                max_request_size=settings.event_max_bytes + (2 << 20),
                request_timeout_ms=int(min(10.0, timeout_seconds / 2) * 1000),
                delivery_timeout_ms=int(timeout_seconds * 1000),
                max_block_ms=int(min(10.0, timeout_seconds) * 1000),
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
        """Return the bytes of records that are not acknowledged yet."""
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
        """Encode an event and send it, keyed by its entity.

        Args:
            kind: the event's kind, which chooses the topic.
            event: the payload.
            id: CloudEvents id.
            source: CloudEvents source.
            time: when it happened.
            received_at: when it arrived, for history; by default, when the broker takes it in.

        Returns:
            A kafka-python future of the record's partition and offset.
        """
        value = write(kind, event, id=id, source=source, time=time)
        arrived = None if received_at is None else milliseconds(received_at)
        return self.send_record(kind, kind.entity_id(event).encode(), value, arrived)

    def send_record(
        self, topic_kind: Kind, key: bytes, value: bytes, received_ms: int | None = None
    ) -> "Future[Any]":
        """Send a record, valid or not, to the topic of a kind; encrypt its reporter's identity.

        Raises:
            schemas.seal.SealError: the key cannot be read.
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
        """Send a record unchanged to a topic.

        Args:
            topic: the topic's full name.
            key: the record's key.
            value: the record's bytes.
            partition: by default that of the key and the time (`schemas.events.partitions`).
            received_ms: a past arrival (`schemas.events.topics.RECEIVED_AT`); by default the record
                arrives when the broker takes it in.

        Raises:
            KafkaUnavailableError: there was no room, or the topic is unknown, for the whole
                timeout; or the topic lacks the partition.
        """
        if partition is None:
            partition = self._partitions.of(_hash(key), value)
        size = len(value)
        # Without the lock this may be off by what other threads send right now, which is harmless.
        if self._pending_bytes + size > PENDING_BYTES:
            self._make_room(size)
        headers = None if received_ms is None else [(RECEIVED_AT, b"%d" % received_ms)]
        try:
            future = self._kafka.send(topic, value, key, headers, partition)
        # ValueError: kafka-python does not know the partition (yet).
        except (KafkaError, ValueError) as error:
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
        """Wait until every record is acknowledged.

        Raises:
            KafkaUnavailableError: a record since the last flush was not acknowledged.
        """
        try:
            self._kafka.flush(self._timeout_seconds + 10)
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
        """Send what is left, for at most `timeout` seconds; the rest fails. Never raises."""
        try:
            self._kafka.close(timeout)
        except KafkaError:
            # Its own flush timed out; then kafka-python would leave its thread and futures behind.
            self._kafka._sender.force_close()

    def __enter__(self) -> Self:
        """Return the producer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Flush unless the block failed, then close."""
        if kind is None:
            self.flush()
        self.close()

    def _make_room(self, size: int) -> None:
        deadline = time.monotonic() + self._timeout_seconds
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
                        f"Kafka at {self._servers} has not acknowledged "
                        f"for {self._timeout_seconds:g} s."
                    ) from None

    def _forget(self) -> None:
        """Drop completed records from the queue's head and count failures. Needs the lock."""
        pending = self._pending
        while pending and pending[0][0].is_done:
            future, size = pending.popleft()
            self._pending_bytes -= size
            if future.exception is not None:
                self._failed += 1
                if not self._failures:
                    self._failures.append(future.exception)
