"""Read and write CloudEvents 1.0 structured JSON: bytes to a valid event or a refusal, and back.

One record is one event. `Reader` is used by everything that reads: the gateway before it accepts,
the worker before it counts. A refusal has a reason that a person can act on.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, ClassVar, Literal, Union, cast

import msgspec
import xxhash
from msgspec import UNSET

from schemas.events.canonical import canonical, is_canonical, uncertain, with_days
from schemas.events.categories import RefusalCategory as RefusalCategory
from schemas.events.categories import RefusalError as RefusalError
from schemas.events.kinds import BY_TYPE, FEEDBACK, KINDS, Kind
from schemas.events.payloads import Envelope, Event
from schemas.events.plain import plain
from schemas.text import may_need_normalising

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Bounds of plausible times: no administration of today has others, and ClickHouse can store these.
"""
CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far an event's time may be ahead of its arrival; beyond that, its source's clock is wrong.

Such an event is kept and counted, and the wrong clock is reported.
"""


class Read(Envelope, frozen=True, kw_only=True, gc=False):
    """A valid event with its envelope.

    Each kind has a subclass, so that one pass over the record checks both.
    """

    kind: ClassVar[Kind]
    data: Any

    @property
    def event_id(self) -> str:
        """Return the event's identity, CloudEvents `source` + `id`, as one text."""
        return f"{self.source}#{self.id}"


@dataclass(frozen=True)
class Reader:
    """A reader of records; `max_bytes` bounds a single event."""

    max_bytes: int = 256 << 10

    def read(self, record: bytes) -> Read:
        """Return the event in a record.

        Raises:
            RefusalError: The record is not a valid event of a known kind.
        """
        if len(record) > self.max_bytes:
            raise RefusalError(
                RefusalCategory.TOO_LARGE,
                f"The event has {len(record)} bytes; at most {self.max_bytes} are taken.",
            )
        read = _decoded(record)
        if (
            read.datacontenttype != _JSON
            and read.datacontenttype.partition(";")[0].strip() != _JSON
        ):
            raise RefusalError(
                RefusalCategory.WRONG_VALUE,
                "datacontenttype must be application/json, "
                f"not {_quotable(read.datacontenttype)!r}.",
            )
        for moment in _MOMENTS[read.kind](read):
            # The year alone nearly always decides, at a fifth of the cost.
            if (
                moment is not None
                and not 1990 < moment.year < 2099
                and not EARLIEST <= moment < LATEST
            ):
                raise RefusalError(
                    RefusalCategory.IMPOSSIBLE_DATE,
                    f"{moment.isoformat()} is not between 1990 and 2099.",
                )
        if read.kind is FEEDBACK and (read.data.lat is None) != (read.data.lon is None):
            raise RefusalError(
                RefusalCategory.IMPOSSIBLE_POINT, "lat and lon must be given together."
            )
        if may_need_normalising(record) or not is_canonical(read.kind, read):
            read = canonical(read.kind, read)
        return read

    def read_all(self, kind: Kind, records: Sequence[bytes]) -> list[Read] | None:
        """Return the event in each record like `read`, but with plain codes and in one pass.

        Args:
            kind: The kind of all the events.
            records: At least one record.

        Returns:
            The events; None if one is invalid or needs a closer look: then `read` them one by one.
        """
        if max(map(len, records)) > self.max_bytes:
            return None
        # No JSON object contains `}`, a line break and `{` in sequence. So each record holds at
        # least one object, and if there are as many objects as records, each holds exactly one.
        if {record[:1] for record in records} != {b"{"} or {record[-1:] for record in records} != {
            b"}"
        }:
            return None
        joined = b"\n".join(records)
        try:
            events = _PLAIN[kind].decode_lines(joined)
        except Exception:
            return None
        data = [event.data for event in events]
        stated = [
            map(_TIME, events),
            *(filter(None, map(moment, data)) for moment in _DATA_MOMENTS[kind]),
        ]
        if len(events) != len(records) or not all(
            1990 < year < 2099 for moments in stated for year in {*map(_YEAR, moments)}
        ):
            return None
        if kind is FEEDBACK and any((one.lat is None) != (one.lon is None) for one in data):
            return None
        try:
            for index in uncertain(kind, events, data):
                events[index] = canonical(kind, events[index])
            if may_need_normalising(joined):
                for index, record in enumerate(records):
                    if may_need_normalising(record):
                        events[index] = canonical(kind, events[index])
        except RefusalError:
            return None
        return events


def write(kind: Kind, event: Event, *, id: str, source: str, time: datetime) -> bytes:
    """Return the CloudEvents JSON of an event, which `Reader.read` accepts."""
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


def identities(event_ids: Iterable[str]) -> list[int]:
    """Return a 64-bit hash of each event's identity (CloudEvents `source` + `id`)."""
    return list(map(xxhash.xxh3_64_intdigest, map(str.encode, event_ids)))


def bodies(kind: Kind, events: Sequence[Read]) -> list[int]:
    """Return a 64-bit hash of the content of each event.

    Two hashes under one identity are a conflict. The hash covers whether a reporter is named but
    not who: an event that is resent after the key changed must still be a repeat. It leaves out the
    precision of moments: a file that is imported again must be recognised even if its first import
    did not record precisions yet.
    """
    # Encode all events in one call: the overhead of a call costs as much as the work for one event.
    # No JSON text contains a raw line break, so the lines can be split again.
    statements = _ENCODER.encode_lines(
        [(event.time, _exact(event.data)) for event in events]
    ).splitlines()
    if kind is FEEDBACK:
        statements = [
            _without_reporter(line, event.data.reporter)
            for line, event in zip(statements, events, strict=True)
        ]
    return list(map(xxhash.xxh3_64_intdigest, statements))


