"""Define the units as frozen structs: `Province`, `District`, `Commune` and `SuccessorLink`."""

from __future__ import annotations

import unicodedata
from datetime import date
from functools import cached_property

import msgspec

REFORM = date(2025, 7, 1)
"""Day on which the two-level administration came into force.

All former units end on it, and today's communes begin.
"""


def before_reform(on: date | None) -> bool:
    """Return whether the units of a day are the former ones; None is the present."""
    return on is not None and on < REFORM


ENGLISH = {
    "tỉnh": "Province",
    "thành phố": "City",
    "phường": "Ward",
    "xã": "Commune",
    "thị trấn": "Township",
    "đặc khu": "Special Zone",
    "quận": "District",
    "huyện": "District",
    "thị xã": "Town",
}
"""English words of the types.

A type that is not listed (of an imported place) keeps its own word.
"""


class Unit(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Fields that all units share; `lat`, `lon` are the centre in WGS84 degrees.

    A unit is in force from `valid_from` up to but not including `valid_to`; None means unbounded.
    `source` is an id of data/sources.csv or the name of an imported file; `verified` means that a
    second source confirms the row.
    """

    code: str
    name: str
    type: str
    lat: float
    lon: float
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""
    verified: bool = False

    @cached_property
    def full_name(self) -> str:
        """Return the name after its type, as written officially: `Phường Thuận Hóa`."""
        return f"{self.type[:1].upper()}{self.type[1:]} {self.name}" if self.type else self.name

    @cached_property
    def full_name_en(self) -> str:
        """Return the name as English text writes it, with its tone marks: `Thuận Hóa Ward`."""
        word = ENGLISH.get(self.type, self.type)
        return f"{self.name} {word}" if word else self.name

    def in_force(self, on: date | None) -> bool:
        """Return whether the unit is valid on a day; None is the newest known state."""
        if on is None:
            return self.valid_to is None
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_to is None or on < self.valid_to
        )


class Province(Unit, frozen=True, kw_only=True, dict=True):
    """A province or a municipality.

    `area_km2` is the sum of its communes' known areas, None if none is known.
    """

    area_km2: float | None = None


class District(Unit, frozen=True, kw_only=True, dict=True):
    """A unit of the level that was abolished on 2025-07-01.

    `province` is the code of the former province.
    """

    province: str


class Commune(Unit, frozen=True, kw_only=True, dict=True):
    """A unit of the lowest level: phường, xã or đặc khu today, also thị trấn before 2025-07-01.

    `district` is set for former units only. `area_km2` is None if the source has none (all former
    units, two of today's).
    """

    province: str
    district: str | None = None
    area_km2: float | None = None


class SuccessorLink(msgspec.Struct, frozen=True):
    """A link from a former unit to a commune of today that it became part of, wholly or partly.

    If a unit was divided, one of its links is the `default`.
    """

    former: str
    code: str
    default: bool


def fold(text: str) -> str:
    """Return a text in lower case without tone marks and repeated spaces, for searching.

    `Đà  Nẵng` becomes `da nang`.
    """
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split())
