"""Derive outlines/*.json: the schematic outline of every commune and province. Run by `python -m schemas places build`.

Two passes. The country pass shares out all land at once, on a coarse grid, which gives the provinces. The province pass shares
out each province's own land on a grid as fine as its smaller communes need, which gives the communes. Same inputs, same bytes.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from math import cos, pi, radians, sin, sqrt
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import shapely

from schemas.places import lines, raster, sources
from schemas.places.atlas import COUNTRY, OUTLINES, Atlas
from schemas.places.geojson import KM_PER_DEGREE
from schemas.places.lines import Shape
from schemas.places.sites import Site, sites
from schemas.places.units import Commune

COUNTRY_STEP = 0.004
POINTS = 100
"""The grid of a province is so fine that a small commune (of the fifth percentile) has about this many points."""
COARSEST, FINEST = 0.003, 0.0008
WHOLE_KM2 = 60.0
"""Smaller islands are never divided between communes."""
MARKER_SHARE = 0.3
"""A special zone that has less than this share of its area in the land outline is drawn as a marker of its known area."""
MARKER_KM = 1.5
"""Smallest radius of a marker."""

Progress = Callable[[str], None]


class Country(msgspec.Struct, frozen=True):
    """The result of the country pass: each province's land to share out, and the islands that belong whole to one commune."""

    land: dict[str, Shape]
    islands: dict[str, list[Shape]]


def build(folder: Path = OUTLINES, only: Iterable[str] = (), tell: Progress = lambda _: None) -> None:
    """Write the outlines of all provinces (or of some, to look at) and of the country. Raises `sources.MissingSourceError`."""
    atlas = Atlas({})
    communes = atlas.commune_by_code
    every = sites(communes, atlas.links, sources.ward_boxes())
    land = shapely.union_all([shapely.make_valid(shapely.Polygon(rings[0], rings[1:])) for rings in sources.land_rings()])
    tell("country")
    country = country_pass(land, every, communes)
    outlines: dict[str, dict[str, Shape]] = {}
    for province in sorted(only) or sorted(atlas.province_by_code):
        tell(province)
        own = {one.code: one for one in atlas.communes(province, None)}
        outlines[province] = province_pass(country, province, own, every)
        save(folder / f"{province}.json", outlines[province])
    if not only:
        save(folder / f"{COUNTRY}.json", provinces(country, outlines, communes))


def country_pass(land: Shape, every: Mapping[str, list[Site]], communes: Mapping[str, Commune]) -> Country:
    """Share out the country's land among all communes, and say what land each province has."""
    grid = raster.grid(land.bounds, COUNTRY_STEP)
    inside = covered(land, grid)
    labels, codes = raster.share_out(grid, inside, every, aims(communes.values(), 1.0))
    names = sorted({one.province for one in communes.values()})
    of_province = np.array([names.index(communes[code].province) for code in codes], np.int32)
    mainland, *others = lines.parts(land)
    divided, islands = [mainland], defaultdict(list)
    for island in others:
        owners = Counter(codes[label] for label in labels[covered(island, grid)].tolist())
        owner = owners.most_common(1)[0][0] if owners else codes[at(labels, grid, island)]
        if km2(island) < WHOLE_KM2 or owners[owner] > 0.9 * owners.total():
            islands[owner].append(lines.tidy(shapely.set_precision(island, lines.SNAP)))
        else:
            divided.append(island)
    shapes = {names[label]: shape for label, shape in lines.trace(of_province[labels], grid).items()}
    return Country(lines.cut(shapes, shapely.union_all(divided)), dict(islands))


