"""Define what a mapping file says: how a row of a foreign table becomes our events.

A mapping is TOML. It names the `kind` and the `source` of the events, says where each field comes
from under `[fields]`, and lists under `[[step]]` the events that one row stands for (received,
published, …): each with its `id`, its `time`, the condition `when` it applies and `fields` of its
own. `ingest/mappings/nyc311.toml` is a worked example.

Cells of a spreadsheet become texts as a CSV file of the same mapping would have them: see
`ingest.importer.sheets`.
"""

from collections.abc import Iterator
from functools import cache
from typing import Literal

import msgspec
import msgspec.inspect
from msgspec import Struct, field

from ingest.importer.values import Precision
from schemas.events.kinds import BY_NAME, Kind
from schemas.reference import Known

AUTO = "auto"
ROW, FILE = "#row", "#file"
BUILT_IN = (ROW, FILE)
"""Placeholders of templates besides columns: the row's number, a digest of the content."""
Scalar = str | int | float | bool


MAX_CODE_LENGTH = 128
_KNOWN_OF: dict[str, Known] = {"procedure": "procedures"}
"""Fields whose codes the reference data lists, for mappings that do not say so.

They are looked up only in doubt.
"""


class MappingError(Exception):
    """A mapping that cannot be used, with a sentence that says why."""


