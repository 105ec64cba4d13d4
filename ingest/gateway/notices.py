"""Find what an accepted event's sender should know: a wrong clock, unknown or corrected codes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

import msgspec

from ingest.gateway import messages
from schemas.documents import example
from schemas.events.envelope import CLOCK_TOLERANCE, Read, Reader
from schemas.events.kinds import KINDS, MEETING, Kind
from schemas.reference.unknown import unknown_codes
from schemas.text import normalise

MAX_NAMED_CODES = 5
"""Codes that a warning lists; a meeting may have thousands of sites."""
CLOCK_AHEAD, UNKNOWN_CODE, CORRECTED_CODE = "ahead", "unknown", "mended"


class Notice(NamedTuple):
    """One notice about an event: its subject, the field, what was sent, what it was read as."""

    about: str
    field: str
    sent: str
    read: str = ""


class _SentData(msgspec.Struct, gc=False):
    data: dict[str, msgspec.Raw]


_SENT = msgspec.json.Decoder(_SentData)
MAX_CLEAN_CODES = 100_000
"""Combinations of codes that are remembered to need no notice.

Beyond, all are forgotten and looked up again.
"""
_CODE_FIELDS = {
    kind.name: [
        name
        for name in ("agency", "commune", "unit", "indicator", "category")
        if name in kind.event.__struct_fields__
    ]
    for kind in KINDS
}
_CODES = {name: attrgetter(*fields) for name, fields in _CODE_FIELDS.items()}
_clean: set[tuple[str, ...]] = set()


def load() -> None:
    """Load the reference data, which takes half a second, before the first event needs it."""
    for kind in KINDS:
        unknown_codes(kind, Reader().read(example(kind)).data)


def find_notices(read: Read, record: bytes, arrival: datetime) -> list[Notice] | None:
    """Return the notices about an event; None for nearly all.

    Called for each event, so the common case costs next to nothing: combinations of codes that need
    no notice are remembered. A code is corrected by restoring its zero, so only codes that begin
    with a zero may have been.

    Args:
        read: the validated event.
        record: its bytes as sent.
        arrival: when its request arrived.
    """
    data = read.data
    codes = (read.kind.name, *_CODES[read.kind.name](data))
    if codes in _clean and read.time <= arrival and read.kind is not MEETING:
        return None
    found = []
    if (ahead := read.time - arrival) > CLOCK_TOLERANCE:
        found.append(Notice(CLOCK_AHEAD, "time", str(ahead // timedelta(seconds=1))))
    unknown = [Notice(UNKNOWN_CODE, field, code) for field, code in unknown_codes(read.kind, data)]
    found += unknown
    correctable = [
        field for field in ("commune", "unit") if getattr(data, field, "").startswith("0")
    ]
    if correctable:
        sent = _SENT.decode(record).data
        for field in correctable:
            given, code = (
                normalise(msgspec.json.decode(sent[field], type=str)),
                getattr(data, field),
            )
            if given != code:
                found.append(Notice(CORRECTED_CODE, field, given, code))
    elif not unknown:
        if len(_clean) >= MAX_CLEAN_CODES:
            _clean.clear()
        _clean.add(codes)
    return found or None


def need_no_notice(
    kind: Kind, reads: Sequence[Read], records: Sequence[bytes], arrival: datetime
) -> bool:
    """Return whether many events of a kind need no notice, at a tenth of the cost of one by one.

    Of each combination of codes not seen before, one event is checked; the combination becomes
    known if it needs no notice.
    """
    if kind is MEETING or max([read.time for read in reads]) > arrival:
        return False
    codes_of, name = _CODES[kind.name], kind.name
    codes = [(name, *codes_of(read.data)) for read in reads]
    if _clean.issuperset(codes):
        return True
    return all(
        find_notices(reads[index], records[index], arrival) is None
        for index, code in enumerate(codes)
        if code not in _clean
    )


def format_warning(found: list[Notice], language: str) -> str:
    """Format the notices as one warning in the sender's language."""
    sentences = [
        messages.text(messages.AHEAD, language, one.sent)
        for one in found
        if one.about == CLOCK_AHEAD
    ]
    unknown = [f"{one.field} {one.sent!r}" for one in found if one.about == UNKNOWN_CODE]
    if unknown:
        named = ", ".join(unknown[:MAX_NAMED_CODES]) + (
            "…" if len(unknown) > MAX_NAMED_CODES else ""
        )
        sentences.append(messages.text(messages.UNKNOWN_CODES, language, named))
    sentences += [
        messages.text(messages.CORRECTED_CODE, language, one.field, one.sent, one.read)
        for one in found
        if one.about == CORRECTED_CODE
    ]
    return "; ".join(sentences)
