"""Order an entity's steps by time, and where times do not decide, by the legal order of statuses.

A step happened at its own time, and never after it arrived. If only its day is known, its place
within the day follows from its status: a status that closes, or that follows only closing ones, is
placed at the end of the day, any other at the start. So a filing that was received at 08:10 and
closed on the same date is closed, and steps that have only dates follow the legal order. A time
that is known to the minute is used as it is: steps of one minute follow the legal order anyhow.
"""

from functools import cache

from schemas.events.kinds import Kind
from schemas.moments import DAY, SPAN_MS, TIME
from schemas.reference.statuses import statuses

STATUS = {"filing": "status", "feedback": "status", "document": "status", "meeting": "state"}
"""Name of the status field of each kind whose entities have steps."""
_LAST_MS = 100
"""Milliseconds at the end of a day that are reserved for final statuses, one for each rank."""


@cache
def legal_order(kind: Kind) -> dict[str, int]:
    """Return the rank of each status in the legal order (that of `statuses.csv`), from 1.

    It is empty for a kind without statuses.
    """
    return {one.status: number for number, one in enumerate(statuses(kind.name), 1)}


@cache
def _last(kind: Kind) -> frozenset[str]:
    """Return the final statuses: those that close, and those that follow only closing ones."""
    closed = {one.status for one in statuses(kind.name) if one.standing == "closed"}
    before: dict[str, set[str]] = {}
    for one in statuses(kind.name):
        for follower in one.followers:
            before.setdefault(follower, set()).add(one.status)
    return frozenset(closed | {status for status, ones in before.items() if ones <= closed})


def order_sql(kind: Kind) -> str:
    """Return SQL for the rank of a row's status in the legal order; 0 if there is none."""
    order = legal_order(kind)
    if not order:
        return "0"
    listed = ", ".join(f"'{status}'" for status in order)
    return (
        f"transform(toString({STATUS[kind.name]}), [{listed}], "
        f"[{', '.join(map(str, order.values()))}], 0)"
    )


def placed_sql(kind: Kind) -> str:
    """Return SQL for the moment at which a row's step is placed, whatever its precision.

    Its type is DateTime64(3).
    """
    order, last = legal_order(kind), _last(kind)
    if not order:
        return "occurred_at"
    listed = ", ".join(f"'{status}'" for status in order)

    span = SPAN_MS[DAY]
    offsets = ", ".join(
        str(span - _LAST_MS + place if status in last else place) for status, place in order.items()
    )
    within = (
        f"addMilliseconds(occurred_at, transform(toString({STATUS[kind.name]}), [{listed}], "
        f"[{offsets}], 0))"
    )
    return f"if(has(precision, '{TIME}:{DAY}'), {within}, occurred_at)"


def happened_sql(kind: Kind) -> str:
    """Return SQL for the time of a row's step: `placed_sql`, or its arrival if that is earlier."""
    return f"least({placed_sql(kind)}, received_at)"


def version_sql(kind: Kind) -> str:
    """Return SQL that orders the steps of an entity, as a UInt128; the greatest is the newest.

    Steps are ordered by `happened_sql`, so that a clock that is ahead does not hide later steps.
    Steps that are equal in this (they arrived at the same time) are ordered by `placed_sql`, then
    by the legal order, then by offset: steps of the same time and status lie in one partition.
    """
    return (
        f"bitShiftLeft(toUInt128(toUnixTimestamp64Milli({happened_sql(kind)})), 86) "
        f"+ bitShiftLeft(toUInt128(toUnixTimestamp64Milli({placed_sql(kind)})), 44) "
        f"+ bitShiftLeft(toUInt128({order_sql(kind)}), 38) + offset"
    )
