"""The memory of one Kafka partition: identities seen, and windows. No I/O, no clock.

Rows go in, changed window values come out. The state is a pure function of the partition's log up
to `position`. Memory holds whole minutes: their identities and their window values. A minute that
is not held is either newer than any known one (so it is empty), or it is stored and must be loaded
before its events are judged: `missing` names those. A repeat has the original's time, so it meets
it in its minute.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.clickhouse.tables import windows_table
from schemas.events.envelope import RefusalCategory, RefusalError
from schemas.events.kinds import Kind
from streams.worker.rows import (
    BODY,
    EVENT_ID,
    IDENTITY,
    OCCURRED_AT,
    Cell,
    Columns,
    Row,
    Windows,
    folder,
)

MAX_IDENTITIES = 400_000
"""Identities in memory, over all partitions.

A minute that was dropped is loaded again when a late event needs it.
"""
MAX_CELLS = 80_000
"""Cells in memory, over all partitions."""


def minutes_of(columns: Columns) -> list[int]:
    """Return the first second of each row's window."""
    return [at // 60_000 * 60 for at in columns[OCCURRED_AT]]


@dataclass(frozen=True)
class Checkpoint:
    """The last offset of a partition that is counted, and its newest window; -1 for none."""

    offset: int = -1
    newest_window: int = -1


@dataclass
class Judged:
    """A chunk's rows after deduplication, and their windows."""

    columns: Columns
    minutes: list[int]
    repeats: list[int] = field(default_factory=list)
    """Indexes of repeats in the chunk."""
    conflicts: dict[int, RefusalError] = field(default_factory=dict)
    """Index in the chunk → the refusal of an event that contradicts an earlier one."""


def checkpoint_row(kind: Kind, number: int, upto: int) -> Row:
    """Return the checkpoint row of the windows table: minute 1970, all other columns empty."""
    middle = windows_table(kind).columns[2:-1]
    return (0, number, *("" if "String" in column.type else 0 for column in middle), upto)


class Partition:
    """The state of one partition of a kind's topic up to `position`, the last offset processed.

    Up to `written` it is in the store, too: a minute that changed later must stay in memory,
    because the store does not have it yet.
    """

    def __init__(self, kind: Kind, number: int, checkpoint: Checkpoint) -> None:
        """Start at a checkpoint, with no minute in memory."""
        self.kind = kind
        self.number = number
        self.position = checkpoint.offset
        self.written = checkpoint.offset
        self._newest = checkpoint.newest_window
        self._identities: dict[int, dict[int, int]] = {}
        self._cells: Windows = {}
        self._changed: dict[int, int] = {}
        self._touched: list[tuple[int, Cell, list[int]]] = []
        self._fold = folder(kind)

    def missing(self, minutes: Iterable[int]) -> set[int]:
        """Return the minutes that are stored but not in memory; start new ones empty."""
        missing = set()
        for start in set(minutes):
            if start not in self._cells:
                if start <= self._newest:
                    missing.add(start)
                else:
                    self._identities[start], self._cells[start] = {}, {}
        return missing

    def load(
        self,
        minutes: Iterable[int],
        identities: Iterable[tuple[int, int, int]],
        values: Iterable[tuple[int, Cell, list[int]]],
    ) -> None:
        """Load whole minutes into memory.

        Args:
            minutes: The first seconds of the minutes.
            identities: (minute, identity, body) of their events.
            values: (minute, cell, counts) of their windows.
        """
        for start in minutes:
            self._identities[start], self._cells[start] = {}, {}
        for start, identity, body in identities:
            self._identities[start][identity] = body
        for start, cell, counts in values:
            self._cells[start][cell] = counts

    def judge(self, minutes: list[int], columns: Columns) -> Judged:
        """Drop the rows seen before from `minutes` and `columns`, in place.

        The first record of an identity counts; one with another body is a conflict.
        """
        judged = Judged(columns, minutes)
        dropped = []
        held = map(self._identities.__getitem__, minutes)
        for index, (known, identity, body) in enumerate(
            zip(held, columns[IDENTITY], columns[BODY], strict=True)
        ):
            if identity not in known:
                known[identity] = body
                continue
            dropped.append(index)
            if known[identity] == body:
                judged.repeats.append(index)
            else:
                name = columns[EVENT_ID][index]
                reason = (
                    f"The event {name} was received before with other content; "
                    "a correction needs an id of its own."
                )
                judged.conflicts[index] = RefusalError(RefusalCategory.CONFLICT, reason)
        for values in (minutes, *columns) if dropped else ():
            # Repeats are few; the rows behind one move up without being read.
            for index in reversed(dropped):
                del values[index]
        return judged

    def fold(self, judged: Judged, upto: int) -> None:
        """Count rows in their windows and move to offset `upto`."""
        self._fold(judged.minutes, judged.columns, self._cells, self._touched)
        self.position = upto
        self._newest = max(self._newest, max(judged.minutes, default=-1))

    def changes(self) -> Columns:
        """Return the current values of the windows changed since the last call, checkpoint last."""
        checkpoint = checkpoint_row(self.kind, self.number, self.position)
        touched, self._touched = self._touched, []
        if not touched:
            return [[value] for value in checkpoint]
        starts, cells, counts = zip(*touched, strict=True)
        for one in counts:
            one[-1] = self.position
        self._changed.update(dict.fromkeys(starts, self.position))
        columns = [
            starts,
            [self.number] * len(starts),
            *zip(*cells, strict=True),
            *zip(*counts, strict=True),
        ]
        return [[*column, value] for column, value in zip(columns, checkpoint, strict=True)]

    def forget_old(self, share: float) -> None:
        """Drop the oldest written minutes beyond this partition's share of the bounds.

        The newest minute stays.
        """
        most_identities, most_cells = MAX_IDENTITIES * share, MAX_CELLS * share
        identities, cells = (
            sum(map(len, self._identities.values())),
            sum(map(len, self._cells.values())),
        )
        if identities <= most_identities and cells <= most_cells:
            return
        for start in sorted(self._cells)[:-1]:
            if self._changed.get(start, -1) > self.written:
                continue
            self._changed.pop(start, None)
            identities -= len(self._identities.pop(start))
            cells -= len(self._cells.pop(start))
            if identities <= most_identities / 2 and cells <= most_cells / 2:
                return
