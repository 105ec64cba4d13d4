"""Look up the 34 provinces and 3,321 communes of Việt Nam, their former units and their outlines.

Reading order: `units` (the types), `atlas` (all units and outlines of one installation), `imported`
(official outlines and additional places outside of Việt Nam, stored under `<home>/places`),
`geojson` (the geometry this needs), `restate` (what a code means on a day, and its heir, in Python
and SQL), `rows` (all units for the database), `cli` (`python -m schemas places …`). Used only to
build the data: `outlines.sources` (the packages everything derives from), `outlines.tables`
(data/*.csv), `outlines.build` (outlines/*.json) with `sites`, `coast`, `raster`, `lines`, `wards`
in this order, and `measure`. NOTICE.md states what was derived from what, and how far it can be
trusted.

Codes are the official ones, texts with leading zeros; communes of today reuse codes of former
wards, so a code has a meaning only together with its level and day. Join by code, never by name.
Outlines are schematic unless imported: do not assign a point to a commune by them.

A day before 2025-07-01 gets the units as they were on 2025-06-30; changes before that day are not
recorded. `on=None` is the newest known state. Every function that takes a code raises
`UnknownUnitError`, a KeyError that names it.
"""

from __future__ import annotations

import os
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from schemas.places.atlas import Atlas, Collection, UnknownUnitError
from schemas.places.imported import ImportedPlace, ImportRefusedError, read_all
from schemas.places.units import (
    REFORM,
    Commune,
    District,
    Province,
    SuccessorLink,
    before_reform,
    fold,
)
from schemas.settings import load

__all__ = [
    "REFORM",
    "Atlas",
    "Collection",
    "Commune",
    "District",
    "ImportRefusedError",
    "ImportedPlace",
    "Province",
    "SuccessorLink",
    "UnknownUnitError",
    "atlas",
    "commune",
    "communes",
    "districts",
    "find",
    "fold",
    "former",
    "outlines",
    "places_folder",
    "predecessors",
    "province",
    "province_outlines",
    "provinces",
    "successors",
    "within",
]


def provinces(on: date | None = None) -> list[Province]:
    """Return the provinces in force on a day, sorted by code.

    They are 34 today, 63 before 2025-07-01, plus additional places.
    """
    return atlas().provinces(on)


def province(code: str) -> Province:
    """Return the province of today with that code.

    Raises:
        UnknownUnitError: No province has the code.
    """
    try:
        return atlas().province_by_code[code]
    except KeyError:
        raise UnknownUnitError("province", code) from None


def communes(province_code: str, on: date | None = None) -> list[Commune]:
    """Return the communes of a province in force on a day, sorted by code.

    Before 2025-07-01 the code is that of a former province.

    Raises:
        UnknownUnitError: No province has the code.
    """
    return atlas().communes(province_code, on)


def within(province_code: str, on: date | None = None) -> list[Commune]:
    """Return the communes in force on a day in the area of a province of today, sorted by code.

    Before 2025-07-01 these are the ones whose heir is in it, whatever province they were in.

    Raises:
        UnknownUnitError: No province has the code.
    """
    return atlas().within(province_code, on)


def districts(province_code: str, on: date | None = None) -> list[District]:
    """Return the districts of a province in force on a day, sorted by code; none since 2025-07-01.

    Raises:
        UnknownUnitError: No province has the code.
    """
    return atlas().districts(province_code, on)


def commune(code: str) -> Commune:
    """Return the commune of today with that code; fast enough to be called for every event.

    Raises:
        UnknownUnitError: No commune has the code.
    """
    try:
        return atlas().commune_by_code[code]
    except KeyError:
        raise UnknownUnitError("commune", code) from None


def find(text: str, limit: int = 20, on: date | None = None) -> list[Province | Commune]:
    """Return at most `limit` units of a day by code or name, the best matches first.

    Tone marks may be left out. An exact name comes before a beginning, a beginning before a word
    inside; of equals, the one with the same tone marks first.
    """
    wanted, typed = fold(text), " ".join(text.casefold().split())
    if not wanted:
        return []
    hits = []
    for name, full, unit in atlas().former_names if before_reform(on) else atlas().names:
        if unit.code.casefold() == typed or wanted in (name, full):
            rank = 0
        elif name.startswith(wanted) or full.startswith(wanted):
            rank = 1
        elif f" {wanted}" in f" {full}":
            rank = 2
        else:
            continue
        same_marks = typed in unit.full_name.casefold()
        hits.append((rank, not same_marks, isinstance(unit, Commune), unit.name, unit.code, unit))
    return [hit[-1] for hit in sorted(hits, key=lambda hit: hit[:-1])[:limit]]


def former(code: str) -> Commune | District | Province:
    """Return the unit of 2025-06-30 with that code.

    It is a ward (5 digits), a district (3 digits) or a province (2 digits).

    Raises:
        UnknownUnitError: No former unit has the code.
    """
    here = atlas()
    for level in (here.former_communes, here.former_districts, here.former_provinces):
        if code in level:
            return level[code]
    raise UnknownUnitError("former unit", code)


def successors(former_code: str) -> tuple[SuccessorLink, ...]:
    """Return the links from a former ward to the communes it became part of, the default first.

    Five island districts without wards have links, too. A unit that was not divided has one link.

    Raises:
        UnknownUnitError: No former ward has the code.
    """
    try:
        return atlas().successors[former_code]
    except KeyError:
        raise UnknownUnitError("former commune", former_code) from None


def predecessors(code: str) -> tuple[SuccessorLink, ...]:
    """Return the links from the former units that a commune of today was made of.

    A link with a false `default` is a lesser part of its former unit.

    Raises:
        UnknownUnitError: No commune has the code.
    """
    commune(code)
    return atlas().predecessors.get(code, ())


def commune_outlines(province_code: str, on: date | None = None) -> Collection:
    """Return the communes `within` a province on a day as GeoJSON, WGS84, sorted by code.

    Each commune is there once; of a few former units no outline is known. Properties: code, name,
    type, full_name, full_name_en, lat, lon, schematic. The collection's own member `schematic` is
    true if any outline is schematic. Imported outlines are preferred. Treat the result as
    read-only: geometries are shared.

    Raises:
        UnknownUnitError: No province has the code.
    """
    return atlas().outlines(province_code, on)


def province_outlines() -> Collection:
    """Return the 34 provinces as GeoJSON, always schematic.

    Properties are those of `commune_outlines`.
    """
    return atlas().province_outlines()


def places_folder() -> Path:
    """Return the folder of imported places: `<home>/places` of the settings."""
    return _folder(os.environ.get("IOC_HOME"))


def atlas() -> Atlas:
    """Return all units of this installation; they are read again after an import."""
    folder = places_folder()
    try:
        stamp = os.stat(folder).st_mtime_ns  # noqa: PTH116 (half the time of Path.stat, for every event)
    except FileNotFoundError:
        stamp = 0
    return _atlas(folder, stamp)


@cache
def _folder(_environment: str | None) -> Path:
    return load().home / "places"


@lru_cache(maxsize=2)
def _atlas(folder: Path, _stamp: int) -> Atlas:
    return Atlas(read_all(folder))
