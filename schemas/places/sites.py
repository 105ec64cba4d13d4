"""Where the parts of each commune lie: one `Site` per former ward, mended where the source's geocoding went wrong. Build time only.

The source's bounds are those of the ward's true outline for most wards. Some wards were geocoded to a namesake, to the whole
district, or to a bare point. The commune's area and centre, which come from another table of the source, tell which: such wards
are replaced by one site that has the area which is missing and lies where it balances the commune's centre.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import cos, hypot, radians, sqrt

import msgspec

from schemas.places.geojson import KM_PER_DEGREE
from schemas.places.sources import Box
from schemas.places.units import Commune, Link

FILL = 0.53
"""Share of its bounds that a ward covers: the inverse of 1.89, the median of the boxes' sum over the area of a commune."""
SMALLEST_KM = 0.4
"""Bounds smaller than this, in both directions, are those that a geocoder gives to a bare point."""


class Site(msgspec.Struct, frozen=True):
    """A part of a commune: its centre (lon, lat), the middle (x, y) of its bounds, both in degrees, and their half sizes in km."""

    commune: str
    lon: float
    lat: float
    x: float
    y: float
    half_width: float
    half_height: float

    @property
    def area(self) -> float:
        """The area that a ward with such bounds has on average, in km2."""
        return 4 * self.half_width * self.half_height * FILL


def sites(communes: Mapping[str, Commune], links: Iterable[Link], boxes: Mapping[str, Box]) -> dict[str, list[Site]]:
    """{code: its sites, at least one} of every commune. A divided ward is a site of each commune that got a part of it."""
    links = list(links)
    parts = Counter(link.former for link in links)
    twins = Counter(boxes[link.former] for link in links if link.default and link.former in boxes)
    found: dict[str, list[Site]] = {code: [] for code in communes}
    lost: Counter[str] = Counter()
    for link in links:
        commune, box = communes[link.code], boxes.get(link.former)
        site = None if box is None else of_box(commune, box)
        if site is None or box is None or not plausible(site, commune, parts[link.former] > 1, twins[box] > 1):
            lost[link.code] += link.default
        else:
            found[link.code].append(toward(site, commune) if parts[link.former] > 1 else site)
    for code, commune in communes.items():
        if lost[code] or not found[code]:
            found[code].append(mended(commune, found[code]))
    return found


def of_box(commune: Commune, box: Box) -> Site:
    """A former ward's box as a site of the commune."""
    wide = cos(radians(box.lat)) * KM_PER_DEGREE
    x, y = (box.east + box.west) / 2, (box.north + box.south) / 2
    return Site(commune.code, box.lon, box.lat, x, y, (box.east - box.west) / 2 * wide, (box.north - box.south) / 2 * KM_PER_DEGREE)


def plausible(site: Site, commune: Commune, divided: bool, twin: bool) -> bool:
    """Whether a ward of that place and size can be a part of the commune, by the commune's area and centre."""
    if max(site.half_width, site.half_height) * 2 < SMALLEST_KM:
        return False
    if abs(site.x - site.lon) * KM_PER_DEGREE > site.half_width or abs(site.y - site.lat) * KM_PER_DEGREE > site.half_height:
        return False
    if commune.area_km2 is None:
        return True
    radius = sqrt(commune.area_km2)
    size = site.area / commune.area_km2
    near = distance(site.lon, site.lat, commune) < (2 if twin else 3) * radius + 2
    return near and (divided or size < (1 if twin else 2))


def toward(site: Site, commune: Commune) -> Site:
    """The site of a divided ward, moved to the side of the ward that looks at this commune."""
    wide = cos(radians(site.y)) * KM_PER_DEGREE
    x = min(max(commune.lon, site.x - site.half_width / wide), site.x + site.half_width / wide)
    y = min(max(commune.lat, site.y - site.half_height / KM_PER_DEGREE), site.y + site.half_height / KM_PER_DEGREE)
    return msgspec.structs.replace(site, lon=(site.lon + x) / 2, lat=(site.lat + y) / 2)


def mended(commune: Commune, good: list[Site]) -> Site:
    """One site in place of all wards of the commune that were lost, where it makes the parts balance at the known centre."""
    known = sum(site.area for site in good)
    area = commune.area_km2 or max(known, 1.0)
    missing = max(area - known, area / 10) if good else area
    half = sqrt(missing / FILL) / 2
    lon, lat = commune.lon, commune.lat
    if good:
        x, y = (sum(site.area * getattr(site, axis) for site in good) / known for axis in ("lon", "lat"))
        east, north = (lon - x) * known / missing, (lat - y) * known / missing
        limit = sqrt(area) / KM_PER_DEGREE
        shorten = min(1.0, limit / (hypot(east, north) or limit))
        lon, lat = lon + east * shorten, lat + north * shorten
    return Site(commune.code, lon, lat, lon, lat, half, half)


def distance(lon: float, lat: float, commune: Commune) -> float:
    """Distance in km from a point to the commune's centre."""
    return hypot((lon - commune.lon) * cos(radians(commune.lat)), lat - commune.lat) * KM_PER_DEGREE
