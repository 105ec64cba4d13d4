"""Load mapping files and check them, so that an import never starts with an invalid one."""

import re
import tomllib
import unicodedata
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from ingest.importer.mapping import (
    FILE,
    ROW,
    Mapping,
    MappingError,
    MappingField,
    RowCondition,
    as_time,
    named,
    placeholders,
)
from ingest.importer.values import EPOCH, EPOCH_MS
from schemas.events.kinds import BY_NAME
from schemas.text import normalise


def load(name: str) -> Mapping:
    """Return a mapping by its file, or by the name of a built-in one.

    Raises:
        MappingError: there is no such mapping, or it is invalid.
    """
    path = (
        Path(name)
        if name.endswith(".toml")
        else Path(str(files("ingest") / "mappings" / f"{name}.toml"))
    )
    try:
        mapping = msgspec.convert(_normalised(tomllib.loads(path.read_text("utf-8"))), Mapping)
    except FileNotFoundError:
        raise MappingError(
            f"There is no mapping {name}; there are {', '.join(names())}, or give a .toml file."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MappingError(f"The mapping {path} cannot be read: {error}") from None
    _check(mapping, path)
    return mapping


def _normalised(value: Any, *, exact: bool = True) -> Any:
    """Return a mapping's content composed (NFC), and the texts to compare with normalised."""
    if isinstance(value, dict):
        return {
            (unicodedata.normalize("NFC", key) if exact else normalise(key)): _normalised(
                one, exact=key not in ("lookup", "in", "starts_with")
            )
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_normalised(one, exact=exact) for one in value]
    return (
        (unicodedata.normalize("NFC", value) if exact else normalise(value))
        if isinstance(value, str)
        else value
    )


def names() -> list[str]:
    """Return the names of the built-in mappings."""
    return sorted(path.stem for path in Path(str(files("ingest") / "mappings")).glob("*.toml"))


def _check(mapping: Mapping, path: Path) -> None:
    if mapping.kind not in BY_NAME:
        raise MappingError(
            f"{path}: kind {mapping.kind!r} is not known; known are {', '.join(BY_NAME)}."
        )
    if not mapping.step:
        raise MappingError(f"{path}: there is no [[step]]; a row stands for at least one event.")
    known = set(mapping.event_kind.event.__struct_fields__)
    for condition in (
        one for rules in (mapping.skip, mapping.step) for rule in rules for one in rule.when
    ):
        _check_condition(condition, path)
    for form in (*mapping.times, *(form for spec in mapping.specs() for form in spec.formats)):
        _check_form(form, path)
    for step in mapping.step:
        if ROW in named(step.id) and FILE not in named(step.id) and not list(placeholders(step.id)):
            raise MappingError(
                f"{path}: an id of {{{ROW}}} alone is the same in every file; "
                f"add {{{FILE}}}, or a column."
            )
        for name, spec in (
            *mapping.fields.items(),
            *step.fields.items(),
            ("time", as_time(step.time)),
        ):
            if name not in known and name != "time":
                raise MappingError(
                    f"{path}: a {mapping.kind} has no field {name!r}; "
                    f"it has {', '.join(sorted(known))}."
                )
            if isinstance(spec, MappingField):
                if (
                    sum(
                        origin is not None for origin in (spec.column, spec.template, spec.constant)
                    )
                    != 1
                ):
                    raise MappingError(
                        f"{path}: field {name!r} needs exactly one of column, "
                        "template and constant."
                    )
                _check_zone(spec.zone or mapping.zone, path)
    _check_reporter(mapping, path)


def _check_reporter(mapping: Mapping, path: Path) -> None:
    """Refuse a mapping that exposes a reporter: only the field `reporter` is encrypted."""
    sealed = mapping.reporter_columns()
    for step in mapping.step:
        others = [
            ("id", MappingField(template=step.id)),
            ("time", as_time(step.time)),
            *mapping.fields.items(),
            *step.fields.items(),
        ]
        for name, spec in others:
            if (
                name != "reporter"
                and isinstance(spec, MappingField)
                and (shared := sealed.intersection(spec.columns()))
            ):
                raise MappingError(
                    f"{path}: column {min(shared)!r} says who reported, "
                    f"and must not fill {name!r} too."
                )


def _check_condition(condition: RowCondition, path: Path) -> None:
    if all(
        one is None
        for one in (condition.present, condition.in_, condition.starts_with, condition.matches)
    ):
        raise MappingError(
            f"{path}: a condition on {condition.column!r} needs present, in, starts_with or "
            "matches."
        )
    try:
        re.compile(condition.matches or "")
    except re.error as error:
        raise MappingError(
            f"{path}: {condition.matches!r} is no regular expression: {error}."
        ) from None


def _check_form(form: str, path: Path) -> None:
    if form in (*EPOCH, *EPOCH_MS):
        return
    try:
        datetime.strptime("", form)
    except ValueError as error:
        if "does not match" not in str(error):
            raise MappingError(f"{path}: {form!r} is no form of a time: {error}.") from None


def _check_zone(zone: str, path: Path) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise MappingError(
            f"{path}: the time zone {zone!r} is not known; "
            "use an IANA name such as Asia/Ho_Chi_Minh."
        ) from None
