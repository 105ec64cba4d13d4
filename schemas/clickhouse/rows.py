"""Convert objects to rows of a table and back, by name.

Columns are declared in the table, fields in the class, nowhere else.
"""

import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec

from schemas.clickhouse.columns import Table
from schemas.declared import whole
from schemas.moments import milliseconds

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class RowCodec(Generic[T]):
    """Converts objects of a dataclass, NamedTuple or msgspec struct to rows of a table and back.

    A column is the field of its name, or a property of the class: a property is written and never
    read. A field that may be None has a column that may be NULL, and the reverse. A codec that does
    not fit its table is an error where it is declared, so at import:

        ALARM_ROWS = RowCodec(table=ALARMS, of=Alarm)
        store.execute(f"SELECT {ALARM_ROWS.read_names} FROM {ALARMS.name} FINAL")

    Raises:
        IncompleteDeclarationError: Columns lack a field or fields a column; the message names each.
    """

    table: Table
    of: type[T]

    def __post_init__(self) -> None:
        """Check that the class fits the table."""
        columns = {column.name: column.type for column in self.table.columns}
        fields = self._hints
        lone = [name for name in columns if name not in fields and name not in self._properties]
        both = [name for name in fields if name in columns]
        whole(
            f"{self.of.__name__} as a row of {self.table.name}",
            *((False, f"no field for the column {name}") for name in lone),
            *((False, f"no column for the field {name}") for name in fields if name not in columns),
            *(
                (
                    _is_optional(fields[name]) == columns[name].startswith("Nullable"),
                    f"one of column and field {name} may be empty, the other not",
                )
                for name in both
            ),
        )

    @cached_property
    def names(self) -> str:
        """Return the columns in the table's order, for an INSERT."""
        return self.table.names

    @cached_property
    def read_names(self) -> str:
        """Return the columns that `read` needs, in the table's order, for its SELECT."""
        return ", ".join(self._read)

    @cached_property
    def insert(self) -> str:
        """Return the statement that takes the rows of `row` or the columns of `columns`."""
        return f"INSERT INTO {self.table.name} ({self.names}) VALUES"

    def row(self, one: T) -> tuple[Any, ...]:
        """Return an object as a row, moments as datetimes."""
        return tuple(encode(value(one)) for value, encode in self._written)

    def columns(self, objects: Iterable[T]) -> list[list[Any]]:
        """Return objects as columns, with moments as milliseconds since 1970.

        This is the form that `streams.worker.store` writes fastest.
        """
        kept = list(objects)
        return [[_ticks(encode(value(one))) for one in kept] for value, encode in self._written]

    def read(self, row: Sequence[Any]) -> T:
        """Return a row of `read_names` as an object.

        Raises:
            ValueError: A code is not in its list.
        """
        values = zip(self._read, self._decoders, row, strict=True)
        return self.of(**{name: decode(value) for name, decode, value in values})

    @cached_property
    def _hints(self) -> dict[str, Any]:
        """Return {field: its type}, without properties."""
        of: Any = self.of
        names = (
            of._fields
            if issubclass(of, tuple)
            else of.__struct_fields__
            if issubclass(of, msgspec.Struct)
            else of.__dataclass_fields__
        )
        hints = typing.get_type_hints(of)
        return {name: hints[name] for name in names}

    @cached_property
    def _properties(self) -> frozenset[str]:
        every = {name: value for base in self.of.__mro__ for name, value in vars(base).items()}
        return frozenset(name for name, value in every.items() if isinstance(value, property))

    @cached_property
    def _read(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.table.columns if one.name in self._hints)

    @cached_property
    def _written(self) -> tuple[tuple[Callable[[T], Any], Callable[[Any], Any]], ...]:
        return tuple(
            (attrgetter(one.name), list if one.type.startswith("Array") else _plain)
            for one in self.table.columns
        )

    @cached_property
    def _decoders(self) -> tuple[Callable[[Any], Any], ...]:
        return tuple(_decoder(self._hints[name]) for name in self._read)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _ticks(value: Any) -> Any:
    return milliseconds(value) if isinstance(value, datetime) else value


def _is_optional(annotation: Any) -> bool:
    return isinstance(annotation, types.UnionType) and type(None) in typing.get_args(annotation)


def _decoder(annotation: Any) -> Callable[[Any], Any]:
    """Return the function that turns a value of the driver into a field's value."""
    if typing.get_origin(annotation) is tuple:
        return tuple
    if annotation is bytes:
        return _bytes
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return annotation
    return _same


def _same(value: Any) -> Any:
    return value


def _bytes(value: str | bytes) -> bytes:
    """Return bytes; the driver gives text if they are UTF-8."""
    return value.encode() if isinstance(value, str) else value
