"""JSON members that stand twice in one object: which of them holds depends on the reader, so no event may have any."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

_DECODER = msgspec.json.Decoder()


class _RepeatedError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def repeated_member(record: bytes) -> str | None:
    """Return the name of a member that one object of a JSON record holds twice, None if there is none or it is no JSON.

    Names are compared by what they say: `\\u0064ata` is `data`. Nearly always it is enough to count: a record has as many `":` as
    its objects have members. Only where these differ (objects in lists, a repeat), or a space stands before a colon, are they told
    apart.
    """
    try:
        read = _DECODER.decode(record)
        if type(read) is dict:
            members = len(read) + sum([len(value) for value in read.values() if type(value) is dict])
            if record.count(b'":') == members and not _spaced(record):
                return None
        json.loads(record, object_pairs_hook=_pairs)
    except _RepeatedError as found:
        return found.name
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return None


def perhaps_repeated(records: Sequence[bytes]) -> bool:
    """Return whether a member may stand twice in any of many valid events; all at once, at half the price of one by one.

    None is known to have any if all together have as many `":` as members: each has at least as many, unless a space stands before
    a colon.
    """
    lines = b"\n".join(records)
    if _spaced(lines):
        return True
    events = _DECODER.decode_lines(lines)
    members = sum(map(len, events)) + sum([len(event["data"]) for event in events])
    return lines.count(b'":') != members


def _spaced(record: bytes) -> bool:
    """Whether a space may stand before a colon. A single byte is looked for at a fraction of the price of two."""
    return b" :" in record or any(space in record and space + b":" in record for space in (b"\n", b"\t", b"\r"))


def _pairs(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise _RepeatedError(name)
        seen.add(name)
