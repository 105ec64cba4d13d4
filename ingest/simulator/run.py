"""Send a simulated province to Kafka: a backfill as fast as Kafka takes it, then live."""

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
"""Simulated time after which a backfill waits for Kafka's acknowledgement and saves its state."""
TICK_SECONDS = 0.25
RETRY_SECONDS = 2.0


class Sink(Protocol):
    """Where records go: `ingest.producer.Producer`, or a test's stand-in."""

    def send_record(
        self, topic_kind: Kind, key: bytes, value: bytes, received_ms: int | None = None
    ) -> object:
        """Send a record."""

    def flush(self) -> None:
        """Wait until every record is acknowledged."""

    def close(self) -> None:
        """Close the connection."""


class Watcher(Protocol):
    """Receives the progress of a run."""

    def progress(self, sent_until: datetime, sent: int) -> None:
        """Report how far the run has come, and how many events were sent."""

    def trouble(self, sentence: str) -> None:
        """Report a problem."""


@dataclass
class SimulationRun:
    """A world that is being sent to Kafka.

    `sent_until` advances only past what Kafka has acknowledged; after a failure, sending continues
    from there, and what was sent twice counts once, as its identity is the same. `remember` is
    called after each advance that sent something, to save it.
    """

    world: World
    sent_until: datetime
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
        stream = Stream(self.world, self.sent_until, end)
        while self.sent_until < end and not self.stop.is_set():
            self._send(stream, min(self.sent_until + CHECKPOINT, end), live=False)

    def live(self) -> None:
        """Send what arrives as it arrives, until asked to stop."""
        stream = Stream(self.world, self.sent_until)
        while not self.stop.wait(TICK_SECONDS):
            self._send(stream, self.now(), live=True)

    def close(self) -> None:
        """Close the connection."""
        if self._sink:
            self._sink.close()
            self._sink = None

    def _send(self, stream: Stream, mark: datetime, *, live: bool) -> None:
        """Send a span and wait for its acknowledgement, retrying while Kafka is unavailable.

        Returns without having sent it when asked to stop.
        """
        records = list(stream.until(mark))
        # Kind by kind, few partitions fill at a time: larger batches, half the cost. The order
        # within a partition stays.
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
                    f"{error} Waiting, then continuing from {format_moment(self.sent_until)}."
                )
                self.close()
                if self.stop.wait(RETRY_SECONDS):
                    return None

    def _advance(self, records: list[SimulatedRecord], mark: datetime) -> None:
        self.sent_until = mark
        self.sent += len(records)
        if self.ledger is not None:
            self.ledger.add(records)
        if records:
            self.remember(self.world, mark)
        self.watcher.progress(mark, self.sent)


def format_moment(at: datetime) -> str:
    """Format a moment as Vietnamese read it."""
    return moment(milliseconds(at)).strftime("%d/%m/%Y %H:%M:%S")
