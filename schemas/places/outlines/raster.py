"""Divide a grid of points among communes so that each gets its known area; build time only.

The price of a point for a commune is the lowest among its sites; the point goes to the commune with
the lowest price. The price of a site grows with the square of the distance in units of its own half
sizes (so large wards reach far, small ones hold what is near) and steeply outside its bounds. A
weight is added to each commune's prices, and the weights are changed until areas are right: a power
diagram with other distances, its weights found by iteration.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, radians
from typing import Any

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from schemas.places.geojson import KM_PER_DEGREE
from schemas.places.outlines.sites import OutlineSite

OUTSIDE = 3.0
"""Price of a point one half size outside of a site's bounds."""
REACH = 2.5
"""Half sizes up to which a site competes for points."""
ROUNDS = 50
"""Number of times that the weights are changed."""
MARGIN = 4
"""Steps around an area that are divided with it."""
SMOOTHING = 3
"""Steps to each side over which borders are smoothed."""

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]
Reals = NDArray[np.floating[Any]]


class Grid(msgspec.Struct, frozen=True):
    """Points in rows of equal latitude.

    `west` and `south` are those of the first; `step` degrees are between them; `rows` and `columns`
    are their numbers.
    """

    west: float
    south: float
    step: float
    rows: int
    columns: int

    @property
    def lons(self) -> Reals:
        """Return the longitudes of the columns."""
        return self.west + self.step * np.arange(self.columns)

    @property
    def lats(self) -> Reals:
        """Return the latitudes of the rows."""
        return self.south + self.step * np.arange(self.rows)

    @property
    def cells(self) -> Reals:
        """Return the area in km² that a point of each row stands for."""
        return (self.step * KM_PER_DEGREE) ** 2 * np.cos(np.radians(self.lats))


def grid(bounds: tuple[float, float, float, float], step: float) -> Grid:
    """Return the grid that covers (west, south, east, north) with a margin of two points."""
    west, south, east, north = bounds
    return Grid(
        west - 2 * step,
        south - 2 * step,
        step,
        int((north - south) / step) + 5,
        int((east - west) / step) + 5,
    )


class GridWindow(msgspec.Struct, frozen=True):
    """A commune's prices in the part of the grid that it reaches, starting at (`row`, `column`)."""

    row: int
    column: int
    prices: Floats

    def of(self, whole: NDArray[Any]) -> NDArray[Any]:
        """Return the same part of an array of the whole grid, as a view."""
        return whole[
            self.row : self.row + self.prices.shape[0],
            self.column : self.column + self.prices.shape[1],
        ]


def window(sites: list[OutlineSite], grid: Grid) -> GridWindow | None:
    """Return the prices of a commune with these sites; None if it does not reach the grid."""
    spans = [span(site, grid) for site in sites]
    row, column = max(min(span[0] for span in spans), 0), max(min(span[2] for span in spans), 0)
    end, last = (
        min(max(span[1] for span in spans), grid.rows),
        min(max(span[3] for span in spans), grid.columns),
    )
    if end <= row or last <= column:
        return None
    lons, lats = grid.lons[column:last], grid.lats[row:end]
    prices = np.full((len(lats), len(lons)), np.inf, np.float32)
    for site in sites:
        wide = KM_PER_DEGREE * cos(radians(site.y))
        across, along = (
            (lons - site.lon) * wide / site.half_width,
            (lats - site.lat) * KM_PER_DEGREE / site.half_height,
        )
        beside, above = (
            np.abs(lons - site.x) * wide / site.half_width,
            np.abs(lats - site.y) * KM_PER_DEGREE / site.half_height,
        )
        outside = np.hypot(np.maximum(beside - 1, 0)[None, :], np.maximum(above - 1, 0)[:, None])
        price = (across**2)[None, :] + (along**2)[:, None] + OUTSIDE * outside
        np.minimum(prices, price.astype(np.float32), out=prices)
    return GridWindow(row, column, prices)


def windows(sites: list[list[OutlineSite]], grid: Grid) -> dict[int, GridWindow]:
    """Return {index in the list: window} of the communes that reach the grid."""
    return {
        index: found
        for index, some in enumerate(sites)
        if (found := window(some, grid)) is not None
    }


def covered(area: Any, grid: Grid) -> NDArray[np.bool_]:
    """Return which of the grid's points lie in a shapely geometry."""
    shapely.prepare(area)
    lons, lats = np.meshgrid(grid.lons, grid.lats)
    found: NDArray[np.bool_] = shapely.contains_xy(area, lons, lats)
    return found


def span(site: OutlineSite, grid: Grid) -> tuple[int, int, int, int]:
    """Return (first row, end row, first column, end column) that a site reaches.

    It may lie outside of the grid.
    """
    reach = REACH * max(site.half_width, site.half_height) + 1
    high, wide = reach / KM_PER_DEGREE, reach / (KM_PER_DEGREE * cos(radians(site.y)))
    south, west = (site.y - high - grid.south) / grid.step, (site.x - wide - grid.west) / grid.step
    return (
        int(south),
        int(south + 2 * high / grid.step) + 1,
        int(west),
        int(west + 2 * wide / grid.step) + 1,
    )


