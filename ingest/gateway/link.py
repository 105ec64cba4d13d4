"""Keep the gateway connected to Kafka: connect, prove it by a heartbeat each second, reconnect."""

import logging
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
from kafka.errors import KafkaError

from ingest import topics
from ingest.gateway.refusals import RefusalCounter
from ingest.producer import KafkaUnavailableError, Producer
from schemas.events.kinds import HEARTBEATS, REFUSALS
from schemas.events.payloads import Heartbeat
from schemas.settings import Settings

BEAT_SECONDS = 1.0
ACK_SECONDS = 10.0
"""Seconds to wait for an acknowledgement before the sender is asked to send again."""
REFUSALS_SECONDS = 5.0
"""Interval at which the counts of refused events are sent."""
STALE_SECONDS = 3.0
"""Age of the last acknowledged heartbeat from which on Kafka counts as unavailable.

Events are refused at once then.
"""

log = logging.getLogger(__name__)


class KafkaLink:
    """Owns the producer.

    A thread of its own connects, beats and reconnects, so that no other waits.
    """

    def __init__(self, settings: Settings, name: str, refused: RefusalCounter) -> None:
        """Prepare the thread of the gateway `name`; `start` runs it."""
        self._settings = settings
        self._name = name
        self._refused = refused
        self._reported = time.monotonic()
        self._producer: Producer | None = None
        self._acknowledged = float("-inf")
        self._problem = "Kafka has not been reached yet."
        self._unavailable = True
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka-link", daemon=True)

    def start(self) -> None:
        """Begin to connect; return at once."""
        self._thread.start()

    def stop(self) -> None:
        """Send what is left, then close; blocks for a few seconds when Kafka is unavailable."""
        self._stop.set()
        self._thread.join(ACK_SECONDS)
        if self._producer is not None:
            with suppress(KafkaUnavailableError):
                self._report(self._producer)
            self._producer.close(ACK_SECONDS if self.problem() is None else 0)

    def beat_age(self) -> float:
        """Return the seconds since a heartbeat was last acknowledged; infinite before the first."""
        return time.monotonic() - self._acknowledged

    def problem(self) -> str | None:
        """Return why no event can be accepted now; None when Kafka acknowledges."""
        return None if self.beat_age() <= STALE_SECONDS else self._problem

    def producer(self) -> Producer:
        """Return the producer. Raises `KafkaUnavailableError` while Kafka is unavailable."""
        producer, problem = self._producer, self.problem()
        if producer is None or problem is not None:
            raise KafkaUnavailableError(problem or self._problem)
        return producer

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._producer is None:
                    topics.ensure(self._settings)
                    self._producer = Producer(self._settings, timeout_seconds=ACK_SECONDS)
                self._beat(self._producer)
                if time.monotonic() - self._reported >= REFUSALS_SECONDS:
                    self._report(self._producer)
            except (KafkaUnavailableError, KafkaError) as error:
                self._disconnect(str(error) or type(error).__name__)
            self._stop.wait(BEAT_SECONDS)

    def _beat(self, producer: Producer) -> None:
        now = datetime.now(UTC)
        value = msgspec.json.encode(Heartbeat(gateway=self._name, sent_at=now))
        topic = self._settings.topic_prefix + HEARTBEATS
        partitions = range(self._settings.partitions.largest)
        beats = [producer.put(topic, self._name.encode(), value, number) for number in partitions]
        self._problem = (
            f"Kafka at {self._settings.kafka_servers} has not acknowledged for {STALE_SECONDS:g} s."
        )
        for beat in beats:
            beat.get(ACK_SECONDS)
        if self._unavailable:
            log.info("Kafka acknowledges")
        self._unavailable, self._acknowledged = False, time.monotonic()

    def _report(self, producer: Producer) -> None:
        """Send the counts of refused events; keep counting those for which Kafka has no room."""
        self._reported = time.monotonic()
        refused = self._refused.drain()
        topic = self._settings.topic_prefix + REFUSALS
        for number, one in enumerate(refused):
            try:
                producer.put(topic, self._name.encode(), msgspec.json.encode(one), 0)
            except KafkaUnavailableError:
                self._refused.restore(refused[number:])
                raise

    def _disconnect(self, problem: str) -> None:
        """Drop the producer: kafka-python advises to create a new one after a record timed out."""
        if not self._unavailable or self._problem != problem:
            log.warning("Kafka is unavailable: %s", problem)
        self._unavailable, self._problem = True, problem
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(0)
