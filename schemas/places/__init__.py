"""Places: the 34 provinces and 3,321 communes of Viet Nam, their former units, their outlines, and places of elsewhere.

Reading order: `units` (the types), `atlas` (all units and outlines of one installation), `imported` (official outlines and
additional places, stored under `<home>/places`), `geojson` (the geometry this needs), `restate` (what a code
means on a day, and its heir, in Python and SQL), `rows` (all units for the database), `cli` (`python -m schemas places …`).
At build time only: `sources` (the packages everything derives from), `tables` (data/*.csv), `build` (outlines/*.json) with
`sites`, `coast`, `raster`, `lines`, `wards` in this order, and `measure`. NOTICE.md tells what was derived from what, and how far
it can be trusted.

Codes are the official ones, texts with leading zeros; communes of today reuse codes of former wards, so a code has a meaning
only together with its level and day. Join by code, never by name. Outlines are schematic unless imported: a point must not be
assigned to a commune by them.

A day before 2025-07-01 gets the units as they stood on 2025-06-30; changes before that day are not recorded.
`on=None` is the newest known state. Every function that takes a code raises `UnknownPlaceError`, a KeyError that names it.
"""

from __future__ import annotations

import os
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from schemas.places.atlas import Atlas, Collection, UnknownPlaceError
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
    "UnknownPlaceError",
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
    """The provinces in force on that day, sorted by code: 34 today, 63 before 2025-07-01, and additional places."""
    return atlas().provinces(on)


def province(code: str) -> Province:
    """The province of today with that code."""
    try:
        return atlas().province_by_code[code]
    except KeyError:
        raise UnknownPlaceError("province", code) from None


def communes(province_code: str, on: date | None = None) -> list[Commune]:
    """The communes of a province in force on that day, sorted by code; before 2025-07-01 of the former province of that code."""
    return atlas().communes(province_code, on)


def within(province_code: str, on: date | None = None) -> list[Commune]:
    """The communes in force on a day where a province of today lies, sorted by code.

    Before 2025-07-01 those whose heir is in it, whatever the province was that they were in.
    """
    return atlas().within(province_code, on)


def districts(province_code: str, on: date | None = None) -> list[District]:
    """The districts of a province in force on that day, sorted by code: none since 2025-07-01."""
    return atlas().districts(province_code, on)


def commune(code: str) -> Commune:
    """The commune of today with that code; fast enough to be asked for every event."""
    try:
        return atlas().commune_by_code[code]
    except KeyError:
        raise UnknownPlaceError("commune", code) from None


def find(text: str, limit: int = 20, on: date | None = None) -> list[Province | Commune]:
    """Units of a day by code or name, with or without tone marks, the best matches first, at most `limit`.

    An exact name comes before a beginning, a beginning before a word inside; of equals, the one with the same tone marks first.
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
    """The unit of 2025-06-30 with that code: a ward (5 digits), a district (3 digits) or a province (2 digits)."""
    here = atlas()
    for level in (here.former_communes, here.former_districts, here.former_provinces):
        if code in level:
            return level[code]
    raise UnknownPlaceError("former unit", code)


def successors(former_code: str) -> tuple[SuccessorLink, ...]:
    """What a former ward (or one of five island districts without wards) became: one link, or the parts, the default first."""
    try:
        return atlas().successors[former_code]
    except KeyError:
        raise UnknownPlaceError("former commune", former_code) from None


def predecessors(code: str) -> tuple[SuccessorLink, ...]:
    """The former units that a commune of today was made of, whole or (`default` false) a lesser part."""
    commune(code)
    return atlas().predecessors.get(code, ())


def commune_outlines(province_code: str, on: date | None = None) -> Collection:
    """The communes `within` a province on a day as GeoJSON, WGS84, every commune once, sorted by code.

    Of a few former units no outline is known. Properties: code, name, type, full_name, full_name_en, lat, lon, schematic. The
    collection's own member `schematic` is true when any outline is schematic. Imported outlines are preferred. Treat the result as
    read-only: geometries are shared.
    """
    return atlas().outlines(province_code, on)


def province_outlines() -> Collection:
    """The 34 provinces as GeoJSON with the same properties as `commune_outlines`; always schematic."""
    return atlas().province_outlines()


def places_folder() -> Path:
    """Where imported places are stored: `<home>/places` of the settings."""
    return _folder(os.environ.get("IOC_HOME"))


def atlas() -> Atlas:
    """Everything known to this installation; read again when something was imported since."""
    folder = places_folder()
    try:
        stamp = os.stat(folder).st_mtime_ns  # noqa: PTH116 (half the time of Path.stat, and asked for every event)
    except FileNotFoundError:
        stamp = 0
    return _atlas(folder, stamp)


@cache
def _folder(_environment: str | None) -> Path:
    return load().home / "places"


@lru_cache(maxsize=2)
def _atlas(folder: Path, _stamp: int) -> Atlas:
    return Atlas(read_all(folder))
