"""Find and replace the identities in the bytes of a record, leaving all other bytes as they are.

In a valid record that is exact: each member named `reporter` is found, at any depth, however its
name is escaped and however often it occurs. In a broken record it is tolerant: even if a record
cannot be decoded, it may contain an identity.
"""

import json
import math
import re
from collections.abc import Callable

from schemas.events.envelope import Read, Reader, RefusalCategory, RefusalError
from schemas.events.kinds import FEEDBACK
from schemas.events.members import refuse_repeated
from schemas.seal.identity import FORM, DecryptionError, Sealer, hides

MASK = "***"
MAX_REPORTERS = 16
"""Maximum number of members named `reporter` in one event, which needs one.

Encrypting twelve thousand in a list took half a second.
"""

# None of these may scan the same bytes again and again: a record of a megabyte must not stop a
# partition.
_NAME = re.compile(rb'"reporter"\s*:\s*')
_ESCAPED = [
    letter if letter == "o" else rf"(?:{letter}|\\u00{ord(letter):x})" for letter in "reporter"
]
_ESCAPED_NAME = re.compile(
    '"{}"\\s*:\\s*'.format("".join(_ESCAPED).replace("o", r"(?:o|\\u006[fF])")).encode()
)
_STRING = re.compile(rb'"((?:[^"\\]|\\.)*+\\?)("?)', re.DOTALL)
_WORD = re.compile(rb"null|true|false")
_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[{}\[\]]', re.DOTALL)
_BARE = re.compile(rb'[^"{}\[\],\s](?:[^,}\]]|,(?!\s*"))*+')
_QUOTED_AGAIN = re.compile(rb'(\\{1,15}")reporter\1(\s*:\s*)\1(.*?)((?<!\\)\1|$)', re.DOTALL)
_SINGLE = re.compile(rb"(')reporter'(\s*:\s*)'([^'\"]*)('|$)")
_FORM = re.compile(FORM.pattern.encode())


def sealed(record: bytes, sealer: Sealer) -> bytes:
    """Return the record with every identity encrypted; the same object if none needs it."""
    return _replaced(record, sealer.seal)


def sealed_remains(record: bytes, sealer: Sealer) -> bytes:
    """Return a refused record with every identity encrypted.

    Unlike `sealed`, it also looks into JSON within a JSON text, and into what was mistaken for
    JSON.
    """
    record = sealed(record, sealer)
    for remains in (_QUOTED_AGAIN, _SINGLE):
        record = remains.sub(lambda found: _within(found, sealer), record)
    return record


def masked(record: bytes) -> bytes:
    """Return the record with every identity, encrypted or not, replaced by `MASK` for good."""
    return _FORM.sub(MASK.encode(), _replaced(record, lambda text: MASK if text else text))


def opened(record: bytes, sealer: Sealer, note: Callable[[str], object]) -> bytes:
    """Return the record with every identity decrypted that the keys decrypt.

    Args:
        record: The record's bytes.
        sealer: The keys.
        note: Called with each encrypted text before it is decrypted.
    """

    def decrypted(found: re.Match[bytes]) -> bytes:
        text = found[0].decode()
        note(text)
        try:
            return json.dumps(sealer.open(text), ensure_ascii=False)[1:-1].encode()
        except DecryptionError:
            return found[0]

    return _FORM.sub(decrypted, record)


def read_sealed(record: bytes, reader: Reader, sealer: Sealer) -> tuple[Read, bytes]:
    """Return the event in a record, and the record, with its identities encrypted.

    A repeated member is refused before anything is encrypted: JSON parsers disagree on which of the
    two counts. The record is read twice: as it arrived, so that a reason names positions that the
    sender knows, and after it was changed, so that the stored record is within the size limit and
    is the one that was validated.

    Raises:
        RefusalError: The record is not a valid event.
    """
    if len(record) <= reader.max_bytes:
        refuse_repeated(record)
    read = reader.read(record)
    if read.kind is not FEEDBACK:
        return (
            read,
            record,
        )  # Other kinds name no reporter: a search would cost as much as reading them.
    closed = _replaced(record, sealer.seal, MAX_REPORTERS)
    return (read, record) if closed is record else (reader.read(closed), closed)


def _replaced(record: bytes, change: Callable[[str], str], limit: float = math.inf) -> bytes:
    escaped = b"\\" in record and b"\\u00" in record
    if not escaped and b'"reporter"' not in record:
        return record
    name = _ESCAPED_NAME if escaped else _NAME
    parts, kept, at, count = list[bytes](), 0, 0, 0
    while found := name.search(record, at):
        if (count := count + 1) > limit:
            raise RefusalError(
                RefusalCategory.WRONG_VALUE, f"More than {limit} members are named reporter."
            )
        start = found.end()
        text, end, closing = _value(record, start)
        at = max(end, start)
        if text is not None and (changed := change(text)) != text:
            parts += [record[kept:start], b'"', changed.encode(), closing]
            kept = end
    return b"".join((*parts, record[kept:])) if parts else record


def _value(record: bytes, start: int) -> tuple[str | None, int, bytes]:
    """Return a member's value as text (None for none), its end, and its closing quote, if any."""
    if string := _STRING.match(record, start):
        return _text(string[1]), string.end(), string[2]
    if _WORD.match(record, start):
        return None, start, b""
    if record[start : start + 1] in (b"{", b"["):
        end = _end_of_brackets(record, start)
    else:
        end = start + len(bare[0].rstrip()) if (bare := _BARE.match(record, start)) else start
    return record[start:end].decode(errors="replace") or None, end, b'"'


def _end_of_brackets(record: bytes, start: int) -> int:
    depth = 0
    for found in _BRACKET.finditer(record, start):
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    return len(record)


def _text(inside: bytes) -> str:
    """Return the text of a JSON string; the bytes as they are if it is not valid."""
    try:
        return (
            str(json.loads(b'"' + inside + b'"', strict=False))
            if b"\\" in inside
            else inside.decode()
        )
    except ValueError:
        return inside.decode(errors="replace")


def _within(found: re.Match[bytes], sealer: Sealer) -> bytes:
    quote, between, inside, end = found.groups()
    text = _text(inside)
    if hides(text):
        return found[0]
    return b"".join((quote, b"reporter", quote, between, quote, sealer.seal(text).encode(), end))
