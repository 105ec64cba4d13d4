"""How much time a record's clock has left, from its newest step. Pure.

Positions are milliseconds on the record's clock (`schemas.clickhouse.lives`): working time, or all time where it runs round the
clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from schemas.moments import from_milliseconds, milliseconds
from schemas.reference import WorkingCalendar


@dataclass(frozen=True)
class Deadline:
    """The deadline of a record at a moment."""

    standing: Literal["open", "paused", "closed"]
    around: bool
    due: datetime | None
    """When it is due; None without a deadline, and while the clock stands still, as the moment moves on."""
    left: timedelta | None
    """Time of its clock until it is due, of a closed one what was left; negative beyond it, None without a deadline."""
    paused: timedelta
    """Time for which its clock stood still, up to the moment."""

    @property
    def overdue(self) -> bool:
        """Whether the deadline has passed while somebody was to work on it."""
        return self.standing == "open" and self.left is not None and self.left < timedelta(0)


def position(at: datetime, around: bool, calendar: WorkingCalendar) -> int:
    """A moment on a clock."""
    return milliseconds(at) if around else calendar.position(at)


def moment(position: int, around: bool, calendar: WorkingCalendar) -> datetime:
    """The first moment with a position on a clock."""
    return from_milliseconds(position) if around else calendar.moment(position)


def deadline(step: Mapping[str, Any], now: datetime, calendar: WorkingCalendar) -> Deadline:
    """The deadline that follows from the newest step of a life, a row of `life_K`."""
    around, standing = bool(step["around"]), step["standing"]
    stood = step["paused"] + (
        position(now, around, calendar) - step["at"] if standing == "paused" else 0
    )
    if step["due"] is None:
        return Deadline(standing, around, None, None, timedelta(milliseconds=stood))
    until = (
        step["at"] if standing == "paused" else position(step["closed_at"] or now, around, calendar)
    )
    due = None if standing == "paused" else step["due_at"] or moment(step["due"], around, calendar)
    left = timedelta(milliseconds=step["due"] - until)
    if standing == "open" and due is not None and not left and now > due:
        # In the evening after its last working minute no working time has passed, but the deadline has.
        left = -timedelta(milliseconds=1)
    return Deadline(standing, around, due, left, timedelta(milliseconds=stood))


@dataclass(frozen=True)
class ClockPiece:
    """A part of a life on its clock, as shares of the whole bar."""

    start: float
    length: float
    standing: str
    beyond: bool
    """Whether it lies after the deadline while the clock ran."""


@dataclass(frozen=True)
class Bar:
    """A life on its clock: pieces from the beginning until now or the end, and where it is due (None: beyond or unknown)."""

    pieces: tuple[ClockPiece, ...]
    due: float | None


def bar(steps: list[dict[str, Any]], now: datetime, calendar: WorkingCalendar) -> Bar:
    """The life of some steps (rows of `life_K` in order) as a bar. What no time of the clock passed in has no length."""
    last = steps[-1]
    around = bool(last["around"])

    def at(step: Mapping[str, Any]) -> int:
        # The clock of a life is that of its newest step; an earlier one may still have been on the other.
        return (
            int(step["at"])
            if bool(step["around"]) == around
            else position(step["since"], around, calendar)
        )

    begin = at(steps[0])
    end = max(position(last["closed_at"] or now, around, calendar), begin)
    due = last["due"]
    whole = max(end, end if due is None else due) - begin
    if whole <= 0:
        return Bar((), None)
    found: list[ClockPiece] = []
    edges = [*(min(at(step), end) for step in steps), end]
    for step, first, after in zip(steps, edges, edges[1:], strict=False):
        if step["standing"] == "closed":
            continue
        # A pause moves the deadline: only time that runs can lie beyond it.
        cut = after if due is None or step["standing"] == "paused" else min(max(due, first), after)
        for start, stop, beyond in ((first, cut, False), (cut, after, True)):
            if stop > start:
                found.append(
                    ClockPiece(
                        (start - begin) / whole, (stop - start) / whole, step["standing"], beyond
                    )
                )
    return Bar(tuple(found), (due - begin) / whole if due is not None and due >= begin else None)
