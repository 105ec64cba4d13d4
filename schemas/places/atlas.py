"""Hold all units of an installation: the committed tables and what an administrator imported."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from schemas.places.imported import ImportedPlace
from schemas.places.units import (
    Commune,
    District,
    Province,
    SuccessorLink,
    Unit,
    before_reform,
    fold,
)

DATA = Path(__file__).parent / "data"
OUTLINES = Path(__file__).parent / "outlines"
COUNTRY = "country"
"""File name of the outlines of all provinces."""
FORMER = "former"
"""Folder of the outlines of units before 2025-07-01, one file per province of today."""

U = TypeVar("U", bound=Unit)
Collection = dict[str, Any]
"""A GeoJSON FeatureCollection."""


class UnknownUnitError(KeyError):
    """Raised if no unit has a code; the message names it."""

    def __init__(self, level: str, code: str) -> None:
        """Keep the level, such as `commune`, and the code."""
        super().__init__(code)
        self.level, self.code = level, code

    def __str__(self) -> str:
        """Return a message that names the level and the code."""
        return f"unknown {self.level} code {self.code!r}"


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a committed table, each {column: text}."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def read(cls: type[U], name: str) -> Iterator[U]:
    """Yield the rows of a table as units.

    An empty cell means the default; texts become numbers and dates as the struct declares them.
    """
    for row in table(name):
        yield msgspec.convert(
            {key: value for key, value in row.items() if value}, cls, strict=False
        )


@cache
def outline_file(name: str) -> dict[str, dict[str, Any]]:
    """Return {code: geometry} of a committed file of schematic outlines.

    Args:
        name: A province's code, possibly in the folder `FORMER`, or `COUNTRY`.
    """
    loaded = msgspec.json.decode((OUTLINES / f"{name}.json").read_bytes())
    return {feature["id"]: feature["geometry"] for feature in loaded["features"]}


class Atlas:
    """All units and outlines of one installation; immutable once created."""

    def __init__(self, imported: dict[str, ImportedPlace]) -> None:
        """Combine the committed tables with the imported places, given by province code."""
        self._imported = imported
        extra = [place for place in imported.values() if place.province is not None]
        rows = list(read(Commune, "communes")) + [
            commune for place in extra for commune in place.communes
        ]
        areas: dict[str, float] = defaultdict(float)
        for row in rows:
            areas[row.province] += row.area_km2 or 0
        self._provinces = [
            msgspec.structs.replace(one, area_km2=round(areas[one.code], 2) or None)
            for one in (
                *read(Province, "provinces"),
                *(place.province for place in extra if place.province),
            )
        ]
        self._communes: dict[str, list[Commune]] = defaultdict(list)
        for row in rows:
            self._communes[row.province].append(row)
        self.province_by_code = {one.code: one for one in self._provinces if one.in_force(None)}
        self.commune_by_code = {row.code: row for row in rows if row.in_force(None)}

    @property
    def additional(self) -> set[str]:
        """Return the codes of the imported places outside of Việt Nam."""
        return {code for code, place in self._imported.items() if place.province is not None}

    @cached_property
    def former_provinces(self) -> dict[str, Province]:
        """Return the 63 provinces as they were on 2025-06-30, by code."""
        return {one.code: one for one in read(Province, "former_provinces")}

    @cached_property
    def former_districts(self) -> dict[str, District]:
        """Return the 696 districts as they were on 2025-06-30, by code."""
        return {one.code: one for one in read(District, "former_districts")}

    @cached_property
    def former_communes(self) -> dict[str, Commune]:
        """Return the former wards, communes and townships by code.

        Five island districts that had none are among them.
        """
        found: dict[str, Commune] = {}
        for row in table("former_communes"):
            filled = {key: value for key, value in row.items() if value}
            filled["province"] = self.former_districts[row["district"]].province
            found[row["code"]] = msgspec.convert(filled, Commune, strict=False)
        for code in (link.former for link in self.links if link.former in self.former_districts):
            heir = self.commune_by_code[self.successors[code][0].code]
            whole = msgspec.structs.asdict(self.former_districts[code]) | {
                "lat": heir.lat,
                "lon": heir.lon,
            }
            found[code] = Commune(**whole, district=code)
        return found

    @cached_property
    def links(self) -> tuple[SuccessorLink, ...]:
        """Return every link from a former unit to a commune of today."""
        return tuple(
            SuccessorLink(row["former"], row["code"], row["default"] == "1")
            for row in table("successors")
        )

    @cached_property
    def successors(self) -> dict[str, tuple[SuccessorLink, ...]]:
        """Return {former code: its links, the default first}."""
        return grouped(self.links, "former")

    @cached_property
    def predecessors(self) -> dict[str, tuple[SuccessorLink, ...]]:
        """Return {code of today: the links that lead to it}."""
        return grouped(self.links, "code")

    def every_province(self) -> list[Province]:
        """Return the rows of all periods since the reform.

        A province that changed its type has two.
        """
        return list(self._provinces)

    def provinces(self, on: date | None) -> list[Province]:
        """Return the provinces in force on a day, sorted by code."""
        every = (
            self._provinces if on is None else [*self._provinces, *self.former_provinces.values()]
        )
        return sorted((one for one in every if one.in_force(on)), key=lambda one: one.code)

    def communes(self, province: str, on: date | None) -> list[Commune]:
        """Return the communes of a province in force on a day, sorted by code."""
        every = self._communes.get(province, [])
        if on is not None:
            every = [
                *every,
                *(one for one in self.former_communes.values() if one.province == province),
            ]
        if not every:
            raise UnknownUnitError("province", province)
        return sorted((one for one in every if one.in_force(on)), key=lambda one: one.code)

    def within(self, province: str, on: date | None) -> list[Commune]:
        """Return the communes of a day in the area of a province of today.

        See `schemas.places.within`.
        """
        if not before_reform(on) or province in self.additional:
            return self.communes(province, on)
        if province not in self.province_by_code:
            raise UnknownUnitError("province", province)
        return [one for one in self._became[province] if one.in_force(on)]

    @cached_property
    def _became(self) -> dict[str, list[Commune]]:
        """Return {province of today: the former communes whose heir is in it}, sorted by code."""
        found: dict[str, list[Commune]] = defaultdict(list)
        for code, one in sorted(self.former_communes.items()):
            found[self.commune_by_code[self.successors[code][0].code].province].append(one)
        return found

    def districts(self, province: str, on: date | None) -> list[District]:
        """Return the districts of a province in force on a day, sorted by code."""
        if province not in self.province_by_code and province not in self.former_provinces:
            raise UnknownUnitError("province", province)
        return [
            one
            for _, one in sorted(self.former_districts.items())
            if one.province == province and one.in_force(on)
        ]

    @cached_property
    def names(self) -> list[tuple[str, str, Province | Commune]]:
        """Return (folded name, folded full name, unit) of every unit of today, provinces first."""
        return _named([*self.provinces(None), *self.commune_by_code.values()])

    @cached_property
    def former_names(self) -> list[tuple[str, str, Province | Commune]]:
        """Return the same as `names` for every unit of 2025-06-30, without the districts."""
        return _named([*self.former_provinces.values(), *self.former_communes.values()])

    def outlines(self, province: str, on: date | None = None) -> Collection:
        """Return the communes' outlines; see `schemas.places.commune_outlines`."""
        if province not in self.province_by_code:
            raise UnknownUnitError("province", province)
        imported = self._imported[province].outlines if province in self._imported else {}
        schematic: dict[str, dict[str, Any]] = {}
        if province not in self.additional:
            imported, name = (
                ({}, f"{FORMER}/{province}") if before_reform(on) else (imported, province)
            )
            schematic = outline_file(name)
        shapes = {
            one: imported.get(one.code) or schematic.get(one.code)
            for one in self.within(province, on)
        }
        return collection(
            [
                feature(one, shape, one.code not in imported)
                for one, shape in shapes.items()
                if shape is not None
            ]
        )

    def province_outlines(self) -> Collection:
        """Return the outlines of the provinces of Việt Nam.

        See `schemas.places.province_outlines`.
        """
        shapes = outline_file(COUNTRY)
        return collection(
            [
                feature(one, shapes[one.code], True)
                for one in self.provinces(None)
                if one.code in shapes
            ]
        )


