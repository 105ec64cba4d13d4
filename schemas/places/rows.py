"""Units and successors as rows of the database's tables `unit_rows`, `unit_successor_rows` and `unit_heirs`, columns in the tables'
order."""

from __future__ import annotations

from datetime import date

from schemas.places.atlas import Atlas
from schemas.places.units import REFORM, Commune, Unit

UnitRow = tuple[str, str, str, str, str, date | None, date | None, str]
"""code, level, type, name, parent, valid_from, valid_to, source."""
SuccessorRow = tuple[str, str, bool, bool, date]
"""former, successor, is_default, reused, valid_to."""
HeirRow = tuple[str, str, str]
"""former, then, later."""


def unit_rows() -> list[UnitRow]:
    """Every unit of the committed tables, of all days, sorted; places that an installation imported are not among them."""
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
    """Every link from a former unit to a commune of today, sorted."""
    here = Atlas({})
    rows = (
        (link.former, link.code, link.default, link.former in here.commune_by_code, REFORM)
        for link in here.links
    )
    return sorted(rows, key=lambda row: (row[0], not row[2], row[1]))


def heir_rows() -> list[HeirRow]:
    """The commune of today that answers for each code of a former unit, sorted: on a day before the reform, and from it on."""
    return [
        (former, successor, former if reused else successor)
        for former, successor, is_default, reused, _ in successor_rows()
        if is_default
    ]


def _parent(commune: Commune) -> str:
    return commune.district or commune.province
