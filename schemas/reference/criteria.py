"""Read sets of criteria that units are scored by.

A set has groups of items; an item has a figure and a rule. The service-quality index of Decision
766 and the province's assessment of its agencies are two sets in the same tables; a third one needs
rows, no code. `schemas.scores` computes with them.
"""

from collections.abc import Collection
from datetime import date
from functools import cache
from typing import Any, Literal

from schemas.reference.table import Named, rows

Rule = Literal["share", "linear", "steps", "reported"]
UnitKind = Literal["province", "commune", "agency"]


class Criterion(Named, frozen=True, kw_only=True):
    """An item of a set, worth at most `points`, by the value of the figure or indicator `reads`.

    The rules:

    - `share`: the value is a percentage, and that part of the points is given (`down`: the part
      that is left of 100).
    - `linear`: none at the level `zero`, all at the level `full`, in proportion between.
    - `steps`: pairs `level:points`; those of the best level that the value reaches, none beyond the
      last.
    - `reported`: the value is the points, as someone else gave them.

    `question` is the figure whose records show what is lost, by default `reads`; `filter` narrows
    them (`channel=1,3`).
    """

    set: str
    group: str
    points: float
    reads: str
    rule: Rule
    direction: Literal["up", "down"] = "up"
    zero: float | None = None
    full: float | None = None
    steps: str = ""
    question: str = ""
    filter: str = ""

    @property
    def levels(self) -> tuple[tuple[float, float], ...]:
        """Return the steps as (level, points), best first.

        Raises:
            ValueError: A step is malformed.
        """
        pairs = [pair.partition(":") for pair in self.steps.split()]
        return tuple((float(level), float(points)) for level, _, points in pairs)

    @property
    def narrowed(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the filter as (field, values)."""
        pairs = [pair.partition("=") for pair in self.filter.split("&") if pair]
        return tuple((name, tuple(values.split(","))) for name, _, values in pairs)


class GroupRow(Named, frozen=True, kw_only=True):
    """A row of criteria_groups.csv.

    `reported` is the indicator that carries its points where others compute and publish them.
    """

    set: str
    points: float
    reported: str = ""


class CriteriaGroup(GroupRow, frozen=True, kw_only=True):
    """A group with its items."""

    items: tuple[Criterion, ...] = ()


class Grade(Named, frozen=True, kw_only=True):
    """A grade, given from `least` points on."""

    set: str
    least: float


class SetRow(Named, frozen=True, kw_only=True):
    """A row of criteria_sets.csv; `units` lists the kinds of units that it scores.

    `reported` is as that of a group, for the total. `coverage`: a total and a grade are given if
    the inputs of at least that many percent of the points are known and fresh.
    """

    points: float
    units: str
    coverage: float
    reported: str = ""


class CriteriaSet(SetRow, frozen=True, kw_only=True):
    """A whole set; `grades` best first."""

    groups: tuple[CriteriaGroup, ...] = ()
    grades: tuple[Grade, ...] = ()

    @property
    def items(self) -> tuple[Criterion, ...]:
        """Return all items in order."""
        return tuple(item for group in self.groups for item in group.items)

    def scores(self, kind: UnitKind) -> bool:
        """Return whether units of that kind are scored by it."""
        return kind in self.units.split()


@cache
def criteria_sets(on: date | None = None) -> tuple[CriteriaSet, ...]:
    """Return the sets valid on a day, by default today's.

    Raises:
        ValueError: Points do not add up or a rule cannot be computed; the message names it.
    """
    return tuple(_assembled(row, on) for row in rows("criteria_sets", SetRow) if row.valid(on))


@cache
def criteria_set(code: str, on: date | None = None) -> CriteriaSet:
    """Return the set of that code.

    Raises:
        KeyError: There is none on that day.
    """
    found = next((one for one in criteria_sets(on) if one.code == code), None)
    if found is None:
        raise KeyError(code)
    return found


def _assembled(row: SetRow, on: date | None) -> CriteriaSet:
    items = [one for one in rows("criteria", Criterion) if one.set == row.code and one.valid(on)]
    groups = tuple(
        CriteriaGroup(**_fields(one), items=tuple(item for item in items if item.group == one.code))
        for one in rows("criteria_groups", GroupRow)
        if one.set == row.code and one.valid(on)
    )
    grades = [one for one in rows("grades", Grade) if one.set == row.code and one.valid(on)]
    found = CriteriaSet(
        **_fields(row), groups=groups, grades=tuple(sorted(grades, key=lambda one: -one.least))
    )
    check(found, {one.group for one in items})
    return found


def _fields(row: Named) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def check(criteria: CriteriaSet, named: Collection[str] = ()) -> None:
    """Raise `ValueError` unless a set is consistent.

    Points must add up at each level, every rule must have its levels, and all `named` groups must
    exist.
    """
    if unknown := {*named} - {group.code for group in criteria.groups}:
        raise ValueError(
            f"criteria set {criteria.code}: items name the groups {', '.join(sorted(unknown))}, "
            "which it does not have"
        )
    _adds_up(
        f"the groups of {criteria.code}",
        criteria.points,
        [group.points for group in criteria.groups],
    )
    for group in criteria.groups:
        _adds_up(
            f"the items of {criteria.code}, {group.code}",
            group.points,
            [item.points for item in group.items],
        )
        for item in group.items:
            _computable(item)


def _adds_up(what: str, points: float, parts: list[float]) -> None:
    if abs(sum(parts) - points) > 1e-9:
        raise ValueError(f"{what} add up to {sum(parts):g} points instead of {points:g}")


def _computable(item: Criterion) -> None:
    where = f"criterion {item.set}, {item.code}"
    if item.rule == "linear":
        if item.zero is None or item.full is None or item.zero == item.full:
            raise ValueError(f"{where}: linear needs two different levels, zero and full")
        if (item.zero < item.full) != (item.direction == "up"):
            raise ValueError(f"{where}: the levels contradict the direction {item.direction}")
    if item.rule == "steps":
        try:
            levels = item.levels
        except ValueError:
            raise ValueError(
                f"{where}: steps are written level:points, separated by spaces"
            ) from None
        ordered = sorted(levels, reverse=item.direction == "up")
        if (
            not levels
            or list(levels) != ordered
            or any(not 0 <= points <= item.points for _, points in levels)
        ):
            raise ValueError(
                f"{where}: steps go from the best level to the worst, with 0 to {item.points:g} "
                "points"
            )