def identity(event_id: str) -> int:
    """Return the hash of one identity, as `identities` does."""
    return identities([event_id])[0]


def body(read: Read) -> int:
    """Return the hash of one event, as `bodies` does."""
    return bodies(read.kind, [read])[0]


def _exact(data: Any) -> Any:
    return msgspec.structs.replace(data, precision=UNSET) if data.precision else data


def _without_reporter(line: bytes, reporter: str) -> bytes:
    # The reporter is the last member, and no JSON text can contain these bytes, as its quotes are
    # escaped.
    others, member, _ = line.rpartition(_REPORTER)
    return others + member if reporter else others


def _read_type(kind: Kind) -> type[Read]:
    """Return the record type of a kind; msgspec chooses among them by the CloudEvents `type`."""
    return _record(kind, [("data", kind.event)])


def _plain_type(kind: Kind) -> type[Read]:
    """Return the record type with plain codes, for the content type of nearly every record."""
    return _record(
        kind, [("data", plain(kind.event)), ("datacontenttype", Literal["application/json"], _JSON)]
    )


def _record(kind: Kind, fields: list[Any]) -> type[Read]:
    made = msgspec.defstruct(
        f"{kind.event.__name__}Read",
        fields,
        bases=(Read,),
        namespace={"kind": kind},
        tag_field="type",
        tag=kind.type,
        frozen=True,
        kw_only=True,
        gc=False,
    )
    return cast(type[Read], made)


def _moments(kind: Kind) -> list[str]:
    """Return the names of the moments in the data of a kind's events."""
    return [
        field.name for field in msgspec.structs.fields(kind.event) if field.name.endswith("_at")
    ]


_JSON = "application/json"
_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Read] = msgspec.json.Decoder(Union[tuple(map(_read_type, KINDS))])  # noqa: UP007
_PLAIN = {kind: msgspec.json.Decoder(_plain_type(kind)) for kind in KINDS}
_MOMENTS: dict[Kind, Callable[[Read], tuple[datetime | None, ...]]] = {
    kind: attrgetter("time", *(f"data.{name}" for name in _moments(kind))) for kind in KINDS
}
_DATA_MOMENTS = {kind: [attrgetter(name) for name in _moments(kind)] for kind in KINDS}
_TIME, _YEAR = attrgetter("time"), attrgetter("year")
_REPORTER = b',"reporter":"'
_POINT = re.compile(r"`\$\.data\.(lat|lon)`")
_TYPE = re.compile(r"^Invalid value '(.*)' - at `\$\.type`$", re.DOTALL)
_QUOTED = re.compile(r"^(Invalid (?:enum )?value )'(.*)'( - at `\$.*`)$", re.DOTALL)
_CODE = re.compile(r"(?!.*\d{7})[A-Za-z0-9._/+-]{1,64}")


def _decoded(record: bytes) -> Read:
    """Return the event in a record; if a date is refused as a moment, retry with its start."""
    try:
        return _DECODER.decode(record)
    except Exception as error:
        refusal = _refusal(error)
    if (
        refusal.category is RefusalCategory.IMPOSSIBLE_DATE
        and (dated := with_days(record)) is not None
    ):
        try:
            return _DECODER.decode(dated)
        except Exception as error:
            refusal = _refusal(error)
    try:
        raise refusal
    finally:
        # Its traceback keeps this frame, and so the record, alive until garbage is collected.
        del refusal


def _refusal(error: Exception) -> RefusalError:
    """Return the refusal for an error in decoding a record.

    An error that the record did not cause is raised again.
    """
    if isinstance(error, RecursionError):
        return RefusalError(RefusalCategory.TOO_DEEP, "The JSON is nested too deeply.")
    if isinstance(error, UnicodeDecodeError):
        return RefusalError(RefusalCategory.BAD_UTF8, f"Not UTF-8 at byte {error.start}.")
    if not isinstance(error, msgspec.DecodeError):
        raise error
    reason = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return RefusalError(
            RefusalCategory.BAD_UTF8 if "utf-8" in reason.lower() else RefusalCategory.BAD_JSON,
            reason,
        )
    if unknown := _TYPE.match(reason):
        known = ", ".join(BY_TYPE)
        return RefusalError(
            RefusalCategory.UNKNOWN_KIND,
            f"Type {_quotable(unknown[1])!r} is not known; known are {known} - at `$.type`",
        )
    category = _category(reason)
    return RefusalError(
        category, _QUOTED.sub(lambda found: f"{found[1]}{_quotable(found[2])!r}{found[3]}", reason)
    )


def _quotable(value: str) -> str:
    """Return a wrong value for a reason to quote; `…` unless it looks like a code.

    Words and long numbers are left out: they may be a person's name or number.
    """
    return value if _CODE.fullmatch(value) else "…"


def _category(reason: str) -> RefusalCategory:
    if "missing required field" in reason:
        return RefusalCategory.MISSING_FIELD
    if _POINT.search(reason):
        return RefusalCategory.IMPOSSIBLE_POINT
    if "RFC3339" in reason or "timezone" in reason:
        return RefusalCategory.IMPOSSIBLE_DATE
    if "got `" in reason:
        return RefusalCategory.WRONG_TYPE
    return RefusalCategory.WRONG_VALUE
