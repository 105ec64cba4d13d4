"""Rows of the tables that a worker and the watch write besides events and windows.

One class per table; its fields are the columns.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from schemas.clickhouse.rows import RowCodec
from schemas.clickhouse.tables import DEAD_LETTERS, HEARTBEATS, PROGRESS
from schemas.clickhouse.watch_tables import REFUSALS, WATCH
from schemas.moments import milliseconds
from schemas.seal import masked

MAX_COPIED_BYTES = 256 << 10
"""Maximum size of a payload in the dead-letter topic; longer ones are truncated."""
OPEN, RESENT = "open", "resent"
"""The states of a dead letter."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record that could not be counted: stored in ClickHouse, copied to the dead-letter topic.

    In `payload` the reporter's identity is encrypted; the copy does not contain it at all. The
    letter is open until a row with a later `changed_at` changes its state. Its name is its Kafka
    position.
    """

    topic: str
    partition: int
    offset: int
    received_at: datetime
    category: str
    reason: str
    key: bytes
    payload: bytes
    kind: str = ""
    agency: str = ""
    """The agency that the record names, if that can be read."""
    state: str = OPEN
    changed_at: datetime

    @property
    def name(self) -> str:
        """Return the letter's name, `topic/partition/offset`."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    def copy(self) -> bytes:
        """Return the record for the dead-letter topic: JSON with key and payload in base64.

        Key and payload are truncated to `MAX_COPIED_BYTES`.
        """
        return msgspec.json.encode(
            {
                "topic": self.topic,
                "partition": self.partition,
                "offset": self.offset,
                "received_ms": milliseconds(self.received_at),
                "category": self.category,
                "reason": self.reason,
                "key": self.key[:MAX_COPIED_BYTES],
                "payload": masked(self.payload)[:MAX_COPIED_BYTES],
                "kind": self.kind,
                "agency": self.agency,
            }
        )


@dataclass(frozen=True, kw_only=True)
class HeartbeatRow:
    """A gateway's heartbeat, received through a partition."""

    gateway: str
    partition: int
    sent_at: datetime
    written_at: datetime


@dataclass(frozen=True, kw_only=True)
class RefusalRow:
    """Refusals of one source by a gateway, counted over some seconds."""

    since: datetime
    until: datetime
    gateway: str
    source: str
    agency: str
    kind: str
    category: str
    count: int
    reason: str
    written_at: datetime


@dataclass(frozen=True, kw_only=True)
class ProgressRow:
    """The progress of a partition according to its worker."""

    kind: str
    partition: int
    worker: str
    written: int
    end: int
    received_at: datetime | None
    waits_since: datetime | None
    moved_at: datetime
    at: datetime


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """When a job of the watch was completed, and how long it took."""

    job: str
    period_seconds: float
    at: datetime
    took_ms: int
    watch: str


LETTER_ROWS = RowCodec(table=DEAD_LETTERS, of=DeadLetter)
HEARTBEAT_ROWS = RowCodec(table=HEARTBEATS, of=HeartbeatRow)
REFUSAL_ROWS = RowCodec(table=REFUSALS, of=RefusalRow)
PROGRESS_ROWS = RowCodec(table=PROGRESS, of=ProgressRow)
JOB_ROWS = RowCodec(table=WATCH, of=JobRow)