def province_pass(country: Country, province: str, own: Mapping[str, Commune], every: Mapping[str, list[Site]]) -> dict[str, Shape]:
    """{commune code: outline} of one province; all communes are there."""
    land = country.land[province]
    islands = {code: shapely.union_all(found) for code, found in country.islands.items() if code in own}
    ashore = {code: one for code, one in own.items() if one.type != "đặc khu" or not offshore(one, islands.get(code), land)}
    areas = sorted(one.area_km2 for one in ashore.values() if one.area_km2)
    step = min(max(sqrt(areas[len(areas) // 20] / POINTS) / KM_PER_DEGREE, FINEST), COARSEST)
    grid = raster.grid(land.bounds, step)
    on_islands = {code: km2(shape) for code, shape in islands.items()}
    scale = km2(land) / sum((one.area_km2 or 0) for one in ashore.values())
    wanted = {code: max(area - on_islands.get(code, 0), area / 10) for code, area in aims(ashore.values(), scale).items()}
    labels, codes = raster.share_out(grid, covered(land, grid), {code: every[code] for code in ashore}, wanted)
    shapes = lines.cut({codes[label]: shape for label, shape in lines.trace(labels, grid).items()}, land)
    for code, shape in islands.items():
        shapes[code] = shapely.union(shapes[code], shape) if code in shapes else shape
    return {code: lines.tidy(shapes[code] if code in shapes else marker(own[code])) for code in sorted(own)}


def offshore(zone: Commune, island: Shape | None, land: Shape) -> bool:
    """Whether a special zone has none of the land that is shared out: its islands are whole, or not in the land outline at all."""
    return island is not None or not shapely.dwithin(shapely.Point(zone.lon, zone.lat), land, 0.02)


def provinces(country: Country, outlines: Mapping[str, Mapping[str, Shape]], communes: Mapping[str, Commune]) -> dict[str, Shape]:
    """{province code: outline}: its land with common borders, its islands and markers."""
    codes = sorted(country.land)
    simple = shapely.coverage_simplify([country.land[code] for code in codes], COUNTRY_STEP)
    apart: dict[str, list[Shape]] = defaultdict(list)
    for code, province in ((code, one.province) for code, one in communes.items()):
        whole = outlines[province][code]
        apart[province] += [part for part in shapely.get_parts(whole) if not shapely.intersects(part, country.land[province])]
    joined = (shapely.union_all([shape, *apart[code]]) for code, shape in zip(codes, simple, strict=True))
    return {code: lines.tidy(shape) for code, shape in zip(codes, joined, strict=True)}


def aims(communes: Iterable[Commune], scale: float) -> dict[str, float]:
    """The areas to aim at; a special zone has what land its islands have."""
    return {one.code: one.area_km2 * scale for one in communes if one.area_km2 and one.type != "đặc khu"}


def marker(zone: Commune) -> Shape:
    """A round outline of the zone's area at its centre, for islands that the land outline does not know."""
    radius = max(sqrt((zone.area_km2 or 0) / pi), MARKER_KM) / KM_PER_DEGREE
    turns = [2 * pi * corner / 16 for corner in range(16)]
    wide = radius / cos(radians(zone.lat))
    return shapely.Polygon([(round(zone.lon + wide * cos(turn), 4), round(zone.lat + radius * sin(turn), 4)) for turn in turns])


def covered(area: Shape, grid: raster.Grid) -> Any:
    """Which of the grid's points lie in an area."""
    shapely.prepare(area)
    lons, lats = np.meshgrid(grid.lons, grid.lats)
    return shapely.contains_xy(area, lons, lats)


def at(labels: raster.Labels, grid: raster.Grid, shape: Shape) -> int:
    """The label of the point that is nearest to a shape's middle."""
    middle = shapely.point_on_surface(shape)
    return int(labels[round((middle.y - grid.south) / grid.step), round((middle.x - grid.west) / grid.step)])


def km2(shape: Shape) -> float:
    """Area of a shape in degrees, in km2."""
    return float(shape.area) * KM_PER_DEGREE**2 * cos(radians(shape.centroid.y)) if not shape.is_empty else 0.0


def save(path: Path, shapes: Mapping[str, Shape]) -> None:
    """Write outlines as GeoJSON with only their codes (names are in the tables), one feature a line."""
    features = [
        {"type": "Feature", "id": code, "properties": {}, "geometry": lines.rounded(shape)}
        for code, shape in sorted(shapes.items())
    ]
    body = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n', "utf-8")
