"""Turn a grid of labels into outlines without gaps or overlaps; build time only.

The steps: trace, absorb crumbs, simplify, cut by an area.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain
from math import cos, radians
from typing import Any

import numpy as np
import shapely

from schemas.places.geojson import KM_PER_DEGREE
from schemas.places.outlines.raster import Grid, Labels

SNAP = 1e-4
"""Degrees of which all coordinates are whole multiples (11 m)."""
CRUMB = 0.15
"""Share of a commune's largest part below which another part is a crumb."""

Shape = Any
"""A shapely geometry; shapely is not installed everywhere, so its types are unknown to mypy."""


def trace(labels: Labels, grid: Grid) -> dict[int, Shape]:
    """Return {label: the polygon of its points}, simplified with common borders.

    Points of a negative label belong to nobody. A part that is much smaller than the largest of its
    label goes to the neighbour with which it shares the longest border.
    """
    faces = list(shapely.polygonize(edges(labels, grid)).geoms)
    points = shapely.get_coordinates(shapely.point_on_surface(faces))
    rows = np.rint((points[:, 1] - grid.south) / grid.step).astype(int)
    columns = np.rint((points[:, 0] - grid.west) / grid.step).astype(int)
    owners = absorb(faces, [int(label) for label in labels[rows, columns]])
    parts: dict[int, list[Shape]] = defaultdict(list)
    for face, owner in zip(faces, owners, strict=True):
        parts[owner].append(face)
    whole = {owner: shapely.union_all(parts[owner]) for owner in sorted(parts) if owner >= 0}
    simple = shapely.coverage_simplify(list(whole.values()), grid.step * 2, simplify_boundary=False)
    return dict(zip(whole, simple, strict=True))


def edges(labels: Labels, grid: Grid) -> list[Shape]:
    """Return the sides between points of different labels, and the frame.

    Each is as long as one step.
    """
    framed = np.pad(labels, 1, constant_values=-2)
    segments = []
    for axis in (0, 1):
        near, far = (
            (framed[:-1, 1:-1], framed[1:, 1:-1])
            if axis == 0
            else (framed[1:-1, :-1], framed[1:-1, 1:])
        )
        rows, columns = np.nonzero(near != far)
        start = np.stack([columns, rows], axis=1).astype(float)
        end = start + ((1, 0) if axis == 0 else (0, 1))
        segments.append(np.stack([start, end], axis=1))
    corners = np.concatenate(segments)
    origin = np.array([grid.west - grid.step / 2, grid.south - grid.step / 2])
    return list(shapely.linestrings(corners * grid.step + origin))


def absorb(faces: list[Shape], labels: list[int]) -> list[int]:
    """Return the labels of the faces after every crumb with a neighbour went to that neighbour."""
    areas = shapely.area(faces)
    largest: dict[int, int] = {}
    for index, label in enumerate(labels):
        if label not in largest or areas[index] > areas[largest[label]]:
            largest[label] = index
    owners = list(labels)
    tree = shapely.STRtree(faces)
    crumbs = [
        index for index, label in enumerate(labels) if areas[index] < CRUMB * areas[largest[label]]
    ]
    crumbs.sort(key=lambda index: -areas[index])
    for index in crumbs:
        border: dict[int, float] = defaultdict(float)
        for other in tree.query(faces[index], predicate="touches"):
            border[owners[other]] += shapely.length(
                shapely.intersection(faces[index], faces[other])
            )
        border = {
            label: length
            for label, length in border.items()
            if label >= 0 and label != labels[index] and length > 0
        }
        if border:
            owners[index] = max(sorted(border), key=lambda label: border[label])
    return owners


def cut(shapes: Mapping[Any, Shape], area: Shape) -> dict[Any, Shape]:
    """Return the parts of each shape within an area.

    Together they fill it, on coordinates of `SNAP`.

    All lines are joined into one network before any polygon is made of it, so neighbours get the
    very same border. Crumbs that the cut leaves go to a neighbour.
    """
    keys = list(shapes)
    network = shapely.union_all(
        [shapely.boundary(shape) for shape in (*shapes.values(), area)], grid_size=SNAP
    )
    faces = np.array(shapely.polygonize([network]).geoms)
    inner = shapely.point_on_surface(faces)
    shapely.prepare(area)
    faces, inner = faces[within := shapely.contains(area, inner)], inner[within]
    tree = shapely.STRtree([shapes[key] for key in keys])
    pieces, owners = joined(faces, tree.nearest(inner).tolist())
    owners = absorb(pieces, owners)
    found: dict[Any, list[Shape]] = defaultdict(list)
    for face, owner in zip(pieces, owners, strict=True):
        found[keys[owner]].append(face)
    return {key: tidy(shapely.union_all(found[key])) for key in keys if key in found}


def joined(faces: Iterable[Shape], owners: list[int]) -> tuple[list[Shape], list[int]]:
    """Return the connected parts of each owner, and their owners."""
    found: dict[int, list[Shape]] = defaultdict(list)
    for face, owner in zip(faces, owners, strict=True):
        found[owner].append(face)
    connected = [
        (part, owner) for owner in sorted(found) for part in parts(shapely.union_all(found[owner]))
    ]
    return [part for part, _ in connected], [owner for _, owner in connected]


def tidy(shape: Shape) -> Shape:
    """Return the same polygons in a fixed order and direction.

    So equal shapes are written as equal bytes.
    """
    return shapely.normalize(shape)


def km2(shape: Shape) -> float:
    """Return the area in km² of a shape in degrees."""
    return (
        float(shape.area) * KM_PER_DEGREE**2 * cos(radians(shape.centroid.y))
        if not shape.is_empty
        else 0.0
    )


def parts(shape: Shape) -> list[Shape]:
    """Return the polygons of a shape, the largest first.

    Lines and points that a cut may leave are dropped.
    """
    polygons = (part for part in shapely.get_parts(shape) if part.geom_type == "Polygon")
    return sorted(polygons, key=lambda part: (-part.area, part.bounds))


def rounded(shape: Shape) -> dict[str, Any]:
    """Return a GeoJSON geometry with four decimals."""

    def ring(line: Shape) -> list[list[float]]:
        return [[round(x, 4), round(y, 4)] for x, y in shapely.get_coordinates(line).tolist()]

    polygons = [
        [ring(line) for line in chain([part.exterior], part.interiors)] for part in parts(shape)
    ]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}
