"""JSON members that stand twice in one object: which of them holds depends on the reader, so no event may have any."""

import json
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
    its objects have members. Only where these differ (a space before a colon, objects in lists, a repeat) are they told apart.
    """
    try:
        read = _DECODER.decode(record)
        if type(read) is dict:
            members = len(read) + sum([len(value) for value in read.values() if type(value) is dict])
            if record.count(b'":') == members:
                return None
        json.loads(record, object_pairs_hook=_pairs)
    except _RepeatedError as found:
        return found.name
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return None


def _pairs(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise _RepeatedError(name)
        seen.add(name)