def share_out(
    grid: Grid,
    inside: NDArray[np.bool_],
    sites: Mapping[str, list[OutlineSite]],
    areas: Mapping[str, float],
    rounds: int = ROUNDS,
) -> tuple[Labels, list[str]]:
    """Return the index of its commune for every point, and the communes' codes.

    Points inside that no commune reaches get the one of a neighbouring point, and so do those up to
    `MARGIN` steps around, so that a cut along the edge of the area finds no gap; all others are -1.

    Args:
        grid: The grid.
        inside: Marks the points that count as area.
        sites: The sites of each commune.
        areas: The target areas in km²; a commune without one keeps the weight 0.
        rounds: Number of times that the weights are changed.
    """
    codes = sorted(sites)
    reached = windows([sites[code] for code in codes], grid)
    weights = np.zeros(len(codes))
    aims = np.array([areas.get(code, 0.0) for code in codes])
    cells = np.broadcast_to(grid.cells[:, None], inside.shape)[inside]
    for turn in range(rounds):
        _, labels = cheapest(grid, reached, weights)
        got = np.bincount(labels[inside] + 1, weights=cells, minlength=len(codes) + 1)[1:]
        ratio = np.clip(np.log(np.maximum(got, 1e-3) / np.maximum(aims, 1e-3)), -1, 1)
        weights += np.where(aims > 0, ratio, 0) * (1.0 if turn < rounds // 2 else 0.4)
    labels = np.where(
        widened(inside, MARGIN), spread(cheapest(grid, reached, weights)[1]), -1
    ).astype(np.int32)
    return smoothed(labels, SMOOTHING), codes


def cheapest(
    grid: Grid, windows: Mapping[int, GridWindow], weights: NDArray[np.float64]
) -> tuple[Floats, Labels]:
    """Return the lowest price of every point and the commune that has it, -1 for none."""
    best = np.full((grid.rows, grid.columns), np.inf, np.float32)
    labels = np.full(best.shape, -1, np.int32)
    for index, found in windows.items():
        price = found.prices + np.float32(weights[index])
        here = found.of(best)
        less = price < here
        here[less] = price[less]
        found.of(labels)[less] = index
    return best, labels


def spread(labels: Labels) -> Labels:
    """Fill the points without a commune from their neighbours, ring by ring."""
    if (labels < 0).all():
        return labels
    labels = labels.copy()
    while (empty := labels < 0).any():
        for source, target in NEIGHBOURS:
            taken = empty[target] & (labels[source] >= 0)
            labels[target][taken] = labels[source][taken]
            empty[target][taken] = False
    return labels


def smoothed(labels: Labels, radius: int) -> Labels:
    """Give every point the label that is commonest around it, weighted by nearness.

    That straightens borders and removes thin tongues.
    """
    best = np.zeros(labels.shape, np.float32)
    result = labels.copy()
    for label in np.unique(labels[labels >= 0]).tolist():
        rows, columns = (
            np.nonzero((labels == label).any(axis=1))[0],
            np.nonzero((labels == label).any(axis=0))[0],
        )
        here = (
            slice(max(rows[0] - 2 * radius, 0), rows[-1] + 2 * radius + 1),
            slice(max(columns[0] - 2 * radius, 0), columns[-1] + 2 * radius + 1),
        )
        density = blurred(blurred((labels[here] == label).astype(np.float32), radius), radius)
        more = density > best[here]
        best[here][more] = density[more]
        result[here][more] = label
    return np.where(labels >= 0, result, -1).astype(np.int32)


def blurred(values: Floats, radius: int) -> Floats:
    """Return the mean of every value's square neighbourhood, zero beyond the edge."""
    size = 2 * radius + 1
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (radius + 1, radius)
        total = np.cumsum(np.pad(values, padding), axis=axis)
        end, start = (
            (total[size:], total[:-size]) if axis == 0 else (total[:, size:], total[:, :-size])
        )
        values = ((end - start) / size).astype(np.float32)
    return values


def widened(marked: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """Return the marked points and those up to `steps` steps beside, above and below them."""
    for _ in range(steps):
        wider = marked.copy()
        for source, target in NEIGHBOURS:
            wider[target] |= marked[source]
        marked = wider
    return marked


ALL, UP, DOWN = slice(None), slice(1, None), slice(None, -1)
NEIGHBOURS = (
    ((DOWN, ALL), (UP, ALL)),
    ((UP, ALL), (DOWN, ALL)),
    ((ALL, DOWN), (ALL, UP)),
    ((ALL, UP), (ALL, DOWN)),
)
