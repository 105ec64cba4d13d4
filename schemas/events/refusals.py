"""Read the sender from a refused record, as far as possible, and never its content.

A source can be notified of its refusals only if it is known.
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas.events.kinds import BY_TYPE

MAX_SOURCE_LETTERS = 256
_CODE = re.compile(r"[\w.-]{1,64}", re.ASCII)
_CUT_AGENCY = re.compile(rb'"agency"\s*:\s*"([\w.-]{1,64})"')
_CUT_TYPE = re.compile(rb'"type"\s*:\s*"([\w.-]{1,64})"')
MAX_SEARCHED_BYTES = 16 << 10
"""Bytes of an undecodable record that are searched for an agency and a kind."""
_QUOTED = re.compile(r"'.*'", re.DOTALL)
_MOMENT = re.compile(r"\d{1,6}-\d\d-\d\d\S*")


class _Named(msgspec.Struct):
    id: Any = None
    source: Any = None
    type: Any = None
    data: Any = None


_NAMED = msgspec.json.Decoder(_Named)


@dataclass(frozen=True)
class StatedSender:
    """The sender that a record states; a field is empty if it is missing or could not be a name."""

    id: str | None = None
    source: str | None = None
    agency: str = ""
    kind: str = ""


def stated_sender(record: bytes) -> StatedSender:
    """Return what a refused record states about its sender; never raise.

    An incomplete record is searched for its agency and kind.
    """
    try:
        named = _NAMED.decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        start = record[:MAX_SEARCHED_BYTES]
        agency, kind = _CUT_AGENCY.search(start), _CUT_TYPE.search(start)
        return StatedSender(
            agency=agency[1].decode() if agency else "",
            kind=_kind(kind[1].decode() if kind else ""),
        )
    data = named.data if isinstance(named.data, dict) else {}
    return StatedSender(
        _text(named.id), _text(named.source), code(data.get("agency")), _kind(named.type)
    )


def code(value: Any) -> str:
    """Return `value` if it is a text that can be a code, else an empty text."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def _text(value: Any) -> str | None:
    return value[:MAX_SOURCE_LETTERS] if isinstance(value, str) else None


def _kind(value: Any) -> str:
    found = BY_TYPE.get(value) if isinstance(value, str) else None
    return found.name if found else ""


def redacted(reason: str) -> str:
    """Return a reason without its quotations of the input, which may be a person's name."""
    return _MOMENT.sub("…", _QUOTED.sub("'…'", reason))
