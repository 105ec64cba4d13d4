"""The one form of an event, whatever form its sender gave it: texts, codes, sites, and moments that are known to the day only.

`Reader` brings every event into it, at the gateway and at the worker alike, so that both see the same identity and the same values.
What a sender wrote stays in the raw record. Nothing here depends on more than the event and the units of this installation.
"""

import re
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from schemas import places
from schemas.events.categories import RefusalCategory, RefusalError
from schemas.events.kinds import Kind
from schemas.events.payloads import CODE, COMMUNE, IDENTIFIER, SITES
from schemas.moments import DAY, MINUTE, TIME, ZONE
from schemas.places.atlas import table
from schemas.text import has_control, normalise

LOCAL = ZoneInfo(ZONE)
MAX_KNOWN_CODES = 50_000
"""Combinations of codes of a kind that are remembered at most: whoever sends codes that there are not must not fill the memory."""
REQUIRED = "required"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_NOT_NUMBERS = frozenset((".", ".."))
"""An address treats them as steps, so that a record of such a number could not be opened."""
_UNCHANGED = ("reporter",)
"""Who reported is sealed, and compared as sealed."""
_COMMUNE_DIGITS = 5


@dataclass(frozen=True)
class _Fields:
    """The fields of a kind's event by what their form is."""

    forms: dict[str, Callable[[str, str], str]]
    """Codes and numbers, with what gives their form."""
    required: frozenset[str]
    """Those that must not be empty."""
    identifiers: tuple[str, ...]
    texts: tuple[str, ...]
    sites: tuple[str, ...]
    moments: tuple[str, ...]


@cache
def fields(kind: Kind) -> _Fields:
    """Return the fields of a kind by their marks in `schemas.events.payloads`."""
    forms: dict[str, Callable[[str, str], str]] = {}
    required, identifiers, texts, lists, moments = set(), [], [], [], []
    for name, annotation in typing.get_type_hints(kind.event, include_extras=True).items():
        marks, base = _marks(annotation)
        if REQUIRED in marks:
            required.add(name)
        if COMMUNE in marks:
            forms[name] = commune_code
        elif IDENTIFIER in marks:
            forms[name] = _identifier
            identifiers.append(name)
        elif CODE in marks and base is str:
            forms[name] = _code
        elif SITES in marks:
            lists.append(name)
        elif base is str and name not in _UNCHANGED:
            texts.append(name)
        elif name.endswith("_at"):
            moments.append(name)
    return _Fields(forms, frozenset(required), *map(tuple, (identifiers, texts, lists, moments)))


def _marks(annotation: Any) -> tuple[set[str], Any]:
    marks: set[str] = set()
    while typing.get_origin(annotation) is Annotated:
        annotation, *metas = typing.get_args(annotation)
        for meta in (meta for meta in metas if isinstance(meta, Meta)):
            marks |= {*(meta.extra or ()), *([REQUIRED] if meta.min_length else ())}
    return marks, annotation


def canonical(kind: Kind, event: Any) -> Any:
    """Return an event (a `Read`) in its one form; the same object where it has it already.

    Raises:
        Refusal: a number or code that holds control characters or nothing but space, or a precision of no moment.
    """
    its, data = fields(kind), event.data
    head = _changed(event, dict.fromkeys(("id", "source"), _identifier))
    body = _changed(data, its.forms)
    for name in its.required & body.keys():
        if not body[name]:
            raise RefusalError(RefusalCategory.WRONG_VALUE, f"`{name}` must not be empty.")
    body |= _changed(data, dict.fromkeys(its.texts, lambda _, text: normalise(text)))
    for name in its.sites:
        given = getattr(data, name)
        if (found := sites(given)) != given:
            body[name] = found
    if data.precision:
        stated = _precision(its, data.precision)
        if (
            ordered := sorted(f"{name}:{precision}" for name, precision in stated.items())
        ) != data.precision:
            body["precision"] = ordered
        for name, precision in stated.items():
            given, whole = (event, head) if name == TIME else (data, body)
            if (moment := getattr(given, name)) is not None and not _is_whole(moment, precision):
                whole[name] = start_of(precision, moment)
    if body:
        head["data"] = msgspec.structs.replace(data, **body)
    found = msgspec.structs.replace(event, **head) if head else event
    _look(kind).settle(found)
    return found


