"""What a mapping file says: how a row of somebody else's table becomes our events.

A mapping is TOML. It names the `kind` and the `source` of the events, says where each field comes from under `[fields]`, and lists
under `[[step]]` the events that one row stands for (received, published, …): each with its `id`, its `time`, the condition `when`
it applies and `fields` of its own. `ingest/mappings/nyc311.toml` is a worked example.

Cells of a spreadsheet become texts as a CSV file of the same mapping would have them: see `ingest.importer.sheets`.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import msgspec.inspect
from msgspec import Struct, field

from ingest.importer.values import EPOCH, EPOCH_MS, Precision
from schemas.events.kinds import BY_NAME, Kind
from schemas.reference import Known
from schemas.text import normalise

AUTO = "auto"
ROW, FILE = "#row", "#file"
OWN = (ROW, FILE)
"""What a template may name beside columns: the row's number, and some letters that stand for the content of the file."""
Scalar = str | int | float | bool


MAX_CODE_LENGTH = 128
_KNOWN_OF: dict[str, Known] = {"procedure": "procedures"}
"""Fields whose codes the reference data knows, where a mapping does not say so: asked when a text is in doubt only."""


class MappingError(Exception):
    """A mapping that cannot be used, with a sentence that says why."""


class MappingField(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a field's value comes from: exactly one of `column`, `template` and `constant`, then the converters in this order."""

    column: str | None = None
    """The column whose text it is, without surrounding space; an empty one leaves the field out."""
    template: str | None = None
    """Text with columns in braces: `{Street} {Number}`. `{#row}` is the row's number, `{#file}` tells files of other content apart:
    together they stand for a key where rows have none. A file that was changed is another: its rows are new ones."""
    constant: Scalar | None = None
    needs: list[str] = []
    """Columns that must not be empty, or else the field is left out."""
    lookup: dict[str, Scalar] | None = None
    """Text → value. A text that is not there is refused, unless there is a `default`."""
    default: Scalar | None = None
    """The value where the text is empty or not in the lookup."""
    as_: Literal["text", "number", "integer", "time", "period"] = field(default="text", name="as")
    known: Known | None = None
    """The codes of the reference data that the text must be one of: a slip of a hand would be counted and never found."""
    percent: "RowCondition | None" = None
    """For numbers: where this holds, one may be written with its sign (73,5%); elsewhere the sign is refused."""
    formats: list[str] = []
    """For times: strptime formats, tried in order; the mapping's `times` if none. `epoch` is seconds since 1970, `epoch_ms`
    milliseconds."""
    precision: Precision | None = None
    """For times: how exact they are (`day`, `minute`, `second`), where their form does not tell. A form without hours is a day, one
    without seconds a minute: a deadline that is a day lasts to its end."""
    zone: str | None = None
    """For times without an offset: their IANA time zone; the mapping's `zone` if none."""

    def columns(self) -> Iterator[str]:
        """The columns it reads."""
        if self.column is not None:
            yield self.column
        if self.template is not None:
            yield from placeholders(self.template)
        yield from self.needs
        if self.percent is not None:
            yield self.percent.column


class RowCondition(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Holds when all of it does that is given, of the column's text without surrounding space."""

    column: str
    present: bool | None = None
    """Whether there is a text."""
    in_: list[str] | None = field(default=None, name="in")
    """The texts that it may be."""
    starts_with: list[str] | None = None
    """The beginnings that it may have."""
    matches: str | None = None
    """A regular expression (Python's) for all of it."""


class Skip(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rows that stand for no event, such as sections and totals: they are counted as skipped, not refused."""

    when: list[RowCondition]
    """A row is skipped when all of these hold."""


class MappingStep(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One event that a row may stand for."""

    id: str
    """Template of the event's id: made of the row's own key, so that a second import repeats the first and changes nothing."""
    time: MappingField | str
    """When it happened: a column's name, or a field."""
    when: list[RowCondition] = []
    fields: dict[str, MappingField | Scalar] = {}


class Mapping(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole mapping file."""

    kind: str
    source: str
    zone: str = "Asia/Ho_Chi_Minh"
    times: list[str] = []
    """strptime formats of its times (or `epoch`, `epoch_ms`); ISO 8601 if none."""
    decimal: Literal[".", ","] = "."
    """What numbers in texts have before their fraction; with a comma, points group thousands: 1.234,5."""
    delimiter: str = ","
    """Of CSV; `auto` is the comma, semicolon or tab that the first line has most of."""
    encoding: str = "utf-8-sig"
    fields: dict[str, MappingField | Scalar]
    step: list[MappingStep]
    skip: list[Skip] = []
    """A row is skipped when any of these says so."""

    @property
    def event_kind(self) -> Kind:
        return BY_NAME[self.kind]

    @property
    def csv_delimiter(self) -> str:
        """What divides the cells of a CSV file that is written for it."""
        return "," if self.delimiter == AUTO else self.delimiter

    def columns(self) -> set[str]:
        """Every column that the mapping reads."""
        found: set[str] = set()
        for step in self.step:
            found.update(placeholders(step.id), (condition.column for condition in step.when))
            for spec in (as_time(step.time), *self.fields.values(), *step.fields.values()):
                if isinstance(spec, MappingField):
                    found.update(spec.columns())
        found.update(condition.column for rule in self.skip for condition in rule.when)
        return found

    def columns_read_as(self, *kinds: str) -> frozenset[str]:
        """The columns whose texts become values of some kinds: `time`, `number` …"""
        return frozenset(
            one.column for one in self.specs() if one.as_ in kinds and one.column is not None
        )

    def specs(self) -> Iterator[MappingField]:
        """All that says where a value comes from."""
        for step in self.step:
            for spec in (as_time(step.time), *self.fields.values(), *step.fields.values()):
                if isinstance(spec, MappingField):
                    yield spec

    def code_columns(self) -> dict[str, Known | None]:
        """The columns whose texts are codes or numbers of records as they stand, with where these codes are known."""
        short = _short_texts(self.event_kind)
        found: dict[str, Known | None] = {}
        for fields in (self.fields, *(step.fields for step in self.step)):
            for name, spec in fields.items():
                if (
                    isinstance(spec, MappingField)
                    and spec.column
                    and spec.as_ == "text"
                    and spec.lookup is None
                    and name in short
                ):
                    found[spec.column] = spec.known or _KNOWN_OF.get(name)
        return found

    @property
    def numbered(self) -> bool:
        """Whether rows are told apart by their place in the file."""
        texts = (*(step.id for step in self.step), *(spec.template or "" for spec in self.specs()))
        return any(name in OWN for text in texts for name in _named(text))

    def reporter_columns(self) -> set[str]:
        """The columns that say who reported."""
        specs = (
            fields.get("reporter") for fields in (self.fields, *(step.fields for step in self.step))
        )
        return {
            column for spec in specs if isinstance(spec, MappingField) for column in spec.columns()
        }

    def column_of(self, name: str, step: MappingStep) -> str:
        """The column that a field of the event comes from; empty if from none."""
        spec = step.fields.get(name, self.fields.get(name))
        return next(spec.columns(), "") if isinstance(spec, MappingField) else ""


def _short_texts(kind: Kind) -> set[str]:
    """The fields of a kind that are codes or numbers of records, not words."""
    info = msgspec.inspect.type_info(kind.event)
    assert isinstance(info, msgspec.inspect.StructType)
    return {one.name for one in info.fields if _longest(one.type) <= MAX_CODE_LENGTH}


def _longest(of: msgspec.inspect.Type) -> float:
    """How many letters a field's texts may have; no end for what is no text."""
    of = of.type if isinstance(of, msgspec.inspect.Metadata) else of
    return (
        of.max_length or float("inf") if isinstance(of, msgspec.inspect.StrType) else float("inf")
    )


def placeholders(template: str) -> Iterator[str]:
    """The columns in a template's braces, without what the import itself knows."""
    yield from (name for name in _named(template) if name not in OWN)


def _named(template: str) -> Iterator[str]:
    for part in template.split("{")[1:]:
        yield part.partition("}")[0]


def as_time(time: MappingField | str) -> MappingField:
    """A step's time as a field."""
    return _time_of(time) if isinstance(time, str) else msgspec.structs.replace(time, as_="time")


@cache
def _time_of(column: str) -> MappingField:
    return MappingField(column=column, as_="time")


def load(name: str) -> Mapping:
    """A mapping by its file, or by the name of one that comes with the product. Raises `MappingError`."""
    path = (
        Path(name)
        if name.endswith(".toml")
        else Path(str(files("ingest") / "mappings" / f"{name}.toml"))
    )
    try:
        mapping = msgspec.convert(_composed(tomllib.loads(path.read_text("utf-8"))), Mapping)
    except FileNotFoundError:
        raise MappingError(
            f"There is no mapping {name}; there are {', '.join(names())}, or give a .toml file."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MappingError(f"The mapping {path} cannot be read: {error}") from None
    _check(mapping, path)
    return mapping


def _composed(value: Any, *, exact: bool = True) -> Any:
    """What a mapping says with composed letters; the texts that columns are compared with in their one form."""
    if isinstance(value, dict):
        return {
            (unicodedata.normalize("NFC", key) if exact else normalise(key)): _composed(
                one, exact=key not in ("lookup", "in", "starts_with")
            )
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_composed(one, exact=exact) for one in value]
    return (
        (unicodedata.normalize("NFC", value) if exact else normalise(value))
        if isinstance(value, str)
        else value
    )


def names() -> list[str]:
    """The mappings that come with the product."""
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
        if (
            ROW in _named(step.id)
            and FILE not in _named(step.id)
            and not list(placeholders(step.id))
        ):
            raise MappingError(
                f"{path}: an id of {{{ROW}}} alone is the same in every file; add {{{FILE}}}, or a column."
            )
        for name, spec in (
            *mapping.fields.items(),
            *step.fields.items(),
            ("time", as_time(step.time)),
        ):
            if name not in known and name != "time":
                raise MappingError(
                    f"{path}: a {mapping.kind} has no field {name!r}; it has {', '.join(sorted(known))}."
                )
            if isinstance(spec, MappingField):
                if (
                    sum(
                        origin is not None for origin in (spec.column, spec.template, spec.constant)
                    )
                    != 1
                ):
                    raise MappingError(
                        f"{path}: field {name!r} needs exactly one of column, template and constant."
                    )
                _check_zone(spec.zone or mapping.zone, path)
    _check_reporter(mapping, path)


def _check_reporter(mapping: Mapping, path: Path) -> None:
    """Who reported is sealed in `reporter` alone: through another field it would be seen."""
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
                    f"{path}: column {min(shared)!r} says who reported, and must not fill {name!r} too."
                )


def _check_condition(condition: RowCondition, path: Path) -> None:
    if all(
        one is None
        for one in (condition.present, condition.in_, condition.starts_with, condition.matches)
    ):
        raise MappingError(
            f"{path}: a condition on {condition.column!r} needs present, in, starts_with or matches."
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
            f"{path}: the time zone {zone!r} is not known; use an IANA name such as Asia/Ho_Chi_Minh."
        ) from None
