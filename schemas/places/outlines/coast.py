"""Add the spits and lagoons that Natural Earth's land at 1:10m lacks; build time only.

The known areas of communes count them. Where a commune has less land than its known area, it gets
the points off the coast that are the cheapest for it, within the bounds of its wards. Land of other
countries is never taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from schemas.places.outlines import lines, raster
from schemas.places.outlines.lines import Shape, km2
from schemas.places.outlines.sites import OutlineSite

PRICE = 1.0
"""Points that cost less lie within the ellipse that fits into a ward's bounds."""
SMALLEST_KM2 = 3.0
"""Smaller pieces of new land, and smaller ponds between new and old land, are not drawn."""


def mended(
    land: Shape,
    abroad: Shape,
    step: float,
    sites: Mapping[str, list[OutlineSite]],
    areas: Mapping[str, float],
) -> Shape:
    """Return the land with the spits and islands off the coast that belong to its communes.

    Args:
        land: The land outline.
        abroad: The land of the neighbouring countries.
        step: Degrees between the points.
        sites: The sites of each commune.
        areas: The known area of each commune, in km².
    """
    grid = raster.grid(land.bounds, step)
    inside = raster.covered(land, grid)
    free = ~inside & ~raster.widened(raster.covered(abroad, grid), 3)
    codes = sorted(sites)
    prices, labels = raster.cheapest(
        grid, raster.windows([sites[code] for code in codes], grid), np.zeros(len(codes))
    )
    cells = np.broadcast_to(grid.cells[:, None], inside.shape)
    has = np.bincount(labels[inside] + 1, weights=cells[inside], minlength=len(codes) + 1)[1:]
    lacks = np.array([areas.get(code, 0.0) for code in codes]) - has
    added = taken(np.where(free & (prices < PRICE), labels, -1), prices, lacks, cells)
    filled = raster.blurred((inside | added).astype(np.float32), 1) > 0.5
    faces = lines.trace(np.where(filled & free, 1, -1).astype(np.int32), grid)
    new = shapely.union_all([shapely.simplify(face, step) for face in faces.values()])
    whole = shapely.buffer(
        shapely.buffer(shapely.union(land, new), step / 2, join_style="mitre"),
        -step / 2,
        join_style="mitre",
    )
    whole = shapely.difference(shapely.union(land, whole), shapely.difference(abroad, land))
    kept = [
        shapely.Polygon(
            part.exterior,
            [hole for hole in part.interiors if km2(shapely.Polygon(hole)) >= SMALLEST_KM2],
        )
        for part in lines.parts(whole)
        if km2(part) >= SMALLEST_KM2 or part.intersects(land)
    ]
    return shapely.union_all(kept)


def taken(labels: raster.Labels, prices: raster.Floats, lacks: Any, cells: Any) -> Any:
    """Return which of the labelled points are taken.

    These are the cheapest of each label until its missing km² are filled.
    """
    flat = np.flatnonzero(labels >= 0)
    owner, size = labels.ravel()[flat], cells.ravel()[flat]
    order = np.lexsort((prices.ravel()[flat], owner))
    flat, owner, size = flat[order], owner[order], size[order]
    total = np.cumsum(size)
    first = np.searchsorted(owner, np.arange(len(lacks)))
    before = np.concatenate([[0.0], total])[first]
    result = np.zeros(labels.shape, np.bool_)
    result.ravel()[flat[total - before[owner] <= lacks[owner]]] = True
    return result
