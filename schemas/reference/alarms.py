"""The rules of alarms: what is measured, when that calls for people, and when it no longer does."""

from datetime import date
from functools import cache
from typing import Literal

from schemas.reference.table import Named, rows

COMPARISON = Literal["threshold", "rate", "absence", "burst"]
SCOPE = Literal["province", "commune", "agency", "place"]


class Rule(Named, frozen=True, kw_only=True):
    """A rule of alarms.

    `measure` is a question of the watch (`streams.watch.questions`) or the code of a figure; `target.*` stands for all targets,
    each in percent of what it asks for by now. `comparison` says what is set against the levels: the value itself (threshold), its
    change within `span_minutes` (rate), how long nothing came (absence, in the unit of the measure), or how many there are, which
    must also be `times` as many as usual (burst).

    It is reached at `raise_at`, for `hold_raise_seconds` without a break; it is over below `clear_at`, for `hold_clear_seconds`.
    Where `clear_at` is above `raise_at`, less is worse. From `critical_at` on the priority is 1, whatever it was: with
    `critical_rising` only if it also grows. `cause` is what alarms are grouped by and which sentence tells of them.
    """

    cause: str
    measure: str
    scope: SCOPE
    comparison: COMPARISON
    raise_at: float
    clear_at: float
    priority: Literal[1, 2, 3]
    critical_at: float | None = None
    critical_rising: bool = False
    times: float = 0
    span_minutes: float = 0
    hold_raise_seconds: float = 0
    hold_clear_seconds: float = 0

    @property
    def less_is_worse(self) -> bool:
        return self.clear_at > self.raise_at

    def levels(self, usual: float = 0) -> tuple[float, float]:
        """From which value on it is reached, and beyond which it is over; what is usual raises both."""
        raised = max(self.raise_at, self.times * usual)
        return raised, self.clear_at * (raised / self.raise_at)

    def reached(self, value: float, usual: float = 0) -> bool:
        level = self.levels(usual)[0]
        return value <= level if self.less_is_worse else value >= level

    def over(self, value: float, usual: float = 0) -> bool:
        level = self.levels(usual)[1]
        return value > level if self.less_is_worse else value < level


@cache
def alarm_rules(on: date | None = None) -> tuple[Rule, ...]:
    """The rules valid on a day, by default today's."""
    return tuple(row for row in rows("alarms", Rule) if row.valid(on))


@cache
def alarm_rule(code: str) -> Rule | None:
    """The rule of that code, of today or of the past; None for one that never was."""
    return next((row for row in reversed(rows("alarms", Rule)) if row.code == code), None)
