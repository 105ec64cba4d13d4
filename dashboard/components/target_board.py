"""Selection, order and wording of targets, shared by their page and its file."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from dashboard.components.measured import measured
from dashboard.components.scores import board, board_unit
from dashboard.components.table import TableState
from dashboard.i18n.translator import Translator, sort_key
from dashboard.query.scoreboard import Scoreboard
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import ZONE, Target, indicator
from schemas.scores import TargetStanding, TargetStatus

GRAVITY = (
    TargetStatus.MISSED,
    TargetStatus.OFF_TRACK,
    TargetStatus.AT_RISK,
    TargetStatus.UNKNOWN,
    TargetStatus.ON_TRACK,
    TargetStatus.MET,
)
"""Statuses, most urgent first."""
CHIPS = {
    TargetStatus.MISSED: "p2",
    TargetStatus.OFF_TRACK: "p3",
    TargetStatus.AT_RISK: "good",
    TargetStatus.UNKNOWN: "unknown",
    TargetStatus.ON_TRACK: "quiet",
    TargetStatus.MET: "quiet",
}
"""Chip of each status; off track looks like the alarm that the watch raises on it."""
SORTED: Mapping[str, Callable[[TargetStanding], Any]] = {
    "status": lambda one: (GRAVITY.index(one.status), one.target.due),
    "name": lambda one: sort_key(one.target.vi),
    "now": lambda one: reached(one),
    "due": lambda one: one.target.due,
    "forecast": lambda one: (
        None if one.forecast is None else part_of_aim(one.target, one.forecast.value)
    ),
    "reporter": lambda one: sort_key(one.reporter.vi),
    "age": lambda one: one.reading.as_of,
}
"""Sort key by column. Figures of different units are compared by the share of the aim reached."""


def reached(one: TargetStanding) -> float | None:
    """Return the share of the aim that a figure reaches; None if unknown."""
    return None if one.reading.value is None else part_of_aim(one.target, one.reading.value)


def part_of_aim(target: Target, value: float) -> float:
    """Return a value as a share of the aim: more is better, also for a figure that should fall."""
    if target.direction == "up":
        return value / target.value if target.value else 1.0
    return target.value / value if value else 1.0


def table_state(request: PageRequest) -> TableState:
    """Return the requested order of the scoreboard."""
    return TableState.of(request, "", "status", size=500)


def status_of(request: PageRequest) -> TargetStatus | None:
    """Return the status that an address filters by; None for all.

    Raises:
        LookupError: there is no such status; the message is for the screen.
    """
    name = request.get("status")
    if not name:
        return None
    found = next((one for one in TargetStatus if one == name), None)
    if found is None:
        raise LookupError(request.translator("unknown_status", id=name))
    return found


def shown(context: PageContext, request: PageRequest) -> tuple[Scoreboard, list[TargetStanding]]:
    """Return the requested scoreboard, and the targets of it that are shown, in order."""
    whole = board(context, board_unit(context, request))
    wanted, order = status_of(request), table_state(request)
    found = [one for one in whole.standings if wanted in (None, one.status)]
    key = SORTED.get(order.by, SORTED["status"])
    known = [one for one in found if key(one) is not None]
    return whole, [
        *sorted(known, key=key, reverse=order.down),
        *(one for one in found if key(one) is None),
    ]


def named(whole: Scoreboard, code: str, translator: Translator) -> TargetStanding:
    """Return the target with the given id.

    Raises:
        LookupError: there is none; the message is for the screen.
    """
    found = next((one for one in whole.standings if one.target.code == code), None)
    if found is None:
        raise LookupError(translator("unknown_target", id=code))
    return found


def aim(target: Target, translator: Translator) -> str:
    """Format the aim with its direction."""
    value = measured(target.value, target.measure_unit, translator, short=True)
    return (
        translator("at_least", value=value)
        if target.direction == "up"
        else translator("at_most", value=value)
    )


def now(one: TargetStanding, translator: Translator) -> str:
    """Format the current figure."""
    return measured(one.reading.value, one.target.measure_unit, translator)


def ahead(one: TargetStanding, translator: Translator) -> str:
    """Format the forecast for the due day."""
    return measured(
        one.forecast.value if one.forecast else None, one.target.measure_unit, translator
    )


def left(due: date, at: date, translator: Translator) -> str:
    """Format the time left until a due day."""
    days = (due - at).days
    return (
        translator("today")
        if not days
        else translator("days_left" if days > 0 else "days_past", n=translator.number(abs(days)))
    )


def verification(target: Target, translator: Translator) -> str:
    """Say whether a target was verified, and what of it is assumed."""
    note = target.noted(translator.language)
    if target.verified:
        return translator("seen_but", note=note) if note else translator("verified")
    return translator("unverified_as", note=note) if note else translator("not_verified")


def is_computed(one: TargetStanding) -> bool:
    """Tell whether the figure is computed by this system, so that nobody reports it."""
    found = indicator(one.target.indicator)
    return found is not None and found.rhythm == "live"


def counts(whole: Scoreboard) -> Sequence[tuple[TargetStatus, int]]:
    """Count the targets of each status, most urgent first."""
    return [(status, whole.count[status]) for status in GRAVITY]


def local_day(whole: Scoreboard) -> date:
    """Return the local day of the scoreboard."""
    return whole.at.astimezone(ZONE).date()