def _named(units: Iterable[Province | Commune]) -> list[tuple[str, str, Province | Commune]]:
    return [(fold(one.name), fold(one.full_name), one) for one in units]


def grouped(links: tuple[SuccessorLink, ...], key: str) -> dict[str, tuple[SuccessorLink, ...]]:
    """Group links by one of their codes, the default before the others, then by code."""
    found: dict[str, list[SuccessorLink]] = defaultdict(list)
    for link in sorted(links, key=lambda link: (not link.default, link.former, link.code)):
        found[getattr(link, key)].append(link)
    return {code: tuple(some) for code, some in found.items()}


def feature(unit: Unit, geometry: dict[str, Any], schematic: bool) -> dict[str, Any]:
    """Return a GeoJSON feature with the properties by which a map colours and names it."""
    properties = {
        "code": unit.code,
        "name": unit.name,
        "type": unit.type,
        "full_name": unit.full_name,
        "full_name_en": unit.full_name_en,
        "lat": unit.lat,
        "lon": unit.lon,
        "schematic": schematic,
    }
    return {"type": "Feature", "id": unit.code, "properties": properties, "geometry": geometry}


def collection(features: list[dict[str, Any]]) -> Collection:
    """Return a FeatureCollection; its member `schematic` is true if any of its outlines is."""
    schematic = any(one["properties"]["schematic"] for one in features)
    return {"type": "FeatureCollection", "schematic": schematic, "features": features}
