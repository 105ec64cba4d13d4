"""Positions of units on the map: communes and their bodies at centres, others at a seat."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from dashboard.components.outlines import Bounds, bounds, centres, outlines
from dashboard.query.snapshot import ProvinceContext
from schemas import places
from schemas.reference import agency

Spot = tuple[float, float]
"""(lat, lon)."""


@dataclass(frozen=True, eq=False)
class Spots:
    """The spots of a province."""

    province: str
    communes: Mapping[str, Spot]
    seat: Spot | None
    """Where provincial bodies are drawn; None if that is unknown."""
    bounds: Bounds
    """South-west and north-east corners of the province."""
    outlined: bool

    def of(self, code: str) -> tuple[str, Spot] | None:
        """Return the unit and the spot at which a code is drawn; None if it has no position."""
        if code in self.communes:
            return code, self.communes[code]
        commune = agency(code).commune
        if commune:
            return (commune, self.communes[commune]) if commune in self.communes else None
        return (self.province, self.seat) if self.seat is not None else None


@cache
def spots(place: ProvinceContext) -> Spots:
    """Return the spots of a province, computed once."""
    found, collection = centres(place), outlines(place)
    box = bounds(found, collection)
    seat = None
    if place.known:
        unit = places.province(place.code)
        seat = (unit.lat, unit.lon)
    return Spots(place.code, found, seat, box, bool(collection["features"]))
