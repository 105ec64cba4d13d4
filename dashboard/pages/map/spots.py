"""Where units lie on the map: communes in the middle of their outlines, their bodies there too, provincial ones at one seat."""

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
    """Where the bodies of the province are drawn; None where it has no place."""
    bounds: Bounds
    """South-west and north-east of all of it."""
    outlined: bool

    def of(self, code: str) -> tuple[str, Spot] | None:
        """The unit at whose spot a commune, an agency or the province is drawn; None for what lies nowhere."""
        if code in self.communes:
            return code, self.communes[code]
        commune = agency(code).commune
        if commune:
            return (commune, self.communes[commune]) if commune in self.communes else None
        return (self.province, self.seat) if self.seat is not None else None


@cache
def spots(place: ProvinceContext) -> Spots:
    """The spots of a province, computed once."""
    found, collection = centres(place), outlines(place)
    box = bounds(found, collection)
    seat = None
    if place.known:
        unit = places.province(place.code)
        seat = (unit.lat, unit.lon)
    return Spots(place.code, found, seat, box, bool(collection["features"]))