@dataclass(frozen=True)
class _Look:
    """What shows at little cost that an event has its one form: its numbers, and whether its codes were seen in it before."""

    number: Callable[[Any], str]
    """The number that the sender gave the entity (of its `data`); of a kind without one a code, which is looked at anyhow."""
    codes: Callable[[Any], Any]
    texts: Callable[[Any], tuple[str, ...]] | None
    """The texts of its `data`; None for a kind without any."""
    has_sites: bool
    settled: set[Any]
    sources: set[str]

    def settle(self, event: Any) -> None:
        """Remember the codes and the source of an event that has its one form."""
        for known, found in ((self.settled, self.codes(event.data)), (self.sources, event.source)):
            if len(known) >= MAX_KNOWN_CODES:
                known.clear()
            known.add(found)


@cache
def _look(kind: Kind) -> _Look:
    its = fields(kind)
    codes = attrgetter(*(name for name in its.forms if name not in its.identifiers))
    texts = (
        attrgetter(*its.texts, "agency") if its.texts else None
    )  # One more, so that it gives a tuple; it is stripped anyhow.
    return _Look(
        attrgetter((*its.identifiers, "agency")[0]), codes, texts, bool(its.sites), set(), set()
    )


def is_canonical(kind: Kind, event: Any) -> bool:
    """Return whether an event is known to have its one form; asked about each, so it must cost next to nothing.

    Of its texts only plain spaces at their ends are looked for: the rest shows in its record (`schemas.text.may_need_normalising`).
    """
    look, data = _look(kind), event.data
    return (
        look.codes(data) in look.settled
        and event.source in look.sources
        and not data.precision
        and _is_number(event.id)
        and _is_number(look.number(data))
        and not look.has_sites
        and (look.texts is None or all(text.strip() == text for text in look.texts(data)))
    )


def _is_number(text: str) -> bool:
    """Whether a number has its one form and may be one; most are of plain letters, which is seen at a tenth of the price."""
    if text.isascii() and text.isprintable():
        return text.strip() == text and text not in _NOT_NUMBERS
    return normalise(text) == text and not has_control(text)


def uncertain(kind: Kind, events: Sequence[Any], data: Sequence[Any]) -> list[int]:
    """Return the indexes of the events that `is_canonical` does not know to have their one form, all at once.

    Args:
        data: the `data` of the events.
    """
    look = _look(kind)
    ids, numbers, codes = (
        list(map(_ID, events)),
        list(map(look.number, data)),
        list(map(look.codes, data)),
    )
    if (
        not look.has_sites
        and look.sources.issuperset(map(_SOURCE, events))
        and not any(map(_PRECISION, data))
        and _are_numbers(ids)
        and _are_numbers(numbers)
        and (
            look.texts is None
            or all(text.strip() == text for texts in map(look.texts, data) for text in texts)
        )
    ):
        return (
            []
            if look.settled.issuperset(codes)
            else [index for index, code in enumerate(codes) if code not in look.settled]
        )
    return [index for index, event in enumerate(events) if not is_canonical(kind, event)]


def _are_numbers(texts: list[str]) -> bool:
    """`_is_number` of each, all at once where they are plain."""
    together = "".join(texts)
    if not together.isascii() or not together.isprintable() or " " in together:
        return all(map(_is_number, texts))
    return _NOT_NUMBERS.isdisjoint(texts)


_ID, _SOURCE, _PRECISION = attrgetter("id"), attrgetter("source"), attrgetter("precision")


def _changed(holder: Any, forms: Mapping[str, Callable[[str, str], str]]) -> dict[str, Any]:
    found = {}
    for name, form in forms.items():
        given = getattr(holder, name)
        if (text := form(name, given)) != given:
            found[name] = text
    return found


