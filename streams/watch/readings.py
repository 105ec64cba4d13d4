"""Figures as inputs of rules: what they read at a moment, for every unit."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from schemas.figures import UNKNOWN, Reading
from schemas.reference import Rule
from streams.store import Store
from streams.watch.engine import Observed

Key = tuple[str, str]
"""Code of a figure, and of a unit: a commune, an agency, or an empty text for the province."""


def readings(store: Store, at: datetime, codes: Iterable[str], by: str) -> Mapping[Key, Reading]:
    """What figures read at `at`, by `province`, `commune` or `agency`.

    The one place where figures come in: a figure that is not computed has no reading, and its rules do not call. A target
    (`target.` and its id) reads in percent of what it asks for by then.
    """
    return {}


def observed(rule: Rule, now: Mapping[Key, Reading], before: Mapping[Key, Reading]) -> Sequence[Observed] | None:
    """What a rule on a figure sees; `before` is what was read `span_minutes` ago, for a rule on a change.

    None where the figure has no reading at all. What is stale or unknown is no value: it neither raises nor clears.
    """
    found = [_of(rule, code, unit, reading, before) for (code, unit), reading in sorted(now.items()) if _named(rule, code)]
    return found or None


def _named(rule: Rule, code: str) -> bool:
    return code.startswith(rule.measure[:-1]) if rule.measure.endswith("*") else code == rule.measure


def _of(rule: Rule, code: str, unit: str, reading: Reading, before: Mapping[Key, Reading]) -> Observed:
    value, change = _known(reading), None
    earlier = _known(before.get((code, unit), UNKNOWN))
    if value is not None and earlier is not None:
        change = value - earlier
    return Observed(
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
