"""Evaluate rules on observations: which alarms begin, are raised, continue, are cleared.

An alarm begins when its rule's level is reached. It is raised when that has lasted for the rule's
hold time, and cleared when the value has been below the clear threshold for the other hold time; in
between nothing changes, so that a value that fluctuates raises one alarm. All of this is stored in
the alarm itself: a watch that starts continues where another one stopped. Pure: no clock, no I/O.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schemas.moments import milliseconds
from schemas.reference import Rule

CLEARED = 1 << 62
"""Added to the version of a cleared alarm, so that a watch that writes late cannot reopen it."""
VALUE_INTERVAL = timedelta(minutes=1)
"""Minimum time between two rows of an alarm that differ in the value only."""


@dataclass(frozen=True)
class Observation:
    """A rule's measurement of one subject at one moment."""

    key: str
    """Identifies the subject; the same at every evaluation."""
    value: float | None
    """The measured value; None if it is unknown, which changes no alarm."""
    usual: float = 0.0
    """The usual value, for rules that compare with it."""
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
    """The state of an alarm.

    Its fields and `version` are the columns of `schemas.clickhouse.watch_tables.ALARMS`.
    """

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
        """Return the row's version: a later evaluation wins, and a cleared alarm stays cleared."""
        return milliseconds(self.evaluated_at) + (CLEARED if self.cleared_at else 0)

    @property
    def key(self) -> str:
        """Return the key of the observed subject."""
        return self.id.partition(":")[2]


def evaluate(
    rules: Iterable[Rule],
    observed: Mapping[str, Sequence[Observation] | None],
    at: datetime,
    known: Iterable[Alarm],
) -> list[Alarm]:
    """Return the alarms that the observations at `at` change.

    Args:
        rules: The rules to evaluate.
        observed: The observations by rule; a rule that is missing or None changes nothing.
        at: The moment of the observations.
        known: The alarms that are not cleared, and those evaluated at or after `at`, which a late
            watch must not change again.
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
    rule: Rule, seen: Sequence[Observation], at: datetime, known: Sequence[Alarm]
) -> list[Alarm]:
    found = {f"{rule.code}:{one.key}": one for one in seen}
    standing, doubles, settled = _sort_known(known, at)
    changed = [replace(one, cleared_at=one.raised_at or at, evaluated_at=at) for one in doubles]
    for id in sorted(found.keys() | standing.keys()):
        if id in settled:
            continue
        before, one = standing.get(id), found.get(id)
        after = _next(rule, id, before, one, at)
        if after is not None and (before is None or _must_write(before, after)):
            changed.append(after)
    return changed


def _sort_known(
    known: Sequence[Alarm], at: datetime
) -> tuple[dict[str, Alarm], list[Alarm], set[str]]:
    """Sort the known alarms.

    Returns:
        The open alarm of each id; duplicates that two watches began at once, of which the first
        stays open; the ids that must not change at `at`.
    """
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
    rule: Rule, id: str, before: Alarm | None, one: Observation | None, at: datetime
) -> Alarm | None:
    """Return an alarm after an observation; None if there is none before and after.

    A subject that is no longer observed counts as below the clear threshold.
    """
    if one is not None and one.value is None:
        return before
    reached = one is not None and one.value is not None and rule.reached(one.value, one.usual)
    if before is None:
        return _raised(rule, _begin(rule, id, one, at), at) if one is not None and reached else None
    after = _updated(rule, before, one, at) if one is not None else before
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


def _begin(rule: Rule, id: str, one: Observation, at: datetime) -> Alarm:
    empty = Alarm(
        id=id,
        began_at=at,
        rule=rule.code,
        cause=rule.cause,
        priority=rule.priority,
        evaluated_at=at,
    )
    return _updated(rule, empty, one, at)


def _updated(rule: Rule, before: Alarm, one: Observation, at: datetime) -> Alarm:
    """Return an alarm updated with an observation."""
    assert one.value is not None
    return replace(
        before,
        subject=one.subject,
        priority=1 if _critical(rule, before.priority, one) else rule.priority,
        # The rule's span moves on and its first records leave it: keep the time of the first
        # observation.
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


def _critical(rule: Rule, before: int, one: Observation) -> bool:
    """Return whether the critical level holds; it clears with the hysteresis of the first level."""
    if rule.critical_at is None or one.value is None:
        return False
    sticky = before == 1 and rule.priority != 1
    level = rule.critical_at * (rule.clear_at / rule.raise_at if sticky else 1)
    if rule.less_is_worse:
        return one.value <= level
    return one.value >= level and (sticky or not rule.critical_rising or one.change > 0)


def _must_write(before: Alarm, after: Alarm) -> bool:
    """Return whether an alarm must be written: more than its value changed, or it is time."""
    same = replace(after, value=before.value, level=before.level, evaluated_at=before.evaluated_at)
    if same != before:
        return True
    return (
        after.value != before.value and after.evaluated_at - before.evaluated_at >= VALUE_INTERVAL
    )


def clear_retired(rules: Iterable[Rule], at: datetime, known: Iterable[Alarm]) -> list[Alarm]:
    """Return the open alarms whose rule is no longer in force, cleared."""
    codes = {rule.code for rule in rules}
    return [
        replace(one, cleared_at=at, evaluated_at=at)
        for one in known
        if one.rule not in codes and one.cleared_at is None and one.evaluated_at <= at
    ]
