"""Deadline of a record, computed from its newest step. Pure.

Positions are milliseconds on the record's clock (`schemas.clickhouse.lives`): working time, or all
time where the clock runs round the clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from schemas.moments import from_milliseconds, milliseconds
from schemas.reference import WorkingCalendar


@dataclass(frozen=True)
class Deadline:
    """The deadline of a record, seen at a moment."""

    standing: Literal["open", "paused", "closed"]
    around: bool
    due: datetime | None
    """When it is due; None without a deadline, and while the clock is paused, as the moment moves
    on.
    """
    left: timedelta | None
    """Time on its clock until it is due (of a closed record: what was left); negative if overdue.
    """
    paused: timedelta
    """Time for which its clock was paused, up to the moment."""

    @property
    def overdue(self) -> bool:
        """Whether the deadline passed while the record was open."""
        return self.standing == "open" and self.left is not None and self.left < timedelta(0)


def position(at: datetime, around: bool, calendar: WorkingCalendar) -> int:
    """Return the position of a moment on a clock.

    Args:
        at: the moment.
        around: whether the clock runs round the clock rather than in working time.
        calendar: gives the working time.
    """
    return milliseconds(at) if around else calendar.position(at)


def moment(position: int, around: bool, calendar: WorkingCalendar) -> datetime:
    """Return the first moment that has a position on a clock."""
    return from_milliseconds(position) if around else calendar.moment(position)


def deadline(step: Mapping[str, Any], now: datetime, calendar: WorkingCalendar) -> Deadline:
    """Return the deadline that follows from the newest step of a life, a row of `life_K`."""
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
        # In the evening after its last working minute no working time has passed, but the deadline
        # has.
        left = -timedelta(milliseconds=1)
    return Deadline(standing, around, due, left, timedelta(milliseconds=stood))


@dataclass(frozen=True)
class ClockPiece:
    """A part of a life on its clock, in shares of the whole bar."""

    start: float
    length: float
    standing: str
    beyond: bool
    """Whether it lies after the deadline and the clock ran."""


@dataclass(frozen=True)
class Bar:
    """A life on its clock: pieces from its start to now or its end; where it is due, if known."""

    pieces: tuple[ClockPiece, ...]
    due: float | None


def bar(steps: list[dict[str, Any]], now: datetime, calendar: WorkingCalendar) -> Bar:
    """Turn steps (rows of `life_K` in order) into a bar; time off the clock has no length."""
    last = steps[-1]
    around = bool(last["around"])

    def at(step: Mapping[str, Any]) -> int:
        # A life has the clock of its newest step; an earlier step may still have had the other one.
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
        # A pause moves the deadline, so only running time can lie beyond it.
        cut = after if due is None or step["standing"] == "paused" else min(max(due, first), after)
        for start, stop, beyond in ((first, cut, False), (cut, after, True)):
            if stop > start:
                found.append(
                    ClockPiece(
                        (start - begin) / whole, (stop - start) / whole, step["standing"], beyond
                    )
                )
    return Bar(tuple(found), (due - begin) / whole if due is not None and due >= begin else None)
