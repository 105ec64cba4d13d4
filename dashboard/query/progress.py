"""Find partitions that are not up to date, from the progress that workers report. Pure.

The heartbeat proves that the path as a whole is alive; a single partition may still stand still, or
have no worker, while the others advance. Then the screens are incomplete, and say so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from schemas.events.kinds import KINDS


class Pace(StrEnum):
    """How a partition that is not up to date advances."""

    BEHIND = "behind"
    STALLED = "stalled"
    UNOWNED = "unowned"


@dataclass(frozen=True)
class Lag:
    """A partition that is not up to date.

    With the number of waiting records, and since when one waits (unknown if no worker ever
    reported).
    """

    kind: str
    partition: int
    pace: Pace
    records: int = 0
    since: datetime | None = None


def judge(
    rows: Iterable[Mapping[str, Any]], partitions: int, stale_after: float
) -> tuple[Lag, ...]:
    """Return the partitions that are not up to date.

    Behind: records wait longer than `stale_after` seconds, though some are written. Stalled: none
    was written for that long. Unowned: no worker reported it for that long, while others did.
    Before any worker has reported, the result is empty.

    Args:
        rows: the rows of `ScreenStore.progress`.
        partitions: the number of partitions of each kind.
        stale_after: the limit in seconds.
    """
    known = {(row["kind"], row["partition"]): row for row in rows}
    if not known:
        return ()
    expected = {(kind.name, number) for kind in KINDS for number in range(partitions)}
    found = [Lag(*key, Pace.UNOWNED) for key in expected - known.keys()]
    for key, row in known.items():
        if row["unheard"] > stale_after:
            found.append(Lag(*key, Pace.UNOWNED, row["records"], row["waits_since"] or row["at"]))
        elif row["waits_since"] and row["still"] > stale_after:
            found.append(Lag(*key, Pace.STALLED, row["records"], row["waits_since"]))
        elif row["waits_since"] and row["waited"] > stale_after:
            found.append(Lag(*key, Pace.BEHIND, row["records"], row["waits_since"]))
    return tuple(sorted(found, key=lambda lag: (lag.kind, lag.partition)))
