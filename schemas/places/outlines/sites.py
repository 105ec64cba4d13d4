"""Locate the parts of each commune: one `OutlineSite` per former ward; build time only.

The source's bounds are those of the ward's true outline for most wards. Some wards were geocoded to
a namesake, to the whole district, or to a bare point. The commune's area and centre, which come
from another table of the source, show which: such wards share the area which is missing, and lie at
their point or where they balance the commune's centre.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import cos, hypot, radians, sqrt
from statistics import median

import msgspec

from schemas.places.geojson import KM_PER_DEGREE
from schemas.places.outlines.sources import Box
from schemas.places.units import Commune, SuccessorLink

FILL = 0.53
"""Share of its bounds that a ward covers.

It is the inverse of 1.89, the median of the boxes' sum over the area of a commune.
"""
SMALLEST_KM2, POINT_SHARE = 0.1, 30
"""Limits of the bounds that a geocoder gives to a bare point.

Those are smaller than this area, or than an even share of the commune divided by this number.
"""
FAR = 3.0
"""Distance from its commune's centre beyond which a ward is somewhere else.

The unit is the root of the commune's area; 2 km are added.
"""
DOUBT = 0.4
"""Share of the known area below which all wards' areas by their bounds contradict it."""


class OutlineSite(msgspec.Struct, frozen=True):
    """A part of a commune, with its centre, its bounds' middle and their half sizes.

    The centre (lon, lat) and the middle (x, y) are in degrees, the half sizes in km.
    """

    commune: str
    lon: float
    lat: float
    x: float
    y: float
    half_width: float
    half_height: float

    @property
    def area(self) -> float:
        """Return the area in km² that a ward with such bounds has on average."""
        return 4 * self.half_width * self.half_height * FILL


def sites(
    communes: Mapping[str, Commune], links: Iterable[SuccessorLink], boxes: Mapping[str, Box]
) -> tuple[dict[str, list[OutlineSite]], dict[str, float]]:
    """Return the sites (at least one) and the target area in km² of every commune, both by code.

    A divided ward is a site of each commune that got a part of it. The area is the known one,
    unless its wards' bounds contradict it together.
    """
    of_commune: dict[str, list[tuple[OutlineSite, SuccessorLink]]] = {code: [] for code in communes}
    links = list(links)
    parts = Counter(link.former for link in links)
    twins = Counter(boxes[link.former] for link in links if link.default and link.former in boxes)
    for link in links:
        if link.former in boxes:
            of_commune[link.code].append((of_box(communes[link.code], boxes[link.former]), link))
    found: dict[str, list[OutlineSite]] = {}
    areas: dict[str, float] = {}
    wards = Counter(link.code for link in links if link.default)
    for code, candidates in of_commune.items():
        known = communes[code].area_km2
        smallest = max((known or 0) / wards[code] / POINT_SHARE if wards[code] else 0, SMALLEST_KM2)
        whole = [
            (site, link) for site, link in candidates if link.default and located(site, smallest)
        ]
        single = [site for site, link in whole if twins[boxes[link.former]] == 1]
        area = areas[code] = believed(known, single, wards[code])
        centre = middle(communes[code], [site for site, _ in whole], area)
        good: list[OutlineSite] = []
        points: list[tuple[float, float]] = []
        lost = not wards[code]
        for site, link in candidates:
            divided, twin = parts[link.former] > 1, twins[boxes[link.former]] > 1
            if located(site, smallest) and plausible(site, centre, area, divided, twin):
                good.append(toward(site, centre) if divided else site)
            elif link.default and not twin and distance(site, centre) < sqrt(area):
                points.append((site.lon, site.lat))
            else:
                lost |= link.default
        lost |= sum(link.default for _, link in candidates) < wards[code]
        found[code] = good + mended(code, centre, area, good, points, lost or not good + points)
    return found, areas


def believed(known: float | None, whole: list[OutlineSite], wards: int) -> float:
    """Return the commune's area.

    It is the known one, or the one of its wards' bounds (no bounds twice) if both cannot be true.
    The source has areas that lost or gained a decimal point. They stand out when no ward is missing
    and all bounds together are far too small, or when two wards or more are each larger than the
    whole.
    """
    guess = sum(site.area for site in whole)
    if not known:
        return guess or 1.0
    if whole and len(whole) == wards and guess < DOUBT * known:
        return guess
    if len(whole) > 1 and sorted(site.area for site in whole)[-2] > known:
        return guess
    return known


