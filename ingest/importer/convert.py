"""From a row's columns to the events it stands for, each validated as the gateway would."""

import math
import re
from collections.abc import Mapping as Columns
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from ingest.importer.mapping import Condition, Field, Mapping, Scalar, Step, as_time
from schemas.envelope import EARLIEST, LATEST, Category, Read, Reader, Refusal

_PLACE = re.compile(r"\{([^{}]+)\}")
_PATH = re.compile(r"at `\$\.data\.(\w+)")
_MISSING_FIELD = re.compile(r"required field `(\w+)`")
_ENCODER = msgspec.json.Encoder()
PERSONAL = frozenset({"reporter", "address", "description"})
"""Fields whose values no reason quotes: they may tell who somebody is."""


class Encoded(NamedTuple):
    """A valid event with the bytes of its record."""

    read: Read
    record: bytes


def events(row: Columns[str, str], mapping: Mapping, reader: Reader) -> list[Encoded]:
    """The events of a row, in the order of the mapping's steps.

    Raises `Refusal`, naming column and value, when any of them cannot be: a row counts whole or not at all.
    """
    steps = [step for step in mapping.step if all(_holds(row, one) for one in step.when)]
    if not steps:
        raise Refusal(Category.WRONG_VALUE, "No step of the mapping applies to this row.")
    shared = _values(row, mapping.fields, mapping)
    return [_event(row, shared | _values(row, step.fields, mapping), mapping, step, reader) for step in steps]


def _values(row: Columns[str, str], fields: dict[str, Field | Scalar], mapping: Mapping) -> dict[str, Any]:
    """Field → value, without the fields that are left out."""
    values = {
        name: _value(row, spec, mapping, quoted=name not in PERSONAL) if isinstance(spec, Field) else spec
        for name, spec in fields.items()
    }
    return {name: value for name, value in values.items() if value is not None}


def _event(row: Columns[str, str], data: dict[str, Any], mapping: Mapping, step: Step, reader: Reader) -> Encoded:
    time = _value(row, as_time(step.time), mapping)
    if time is None:
        raise Refusal(Category.MISSING_FIELD, f"The time of {fill(step.id, row)!r} is empty: {_told(row, as_time(step.time))}.")
    envelope = {
        "specversion": "1.0",
        "id": fill(step.id, row),
        "source": mapping.source,
        "type": mapping.event_kind.type,
        "time": time,
        "data": data,
    }
    record = _ENCODER.encode(envelope)
    try:
        return Encoded(reader.read(record), record)
    except Refusal as refusal:
        raise Refusal(refusal.category, refusal.reason + _origin(refusal.reason, row, mapping, step)) from None


def fill(template: str, row: Columns[str, str]) -> str:
    """A template with the row's texts in the place of its columns."""
    return _PLACE.sub(lambda found: row[found[1]].strip(), template)


def _holds(row: Columns[str, str], condition: Condition) -> bool:
    text = row[condition.column].strip()
    return (condition.present is None or bool(text) == condition.present) and (condition.in_ is None or text in condition.in_)


def _value(row: Columns[str, str], field: Field, mapping: Mapping, *, quoted: bool = True) -> Any:
    """The value of a field, None if it is left out. A refusal quotes what is wrong with it only if it may be `quoted`."""
    if field.constant is not None:
        return field.constant
    if any(not row[column].strip() for column in field.needs):
        return None
    text = row[field.column].strip() if field.column is not None else fill(field.template or "", row)
    value: Scalar = text
    if field.lookup is not None and text in field.lookup:
        value = field.lookup[text]
    elif not text or field.lookup is not None:
        if field.default is None and text:
            known = f" ({', '.join(list(field.lookup or ())[:10])}, …)" if quoted else ""
            raise Refusal(Category.WRONG_VALUE, f"{_told(row, field, quoted)} is not in the lookup{known}.")
        return field.default
    try:
        match field.as_:
            case "number":
                return _number(str(value))
            case "integer":
                return int(str(value))
            case "time":
                return _time(str(value), field.formats or mapping.times, ZoneInfo(field.zone or mapping.zone))
            case _:
                return value
    except ValueError as error:
        category = Category.IMPOSSIBLE_DATE if field.as_ == "time" else Category.WRONG_TYPE
        because = f": {error}" if quoted else ""
        raise Refusal(category, f"{_told(row, field, quoted)} is not a {field.as_}{because}.") from None


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("it is not finite")
    return number


def _time(text: str, formats: list[str], zone: ZoneInfo) -> datetime:
    """A moment in UTC. Raises `ValueError` also for one that its clock never showed (skipped by summer time)."""
    moment = _parsed(text, formats)
    if not EARLIEST.year <= moment.year < LATEST.year:
        raise ValueError(f"it is not between {EARLIEST.year} and {LATEST.year - 1}")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    there = moment.replace(tzinfo=zone).astimezone(UTC)
    if there.astimezone(zone).replace(tzinfo=None) != moment:
        raise ValueError(f"the clocks of {zone.key} skipped it")
    return there


def _parsed(text: str, formats: list[str]) -> datetime:
    for form in formats:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    if formats:
        raise ValueError(f"it is not of the form {' or '.join(formats)}")
    return datetime.fromisoformat(text)


def _told(row: Columns[str, str], field: Field, quoted: bool = True) -> str:
    columns = (f"column {column!r}, value {row[column][:80]!r}" if quoted else f"column {column!r}" for column in field.columns())
    return ", ".join(columns) or "the constant"


def _origin(reason: str, row: Columns[str, str], mapping: Mapping, step: Step) -> str:
    """Which column a refused field came from."""
    found = _MISSING_FIELD.search(reason) or _PATH.search(reason)
    column = mapping.column_of(found[1], step) if found else ""
    if not found or not column:
        return ""
    return f" (column {column!r})" if found[1] in PERSONAL else f" (column {column!r}, value {row[column][:80]!r})"
