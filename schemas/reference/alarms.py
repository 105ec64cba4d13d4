"""Read the rules of alarms: what is measured, and when an alarm is raised and cleared."""

from datetime import date
from functools import cache
from typing import Literal

from schemas.reference.table import Named, rows

COMPARISON = Literal["threshold", "rate", "absence", "burst"]
SCOPE = Literal["province", "commune", "agency", "place"]


class Rule(Named, frozen=True, kw_only=True):
    """A rule of alarms.

    `measure` is a query of the watch (`streams.watch.questions`) or the code of a figure;
    `target.*` stands for all targets, each in percent of what it requires by now. `comparison` is
    what is compared with the levels: the value itself (threshold), its change within `span_minutes`
    (rate), the time since the last event (absence, in the unit of the measure), or a count, which
    must also be `times` the usual count (burst).

    An alarm is raised when the value stays at `raise_at` or beyond for `hold_raise_seconds` without
    a break; it is cleared when the value stays below `clear_at` for `hold_clear_seconds`. If
    `clear_at` is above `raise_at`, less is worse. From `critical_at` on the priority is 1, whatever
    it was: with `critical_rising` only if the value also grows. `cause` groups alarms and selects
    their text.
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
        """Return whether a lower value is worse."""
        return self.clear_at > self.raise_at

    def levels(self, usual: float = 0) -> tuple[float, float]:
        """Return the levels at which an alarm is raised and beyond which it is cleared.

        The usual count raises both.
        """
        raised = max(self.raise_at, self.times * usual)
        return raised, self.clear_at * (raised / self.raise_at)

    def reached(self, value: float, usual: float = 0) -> bool:
        """Return whether a value is at the level that raises an alarm."""
        level = self.levels(usual)[0]
        return value <= level if self.less_is_worse else value >= level

    def over(self, value: float, usual: float = 0) -> bool:
        """Return whether a value is beyond the level that clears an alarm."""
        level = self.levels(usual)[1]
        return value > level if self.less_is_worse else value < level


@cache
def alarm_rules(on: date | None = None) -> tuple[Rule, ...]:
    """Return the rules valid on a day, by default today's."""
    return tuple(row for row in rows("alarms", Rule) if row.valid(on))


@cache
def alarm_rule(code: str) -> Rule | None:
    """Return the rule of that code, of today or of the past; None if there never was one."""
    return next((row for row in reversed(rows("alarms", Rule)) if row.code == code), None)
