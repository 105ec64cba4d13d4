"""What a worker and the watch keep beside events and windows, one class per table: the fields are the columns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from schemas.clickhouse.rows import RowCodec
from schemas.clickhouse.tables import DEAD_LETTERS, HEARTBEATS, PROGRESS
from schemas.clickhouse.watch_tables import REFUSALS, WATCH
from schemas.moments import milliseconds
from schemas.seal import masked

MAX_COPIED_BYTES = 256 << 10
"""Bytes of a payload that the dead-letter topic's copy carries at most."""
OPEN, RESENT = "open", "resent"
"""How a dead letter stands."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record that could not be counted: kept whole in ClickHouse, with a copy in the dead-letter topic for other readers.

    `payload` is the record with who reported sealed; the copy does not even hold that. It is open until somebody says otherwise
    later than it arrived. Its name says where it was read.
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
    """The agency that it names, as far as it can be read."""
    state: str = OPEN
    changed_at: datetime

    @property
    def name(self) -> str:
        """`topic/partition/offset`."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    def copy(self) -> bytes:
        """As it is sent to the dead-letter topic, JSON with key and payload in base64; a payload too large for a record is cut."""
        changes = {
            "key": self.key[:MAX_COPIED_BYTES],
            "payload": masked(self.payload)[:MAX_COPIED_BYTES],
            "received_ms": milliseconds(self.received_at),
        }
        names = {"received_at": "received_ms"}
        copied = [one for one in self.__struct_fields__ if one not in ("state", "changed_at")]
        said: dict[str, Any] = {
            (name := names.get(one, one)): changes.get(name, getattr(self, one)) for one in copied
        }
        return msgspec.json.encode(said)


@dataclass(frozen=True, kw_only=True)
class HeartbeatRow:
    """A heartbeat of a gateway as it came through a partition."""

    gateway: str
    partition: int
    sent_at: datetime
    written_at: datetime


@dataclass(frozen=True, kw_only=True)
class RefusalRow:
    """What a gateway refused of one source, counted over some seconds."""

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
    """How far a partition is counted, as its worker sees it."""

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
    """When a job of the watch was done, and how long that took."""

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
