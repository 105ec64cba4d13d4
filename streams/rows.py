"""Events as rows, and rows into cells: code that is generated once per kind from its declaration, for speed.

A row is a tuple in the order of `schemas.tables.events_table(kind).columns`: times as integer milliseconds since 1970, codes as
their numbers or words. It is what ClickHouse gets, and all that the fold looks at, so both count the same values.
"""

import types
import typing
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

from schemas.envelope import Read, body, identity
from schemas.kinds import Kind
from schemas.tables import COMMON, annotations, events_table

Row = tuple[Any, ...]
Cell = tuple[Any, ...]
"""The dimensions of one window value, in the order of `kind.dimensions`."""

_NAMES = [column.name for column in COMMON]
EVENT_ID, ENTITY_ID, OCCURRED_AT, RECEIVED_AT = range(4)
PARTITION, OFFSET, IDENTITY, BODY = range(len(_NAMES), len(_NAMES) + 4)


def milliseconds(moment: datetime | None) -> int | None:
    """A moment as milliseconds since 1970."""
    return None if moment is None else round(moment.timestamp() * 1000)


def to_row(kind: Kind, read: Read, entity_id: str, received_ms: int, partition: int, offset: int) -> Row:
    """The row of a valid event that was read from a record."""
    return _row_maker(kind)(read, entity_id, received_ms, partition, offset, identity(read), body(read))


@cache
def _row_maker(kind: Kind) -> Callable[[Read, str, int, int, int, int, int], Row]:
    given = {
        "event_id": "read.event_id",
        "entity_id": "entity",
        "occurred_at": "ms(read.time)",
        "received_at": "received",
        "partition": "partition",
        "offset": "offset",
        "identity": "identity",
        "body": "body",
    }
    hints = annotations(kind)
    values = [given.get(column.name) or _value(f"data.{column.name}", hints[column.name]) for column in events_table(kind).columns]
    source = (
        "def make(read, entity, received, partition, offset, identity, body):\n"
        "    data = read.data\n"
        f"    return ({', '.join(values)},)\n"
    )
    return typing.cast(Callable[..., Row], _compile(source, {"ms": milliseconds}))


def _value(expression: str, annotation: Any) -> str:
    parts = {_bare(part) for part in _alternatives(annotation)}
    if datetime in parts:
        return f"ms({expression})"
    if any(isinstance(part, type) and issubclass(part, Enum) for part in parts):
        return f"{expression}._value_"
    return expression


def _bare(annotation: Any) -> Any:
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    return annotation


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    bare = _bare(annotation)
    if isinstance(bare, types.UnionType) or typing.get_origin(bare) is typing.Union:
        return typing.get_args(bare)
    return (bare,)


@cache
def fold_rows(kind: Kind) -> Callable[[list[Row], dict[int, dict[Cell, list[int]]], set[tuple[int, Cell]]], None]:
    """A function that adds rows to windows: `(rows, windows, touched)`.

    `windows` is first second of the minute → cell → one count per measure, in declared order; every minute of `rows` must be in it.
    `touched` gets each (minute, cell) that changed.
    """
    position = {column.name: index for index, column in enumerate(events_table(kind).columns)}

    def column(name: str) -> str:
        return f"row[{position[name]}]"

    lines = [
        "def fold(rows, windows, touched):",
        "    for row in rows:",
        f"        minute = row[{OCCURRED_AT}] // 60000 * 60",
        f"        cell = ({', '.join(column(name) for name in kind.dimensions)},)",
        "        cells = windows[minute]",
        "        counts = cells.get(cell)",
        "        if counts is None:",
        f"            counts = cells[cell] = [0] * {len(kind.measures)}",
        "        touched.add((minute, cell))",
    ]
    for index, measure in enumerate(kind.measures):
        lines.append(f"        if {measure.python(column)}: counts[{index}] += 1")
    return typing.cast(Callable[..., None], _compile("\n".join(lines) + "\n", {}))


def _compile(source: str, scope: dict[str, Any]) -> Any:
    exec(compile(source, "<derived from the vocabulary>", "exec"), scope)
    return scope["make"] if "make" in scope else scope["fold"]
