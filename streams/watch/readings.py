"""Figures as inputs of rules: their readings at a moment, for every unit."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from schemas import scores
from schemas.clickhouse.sql import REPORT_DAYS, REPORTS
from schemas.figures import BY_CODE, UNKNOWN, Reading
from schemas.figures.aging import TIMELY, By, aged, of_units, timely
from schemas.figures.questions import QueryMoment, ask
from schemas.reference import Rule, calendar
from schemas.scores import IndicatorReport, TargetStanding
from streams.watch.context import MeasureContext
from streams.watch.engine import Observation

Key = tuple[str, str]
"""Code of a figure, and of a unit: a commune, an agency, or an empty text for the province."""
TARGETS = "target."
"""Prefix of a target's code, before its id."""
MIN_COUNT = 100
"""Entities that a computed share must rest on before it may raise an alarm."""
FULL = 1000.0
"""Upper bound of a target's reading, in percent; where less is better, it could grow without end.
"""


def readings(
    context: MeasureContext, codes: Iterable[str], by: By, ago: timedelta = timedelta(0)
) -> Mapping[Key, Reading]:
    """Return the readings of figures now, or `ago`; an unknown figure has no reading.

    The reading of a target (`target.` and its id; `target.*` for all) is how much of the target
    will be reached by its due date, in percent.

    Args:
        context: The context of the evaluation.
        codes: The codes of figures and targets.
        by: The units: `province`, `commune` or `agency`.
        ago: How long before the moment of `context`.

    Raises:
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    wanted = list(codes)
    figures = [BY_CODE[code] for code in wanted if code in BY_CODE]
    moment = QueryMoment.of(context.at - ago, calendar(context.province.code))
    found: dict[Key, Reading] = {}
    asked = ask(
        context.figures,
        figures,
        moment,
        () if by == "province" else (by,),
        past=bool(ago),
        units="today",
    )
    its = of_units(context.sources)
    for key, said in asked.items():
        unit = key[0] if key else ""
        if unit or by == "province":
            known = (
                said if ago else aged(said, its.get((by, unit), ()) if unit else context.sources)
            )
            found |= {(code, unit): reading for code, reading in known.items()}
    if TIMELY in wanted and not ago:
        found[TIMELY, ""] = timely(context.sources)
    if not ago and any(code.startswith(TARGETS) for code in wanted):
        found |= {(f"{TARGETS}{one.target.code}", ""): _reached(one) for one in _standings(context)}
    return found


def _standings(context: MeasureContext) -> Sequence[TargetStanding]:
    code = context.province.code
    rows = context.rows(REPORTS, units=(code,), since=timedelta(days=REPORT_DAYS))
    names = ("indicator", "unit", "period", "value", "measure_unit", "agency", "reported_at")
    series = scores.by_indicator(
        (IndicatorReport(**dict(zip(names, row, strict=True))) for row in rows), context.at
    )
    moment = QueryMoment.of(context.at, calendar(code))
    live = ask(context.figures, BY_CODE.values(), moment).get((), {})
    return scores.standings(
        code,
        code,
        series,
        aged(live, context.sources) | {TIMELY: timely(context.sources)},
        context.at,
    )


def _reached(one: TargetStanding) -> Reading:
    """Return how much of a target its forecast reaches, in percent; unknown without a forecast.

    It is unknown, too, if the reading is stale or rests on fewer than `MIN_COUNT` entities.
    """
    aim, will = one.target.value, one.forecast.value if one.forecast else None
    few = one.reading.whole is not None and one.reading.whole < MIN_COUNT
    if will is None or one.reading.stale or few:
        return UNKNOWN
    part, whole = (will, aim) if one.target.direction == "up" else (aim, will)
    return Reading(min(FULL, 100 * part / whole) if whole else FULL, part, whole, one.reading.as_of)


def observed(
    rule: Rule, now: Mapping[Key, Reading], before: Mapping[Key, Reading]
) -> Sequence[Observation] | None:
    """Return the observations of a rule on a figure; None if the figure has no reading at all.

    A stale or unknown reading is no value: it neither raises nor clears an alarm.

    Args:
        rule: The rule.
        now: The readings now.
        before: The readings `span_minutes` ago, for a rule on a change.
    """
    found = [
        _of(rule, code, unit, reading, before)
        for (code, unit), reading in sorted(now.items())
        if _named(rule, code)
    ]
    return found or None


def _named(rule: Rule, code: str) -> bool:
    return (
        code.startswith(rule.measure[:-1]) if rule.measure.endswith("*") else code == rule.measure
    )


def _of(
    rule: Rule, code: str, unit: str, reading: Reading, before: Mapping[Key, Reading]
) -> Observation:
    value, change = _known(reading), None
    earlier = _known(before.get((code, unit), UNKNOWN))
    if value is not None and earlier is not None:
        change = value - earlier
    return Observation(
        key=":".join(part for part in (code if rule.measure.endswith("*") else "", unit) if part),
        value=change if rule.comparison == "rate" else value,
        subject=code,
        count=round(value or 0),
        change=round(change or 0),
        communes=(unit,) if unit and rule.scope == "commune" else (),
        agencies=(unit,) if unit and rule.scope == "agency" else (),
    )


def _known(reading: Reading) -> float | None:
    return None if reading.stale else reading.value
