"""Read the indicators that are reported or computed, and their targets."""

from datetime import date
from functools import cache
from typing import Literal

from schemas.reference.table import Dated, Named, rows


class TargetRow(Dated, frozen=True, kw_only=True):
    """A row of targets.csv."""

    id: str
    indicator: str
    value: float
    due: date
    province: str = ""


class IndicatorType(Named, frozen=True, kw_only=True):
    """An indicator; `direction` is the better one.

    `rhythm` is how often it is reported; `live`: it is computed here. `body` is the suffix of the
    body that reports it. `level` says for which units: the province as a whole, the province and
    each of its communes, or each provincial agency.
    """

    measure_unit: str
    direction: Literal["up", "down"]
    rhythm: Literal["live", "daily", "weekly", "monthly", "quarterly", "yearly"]
    body: str
    level: Literal["province", "commune", "agency"]


class Target(Named, frozen=True, kw_only=True):
    """A target of an indicator: reach `value` by the day `due`.

    It is for all provinces or only `province`. `code` is its id; the labels and the unit are the
    indicator's. If it is unverified or has a `note`, screens must say so.
    """

    indicator: str
    measure_unit: str
    direction: Literal["up", "down"]
    value: float
    due: date
    province: str = ""

    def met(self, value: float) -> bool:
        """Return whether a value meets the target."""
        return value >= self.value if self.direction == "up" else value <= self.value


@cache
def indicators(on: date | None = None) -> tuple[IndicatorType, ...]:
    """Return the indicators valid on a day, by default today's."""
    return tuple(row for row in rows("indicators", IndicatorType) if row.valid(on))


@cache
def indicator(code: str) -> IndicatorType | None:
    """Return the indicator of that code, None if it is not listed."""
    return next((row for row in indicators() if row.code == code), None)


@cache
def targets(province: str, on: date | None = None) -> tuple[Target, ...]:
    """Return the targets of a province valid on a day, by default today's.

    These are its own and those for all provinces.
    """
    found = []
    for row in rows("targets", TargetRow):
        if row.province in ("", province) and row.valid(on):
            of = next(one for one in indicators(on) if one.code == row.indicator)
            found.append(
                Target(
                    code=row.id,
                    vi=of.vi,
                    en=of.en,
                    indicator=of.code,
                    measure_unit=of.measure_unit,
                    direction=of.direction,
                    value=row.value,
                    due=row.due,
                    province=row.province,
                    note_vi=row.note_vi,
                    note=row.note,
                    valid_from=row.valid_from,
                    valid_to=row.valid_to,
                    source=row.source,
                    verified=row.verified,
                )
            )
    return tuple(found)


@cache
def provinces_with_targets() -> tuple[str, ...]:
    """Return the codes of the provinces that have targets of their own today."""
    return tuple(
        sorted(
            {row.province for row in rows("targets", TargetRow) if row.province and row.valid(None)}
        )
    )


@cache
def target(province: str, indicator: str, on: date | None = None) -> Target | None:
    """Return the target of a province for an indicator on a day, by default today's.

    Its own comes before the one for all.

    Returns:
        The target; None if there is none.
    """
    found = [one for one in targets(province, on) if one.indicator == indicator]
    return max(found, key=lambda one: one.province != "", default=None)


@cache
def target_label(code: str, language: str = "vi") -> str:
    """Return the label of a target's id, of any province; the id itself if it is not listed."""
    of = next((row.indicator for row in rows("targets", TargetRow) if row.id == code), "")
    found = indicator(of)
    return found.label(language) if found else code
