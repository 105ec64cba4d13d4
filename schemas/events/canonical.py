"""Bring an event into its canonical form: texts, codes, sites, and moments known to the day only.

`Reader` does so with every event, at the gateway and at the worker alike, so that both compute the
same identity and store the same values. The raw record keeps what the sender wrote. The result
depends only on the event and on the units of this installation.
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
"""Maximum number of codes to remember per kind and field.

A sender of codes that do not exist must not fill the memory.
"""
REQUIRED = "required"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_NOT_NUMBERS = frozenset((".", ".."))
"""Texts that cannot be an entity number: in the path of a URL they do not stand for themselves."""
_UNCHANGED = ("reporter",)
"""Fields that are not normalised: a reporter is encrypted, and compared in encrypted form."""
_COMMUNE_DIGITS = 5


@dataclass(frozen=True)
class _Fields:
    """The fields of a kind's event, grouped by the rule that normalises them."""

    forms: dict[str, Callable[[str, str], str]]
    """Codes and numbers, with the function that gives their canonical form."""
    required: frozenset[str]
    """Fields that must not be empty."""
    identifiers: tuple[str, ...]
    texts: tuple[str, ...]
    sites: tuple[str, ...]
    moments: tuple[str, ...]


@cache
def fields(kind: Kind) -> _Fields:
    """Return the fields of a kind, grouped by their marks in `schemas.events.payloads`."""
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
    """Return an event (a `Read`) in its canonical form; the same object if it is canonical already.

    Raises:
        RefusalError: A number or code has control characters, a required one is blank, or
            `precision` names a field that is not a moment.
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
    _checks(kind).settle(found)
    return found


@dataclass(frozen=True)
class _Checks:
    """Cheap checks that an event is canonical: its numbers, and codes and sources seen before.

    Codes are remembered one by one: 100,000 filings of a province have 134 codes in 1,934
    combinations, most of which are new to a gateway that has just started.
    """

    number: Callable[[Any], str]
    """Gets the entity's number from `data`; for a kind without a number, its agency."""
    codes: Callable[[Any], tuple[str, ...]]
    """Gets the codes of `data`."""
    texts: Callable[[Any], tuple[str, ...]] | None
    """Gets the texts of `data`; None for a kind without texts."""
    has_sites: bool
    known: tuple[set[str], ...]
    """For each of `codes`, the canonical ones seen before."""
    sources: set[str]

    def settle(self, event: Any) -> None:
        """Remember the codes and the source of a canonical event."""
        found = (*self.codes(event.data), event.source)
        for known, text in zip((*self.known, self.sources), found, strict=True):
            if len(known) >= MAX_KNOWN_CODES:
                known.clear()
            known.add(text)

    def knows(self, codes: tuple[str, ...]) -> bool:
        """Return whether each code is known to be canonical in its field."""
        return all(map(set.__contains__, self.known, codes))


@cache
def _checks(kind: Kind) -> _Checks:
    its = fields(kind)
    codes = [name for name in its.forms if name not in its.identifiers]
    # Every kind has an agency and a commune, so that the getter of codes returns a tuple.
    # "agency" is added so that the getter returns a tuple even for one text. Checking it, too, does
    # no harm: it is canonical.
    texts = attrgetter(*its.texts, "agency") if its.texts else None
    return _Checks(
        attrgetter((*its.identifiers, "agency")[0]),
        attrgetter(*codes),
        texts,
        bool(its.sites),
        tuple(set() for _ in codes),
        set(),
    )


def is_canonical(kind: Kind, event: Any) -> bool:
    """Return whether an event is known to be canonical.

    This runs for each event, so it must cost next to nothing. Texts are only checked for spaces at
    their ends: all else shows in the record's bytes (`schemas.text.may_need_normalising`).
    """
    checks, data = _checks(kind), event.data
    return (
        checks.knows(checks.codes(data))
        and event.source in checks.sources
        and not data.precision
        and _is_number(event.id)
        and _is_number(checks.number(data))
        and not checks.has_sites
        and (checks.texts is None or all(text.strip() == text for text in checks.texts(data)))
    )


def _is_number(text: str) -> bool:
    """Return whether a text is a valid entity number in its canonical form.

    Most texts are printable ASCII, which is checked at a tenth of the cost.
    """
    if text.isascii() and text.isprintable():
        return text.strip() == text and text not in _NOT_NUMBERS
    return normalise(text) == text and not has_control(text)


def uncertain(kind: Kind, events: Sequence[Any], data: Sequence[Any]) -> list[int]:
    """Return the indexes of the events not known to be canonical: `is_canonical` in one pass.

    Args:
        kind: The kind of all the events.
        events: The events, each a `Read`.
        data: The `data` of the events.
    """
    checks = _checks(kind)
    ids, numbers, codes = (
        list(map(_ID, events)),
        list(map(checks.number, data)),
        list(map(checks.codes, data)),
    )
    if (
        not checks.has_sites
        and checks.sources.issuperset(map(_SOURCE, events))
        and not any(map(_PRECISION, data))
        and _are_numbers(ids)
        and _are_numbers(numbers)
        and (
            checks.texts is None
            or all(text.strip() == text for texts in map(checks.texts, data) for text in texts)
        )
    ):
        return (
            []
            if all(map(set.issuperset, checks.known, zip(*codes, strict=True)))
            else [index for index, one in enumerate(codes) if not checks.knows(one)]
        )
    return [index for index, event in enumerate(events) if not is_canonical(kind, event)]


def _are_numbers(texts: list[str]) -> bool:
    """Return whether `_is_number` holds for each text, in one pass if they are plain."""
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
    """Return a commune's code with the leading zeros that a spreadsheet removed.

    Zeros are added only if a commune has the resulting code; as codes of communes have five digits,
    there is only one candidate. A code that a unit has without added zeros, such as a province's,
    is left as it is. In the field `unit`, which may also hold a district's code, at most one zero
    is added.
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
    """Return the sites of a meeting in their order, without repeats and empty codes."""
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
    """Return whether a moment is the start of its day or minute.

    Such a moment is not changed, whatever its offset.
    """
    return moment.second == moment.microsecond == 0 and (
        precision == MINUTE or moment == start_of(precision, moment)
    )


def start_of(precision: str, moment: datetime) -> datetime:
    """Return the start of a moment's `day` or `minute` in Việt Nam."""
    minute = moment.astimezone(LOCAL).replace(second=0, microsecond=0)
    return minute if precision == MINUTE else minute.replace(hour=0, minute=0)


def with_days(record: bytes) -> bytes | None:
    """Return a record with each date that stands for a moment (`2026-11-25`) set to its start.

    `precision` notes which moments were dates.

    Returns:
        The record; None if no moment of it is a date, or it cannot be read.
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
