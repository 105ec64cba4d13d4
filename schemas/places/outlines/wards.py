"""Derive outlines/former/*.json, the outlines of the communes before 2025-07-01.

This is a part of `python -m schemas places build`. Nobody may distribute official outlines of them
either, and of former units no area is known. So each outline of today is divided among the former
units whose heir it is, by the nearest centre. A divided unit is drawn in its heir only. Same
inputs, same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, radians
from pathlib import Path

import msgspec
import numpy as np
import shapely

from schemas.places.atlas import Atlas
from schemas.places.outlines import lines
from schemas.places.outlines.lines import Shape
from schemas.places.restate import EVE
from schemas.places.units import Commune

APART = 1e-3
"""Degrees between centres with the same stated position, so that each has some area."""


def former_outlines(atlas: Atlas, province: str, outlines: Mapping[str, Shape]) -> dict[str, Shape]:
    """Return {code: outline} of all former units that became part of a province of today.

    Args:
        atlas: All units.
        province: The code of the province.
        outlines: The outlines of its communes by code.
    """
    heirs: dict[str, list[Commune]] = {}
    for unit in atlas.within(province, EVE):
        heirs.setdefault(atlas.successors[unit.code][0].code, []).append(unit)
    found: dict[str, Shape] = {}
    for code, units in heirs.items():
        found |= shared_out(outlines[code], units)
    return found


def shared_out(whole: Shape, units: Sequence[Commune]) -> dict[str, Shape]:
    """Divide an outline by the nearest centre; a centre outside counts as one at the edge."""
    if len(units) == 1:
        return {units[0].code: whole}
    scale = np.array([cos(radians(whole.centroid.y)), 1])  # a degree east is shorter than one north
    flat = shapely.transform(whole, lambda at: at * scale)
    centres: list[Shape] = []
    for unit in units:
        own = shapely.Point(np.array([unit.lon, unit.lat]) * scale)
        centre = shapely.get_point(shapely.shortest_line(flat, own), 0)
        while any(shapely.dwithin(centre, other, APART / 2) for other in centres):
            centre = shapely.Point(centre.x + APART, centre.y)
        centres.append(centre)
    cells = shapely.voronoi_polygons(shapely.MultiPoint(centres), extend_to=flat, ordered=True)
    shapes = (shapely.transform(cell, lambda at: at / scale) for cell in shapely.get_parts(cells))
    return lines.cut(dict(zip((unit.code for unit in units), shapes, strict=True)), whole)


def drawn(path: Path) -> dict[str, Shape]:
    """Return the outlines of a file, by code."""
    features = msgspec.json.decode(path.read_bytes())["features"]
    return {
        one["id"]: shapely.from_geojson(msgspec.json.encode(one["geometry"]).decode())
        for one in features
    }
