"""Sending a simulated province to Kafka: a backfill as fast as Kafka takes it, then what happens as it happens."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from ingest.producer import KafkaUnavailableError
from ingest.simulator.clock import moment
from ingest.simulator.stream import Ledger, SimulatedRecord, Stream
from ingest.simulator.world import World
from schemas.events.kinds import Kind
from schemas.moments import milliseconds

CHECKPOINT = timedelta(hours=6)
"""Simulated time after which a backfill waits for Kafka's acknowledgement and remembers how far it came."""
TICK_SECONDS = 0.25
RETRY_SECONDS = 2.0


class Sink(Protocol):
    """Where records go: `ingest.producer.Producer`, or a stand-in of a test."""

    def send_record(
        self, topic_kind: Kind, key: bytes, value: bytes, received_ms: int | None = None
    ) -> object: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


class Watcher(Protocol):
    """Who is told how a run goes."""

    def progress(self, came: datetime, sent: int) -> None: ...
    def trouble(self, sentence: str) -> None: ...


@dataclass
class SimulationRun:
    """A world on its way to Kafka.

    `came` advances only past what Kafka has acknowledged; after a failure, sending goes on from there, and what was sent twice by
    that counts once, as its identity is the same. `remember` is called after each advance that sent
    something, to keep it.
    """

    world: World
    came: datetime
    connect: Callable[[], Sink]
    watcher: Watcher
    remember: Callable[[World, datetime], None]
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    ledger: Ledger | None = None
    sent: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    _sink: Sink | None = None

    def backfill(self, end: datetime) -> None:
        """Send all that arrives before `end`, or until asked to stop."""
        stream = Stream(self.world, self.came, end)
        while self.came < end and not self.stop.is_set():
            self._send(stream, min(self.came + CHECKPOINT, end), live=False)

    def live(self) -> None:
        """Send what arrives as it arrives, until asked to stop."""
        stream = Stream(self.world, self.came)
        while not self.stop.wait(TICK_SECONDS):
            self._send(stream, self.now(), live=True)

    def close(self) -> None:
        """Let go of the connection."""
        if self._sink:
            self._sink.close()
            self._sink = None

    def _send(self, stream: Stream, mark: datetime, *, live: bool) -> None:
        """Send a span and wait for its acknowledgement, again and again while Kafka is away; ends unsent when asked to stop."""
        records = list(stream.until(mark))
        # Kind by kind, few partitions fill at a time: larger batches, half the cost. Within a partition the order stays.
        records.sort(key=lambda record: record.kind.name)
        while True:
            try:
                if records:
                    sink = self._sink = self._sink or self.connect()
                    for record in records:
                        sink.send_record(
                            record.kind,
                            record.key,
                            record.value,
                            None if live else record.arrival_ms,
                        )
                    sink.flush()
                return self._advance(records, mark)
            except KafkaUnavailableError as error:
                self.watcher.trouble(
                    f"{error} Waiting, then going on from {moment_words(self.came)}."
                )
                self.close()
                if self.stop.wait(RETRY_SECONDS):
                    return None

    def _advance(self, records: list[SimulatedRecord], mark: datetime) -> None:
        self.came = mark
        self.sent += len(records)
        if self.ledger is not None:
            self.ledger.add(records)
        if records:
            self.remember(self.world, mark)
        self.watcher.progress(mark, self.sent)


def moment_words(at: datetime) -> str:
    """A moment as Vietnamese read it."""
    return moment(milliseconds(at)).strftime("%d/%m/%Y %H:%M:%S")
