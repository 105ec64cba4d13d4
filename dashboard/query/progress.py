"""Does every partition's data come through? Pure rules on what the workers say of their progress.

The heartbeat proves that the path as a whole is alive; one partition can stand still all the same, or have no worker, while the
others flow. Then what the screens show is incomplete, and they say so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from schemas.events.kinds import KINDS


class Pace(StrEnum):
    """How a partition that is not up to date goes on."""

    BEHIND = "behind"
    STALLED = "stalled"
    UNOWNED = "unowned"


@dataclass(frozen=True)
class Lag:
    """A partition that is not up to date: how many records wait, and since when one does (unknown where nobody ever looked)."""

    kind: str
    partition: int
    pace: Pace
    records: int = 0
    since: datetime | None = None


def judge(
    rows: Iterable[Mapping[str, Any]], partitions: int, stale_after: float
) -> tuple[Lag, ...]:
    """The partitions that are not up to date, by the rows of `Store.progress`; `partitions` is how many each kind has to have.

    Behind: records wait longer than `stale_after` seconds, though some are written. Stalled: none was written for as long. Unowned:
    no worker spoke of it for as long, while others spoke. As long as no worker ever spoke, there is nothing to judge.
    """
    known = {(row["kind"], row["partition"]): row for row in rows}
    if not known:
        return ()
    expected = {(kind.name, number) for kind in KINDS for number in range(partitions)}
    found = [Lag(*place, Pace.UNOWNED) for place in expected - known.keys()]
    for place, row in known.items():
        if row["unheard"] > stale_after:
            found.append(Lag(*place, Pace.UNOWNED, row["records"], row["waits_since"] or row["at"]))
        elif row["waits_since"] and row["still"] > stale_after:
            found.append(Lag(*place, Pace.STALLED, row["records"], row["waits_since"]))
        elif row["waits_since"] and row["waited"] > stale_after:
            found.append(Lag(*place, Pace.BEHIND, row["records"], row["waits_since"]))
    return tuple(sorted(found, key=lambda lag: (lag.kind, lag.partition)))
