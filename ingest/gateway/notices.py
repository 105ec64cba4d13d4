"""What the sender of an event that is taken should know all the same: a wrong clock, codes that nobody knows, a code mended."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

import msgspec

from ingest.gateway import words
from schemas.documents import example
from schemas.events.envelope import CLOCK_TOLERANCE, Read, Reader
from schemas.events.kinds import KINDS, MEETING, Kind
from schemas.reference.unknown import unknown_codes
from schemas.text import normalise

MAX_NAMED_CODES = 5
"""Codes that a warning names; a meeting may have thousands of sites."""
AHEAD, UNKNOWN, MENDED = "ahead", "unknown", "mended"


class Notice(NamedTuple):
    """One thing to know about an event: what it is about, the field, what was sent there and what it was read as."""

    about: str
    field: str
    sent: str
    read: str = ""


class _SentData(msgspec.Struct, gc=False):
    data: dict[str, msgspec.Raw]


_SENT = msgspec.json.Decoder(_SentData)
MAX_CLEAN_CODES = 100_000
"""Combinations of codes that are remembered to need no word; beyond, they are forgotten and looked up again."""
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
    """Load the reference data, which takes half a second, before an event asks for it."""
    for kind in KINDS:
        unknown_codes(kind, Reader().read(example(kind)).data)


def notices(read: Read, record: bytes, arrival: datetime) -> list[Notice] | None:
    """Return what there is to say of an event; None nearly always.

    Asked about each event, so what is common costs next to nothing: combinations of codes that need no word are remembered. A code
    was mended by putting back its zero, so only one that begins with a zero may have been.
    """
    data = read.data
    codes = (read.kind.name, *_CODES[read.kind.name](data))
    if codes in _clean and read.time <= arrival and read.kind is not MEETING:
        return None
    found = []
    if (ahead := read.time - arrival) > CLOCK_TOLERANCE:
        found.append(Notice(AHEAD, "time", str(ahead // timedelta(seconds=1))))
    unknown = [Notice(UNKNOWN, field, code) for field, code in unknown_codes(read.kind, data)]
    found += unknown
    mendable = [field for field in ("commune", "unit") if getattr(data, field, "").startswith("0")]
    if mendable:
        sent = _SENT.decode(record).data
        for field in mendable:
            given, code = (
                normalise(msgspec.json.decode(sent[field], type=str)),
                getattr(data, field),
            )
            if given != code:
                found.append(Notice(MENDED, field, given, code))
    elif not unknown:
        if len(_clean) >= MAX_CLEAN_CODES:
            _clean.clear()
        _clean.add(codes)
    return found or None


def none_of(kind: Kind, reads: Sequence[Read], records: Sequence[bytes], arrival: datetime) -> bool:
    """Return whether many events of a kind need no word; asked first, at a tenth of the price of one by one.

    Of combinations of codes that were not seen before an event is looked at; it makes its combination known if no word is needed.
    """
    if kind is MEETING or max([read.time for read in reads]) > arrival:
        return False
    codes_of, name = _CODES[kind.name], kind.name
    codes = [(name, *codes_of(read.data)) for read in reads]
    if _clean.issuperset(codes):
        return True
    return all(
        notices(reads[index], records[index], arrival) is None
        for index, code in enumerate(codes)
        if code not in _clean
    )


def told(found: list[Notice], language: str) -> str:
    """Say it to the sender, several things joined to one warning."""
    said = [words.of(words.AHEAD, language, one.sent) for one in found if one.about == AHEAD]
    unknown = [f"{one.field} {one.sent!r}" for one in found if one.about == UNKNOWN]
    if unknown:
        named = ", ".join(unknown[:MAX_NAMED_CODES]) + (
            "…" if len(unknown) > MAX_NAMED_CODES else ""
        )
        said.append(words.of(words.UNKNOWN_CODES, language, named))
    said += [
        words.of(words.MENDED_CODE, language, one.field, one.sent, one.read)
        for one in found
        if one.about == MENDED
    ]
    return "; ".join(said)
