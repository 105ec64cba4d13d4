"""CloudEvents 1.0 structured JSON: from bytes to a valid event or a refusal that a person can act on, and back.

One record is one event. `Reader` is what everything reads with: the gateway before it accepts, the worker before it counts.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, NamedTuple

import msgspec
import xxhash

from schemas.events import Envelope, Event
from schemas.kinds import BY_TYPE, KINDS, Kind

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Times outside are impossible for a living administration, and ClickHouse must be able to hold them."""
CLOCK_TOLERANCE = timedelta(minutes=5)
"""An event whose time is ahead of its arrival by more comes from a clock that is wrong: it is kept, and told as what it is."""


class Category(StrEnum):
    """What is wrong with a refused event; stable words for machines."""

    BAD_UTF8 = "bad-utf8"
    BAD_JSON = "bad-json"
    TOO_DEEP = "too-deep"
    TOO_LARGE = "too-large"
    MISSING_FIELD = "missing-field"
    WRONG_TYPE = "wrong-type"
    WRONG_VALUE = "wrong-value"
    UNKNOWN_KIND = "unknown-kind"
    IMPOSSIBLE_DATE = "impossible-date"
    IMPOSSIBLE_POINT = "impossible-point"
    WRONG_KEY = "wrong-key"
    CONFLICT = "conflict"


class Refusal(Exception):
    """An input that cannot be an event, with its category and a reason to act on."""

    def __init__(self, category: Category, reason: str) -> None:
        super().__init__(reason)
        self.category = category
        self.reason = reason


class Read(NamedTuple):
    """A valid event with what its envelope said."""

    kind: Kind
    id: str
    source: str
    time: datetime
    data: Any

    @property
    def event_id(self) -> str:
        """The event's identity, CloudEvents `source` + `id`, in one text."""
        return f"{self.source}#{self.id}"


@dataclass(frozen=True)
class Reader:
    """Reads records; `max_bytes` bounds a single event."""

    max_bytes: int = 256 << 10

    def read(self, record: bytes) -> Read:
        """The event in a record. Raises `Refusal` for anything that is not a valid event of a known kind."""
        if len(record) > self.max_bytes:
            raise Refusal(Category.TOO_LARGE, f"The event has {len(record)} bytes; at most {self.max_bytes} are taken.")
        envelope = _decode(_ENVELOPE, record)
        kind = BY_TYPE.get(envelope.type)
        if kind is None or envelope.specversion != "1.0":
            raise _unknown(envelope)
        if envelope.datacontenttype.partition(";")[0].strip() != "application/json":
            raise Refusal(Category.WRONG_VALUE, f"datacontenttype must be application/json, not {envelope.datacontenttype!r}.")
        data = _decode(_DATA[kind.name], envelope.data, path="data")
        for moment in (envelope.time, *(getattr(data, name) for name in _MOMENTS[kind.name])):
            if moment is not None and not EARLIEST <= moment < LATEST:
                raise Refusal(Category.IMPOSSIBLE_DATE, f"{moment.isoformat()} is not between 1990 and 2099.")
        if kind.name == "feedback" and (data.lat is None) != (data.lon is None):
            raise Refusal(Category.IMPOSSIBLE_POINT, "lat and lon must be given together.")
        return Read(kind, envelope.id, envelope.source, envelope.time, data)


def write(kind: Kind, event: Event, *, id: str, source: str, time: datetime) -> bytes:
    """The CloudEvents JSON of an event: what `Reader.read` takes."""
    envelope = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": kind.type,
        "subject": kind.entity_id(event),
        "time": time,
        "datacontenttype": "application/json",
        "data": event,
    }
    return _ENCODER.encode(envelope)


def identity(read: Read) -> int:
    """64 bits that stand for an event's identity (CloudEvents `source` + `id`)."""
    return xxhash.xxh3_64_intdigest(read.event_id.encode())


def body(read: Read) -> int:
    """64 bits that stand for what an event says: two events of one identity with different bodies contradict each other."""
    return xxhash.xxh3_64_intdigest(_ENCODER.encode((read.time, read.data)))


_ENCODER = msgspec.json.Encoder()
_ENVELOPE = msgspec.json.Decoder(Envelope)
_DATA: dict[str, msgspec.json.Decoder[Any]] = {kind.name: msgspec.json.Decoder(kind.event) for kind in KINDS}
_MOMENTS = {
    kind.name: tuple(field.name for field in msgspec.structs.fields(kind.event) if field.name.endswith("_at")) for kind in KINDS
}
_POINT = re.compile(r"`\$\.(?:data\.)?(lat|lon)`")


def _decode(decoder: msgspec.json.Decoder[Any], record: Any, path: Literal["", "data"] = "") -> Any:
    try:
        return decoder.decode(record)
    except msgspec.ValidationError as error:
        reason = str(error)
        if path:
            reason = reason.replace("`$.", f"`$.{path}.").replace("`$`", f"`$.{path}`")
            if "at `" not in reason:
                reason += f" - at `$.{path}`"
        raise Refusal(_category(reason), reason) from None
    except RecursionError:
        raise Refusal(Category.TOO_DEEP, "The JSON is nested too deeply.") from None
    except UnicodeDecodeError as error:
        raise Refusal(Category.BAD_UTF8, f"Not UTF-8 at byte {error.start}.") from None
    except msgspec.DecodeError as error:
        raise Refusal(Category.BAD_UTF8 if "utf-8" in str(error).lower() else Category.BAD_JSON, str(error)) from None


def _category(reason: str) -> Category:
    if "missing required field" in reason:
        return Category.MISSING_FIELD
    if _POINT.search(reason):
        return Category.IMPOSSIBLE_POINT
    if "RFC3339" in reason or "timezone" in reason:
        return Category.IMPOSSIBLE_DATE
    if "got `" in reason:
        return Category.WRONG_TYPE
    return Category.WRONG_VALUE


def _unknown(envelope: Envelope) -> Refusal:
    if envelope.specversion != "1.0":
        return Refusal(Category.WRONG_VALUE, f"specversion must be 1.0, not {envelope.specversion!r} - at `$.specversion`")
    known = ", ".join(BY_TYPE)
    return Refusal(Category.UNKNOWN_KIND, f"Type {envelope.type!r} is not known; known are {known} - at `$.type`")
