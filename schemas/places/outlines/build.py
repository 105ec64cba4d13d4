"""Derive outlines/*.json, the schematic outline of every commune and province.

`python -m schemas places build` runs it. There are two passes. The country pass divides all land at
once, on a coarse grid, which gives the provinces. The province pass divides each province's own
land on a grid as fine as its smaller communes need, which gives the communes. Same inputs, same
bytes.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from math import cos, pi, radians, sin, sqrt
from pathlib import Path

import msgspec
import numpy as np
import shapely

from schemas.places.atlas import COUNTRY, FORMER, OUTLINES, Atlas
from schemas.places.geojson import KM_PER_DEGREE
from schemas.places.outlines import coast, lines, raster, sources, wards
from schemas.places.outlines.lines import Shape, km2
from schemas.places.outlines.sites import OutlineSite, sites
from schemas.places.units import Commune

SPECIAL_ZONE = "đặc khu"
COAST_STEP, COUNTRY_STEP = 0.003, 0.005
"""Degrees between the points of the pass along the coast and of the country pass."""
POINTS = 100
"""Points of a small commune, which decides how fine a province's grid is.

A small commune is one of the fifth percentile.
"""
COARSEST, FINEST = 0.003, 0.0008
WHOLE_KM2 = 60.0
"""Islands smaller than this are never divided between communes."""
MARKER_SHARE = 0.3
"""Share of its area that a special zone must have in the land outline.

With less, it is drawn as a marker of its known area.
"""
MARKER_KM = 1.5
"""Minimum radius of a marker."""

Progress = Callable[[str], None]


class Known(msgspec.Struct, frozen=True):
    """The inputs of the outlines by commune code.

    `areas` (km²) are targets; special zones have none.
    """

    communes: dict[str, Commune]
    sites: dict[str, list[OutlineSite]]
    areas: dict[str, float]


class Country(msgspec.Struct, frozen=True):
    """The result of the country pass.

    It has each province's land to divide, and the islands that belong whole to one commune.
    """

    land: dict[str, Shape]
    islands: dict[str, Shape]


def build(
    folder: Path = OUTLINES, only: Iterable[str] = (), tell: Progress = lambda _: None
) -> None:
    """Write the outlines of all provinces (or only of some) and of the country.

    Raises:
        sources.MissingSourceError: A source package is missing.
    """
    tell("sources")
    known, world = knowledge(), sources.countries()
    tell("coast")
    abroad = shapely.union_all([area(world[country]) for country in sources.NEIGHBOURS])
    land = coast.mended(area(world[sources.VIET_NAM]), abroad, COAST_STEP, known.sites, known.areas)
    tell("country")
    country = country_pass(land, known)
    outlines: dict[str, dict[str, Shape]] = {}
    for province in sorted(only) or sorted(country.land):
        tell(province)
        outlines[province] = province_pass(country, province, known)
        save(folder / f"{province}.json", outlines[province])
        save_former(folder, province)
    if not only:
        save(folder / f"{COUNTRY}.json", provinces(country, outlines))


def knowledge() -> Known:
    """Read what is known of the communes from the tables and the source package."""
    atlas = Atlas({})
    found, areas = sites(atlas.commune_by_code, atlas.links, sources.ward_boxes())
    ordinary = {
        code: area
        for code, area in areas.items()
        if atlas.commune_by_code[code].type != SPECIAL_ZONE
    }
    return Known(atlas.commune_by_code, found, ordinary)


def country_pass(land: Shape, known: Known) -> Country:
    """Divide the country's land among all communes, and return the land of each province."""
    grid = raster.grid(land.bounds, COUNTRY_STEP)
    labels, codes = raster.share_out(grid, raster.covered(land, grid), known.sites, known.areas)
    names = sorted({one.province for one in known.communes.values()})
    of_province = np.array([names.index(known.communes[code].province) for code in codes], np.int32)
    mainland, *others = lines.parts(land)
    divided, islands = [mainland], defaultdict(list)
    for island in others:
        owners = Counter(codes[label] for label in labels[raster.covered(island, grid)].tolist())
        owner = owners.most_common(1)[0][0] if owners else codes[at(labels, grid, island)]
        if km2(island) < WHOLE_KM2 or owners[owner] > 0.9 * owners.total():
            islands[owner].append(island)
        else:
            divided.append(island)
    shapes = {
        names[label]: shape
        for label, shape in lines.trace(np.where(labels < 0, -1, of_province[labels]), grid).items()
    }
    whole = {
        code: shapely.set_precision(shapely.union_all(found), lines.SNAP)
        for code, found in islands.items()
    }
    return Country(lines.cut(shapes, shapely.union_all(divided)), whole)