def _identifier(name: str, text: str) -> str:
    found = _code(name, text)
    if not found:
        raise RefusalError(RefusalCategory.WRONG_VALUE, f"`{name}` must not be empty.")
    if found in _NOT_NUMBERS:
        raise RefusalError(RefusalCategory.WRONG_VALUE, f"`{name}` must not be {found!r}.")
    return found


def _code(name: str, text: str) -> str:
    found = normalise(text)
    if has_control(found):
        raise RefusalError(
            RefusalCategory.WRONG_VALUE, f"`{name}` must not hold control characters."
        )
    return found


def commune_code(name: str, code: str) -> str:
    """Return a commune's code in its one form: the zeros that a spreadsheet took are put back where a commune has that code.

    Codes of communes have five digits, so that there is one reading only; a code that a unit has as it is stays, that of a province
    too. Where a code may be that of a district too (`unit`), one digit may be missing at most.
    """
    found = _code(name, code)
    if len(found) >= _COMMUNE_DIGITS or not (found.isascii() and found.isdigit()):
        return found
    if name == "unit" and len(found) < _COMMUNE_DIGITS - 1:
        return found
    if found in _official_provinces():
        return found
    padded = found.zfill(_COMMUNE_DIGITS)
    return (
        padded
        if padded in official_communes() and found not in places.atlas().commune_by_code
        else found
    )


@cache
def official_communes() -> frozenset[str]:
    """Return the codes of all communes of Viet Nam, of today and of before 2025-07-01."""
    return frozenset(row["code"] for name in ("communes", "former_communes") for row in table(name))


@cache
def _official_provinces() -> frozenset[str]:
    return frozenset(
        row["code"] for name in ("provinces", "former_provinces") for row in table(name)
    )


def sites(given: list[str]) -> list[str]:
    """Return the sites of a meeting, each once, in the order in which they were first named; a site without a code is none."""
    return list(dict.fromkeys(filter(None, (commune_code("site", code) for code in given))))


def _precision(its: _Fields, given: list[str]) -> dict[str, str]:
    stated: dict[str, str] = {}
    for one in given:
        name, _, precision = one.partition(":")
        if name != TIME and name not in its.moments:
            raise RefusalError(
                RefusalCategory.WRONG_VALUE,
                f"`precision` names `{name}`, which is no moment of this kind.",
            )
        if stated.get(name) != DAY:
            stated[name] = precision
    return stated


def _is_whole(moment: datetime, precision: str) -> bool:
    """Whether a moment is the beginning of its day or minute already; then it stays as it came, whatever offset it has."""
    return moment.second == moment.microsecond == 0 and (
        precision == MINUTE or moment == start_of(precision, moment)
    )


def start_of(precision: str, moment: datetime) -> datetime:
    """Return the beginning of a moment's `day` or `minute` in Viet Nam."""
    minute = moment.astimezone(LOCAL).replace(second=0, microsecond=0)
    return minute if precision == MINUTE else minute.replace(hour=0, minute=0)


def with_days(record: bytes) -> bytes | None:
    """Return a record whose moments that are dates (`2026-11-25`) are that day's beginning, noted in `precision`.

    None where it has no such moment, or cannot be read at all.
    """
    try:
        event = msgspec.json.decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    data = event.get("data") if isinstance(event, dict) else None
    if not isinstance(data, dict):
        return None
    known = data.get("precision", [])
    noted = [
        *((TIME, event) for _ in (1,) if _is_date(event.get(TIME))),
        *((name, data) for name, value in data.items() if name.endswith("_at") and _is_date(value)),
    ]
    if not noted or not isinstance(known, list):
        return None
    for name, holder in noted:
        holder[name] = f"{holder[name]}T00:00:00+07:00"
    data["precision"] = [*known, *(f"{name}:{DAY}" for name, _ in noted)]
    return msgspec.json.encode(event)


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and _DATE.fullmatch(value) is not None
