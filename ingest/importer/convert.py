"""Convert a row's columns to the events it stands for, each validated as the gateway would."""

import re
from collections.abc import Iterable
from collections.abc import Mapping as Columns
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from ingest.importer import values
from ingest.importer.mapping import (
    BUILT_IN,
    Mapping,
    MappingField,
    MappingStep,
    RowCondition,
    Scalar,
    as_time,
)
from schemas.events.canonical import commune_code
from schemas.events.envelope import Read, Reader, RefusalCategory, RefusalError
from schemas.moments import TIME
from schemas.reference import known
from schemas.text import normalise

_PLACE = re.compile(r"\{([^{}]+)\}")
_PATH = re.compile(r"at `\$\.data\.(\w+)")
_MISSING_FIELD = re.compile(r"required field `(\w+)`")
_ENCODER = msgspec.json.Encoder()
PERSONAL = frozenset({"reporter", "address", "description"})
"""Fields whose values no reason quotes: they may identify a person."""


class Encoded(NamedTuple):
    """A valid event with the bytes of its record."""

    read: Read
    record: bytes


def row_events(
    row: Columns[str, str], mapping: Mapping, reader: Reader, columns: Iterable[str] | None = None
) -> list[Encoded]:
    """Return the events of a row, in the order of the mapping's steps.

    Args:
        row: the row's text by column.
        mapping: says which events a row stands for.
        reader: validates them.
        columns: the mapping's columns, if the caller has them already.

    Raises:
        RefusalError: one of the events is invalid, with column and value; a row counts whole or not
            at all.
    """
    plain = {
        name: normalise(row[name]) for name in (mapping.columns() if columns is None else columns)
    }
    for name in BUILT_IN:
        if name in row:
            plain[name] = row[name]
    steps = [
        step
        for step in mapping.step
        if not step.when or all(_holds(plain, one) for one in step.when)
    ]
    if not steps:
        raise RefusalError(
            RefusalCategory.WRONG_VALUE, "No step of the mapping applies to this row."
        )
    shared = _values(plain, mapping.fields, mapping)
    return [
        _event(plain, shared | _values(plain, step.fields, mapping), mapping, step, reader)
        for step in steps
    ]


def is_skipped(row: Columns[str, str], mapping: Mapping) -> bool:
    """Return whether a rule of the mapping says that a row stands for nothing."""
    return any(all(_holds(row, one) for one in rule.when) for rule in mapping.skip)


def _values(
    row: Columns[str, str], fields: dict[str, MappingField | Scalar], mapping: Mapping
) -> dict[str, Any]:
    """Return field → value, without the fields that are left out."""
    found = {}
    for name, spec in fields.items():
        value = (
            _value(row, spec, mapping, quoted=name not in PERSONAL)
            if isinstance(spec, MappingField)
            else spec
        )
        if value is not None:
            found[name] = value
    return found


def _event(
    row: Columns[str, str],
    data: dict[str, Any],
    mapping: Mapping,
    step: MappingStep,
    reader: Reader,
) -> Encoded:
    time = _value(row, as_time(step.time), mapping)
    if not isinstance(time, values.KnownMoment):
        raise RefusalError(
            RefusalCategory.MISSING_FIELD,
            f"The time of {fill_template(step.id, row)!r} is empty: "
            f"{_quote_columns(row, as_time(step.time))}.",
        )
    envelope = {
        "specversion": "1.0",
        "id": fill_template(step.id, row),
        "source": mapping.source,
        "type": mapping.event_kind.type,
        "time": time.at,
        "data": _stated(data, time),
    }
    record = _ENCODER.encode(envelope)
    try:
        return Encoded(reader.read(record), record)
    except RefusalError as refusal:
        raise RefusalError(
            refusal.category, refusal.reason + _origin(refusal.reason, row, mapping, step)
        ) from None


def _stated(data: dict[str, Any], time: values.KnownMoment) -> dict[str, Any]:
    """Return the data with its moments as datetimes.

    Those that are not exact to the second are named in `precision`, as is the event's own time.
    """
    stated, inexact = {}, list[str]()
    for name, value in data.items():
        if isinstance(value, values.KnownMoment):
            if value.precision != "second":
                inexact.append(f"{name}:{value.precision}")
            value = value.at
        stated[name] = value
    if time.precision != "second":
        inexact.append(f"{TIME}:{time.precision}")
    if inexact:
        stated["precision"] = sorted(inexact)
    return stated


