"""Events as rows, and rows into cells: code that is generated once per kind from its declaration, for speed.

A row is a tuple in the order of `schemas.tables.events_table(kind).columns`: times as integer milliseconds since 1970, codes as
their numbers or words. It is what ClickHouse gets, and all that the fold looks at, so both count the same values.
"""

import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any

from schemas.envelope import Read, body, identity
from schemas.kinds import Kind
from schemas.tables import COMMON, annotations, events_table

Row = tuple[Any, ...]
Cell = tuple[Any, ...]
"""The dimensions of one window value, in the order of `kind.dimensions`."""
Columns = list[list[Any]]
"""Many rows, by columns: as ClickHouse takes them, and small."""
Windows = dict[int, dict[Cell, list[int]]]

_NAMES = [column.name for column in COMMON]
EVENT_ID, ENTITY_ID, OCCURRED_AT, RECEIVED_AT = range(4)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PARTITION, OFFSET, IDENTITY, BODY = range(len(_NAMES), len(_NAMES) + 4)


@cache
def row_maker(kind: Kind) -> Callable[[Read, int, int, int], Row]:
    """A function that makes the row of an event of the kind: `(read, received_ms, partition, offset)`."""
    given = {
        "event_id": "name",
        "entity_id": "entity",
        "occurred_at": _ms("read.time"),
        "received_at": "received",
        "partition": "partition",
        "offset": "offset",
        "identity": "identity(name)",
        "body": "body(read)",
    }
    hints = annotations(kind)
    values = [given.get(column.name) or _value(f"data.{column.name}", hints[column.name]) for column in events_table(kind).columns]
    key = "}/{".join(f"data.{part}" for part in kind.key)
    source = (
        "def make(read, received, partition, offset):\n"
        "    data = read.data\n"
        "    name = read.event_id\n"
        f"    entity = f'{{{key}}}'\n"
        f"    return ({', '.join(values)},)\n"
    )
    return typing.cast(Callable[..., Row], _compile(source, {"epoch": EPOCH, "body": body, "identity": identity}))


def columns_of(rows: list[Row]) -> Columns:
    """Rows as columns; none for no rows."""
    return [list(values) for values in zip(*rows, strict=True)]


def append(batches: dict[Kind, Columns], kind: Kind, columns: Columns) -> None:
    """Add rows to those of a kind."""
    if kind not in batches:
        if columns:
            batches[kind] = columns
    else:
        for values, more in zip(batches[kind], columns, strict=bool(columns)):
            values += more


def _ms(expression: str) -> str:
    """A moment as whole milliseconds since 1970: the parts of the difference, as this is what takes least time."""
    return f"((t := {expression} - epoch).days * 86400000 + t.seconds * 1000 + t.microseconds // 1000)"


def _value(expression: str, annotation: Any) -> str:
    parts = {_bare(part) for part in _alternatives(annotation)}
    if datetime in parts:
        return f"(None if {expression} is None else {_ms(expression)})" if type(None) in parts else _ms(expression)
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
def fold_rows(kind: Kind) -> Callable[[list[Row], Windows, int], list[tuple[int, Cell, list[int]]]]:
    """A function that adds rows to windows: `(rows, windows, upto)`.

    `windows` is first second of the minute → cell → one count per measure, in declared order, then the offset up to which they
    hold (-1: as loaded); every minute of `rows` must be in it. Gives what
    changed: (minute, cell, counts), the counts holding up to `upto`.
    """
    position = {column.name: index for index, column in enumerate(events_table(kind).columns)}

    def column(name: str) -> str:
        return f"row[{position[name]}]"

    lines = [
        "def fold(rows, windows, upto):",
        "    changed = []",
        "    for row in rows:",
        f"        minute = row[{OCCURRED_AT}] // 60000 * 60",
        f"        cell = ({', '.join(column(name) for name in kind.dimensions)},)",
        "        cells = windows[minute]",
        "        counts = cells.get(cell)",
        "        if counts is None:",
        f"            counts = cells[cell] = [{'0, ' * len(kind.measures)}-1]",
        "        if counts[-1] != upto:",
        "            counts[-1] = upto",
        "            changed.append((minute, cell, counts))",
    ]
    # Measures that ask for the same first condition are asked together: most rows meet few of them.
    groups: dict[str, list[str]] = {}
    for index, measure in enumerate(kind.measures):
        first, *others = [condition.python(column) for condition in measure.where] or ["True"]
        groups.setdefault(first, []).append(f"if {' and '.join(others) or 'True'}: counts[{index}] += 1")
    for first, counting in groups.items():
        lines += [f"        if {first}:", *(f"            {line}" for line in counting)]
    lines.append("    return changed")
    return typing.cast(Callable[..., Any], _compile("\n".join(lines) + "\n", {}))


def _compile(source: str, scope: dict[str, Any]) -> Any:
    exec(compile(source, "<derived from the vocabulary>", "exec"), scope)
    return scope["make"] if "make" in scope else scope["fold"]
