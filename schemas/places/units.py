"""The units as frozen structs: `Province`, `District`, `Commune`, and the `SuccessorLink` from a former unit to its heir."""

from __future__ import annotations

import unicodedata
from datetime import date
from functools import cached_property

import msgspec

REFORM = date(2025, 7, 1)
"""The day the two-level administration came into force: all former units end, today's communes begin."""


def before_reform(on: date | None) -> bool:
    """Whether a day has the former units; None is the present."""
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
"""English words of the types; a type that is not listed (of an imported place) keeps its own word."""


class Unit(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What all units share. `lat`, `lon` are the centre in WGS84 degrees.

    A unit is in force from `valid_from` up to but not including `valid_to`; None means unbounded. `source` is an id of
    data/sources.csv or the name of an imported file, `verified` says that a second source confirms the row.
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
        """The name with its type before it, as written officially: `Phường Thuận Hóa`."""
        return f"{self.type[:1].upper()}{self.type[1:]} {self.name}" if self.type else self.name

    @cached_property
    def full_name_en(self) -> str:
        """The name as English text writes it, tone marks kept: `Thuận Hóa Ward`."""
        word = ENGLISH.get(self.type, self.type)
        return f"{self.name} {word}" if word else self.name

    def in_force(self, on: date | None) -> bool:
        """Whether the unit is valid on that day; None asks for the newest known state."""
        if on is None:
            return self.valid_to is None
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_to is None or on < self.valid_to
        )


class Province(Unit, frozen=True, kw_only=True, dict=True):
    """A province or a municipality; `area_km2` is the sum of its communes' known areas, None where none is known."""

    area_km2: float | None = None


class District(Unit, frozen=True, kw_only=True, dict=True):
    """A unit of the level that was abolished on 2025-07-01; `province` is the code of the former province."""

    province: str


class Commune(Unit, frozen=True, kw_only=True, dict=True):
    """A unit of the lowest level: phường, xã or đặc khu today, also thị trấn before 2025-07-01.

    `district` is set for former units only. `area_km2` is None where the source has none (all former units, two of today's).
    """

    province: str
    district: str | None = None
    area_km2: float | None = None


class SuccessorLink(msgspec.Struct, frozen=True):
    """One former unit, wholly or in part, became part of one commune of today. Of a divided unit, one link is the `default`."""

    former: str
    code: str
    default: bool


def fold(text: str) -> str:
    """Lower case without tone marks or doubled spaces, for searching: `Đà  Nẵng` becomes `da nang`."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split())