def fill_template(template: str, row: Columns[str, str]) -> str:
    """Return a template with the row's normalised texts in place of its columns."""
    return _PLACE.sub(lambda found: row[found[1]], template)


def _holds(row: Columns[str, str], condition: RowCondition) -> bool:
    text = row[condition.column]
    return (
        (condition.present is None or bool(text) == condition.present)
        and (condition.in_ is None or text in condition.in_)
        and (condition.starts_with is None or text.startswith(tuple(condition.starts_with)))
        and (condition.matches is None or re.fullmatch(condition.matches, text) is not None)
    )


def _value(
    row: Columns[str, str], field: MappingField, mapping: Mapping, *, quoted: bool = True
) -> Any:
    """Return the value of a field, None if it is left out.

    A refusal quotes the text only if it may be `quoted`.
    """
    if field.constant is not None:
        return _converted(field.constant, row, field, mapping, quoted, own=True)
    if field.needs and not all(map(row.__getitem__, field.needs)):
        return None
    text = (
        row[field.column] if field.column is not None else fill_template(field.template or "", row)
    )
    if field.known == "units" and text and text not in known("units"):
        text = commune_code("unit", text)
    if field.known is not None and text and text not in known(field.known):
        raise RefusalError(
            RefusalCategory.WRONG_VALUE,
            f"{_quote_columns(row, field, quoted)} is not among the {field.known} "
            "of the reference data.",
        )
    value: Scalar = text
    if field.lookup is not None and text in field.lookup:
        value = field.lookup[text]
    elif not text or field.lookup is not None:
        if field.default is None and text:
            listed = f" ({', '.join(list(field.lookup or ())[:10])}, …)" if quoted else ""
            raise RefusalError(
                RefusalCategory.WRONG_VALUE,
                f"{_quote_columns(row, field, quoted)} is not in the lookup{listed}.",
            )
        return _converted(field.default, row, field, mapping, quoted, own=True)
    return _converted(value, row, field, mapping, quoted)


def _converted(
    value: Scalar | None,
    row: Columns[str, str],
    field: MappingField,
    mapping: Mapping,
    quoted: bool,
    *,
    own: bool = False,
) -> Any:
    """Return the value converted as its field says.

    A value that is the mapping's `own`, a constant or a default, is converted only if it is a text.
    """
    if value is None or field.as_ == "text" or (own and not (isinstance(value, str) and value)):
        return value
    try:
        match field.as_:
            case "number":
                percent = field.percent is not None and _holds(row, field.percent)
                return (
                    float(value)
                    if not isinstance(value, str)
                    else values.number(value, mapping.decimal, percent=percent)
                )
            case "integer":
                return int(str(value))
            case "time":
                zone = ZoneInfo(field.zone or mapping.zone)
                return values.time(
                    str(value), tuple(field.formats or mapping.times), zone, field.precision
                )
            case _:
                return values.period(str(value))
    except ValueError as error:
        category = (
            RefusalCategory.IMPOSSIBLE_DATE
            if field.as_ in ("time", "period")
            else RefusalCategory.WRONG_TYPE
        )
        because = f": {error}" if quoted else ""
        subject = (
            f"the mapping's own value {value!r}" if own else _quote_columns(row, field, quoted)
        )
        raise RefusalError(category, f"{subject} is not a {field.as_}{because}.") from None


def _quote_columns(row: Columns[str, str], field: MappingField, quoted: bool = True) -> str:
    columns = (
        f"column {column!r}, value {row[column][:80]!r}" if quoted else f"column {column!r}"
        for column in field.columns()
    )
    return ", ".join(columns) or "the constant"


def _origin(reason: str, row: Columns[str, str], mapping: Mapping, step: MappingStep) -> str:
    """Return which column a refused field came from, as the end of a sentence."""
    found = _MISSING_FIELD.search(reason) or _PATH.search(reason)
    column = mapping.column_of(found[1], step) if found else ""
    if not found or not column:
        return ""
    return (
        f" (column {column!r})"
        if found[1] in PERSONAL
        else f" (column {column!r}, value {row[column][:80]!r})"
    )
