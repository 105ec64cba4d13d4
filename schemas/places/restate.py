"""Resolve what a commune's code means on a day, and which commune of today it became.

Each function exists in Python and as SQL.

An event carries the code of its day, and today's communes reuse codes of former wards, so a code
has a meaning only with a day: the Vietnamese day on which the event occurred, before 2025-07-01 or
not. The rule, for a code and a day:

1. On a day before the reform, a code means the former unit that had it; from the reform on, it
   means the commune of today that has it.
2. If no unit of that side has the code, it means the unit of the other side. So an event of today
   under an old code (a late report about a filing that was registered before the reform) is
   restated, unless a commune of today uses the code: then it counts in that commune.
3. A code that neither side has (a place outside of Việt Nam, an error, the province as a whole) is
   left as it is.

A former unit is restated to its default successor. For a unit that was divided this is a
convention, not knowledge: an event's coordinates do not decide, as outlines are schematic. Events
restated from divided units are therefore told apart (`is_divided`) as uncertain. One commune of
today (of 3,321) is the default of no former unit and has no restated history.

The SQL reads the view `unit_successors` and the table `unit_heirs`. Restating row by row costs more
than summing by code on each side of the reform first (`tests/bench/test_units.py`); histories of
states store the restated code.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from schemas import places
from schemas.moments import ZONE
from schemas.places.atlas import UnknownUnitError
from schemas.places.units import REFORM, Commune, before_reform

Units = Literal["today", "day"]
"""Units by which a figure is grouped: restated to today's, or those of the day of each event."""
EVE = REFORM - timedelta(days=1)
"""Last day of the former units."""


def units_on(on: date | None) -> Units:
    """Return the units by which a screen of a day is grouped: those in force then.

    None is the present.
    """
    return "day" if before_reform(on) else "today"


def day(moment: datetime) -> date:
    """Return the day in Việt Nam of an aware moment, which decides what a code means."""
    return moment.astimezone(ZoneInfo(ZONE)).date()


def meaning(code: str, on: date | None = None) -> Commune | None:
    """Return the unit that a commune's code means in an event of a day (None: today).

    None for a code that no unit has.
    """
    here = places.atlas()
    sides = (here.commune_by_code, here.former_communes)
    first, second = sides if on is None or on >= REFORM else sides[::-1]
    return first.get(code) or second.get(code)


def is_former(code: str, on: date | None = None) -> bool:
    """Return whether a code means a unit of before the reform in an event of that day."""
    unit = meaning(code, on)
    return unit is not None and unit.valid_to is not None


def today(code: str, on: date | None = None) -> str:
    """Return the code of the commune of today that a code of a day is restated to.

    A code that no unit has is returned as it is.
    """
    return places.successors(code)[0].code if is_former(code, on) else code


def is_divided(code: str, on: date | None = None) -> bool:
    """Return whether restating a code is uncertain, as its former unit was divided."""
    return is_former(code, on) and len(places.successors(code)) > 1


def province_today(code: str) -> str:
    """Return the code of the province of today that a province of any day is or became part of.

    Raises:
        UnknownUnitError: No province has the code.
    """
    here = places.atlas()
    if code in here.province_by_code:
        return code
    if code not in here.former_provinces:
        raise UnknownUnitError("province", code)
    wards = (one.code for one in here.former_communes.values() if one.province == code)
    return here.commune_by_code[here.successors[next(wards)][0].code].province


def before_sql(moment: str) -> str:
    """Return SQL for whether a moment lies before the reform, in Việt Nam.

    Args:
        moment: An expression of type DateTime or DateTime64.
    """
    return f"{moment} < toDateTime('{REFORM} 00:00:00', '{ZONE}')"


def today_sql(commune: str, before: str) -> str:
    """Return SQL for `today` of a code.

    Args:
        commune: An expression of type String.
        before: The expression of `before_sql`, or one like it.
    """
    then, later = (f"joinGet('unit_heirs', '{name}', {commune})" for name in ("then", "later"))
    return f"multiIf({then} = '', {commune}, {before}, {then}, {later})"


def former_sql(commune: str, before: str) -> str:
    """Return SQL for `is_former` of a code; with the code, it identifies the unit of a day."""
    return _among(commune, before, "is_default")


def divided_sql(commune: str, before: str) -> str:
    """Return SQL for `is_divided` of a code."""
    return _among(commune, before, "NOT is_default")


def _among(commune: str, before: str, links: str) -> str:
    found = f"{commune} IN (SELECT former FROM unit_successors WHERE {links}"
    return f"if({before}, {found}), {found} AND NOT reused))"
