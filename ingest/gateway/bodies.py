"""Split a request's body into the bytes of its events."""

import re
from collections.abc import AsyncIterator

import msgspec

from ingest.gateway import messages
from schemas.events.envelope import RefusalCategory

EVENT, BATCH, LINES = (
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
)
MEDIA_TYPES = (EVENT, "application/json", BATCH, LINES)
"""Accepted types: one event (two names for it), a JSON array of events, one event per line."""
MAX_EVENTS = 10_000
MAX_LINES = 3 * MAX_EVENTS
"""Lines of a body, blank ones included."""
DENSE_COMMAS, MAX_BRACES = 4 * MAX_EVENTS, 10 * MAX_EVENTS
"""Commas above which a batch is checked before it is parsed, and braces above which it is refused.

Eight megabytes of `1,` make four million items and 480 MB. More braces mean too many events,
whatever they are: an event has two objects.
"""
BOM = b"\xef\xbb\xbf"
"""The byte order mark that .NET and PowerShell put before UTF-8."""

_LIST = msgspec.json.Decoder(list[msgspec.Raw])


class _Object(msgspec.Struct, gc=False):
    """Any JSON object."""


_OBJECTS = msgspec.json.Decoder(list[_Object])
_ITEM = re.compile(r"\$\[(\d+)\]")


class UnusableBodyError(Exception):
    """A body without usable events: the answer's status, a category, a reason in two languages."""

    def __init__(self, status: int, category: str, reason: tuple[str, str], *parts: object) -> None:
        """Keep what the answer needs; `parts` fill the placeholders of the reason."""
        super().__init__(reason[1].format(*parts))
        self.status = status
        self.category = category
        self.reason = reason
        self.parts = parts


def media_type(content_type: str, content_encoding: str) -> str:
    """Return the type of body that the headers announce. Raises `UnusableBodyError` (415)."""
    name, _, parameters = content_type.partition(";")
    name = name.strip().lower()
    charset = parameters.replace(" ", "").replace('"', "").lower()
    if name not in MEDIA_TYPES or (
        charset.startswith("charset=") and charset not in ("charset=utf-8", "charset=utf8")
    ):
        raise UnusableBodyError(
            415, "unsupported-media-type", messages.MEDIA_TYPE, content_type, ", ".join(MEDIA_TYPES)
        )
    if content_encoding.strip().lower() not in ("", "identity"):
        raise UnusableBodyError(415, "unsupported-media-type", messages.ENCODING, content_encoding)
    return EVENT if name == "application/json" else name


async def read_body(chunks: AsyncIterator[bytes], announced: str | None, limit: int) -> bytes:
    """Return the body, reading no more than `limit` bytes. Raises `UnusableBodyError` (413)."""
    if announced is not None and announced.isdecimal() and int(announced) > limit:
        raise UnusableBodyError(
            413, RefusalCategory.TOO_LARGE.value, messages.BODY_TOO_LARGE, limit
        )
    parts, size = [], 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise UnusableBodyError(
                413, RefusalCategory.TOO_LARGE.value, messages.BODY_TOO_LARGE, limit
            )
        parts.append(chunk)
    return b"".join(parts)


def split_events(media: str, body: bytes) -> list[bytes]:
    """Return each event's bytes as the sender wrote them. Raises `UnusableBodyError` (400, 413)."""
    body = body.removeprefix(BOM)
    if not body.strip():
        raise UnusableBodyError(400, "empty", messages.EMPTY)
    if media == EVENT:
        return [body]
    records = _lines(body) if media == LINES else _array(body)
    if len(records) > MAX_EVENTS:
        raise UnusableBodyError(413, RefusalCategory.TOO_LARGE.value, messages.TOO_MANY, MAX_EVENTS)
    return records


def _lines(body: bytes) -> list[bytes]:
    if body.count(b"\n") > MAX_LINES:
        raise UnusableBodyError(413, RefusalCategory.TOO_LARGE.value, messages.TOO_MANY, MAX_EVENTS)
    return [line for line in (line.strip() for line in body.split(b"\n")) if line]


def _array(body: bytes) -> list[bytes]:
    try:
        if body.count(b",") > DENSE_COMMAS:
            if body.count(b"{") > MAX_BRACES:
                raise UnusableBodyError(
                    413, RefusalCategory.TOO_LARGE.value, messages.TOO_MANY, MAX_EVENTS
                )
            _OBJECTS.decode(body)  # It stops at the first item that is no object.
        return [bytes(raw) for raw in _LIST.decode(body)]
    except msgspec.ValidationError as error:
        if item := _ITEM.search(str(error)):
            raise UnusableBodyError(
                400, RefusalCategory.WRONG_TYPE.value, messages.NOT_OBJECTS, int(item[1])
            ) from None
        raise UnusableBodyError(
            400, RefusalCategory.WRONG_TYPE.value, messages.NOT_A_LIST
        ) from None
    except RecursionError:
        raise UnusableBodyError(
            400, RefusalCategory.TOO_DEEP.value, messages.CATEGORIES[RefusalCategory.TOO_DEEP]
        ) from None
    except UnicodeDecodeError:
        raise UnusableBodyError(
            400, RefusalCategory.BAD_UTF8.value, messages.CATEGORIES[RefusalCategory.BAD_UTF8]
        ) from None
    except msgspec.DecodeError as error:
        raise UnusableBodyError(
            400, RefusalCategory.BAD_JSON.value, messages.MALFORMED, str(error)
        ) from None
