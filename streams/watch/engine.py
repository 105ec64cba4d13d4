"""Rules against what was observed: which alarms begin, are raised, go on, are cleared. Pure: no clock, no I/O.

An alarm begins when its rule's level is reached. It is raised when that has lasted for the rule's hold time, and cleared when it
has been beyond the clearing level for the other one; in between nothing changes, so that a value that trembles calls once. All of
that stands in the alarm itself: a watch that starts anew goes on where another one stopped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schemas.moments import milliseconds
from schemas.reference import Rule

CLEARED = 1 << 62
"""In the version of a cleared alarm: a watch that looked before that and writes after it does not bring it back."""
RENEW = timedelta(minutes=1)
"""A value that changes alone is written no more often."""


@dataclass(frozen=True)
class Observed:
    """What a rule measures, of one thing that it could call about. A `value` of None, which cannot be told, changes nothing."""

    key: str
    """What it would call about: the same at every evaluation."""
    value: float | None
    usual: float = 0.0
    subject: str = ""
    since: datetime | None = None
    count: int = 0
    change: int = 0
    communes: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    lat: float | None = None
    lon: float | None = None
    radius: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm as it stands; fields and `version` are the columns of `schemas.clickhouse.watch_tables.ALARMS`."""

    id: str
    began_at: datetime
    rule: str
    cause: str
    subject: str = ""
    priority: int
    since: datetime | None = None
    raised_at: datetime | None = None
    below_since: datetime | None = None
    cleared_at: datetime | None = None
    communes: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    count: int = 0
    change: int = 0
    value: float = 0.0
    level: float = 0.0
    lat: float | None = None
    lon: float | None = None
    radius: float = 0.0
    evaluated_at: datetime

    @property
    def version(self) -> int:
        return milliseconds(self.evaluated_at) + (CLEARED if self.cleared_at else 0)

    @property
    def key(self) -> str:
        """What it calls about: the key of what is observed."""
        return self.id.partition(":")[2]


def evaluate(
    rules: Iterable[Rule],
    observed: Mapping[str, Sequence[Observed] | None],
    at: datetime,
    known: Iterable[Alarm],
) -> list[Alarm]:
    """The alarms that are different after looking at `at`; rules that were not looked at (None, or missing) change nothing.

    `known` are the alarms that are open or begin, and those evaluated at or after `at`, of which a late watch must not speak again.
    """
    of_rule: dict[str, list[Alarm]] = {}
    for alarm in known:
        of_rule.setdefault(alarm.rule, []).append(alarm)
    changed: list[Alarm] = []
    for rule in rules:
        seen = observed.get(rule.code)
        if seen is not None:
            changed += _evaluate(rule, seen, at, of_rule.get(rule.code, []))
    return changed


def _evaluate(
    rule: Rule, seen: Sequence[Observed], at: datetime, known: Sequence[Alarm]
) -> list[Alarm]:
    found = {f"{rule.code}:{one.key}": one for one in seen}
    standing, doubles, settled = _standing(known, at)
    changed = [replace(one, cleared_at=one.raised_at or at, evaluated_at=at) for one in doubles]
    for id in sorted(found.keys() | standing.keys()):
        if id in settled:
            continue
        before, one = standing.get(id), found.get(id)
        after = _next(rule, id, before, one, at)
        if after is not None and (before is None or _tells(before, after)):
            changed.append(after)
    return changed


def _standing(
    known: Sequence[Alarm], at: datetime
) -> tuple[dict[str, Alarm], list[Alarm], set[str]]:
    """The open alarm of each id; those that two watches began at once, of which the first stays; ids that are settled at `at`."""
    standing: dict[str, Alarm] = {}
    doubles: list[Alarm] = []
    settled = {
        one.id
        for one in known
        if one.evaluated_at > at or (one.cleared_at and one.evaluated_at == at)
    }
    for one in sorted(known, key=lambda one: one.began_at):
        if one.cleared_at is None and one.id not in settled:
            if one.id in standing:
                doubles.append(one)
            else:
                standing[one.id] = one
    return standing, doubles, settled


def _next(
    rule: Rule, id: str, before: Alarm | None, one: Observed | None, at: datetime
) -> Alarm | None:
    """An alarm after a look; None where there is none, before or after. What is no longer observed at all is over."""
    if one is not None and one.value is None:
        return before
    reached = one is not None and one.value is not None and rule.reached(one.value, one.usual)
    if before is None:
        return _raised(rule, _begun(rule, id, one, at), at) if one is not None and reached else None
    after = _said(rule, before, one, at) if one is not None else before
    if before.raised_at is None:
        return (
            _raised(rule, after, at) if reached else replace(after, cleared_at=at, evaluated_at=at)
        )
    over = one is None or one.value is None or rule.over(one.value, one.usual)
    if not over:
        return replace(after, below_since=None, evaluated_at=at)
    below = before.below_since or at
    ended = at - below >= timedelta(seconds=rule.hold_clear_seconds)
    return replace(after, below_since=below, cleared_at=at if ended else None, evaluated_at=at)


def _raised(rule: Rule, alarm: Alarm, at: datetime) -> Alarm:
    held = at - alarm.began_at >= timedelta(seconds=rule.hold_raise_seconds)
    return replace(alarm, raised_at=at if held else None, evaluated_at=at)


def _begun(rule: Rule, id: str, one: Observed, at: datetime) -> Alarm:
    empty = Alarm(
        id=id,
        began_at=at,
        rule=rule.code,
        cause=rule.cause,
        priority=rule.priority,
        evaluated_at=at,
    )
    return _said(rule, empty, one, at)


def _said(rule: Rule, before: Alarm, one: Observed, at: datetime) -> Alarm:
    """An alarm with what is observed now."""
    assert one.value is not None
    return replace(
        before,
        subject=one.subject,
        priority=1 if _critical(rule, before.priority, one) else rule.priority,
        # What is counted within a span moves on with it: the cause began when it was first seen.
        since=min((since for since in (before.since, one.since) if since), default=None)
        if rule.span_minutes
        else one.since,
        communes=one.communes,
        agencies=one.agencies,
        count=one.count,
        change=one.change,
        value=one.value,
        level=rule.levels(one.usual)[0],
        lat=one.lat,
        lon=one.lon,
        radius=one.radius,
        evaluated_at=at,
    )


def _critical(rule: Rule, before: int, one: Observed) -> bool:
    """Whether the second level holds: it is left as late, in proportion, as the first one."""
    if rule.critical_at is None or one.value is None:
        return False
    sticky = before == 1 and rule.priority != 1
    level = rule.critical_at * (rule.clear_at / rule.raise_at if sticky else 1)
    if rule.less_is_worse:
        return one.value <= level
    return one.value >= level and (sticky or not rule.critical_rising or one.change > 0)


def _tells(before: Alarm, after: Alarm) -> bool:
    """Whether a row is worth writing: anything but the value changed, or the value did and was not told for a while."""
    same = replace(after, value=before.value, level=before.level, evaluated_at=before.evaluated_at)
    if same != before:
        return True
    return after.value != before.value and after.evaluated_at - before.evaluated_at >= RENEW


def ended(rules: Iterable[Rule], at: datetime, known: Iterable[Alarm]) -> list[Alarm]:
    """Open alarms whose rule is no longer in force, cleared: nobody looks at them any more."""
    codes = {rule.code for rule in rules}
    return [
        replace(one, cleared_at=at, evaluated_at=at)
        for one in known
        if one.rule not in codes and one.cleared_at is None and one.evaluated_at <= at
    ]
