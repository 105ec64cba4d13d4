"""What calls for people: rules on the answers of the store, pure, and grouped by cause so that a storm does not become a flood."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import pandas as pd

from schemas.freshness import Source, State

BURST_LEAST, BURST_TIMES, BURST_CRITICAL = 15, 4, 45
PILE_LEAST, PILE_TIMES, PILE_CRITICAL = 20, 4, 50
FLASH_AFTER, FLASH_CRITICAL = timedelta(hours=2), timedelta(hours=4)
DEAD_LEAST, DEAD_TIMES = 20, 4
GROUP_ABOVE = 2
"""More alarms than this of one cause are told as one."""


@dataclass(frozen=True)
class Alarm:
    """Something that calls for people. `priority` 1 is the gravest; `communes` is empty for the province as a whole."""

    cause: str
    priority: int
    since: datetime | None
    communes: tuple[str, ...] = ()
    subject: str = ""
    """The category, kind of feed or reason that it is about."""
    count: int = 0
    change: int = 0
    agencies: tuple[str, ...] = field(default=())
    span: timedelta = timedelta(0)
    """How far off a clock is; of several, the most."""

    @property
    def id(self) -> str:
        """Stays the same while the alarm lasts."""
        places = self.communes or self.agencies
        return ":".join((self.cause, self.subject, *(places if len(places) <= GROUP_ABOVE else ("many",))))

    @property
    def units(self) -> int:
        """How many communes or agencies it is about."""
        return max(len(self.communes), len(self.agencies))


def bursts(rows: Iterable[Mapping[str, Any]]) -> list[Alarm]:
    """Far more field reports of a category in a commune than is usual there."""
    return [
        Alarm(
            "burst",
            1 if row["recent"] >= BURST_CRITICAL else 2,
            row["since"],
            communes=(row["commune"],) if row["commune"] else (),
            subject=row["category"],
            count=int(row["recent"]),
        )
        for row in rows
        if row["recent"] >= BURST_LEAST and row["recent"] >= BURST_TIMES * row["usual"]
    ]


def piles(communes: pd.DataFrame) -> list[Alarm]:
    """Overdue filings that pile up in a commune, measured against the usual rate of the province."""
    known = communes[communes["filings"] > 0]
    if known.empty:
        return []
    rate = known["overdue"] / known["filings"]
    high = known[(known["overdue"] >= PILE_LEAST) & (rate >= PILE_TIMES * max(float(rate.median()), 0.001))]
    return [
        Alarm(
            "pile",
            1 if row["overdue"] >= PILE_CRITICAL and row["overdue"] > row["overdue_before"] else 2,
            row["oldest_due"].to_pydatetime(),
            communes=(row["commune"],) if row["commune"] else (),
            count=row["overdue"],
            change=row["overdue"] - row["overdue_before"],
        )
        for row in high.to_dict("records")
    ]


def flashes(rows: Iterable[Mapping[str, Any]], now: datetime) -> list[Alarm]:
    """Flash documents that a receiver has not received."""
    return [
        Alarm(
            "flash",
            1 if now - row["since"] > FLASH_CRITICAL else 2,
            row["since"],
            communes=(row["commune"],) if row["commune"] else (),
            count=int(row["documents"]),
            agencies=(row["to_organ"],),
        )
        for row in rows
        if now - row["since"] > FLASH_AFTER
    ]


def silences(sources: Iterable[Source]) -> list[Alarm]:
    """Feeds that went silent."""
    return [
        Alarm(
            "silent",
            3,
            one.received_at,
            communes=(one.commune,) if one.commune else (),
            subject=one.kind,
            agencies=(one.agency,),
        )
        for one in sources
        if one.state is State.SILENT
    ]


def clocks(sources: Iterable[Source]) -> list[Alarm]:
    """Sources whose clock is ahead: what they tell lies in the future until it is mended."""
    return [
        Alarm(
            "ahead",
            3,
            one.ahead_since,
            communes=(one.commune,) if one.commune else (),
            subject=one.kind,
            agencies=(one.agency,),
            span=one.ahead,
        )
        for one in sources
        if one.ahead
    ]


def dead_letters(row: Mapping[str, Any]) -> list[Alarm]:
    """Far more records than usual that could not be counted."""
    if row["recent"] < DEAD_LEAST or row["recent"] < DEAD_TIMES * row["usual"]:
        return []
    return [Alarm("dead_letters", 3, row["since"], subject=(row["worst"] or [""])[0], count=int(row["recent"]))]


def grouped(alarms: Sequence[Alarm]) -> tuple[Alarm, ...]:
    """Alarms by priority, the newest first; many of one cause and subject become one with all their places."""

    def cause(alarm: Alarm) -> tuple[str, str]:
        return alarm.cause, alarm.subject

    found: list[Alarm] = []
    for _, group in groupby(sorted(alarms, key=cause), cause):
        same = sorted(group, key=lambda one: (one.priority, -one.count))
        found += same if len(same) <= GROUP_ABOVE else [_as_one(same)]
    return tuple(sorted(found, key=lambda one: (one.priority, -(one.since.timestamp() if one.since else 0.0), one.id)))


def _as_one(same: list[Alarm]) -> Alarm:
    return replace(
        same[0],
        since=min((one.since for one in same if one.since), default=None),
        communes=tuple(dict.fromkeys(code for one in same for code in one.communes)),
        count=sum(one.count for one in same),
        change=sum(one.change for one in same),
        agencies=tuple(dict.fromkeys(code for one in same for code in one.agencies)),
        span=max(one.span for one in same),
    )
