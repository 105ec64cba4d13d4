"""Return units and successors as rows of the database's tables.

The tables are `unit_rows`, `unit_successor_rows` and `unit_heirs`; columns are in the tables'
order.
"""

from __future__ import annotations

from datetime import date

from schemas.places.atlas import Atlas
from schemas.places.units import REFORM, Commune, Unit

UnitRow = tuple[str, str, str, str, str, date | None, date | None, str]
"""Columns: code, level, type, name, parent, valid_from, valid_to, source."""
SuccessorRow = tuple[str, str, bool, bool, date]
"""Columns: former, successor, is_default, reused, valid_to."""
HeirRow = tuple[str, str, str]
"""Columns: former, then, later."""


def unit_rows() -> list[UnitRow]:
    """Return every unit of the committed tables, of all days, sorted, without imported places."""
    here = Atlas({})
    every: list[tuple[str, Unit, str]] = [("province", one, "") for one in here.every_province()]
    every += [("province", one, "") for one in here.former_provinces.values()]
    every += [("district", one, one.province) for one in here.former_districts.values()]
    every += [
        ("commune", one, _parent(one))
        for one in (*here.former_communes.values(), *here.commune_by_code.values())
    ]
    return sorted(
        (
            (one.code, level, one.type, one.name, parent, one.valid_from, one.valid_to, one.source)
            for level, one, parent in every
        ),
        key=lambda row: (row[1], row[0], row[5] or date.min),
    )


def successor_rows() -> list[SuccessorRow]:
    """Return every link from a former unit to a commune of today, sorted."""
    here = Atlas({})
    rows = (
        (link.former, link.code, link.default, link.former in here.commune_by_code, REFORM)
        for link in here.links
    )
    return sorted(rows, key=lambda row: (row[0], not row[2], row[1]))


def heir_rows() -> list[HeirRow]:
    """Return each code of a former unit with the communes of today that it is restated to, sorted.

    There are two: for an event before the reform, and for one after it.
    """
    return [
        (former, successor, former if reused else successor)
        for former, successor, is_default, reused, _ in successor_rows()
        if is_default
    ]


def _parent(commune: Commune) -> str:
    return commune.district or commune.province
