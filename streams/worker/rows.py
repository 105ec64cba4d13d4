"""Convert events to rows, and count rows in windows, with code generated once per kind for speed.

Rows are held as columns, in the order of `schemas.clickhouse.tables.events_table(kind).columns`:
times as integer milliseconds since 1970, codes as numbers or words (enumeration members are numbers
or words, too). ClickHouse gets these columns and the fold reads nothing else, so both count the
same values.
"""

import types
import typing
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from msgspec import UnsetType

from schemas.clickhouse.tables import COMMON, annotations, clickhouse_type, events_table
from schemas.events.envelope import Read, bodies, identities
from schemas.events.kinds import Kind
from schemas.moments import EPOCH

Row = tuple[Any, ...]
Cell = tuple[Any, ...]
"""The dimensions of one window value, in the order of `kind.dimensions`."""
Columns = list[list[Any]]
"""Rows as a list of columns, as ClickHouse takes them; smaller than a list of rows."""
Windows = dict[int, dict[Cell, list[int]]]
"""First second of the minute → cell → counts."""

_NAMES = [column.name for column in COMMON]
EVENT_ID, ENTITY_ID, OCCURRED_AT, RECEIVED_AT = range(4)
PARTITION, OFFSET, IDENTITY, BODY = range(len(_NAMES), len(_NAMES) + 4)


@cache
def columns_maker(kind: Kind) -> Callable[[Sequence[Read], list[int], list[int], int], Columns]:
    """Return a function that converts events of a kind to columns.

    Its parameters are `(events, received_ms, offsets, partition)`.
    """
    given = {
        "event_id": "names",
        "entity_id": "list(map(entity_id, data))",
        "occurred_at": f"[{_ms('event.time')} for event in events]",
        "received_at": "received",
        "partition": "[partition] * len(data)",
        "offset": "offsets",
        "identity": "identities(names)",
        "body": "bodies(kind, events)",
    }
    hints = annotations(kind)
    columns = [
        given.get(column.name) or _values(f"one.{column.name}", hints[column.name])
        for column in events_table(kind).columns
    ]
    source = (
        "def make(events, received, offsets, partition):\n"
        "    origin = epoch.astimezone(events[0].time.tzinfo) if events else epoch\n"
        "    data = [event.data for event in events]\n"
        "    names = [event.event_id for event in events]\n"
        f"    return [{', '.join(columns)}]\n"
    )
    helpers = {
        "bodies": bodies,
        "identities": identities,
        "entity_id": kind.entity_id,
        "shared": shared,
    }
    return typing.cast(
        Callable[..., Columns], _compile(source, {"kind": kind, "epoch": EPOCH} | helpers)
    )


MAX_SHARED = 50_000
"""Number of texts that are remembered; a sender of unknown codes must not fill the memory."""
_shared: dict[str, str] = {}


def shared(codes: list[str]) -> list[str]:
    """Return the codes with one object for equal texts, which is hashed and stored once."""
    if len(_shared) > MAX_SHARED:
        _shared.clear()
    return list(map(_shared.setdefault, codes, codes))


def append(batches: dict[Kind, Columns], kind: Kind, columns: Columns) -> None:
    """Append rows to the columns of a kind."""
    if not columns[0]:
        return
    if kind not in batches:
        batches[kind] = columns
    else:
        for values, more in zip(batches[kind], columns, strict=True):
            values += more


def _values(expression: str, annotation: Any) -> str:
    values = f"[{_value(expression, annotation)} for one in data]"
    return (
        f"shared({values})"
        if clickhouse_type(annotation) == "LowCardinality(String)" and _bare(annotation) is str
        else values
    )


def _ms(expression: str) -> str:
    """Return code for a moment as whole milliseconds since 1970.

    It adds up the parts of a difference, which is the fastest way. `origin` is 1970 in the zone of
    the batch's first moment: a difference of moments with the same zone object takes half the time.
    """
    return (
        f"((t := {expression} - origin).days * 86400000 "
        "+ t.seconds * 1000 + t.microseconds // 1000)"
    )


def _value(expression: str, annotation: Any) -> str:
    parts = {_bare(part) for part in _alternatives(annotation)}
    if datetime in parts:
        return (
            f"(None if {expression} is None else {_ms(expression)})"
            if type(None) in parts
            else _ms(expression)
        )
    if UnsetType in parts:
        return f"({expression} or ())"
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
def folder(
    kind: Kind,
) -> Callable[[list[int], Columns, Windows, list[tuple[int, Cell, list[int]]]], None]:
    """Return a function that adds rows to windows: `(minutes, columns, windows, touched)`.

    `minutes` holds each row's window, `columns` the rows. `windows` maps the first second of a
    minute to its cells, and a cell to one count per measure, in declared order, then the offset up
    to which they were written (-1: as loaded, -2: not written); every minute must be in it.
    `touched` gets each (minute, cell, counts) that is not in it yet.
    """
    position = {column.name: index for index, column in enumerate(events_table(kind).columns)}
    used: dict[str, None] = {}

    def column(name: str) -> str:
        used[name] = None
        return f"its_{name}"

    # Measures with the same first condition are tested together: most rows meet few of them.
    groups: dict[str, list[str]] = {}
    for index, measure in enumerate(kind.measures):
        first, *others = [condition.python(column) for condition in measure.where] or ["True"]
        groups.setdefault(first, []).append(
            f"if {' and '.join(others) or 'True'}: counts[{index}] += 1"
        )
    names = "".join(f", its_{name}" for name in used)
    values = "".join(f", columns[{position[name]}]" for name in used)
    dimensions = ", ".join(f"columns[{position[name]}]" for name in kind.dimensions)
    lines = [
        "def fold(minutes, columns, windows, touched):",
        f"    cells_of_rows = zip({dimensions})",
        f"    for minute, cell{names} in zip(minutes, cells_of_rows{values}):",
        "        cells = windows[minute]",
        "        counts = cells.get(cell)",
        "        if counts is None:",
        f"            counts = cells[cell] = [{'0, ' * len(kind.measures)}-1]",
        "        if counts[-1] != -2:",
        "            counts[-1] = -2",
        "            touched.append((minute, cell, counts))",
    ]
    for first, counting in groups.items():
        lines += [f"        if {first}:", *(f"            {line}" for line in counting)]
    return typing.cast(Callable[..., Any], _compile("\n".join(lines) + "\n", {}))


def _compile(source: str, scope: dict[str, Any]) -> Any:
    exec(compile(source, "<derived from the vocabulary>", "exec"), scope)
    return scope["make"] if "make" in scope else scope["fold"]