def middle(commune: Commune, whole: list[OutlineSite], area: float) -> tuple[float, float]:
    """Return (lon, lat) of the commune's centre.

    It is the known one, or the median of its wards if most of them lie together elsewhere.
    """
    known = commune.lon, commune.lat
    if len(whole) < 2:
        return known
    wards = median(site.lon for site in whole), median(site.lat for site in whole)
    far, near = FAR * sqrt(area) + 2, 2 * sqrt(area)
    astray = sum(distance(site, known) > far for site in whole)
    together = sum(distance(site, wards) < near for site in whole)
    return wards if astray * 2 > len(whole) and together * 2 > len(whole) else known


def of_box(commune: Commune, box: Box) -> OutlineSite:
    """Return a former ward's box as a site of the commune."""
    wide = cos(radians(box.lat)) * KM_PER_DEGREE
    x, y = (box.east + box.west) / 2, (box.north + box.south) / 2
    return OutlineSite(
        commune.code,
        box.lon,
        box.lat,
        x,
        y,
        (box.east - box.west) / 2 * wide,
        (box.north - box.south) / 2 * KM_PER_DEGREE,
    )


def located(site: OutlineSite, smallest: float) -> bool:
    """Return whether the bounds are those of an area around the centre, not of a bare point.

    Args:
        site: The site with its bounds.
        smallest: Minimum area in km².
    """
    wide = cos(radians(site.y)) * KM_PER_DEGREE
    around = (
        abs(site.x - site.lon) * wide <= site.half_width
        and abs(site.y - site.lat) * KM_PER_DEGREE <= site.half_height
    )
    return around and site.area >= smallest


def plausible(
    site: OutlineSite, centre: tuple[float, float], area: float, divided: bool, twin: bool
) -> bool:
    """Return whether a ward of that location and size can be a part of a commune.

    Args:
        site: The ward.
        centre: (lon, lat) of the commune.
        area: Area of the commune in km².
        divided: Whether the ward was divided.
        twin: Whether another ward has the very same bounds.
    """
    near = distance(site, centre) < (2 if twin else FAR) * sqrt(area) + 2
    return near and (divided or site.area < (1 if twin else 2) * area)


def toward(site: OutlineSite, centre: tuple[float, float]) -> OutlineSite:
    """Return the site of a divided ward, moved towards this commune's centre.

    It lies on the side of the ward that faces the centre.
    """
    wide, high = (
        site.half_width / (cos(radians(site.y)) * KM_PER_DEGREE),
        site.half_height / KM_PER_DEGREE,
    )
    lon = min(max(centre[0], site.x - wide), site.x + wide)
    lat = min(max(centre[1], site.y - high), site.y + high)
    return msgspec.structs.replace(site, lon=(site.lon + lon) / 2, lat=(site.lat + lat) / 2)


def mended(
    code: str,
    centre: tuple[float, float],
    area: float,
    good: list[OutlineSite],
    points: list[tuple[float, float]],
    lost: bool,
) -> list[OutlineSite]:
    """Return sites for the wards without good bounds, which share the missing area.

    They lie at their points; if some are `lost`, one more lies where it balances the good ones at
    the commune's centre.
    """
    known = sum(site.area for site in good)
    missing = max(area - known, area / 10) if good else area
    places = list(points)
    if lost and good:
        x, y = (
            sum(site.area * getattr(site, axis) for site in good) / known for axis in ("lon", "lat")
        )
        east, north = (centre[0] - x) * known / missing, (centre[1] - y) * known / missing
        limit = sqrt(area) / KM_PER_DEGREE
        shorten = min(1.0, limit / (hypot(east, north) or limit))
        places.append((centre[0] + east * shorten, centre[1] + north * shorten))
    elif lost:
        places.append(centre)
    half = sqrt(missing / FILL / max(len(places), 1)) / 2
    return [OutlineSite(code, lon, lat, lon, lat, half, half) for lon, lat in places]


def distance(site: OutlineSite, point: tuple[float, float]) -> float:
    """Return the distance in km from a site's centre to (lon, lat)."""
    return (
        hypot((site.lon - point[0]) * cos(radians(point[1])), site.lat - point[1]) * KM_PER_DEGREE
    )
