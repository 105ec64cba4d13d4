"""Group the stored alarms for screens, so that a storm does not flood them.

Pure: it executes no query.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from dashboard.query.alarm_causes import cause_of
from schemas.clickhouse.watch_tables import late_after

GROUP_ABOVE = 2
"""Number of alarms of one cause above which they are shown as one."""


@dataclass(frozen=True)
class StoredAlarm:
    """An alarm; `priority` 1 is the most severe, `communes` is empty for the whole province."""

    cause: str
    priority: int
    since: datetime | None
    communes: tuple[str, ...] = ()
    subject: str = ""
    """The category, kind of feed, figure or reason that the alarm is about."""
    count: int = 0
    change: int = 0
    agencies: tuple[str, ...] = field(default=())
    span: timedelta = timedelta(0)
    """By how much a clock is wrong; the largest if several alarms are grouped."""
    rule: str = ""
    value: float = 0.0
    radius: float = 0.0
    """Distance in metres from a cluster's centre to its outermost report; 0 without coordinates."""
    lat: float | None = None
    lon: float | None = None
    merged_count: int = 1
    """Number of alarms grouped into it."""
    raised: datetime | None = None
    """When it was raised; the last time if several are grouped. Its cause may be older (`since`).
    """

    @property
    def id(self) -> str:
        """An id that stays the same while the alarm is open."""
        places = self.communes or self.agencies
        return ":".join(
            (self.cause, self.subject, *(places if len(places) <= GROUP_ABOVE else ("many",)))
        )

    @property
    def units(self) -> int:
        """The number of communes or agencies concerned."""
        return max(len(self.communes), len(self.agencies))


@dataclass(frozen=True)
class Watched:
    """Whether the watch runs.

    If it does not, screens show no alarm as current, and do not show the absence of alarms as calm.
    """

    alive: bool = True
    until: datetime | None = None
    """The moment up to which every job has run; None if none ever ran."""


def watched(jobs: Iterable[Mapping[str, Any]], now: datetime, stale_after: float) -> Watched:
    """Tell whether the watch runs, by when each of its jobs last ran.

    Args:
        jobs: the rows of `AlarmStore.jobs`.
        now: the current moment.
        stale_after: seconds without a run after which a job counts as stalled.
    """
    done = [
        (
            row["at"],
            (now - row["at"]).total_seconds() > late_after(row["period_seconds"], stale_after),
        )
        for row in jobs
    ]
    if not done:
        return Watched(False)
    missing = [at for at, late in done if late]
    return Watched(not missing, min(missing or [at for at, _ in done]))


def read(rows: Iterable[Mapping[str, Any]]) -> list[StoredAlarm]:
    """Return the rows of `AlarmStore.open` as alarms."""
    return [
        StoredAlarm(
            cause=row["cause"],
            priority=row["priority"],
            since=row["since"] or row["raised_at"],
            communes=tuple(row["communes"]),
            subject=row["subject"],
            count=row["count"],
            change=row["change"],
            agencies=tuple(row["agencies"]),
            span=timedelta(seconds=row["value"] if cause_of(row["cause"]).value_is_seconds else 0),
            rule=row["rule"],
            value=row["value"],
            radius=row["radius"],
            lat=row["lat"],
            lon=row["lon"],
            raised=row["raised_at"],
        )
        for row in rows
    ]


def merged(alarms: Iterable[StoredAlarm]) -> list[StoredAlarm]:
    """Merge alarms about one matter.

    Two rules may detect one matter: a burst in a commune and the cluster that it comes from;
    overdue filings of a commune and of its agency. Alarms of one cause and subject that share a
    commune are shown once, with the coordinates of one and the count of the other.
    """
    found: list[StoredAlarm] = []
    for alarm in alarms:
        same = [
            one for one in found if cause_of(alarm.cause).seen_twice and _one_matter(one, alarm)
        ]
        found = [one for one in found if one not in same]
        found.append(_merged([alarm, *same]) if same else alarm)
    return found


def _one_matter(one: StoredAlarm, other: StoredAlarm) -> bool:
    alike = (one.cause, one.subject) == (other.cause, other.subject) and one.rule != other.rule
    return alike and bool(set(one.communes) & set(other.communes))


def _merged(same: list[StoredAlarm]) -> StoredAlarm:
    most = max(same, key=lambda one: (one.count, one.lat is None))
    placed = next((one for one in same if one.lat is not None), most)
    return replace(
        most,
        priority=min(one.priority for one in same),
        since=min((one.since for one in same if one.since), default=None),
        communes=tuple(dict.fromkeys(code for one in (most, *same) for code in one.communes)),
        lat=placed.lat,
        lon=placed.lon,
        radius=placed.radius,
        raised=_newest(same),
    )


def grouped(alarms: Sequence[StoredAlarm]) -> tuple[StoredAlarm, ...]:
    """Sort alarms by priority, newest first, and group those of one cause and subject.

    More than `GROUP_ABOVE` of them become one alarm with all their communes and agencies.
    """

    def cause(alarm: StoredAlarm) -> tuple[str, str]:
        return alarm.cause, alarm.subject if cause_of(alarm.cause).by_subject else ""

    found: list[StoredAlarm] = []
    for _, group in groupby(sorted(merged(alarms), key=cause), cause):
        same = sorted(group, key=lambda one: (one.priority, -one.count))
        found += same if len(same) <= GROUP_ABOVE else [_as_one(same)]
    return tuple(
        sorted(
            found,
            key=lambda one: (one.priority, -(one.since.timestamp() if one.since else 0.0), one.id),
        )
    )


def _as_one(same: list[StoredAlarm]) -> StoredAlarm:
    return replace(
        same[0],
        merged_count=len(same),
        since=min((one.since for one in same if one.since), default=None),
        communes=tuple(dict.fromkeys(code for one in same for code in one.communes)),
        count=sum(one.count for one in same),
        change=sum(one.change for one in same),
        agencies=tuple(dict.fromkeys(code for one in same for code in one.agencies)),
        span=max(one.span for one in same),
        radius=0.0,
        lat=None,
        lon=None,
        raised=_newest(same),
    )


def _newest(same: Iterable[StoredAlarm]) -> datetime | None:
    return max((one.raised for one in same if one.raised), default=None)
