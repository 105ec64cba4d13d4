"""The gateway's tie to Kafka: makes it, proves it every second with a heartbeat, and makes it anew when it breaks."""

import logging
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
from kafka.errors import KafkaError

from ingest import topics
from ingest.gateway.refusals import Refusals
from ingest.producer import KafkaUnavailableError, Producer
from schemas.events.kinds import HEARTBEATS, REFUSALS
from schemas.events.payloads import Heartbeat
from schemas.settings import Settings

BEAT_SECONDS = 1.0
ACK_SECONDS = 10.0
"""How long an acknowledgement is waited for before the sender is told to send again."""
REFUSALS_SECONDS = 5.0
"""How often it is told what was refused."""
STALE_SECONDS = 3.0
"""Without an acknowledged heartbeat for this long, Kafka counts as away and events are refused at once."""

log = logging.getLogger(__name__)


class KafkaLink:
    """Owns the producer. A thread of its own connects, beats and reconnects, so that nobody else ever waits for that."""

    def __init__(self, settings: Settings, name: str, refused: Refusals) -> None:
        self._settings = settings
        self._name = name
        self._refused = refused
        self._told = time.monotonic()
        self._producer: Producer | None = None
        self._acknowledged = float("-inf")
        self._trouble = "Kafka was not reached yet."
        self._away = True
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka-link", daemon=True)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Send what is left, then close. Blocks for some seconds at most when Kafka is away."""
        self._stop.set()
        self._thread.join(ACK_SECONDS)
        if self._producer is not None:
            with suppress(KafkaUnavailableError):
                self._tell(self._producer)
            self._producer.close(ACK_SECONDS if self.trouble() is None else 0)

    def beat_age(self) -> float:
        """Seconds since a heartbeat was last acknowledged; infinite before the first."""
        return time.monotonic() - self._acknowledged

    def trouble(self) -> str | None:
        """Why nothing can be taken now; None when Kafka acknowledges."""
        return None if self.beat_age() <= STALE_SECONDS else self._trouble

    def producer(self) -> Producer:
        """The producer to send with. Raises `KafkaUnavailableError` while Kafka is away."""
        producer, trouble = self._producer, self.trouble()
        if producer is None or trouble is not None:
            raise KafkaUnavailableError(trouble or self._trouble)
        return producer

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._producer is None:
                    topics.ensure(self._settings)
                    self._producer = Producer(self._settings, patience=ACK_SECONDS)
                self._beat(self._producer)
                if time.monotonic() - self._told >= REFUSALS_SECONDS:
                    self._tell(self._producer)
            except (KafkaUnavailableError, KafkaError) as error:
                self._break(str(error) or type(error).__name__)
            self._stop.wait(BEAT_SECONDS)

    def _beat(self, producer: Producer) -> None:
        now = datetime.now(UTC)
        value = msgspec.json.encode(Heartbeat(gateway=self._name, sent_at=now))
        topic = self._settings.topic_prefix + HEARTBEATS
        everywhere = range(self._settings.partitions.largest)
        beats = [producer.put(topic, self._name.encode(), value, number) for number in everywhere]
        self._trouble = (
            f"Kafka at {self._settings.kafka_servers} has not acknowledged for {STALE_SECONDS:g} s."
        )
        for beat in beats:
            beat.get(ACK_SECONDS)
        if self._away:
            log.info("Kafka acknowledges")
        self._away, self._acknowledged = False, time.monotonic()

    def _tell(self, producer: Producer) -> None:
        """Send what was refused since it was last told; what Kafka has no room for is counted on."""
        self._told = time.monotonic()
        refused = self._refused.taken()
        topic = self._settings.topic_prefix + REFUSALS
        for number, one in enumerate(refused):
            try:
                producer.put(topic, self._name.encode(), msgspec.json.encode(one), 0)
            except KafkaUnavailableError:
                self._refused.back(refused[number:])
                raise

    def _break(self, trouble: str) -> None:
        """Give the producer up: after a record that ran out of time, kafka-python advises to go on with a new one."""
        if not self._away or self._trouble != trouble:
            log.warning("Kafka is away: %s", trouble)
        self._away, self._trouble = True, trouble
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(0)
