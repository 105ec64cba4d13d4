"""One Kafka partition's memory: what was seen, and its windows. Rows in, changed window values out; no I/O, no clock.

The state is a pure function of the partition's log up to `position`. Memory holds whole minutes: their identities and their
window values. A minute that is not held is either newer than any that is known (so it is empty), or it is stored and must be
loaded before its events are judged: `missing` names those. A repeat has the original's time, so it meets it in its minute.
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
MAX_CELLS = 80_000
"""Bounds of the memory of all partitions; a minute that was let go of is loaded again when a late event needs it."""


def minutes_of(columns: Columns) -> list[int]:
    """First second of each row's window."""
    return [at // 60_000 * 60 for at in columns[OCCURRED_AT]]


@dataclass(frozen=True)
class Checkpoint:
    """Up to where a partition was folded, and the newest window that it has (first second); -1 for none."""

    offset: int = -1
    newest_window: int = -1


@dataclass
class Judged:
    """A chunk's rows after deduplication: those that count, and their windows."""

    columns: Columns
    minutes: list[int]
    repeats: list[int] = field(default_factory=list)
    """Indexes in the chunk."""
    conflicts: dict[int, RefusalError] = field(default_factory=dict)
    """Index in the chunk → what it contradicts."""


def checkpoint_row(kind: Kind, number: int, upto: int) -> Row:
    """The row of the windows table that says up to where a partition is counted: that of 1970, all else empty."""
    middle = windows_table(kind).columns[2:-1]
    return (0, number, *("" if "String" in column.type else 0 for column in middle), upto)


class Partition:
    """The state of one partition of a kind's topic up to `position`, the offset of the last record taken in.

    Up to `written` it is in the store, too: a minute that changed later must stay, as it could not be loaded as it was.
    """

    def __init__(self, kind: Kind, number: int, checkpoint: Checkpoint) -> None:
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
        """Those minutes that are stored but not in memory; new ones are opened, empty."""
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
        """Take in whole minutes: (minute, identity, body) of their events, (minute, cell, counts) of their windows."""
        for start in minutes:
            self._identities[start], self._cells[start] = {}, {}
        for start, identity, body in identities:
            self._identities[start][identity] = body
        for start, cell, counts in values:
            self._cells[start][cell] = counts

    def judge(self, minutes: list[int], columns: Columns) -> Judged:
        """Drop what was seen before from both. The first record of an identity counts; one that says otherwise is a conflict."""
        judged = Judged(columns, minutes)
        gone = []
        held = map(self._identities.__getitem__, minutes)
        for index, (known, identity, body) in enumerate(
            zip(held, columns[IDENTITY], columns[BODY], strict=True)
        ):
            if identity not in known:
                known[identity] = body
                continue
            gone.append(index)
            if known[identity] == body:
                judged.repeats.append(index)
            else:
                name = columns[EVENT_ID][index]
                reason = f"The event {name} was received before with other content; a correction needs an id of its own."
                judged.conflicts[index] = RefusalError(RefusalCategory.CONFLICT, reason)
        for values in (minutes, *columns) if gone else ():
            for index in reversed(gone):  # Few: what follows moves up, and nothing is looked at.
                del values[index]
        return judged

    def fold(self, judged: Judged, upto: int) -> None:
        """Count rows into their windows and move on to offset `upto`."""
        self._fold(judged.minutes, judged.columns, self._cells, self._touched)
        self.position = upto
        self._newest = max(self._newest, max(judged.minutes, default=-1))

    def changes(self) -> Columns:
        """What to write of windows since it was last asked: the values as they are now, the checkpoint last."""
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
        """Let go of the oldest written minutes beyond this partition's share of the bounds; the newest stays."""
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