def province_pass(country: Country, province: str, known: Known) -> dict[str, Shape]:
    """Return {commune code: outline} of one province, with all its communes."""
    land = country.land[province]
    own = {code: one for code, one in known.communes.items() if one.province == province}
    islands = {code: apart(shape, land) for code, shape in country.islands.items() if code in own}
    ashore = [
        code
        for code, one in own.items()
        if one.type != SPECIAL_ZONE or (code not in islands and near(one, land))
    ]
    wanted = {
        code: known.areas[code] - (km2(islands[code]) if code in islands else 0)
        for code in ashore
        if code in known.areas
    }
    step = sqrt(sorted(wanted.values())[len(wanted) // 20] / POINTS) / KM_PER_DEGREE
    grid = raster.grid(land.bounds, min(max(step, FINEST), COARSEST))
    scale = km2(land) / sum(wanted.values())
    aims = {code: max(area * scale, known.areas[code] / 10) for code, area in wanted.items()}
    labels, codes = raster.share_out(
        grid, raster.covered(land, grid), {code: known.sites[code] for code in ashore}, aims
    )
    shapes = lines.cut(
        {codes[label]: shape for label, shape in lines.trace(labels, grid).items()}, land
    )
    for code, shape in islands.items():
        shapes[code] = shapely.union(shapes[code], shape) if code in shapes else shape
    for code in sorted(own):
        if not drawn(shapes.get(code), own[code]):
            place = marker(own[code])
            shapes = {other: apart(shape, place) for other, shape in shapes.items()} | {code: place}
    return {code: lines.tidy(shapes[code]) for code in sorted(own)}


def apart(shape: Shape, other: Shape) -> Shape:
    """Return the part of a shape that lies outside of another shape, with a gap.

    The gap keeps rounding to `SNAP` from adding an overlap.
    """
    return (
        shapely.difference(shape, shapely.buffer(other, 2 * lines.SNAP))
        if shape.intersects(other)
        else shape
    )


def area(polygons: list[list[list[tuple[float, float]]]]) -> Shape:
    """Return the polygons of a country as one shape."""
    return shapely.union_all(
        [shapely.make_valid(shapely.Polygon(outer, holes)) for outer, *holes in polygons]
    )


def near(zone: Commune, land: Shape) -> bool:
    """Return whether a special zone lies in or at the land that is divided."""
    return bool(shapely.dwithin(shapely.Point(zone.lon, zone.lat), land, 0.02))


def drawn(shape: Shape | None, one: Commune) -> bool:
    """Return whether the land outline contains enough of a commune to draw it."""
    return shape is not None and (
        one.type != SPECIAL_ZONE or km2(shape) >= MARKER_SHARE * (one.area_km2 or 0)
    )


def provinces(country: Country, outlines: Mapping[str, Mapping[str, Shape]]) -> dict[str, Shape]:
    """Return {province code: outline}: its land with common borders, its islands and markers."""
    codes = sorted(country.land)
    simple = shapely.coverage_simplify([country.land[code] for code in codes], COUNTRY_STEP * 2)
    detached = {
        code: [
            part
            for shape in outlines[code].values()
            for part in lines.parts(shape)
            if not part.intersects(country.land[code])
        ]
        for code in codes
    }
    joined = (
        shapely.union_all([shape, *detached[code]])
        for code, shape in zip(codes, simple, strict=True)
    )
    return {code: lines.tidy(shape) for code, shape in zip(codes, joined, strict=True)}


def marker(zone: Commune) -> Shape:
    """Return a round outline of the zone's area at its centre.

    It stands for islands that the land outline lacks.
    """
    radius = max(sqrt((zone.area_km2 or 0) / pi), MARKER_KM) / KM_PER_DEGREE
    turns = [2 * pi * corner / 16 for corner in range(16)]
    wide = radius / cos(radians(zone.lat))
    return shapely.Polygon(
        [
            (round(zone.lon + wide * cos(turn), 4), round(zone.lat + radius * sin(turn), 4))
            for turn in turns
        ]
    )


def at(labels: raster.Labels, grid: raster.Grid, shape: Shape) -> int:
    """Return the label of the point that is nearest to a shape's middle."""
    middle = shapely.point_on_surface(shape)
    return int(
        labels[
            round((middle.y - grid.south) / grid.step), round((middle.x - grid.west) / grid.step)
        ]
    )


def save_former(folder: Path, province: str) -> None:
    """Write the outlines of the former units of a province, derived from its written outlines."""
    path = folder / f"{province}.json"
    (folder / FORMER).mkdir(exist_ok=True)
    save(folder / FORMER / path.name, wards.former_outlines(Atlas({}), province, wards.drawn(path)))


def save(path: Path, shapes: Mapping[str, Shape]) -> None:
    """Write outlines as GeoJSON, one feature per line, with only their codes.

    Names are in the tables.
    """
    features = [
        {"type": "Feature", "id": code, "properties": {}, "geometry": lines.rounded(shape)}
        for code, shape in sorted(shapes.items())
    ]
    body = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n', "utf-8")