class MappingField(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a field's value comes from: one of `column`, `template`, `constant`, then converters.

    The converters apply in the order of the attributes.
    """

    column: str | None = None
    """The column whose text it is, without surrounding space; if empty, the field is left out."""
    template: str | None = None
    """Text with columns in braces: `{Street} {Number}`.

    `{#row}` is the row's number, `{#file}` differs between files of different content: together
    they replace a key where rows have none. A file that was changed counts as another one: its rows
    are new.
    """
    constant: Scalar | None = None
    needs: list[str] = []
    """Columns that must not be empty; otherwise the field is left out."""
    lookup: dict[str, Scalar] | None = None
    """Text → value. A text that is not listed is refused, unless there is a `default`."""
    default: Scalar | None = None
    """The value where the text is empty or not in the lookup."""
    as_: Literal["text", "number", "integer", "time", "period"] = field(default="text", name="as")
    known: Known | None = None
    """The list of reference data that must contain the text.

    Otherwise a typing error would be counted and never
    found.
    """
    percent: "RowCondition | None" = None
    """For numbers: where this holds, a percent sign is allowed (73,5%), elsewhere refused."""
    formats: list[str] = []
    """For times: strptime formats, tried in order; by default the mapping's `times`.

    `epoch` is seconds

    since 1970, `epoch_ms` milliseconds.
    """
    precision: Precision | None = None
    """For times: how exact they are (`day`, `minute`, `second`), where their form does not tell.

    A form without hours is a day, one without seconds a minute: a deadline that is a day lasts to
    its end.
    """
    zone: str | None = None
    """For times without an offset: their IANA time zone; by default the mapping's `zone`."""

    def columns(self) -> Iterator[str]:
        """Yield the columns that it reads."""
        if self.column is not None:
            yield self.column
        if self.template is not None:
            yield from placeholders(self.template)
        yield from self.needs
        if self.percent is not None:
            yield self.percent.column


class RowCondition(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A condition on a column's text, without surrounding space; holds when all parts hold."""

    column: str
    present: bool | None = None
    """Whether there must be a text."""
    in_: list[str] | None = field(default=None, name="in")
    """The texts that it may be."""
    starts_with: list[str] | None = None
    """The prefixes that it may have."""
    matches: str | None = None
    """A regular expression (Python's) that the whole text must match."""


class Skip(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule for rows without an event, such as totals: they are skipped, not refused."""

    when: list[RowCondition]
    """A row is skipped when all of these hold."""


class MappingStep(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One event that a row may stand for."""

    id: str
    """Template of the event's id, made of the row's own key.

    So a second import repeats the first
    and changes nothing.
    """
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
    """strptime formats of its times (or `epoch`, `epoch_ms`); by default ISO 8601."""
    decimal: Literal[".", ","] = "."
    """The decimal sign of numbers in texts; with a comma, points group thousands: 1.234,5."""
    delimiter: str = ","
    """CSV's delimiter; `auto` is the comma, semicolon or tab most frequent in the first line."""
    encoding: str = "utf-8-sig"
    fields: dict[str, MappingField | Scalar]
    step: list[MappingStep]
    skip: list[Skip] = []
    """A row is skipped when any of these rules says so."""

    @property
    def event_kind(self) -> Kind:
        """Return the kind of the events."""
        return BY_NAME[self.kind]

    @property
    def csv_delimiter(self) -> str:
        """Return the delimiter for a CSV file that is written for this mapping."""
        return "," if self.delimiter == AUTO else self.delimiter

    def columns(self) -> set[str]:
        """Return every column that the mapping reads."""
        found: set[str] = set()
        for step in self.step:
            found.update(placeholders(step.id), (condition.column for condition in step.when))
            for spec in (as_time(step.time), *self.fields.values(), *step.fields.values()):
                if isinstance(spec, MappingField):
                    found.update(spec.columns())
        found.update(condition.column for rule in self.skip for condition in rule.when)
        return found

    def columns_read_as(self, *kinds: str) -> frozenset[str]:
        """Return the columns whose texts become values of given types, such as `time`, `number`."""
        return frozenset(
            one.column for one in self.specs() if one.as_ in kinds and one.column is not None
        )

    def specs(self) -> Iterator[MappingField]:
        """Yield every field definition that names a column, a template or a constant."""
        for step in self.step:
            for spec in (as_time(step.time), *self.fields.values(), *step.fields.values()):
                if isinstance(spec, MappingField):
                    yield spec

    def code_columns(self) -> dict[str, Known | None]:
        """Return the columns of codes or record numbers, with the list that contains them."""
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
        """Return whether rows are identified by their position in the file."""
        texts = (*(step.id for step in self.step), *(spec.template or "" for spec in self.specs()))
        return any(name in BUILT_IN for text in texts for name in named(text))

    def reporter_columns(self) -> set[str]:
        """Return the columns that identify the reporter."""
        specs = (
            fields.get("reporter") for fields in (self.fields, *(step.fields for step in self.step))
        )
        return {
            column for spec in specs if isinstance(spec, MappingField) for column in spec.columns()
        }

    def column_of(self, name: str, step: MappingStep) -> str:
        """Return the column that a field of the event comes from; empty if from none."""
        spec = step.fields.get(name, self.fields.get(name))
        return next(spec.columns(), "") if isinstance(spec, MappingField) else ""


def _short_texts(kind: Kind) -> set[str]:
    """Return the fields of a kind that are codes or record numbers, not prose."""
    info = msgspec.inspect.type_info(kind.event)
    assert isinstance(info, msgspec.inspect.StructType)
    return {one.name for one in info.fields if _longest(one.type) <= MAX_CODE_LENGTH}


def _longest(of: msgspec.inspect.Type) -> float:
    """Return the maximal length of a field's texts; infinite for what is not a text."""
    of = of.type if isinstance(of, msgspec.inspect.Metadata) else of
    return (
        of.max_length or float("inf") if isinstance(of, msgspec.inspect.StrType) else float("inf")
    )


def placeholders(template: str) -> Iterator[str]:
    """Yield the columns in a template's braces, without the built-in placeholders."""
    yield from (name for name in named(template) if name not in BUILT_IN)


def named(template: str) -> Iterator[str]:
    """Yield the names in a template's braces, built-in placeholders included."""
    for part in template.split("{")[1:]:
        yield part.partition("}")[0]


def as_time(time: MappingField | str) -> MappingField:
    """Return a step's time as a field."""
    return _time_of(time) if isinstance(time, str) else msgspec.structs.replace(time, as_="time")


@cache
def _time_of(column: str) -> MappingField:
    return MappingField(column=column, as_="time")
