"""Read the packages that tables and outlines derive from; build time only.

They are vietnamadminunits of PyPI and world-atlas of npm.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

WORLD_ATLAS = "world-atlas@2.0.2"
VIET_NAM = "704"
NEIGHBOURS = ("116", "156", "418")
"""ISO codes of Cambodia, China, Laos."""


class MissingSourceError(RuntimeError):
    """Raised if a source package is missing; the message says what to install."""


class Box(msgspec.Struct, frozen=True):
    """The known extent of a former ward: its centre and its bounds, in WGS84 degrees."""

    lat: float
    lon: float
    south: float
    west: float
    north: float
    east: float


def package() -> Path:
    """Return the data folder of vietnamadminunits.

    Raises:
        MissingSourceError: It is not installed.
    """
    spec = importlib.util.find_spec("vietnamadminunits")
    if spec is None or spec.origin is None:
        raise MissingSourceError(
            "vietnamadminunits is not installed: pip install -e '.[outlines]', or make outlines"
        )
    return Path(spec.origin).parent / "data"


def rows(table: str) -> list[dict[str, Any]]:
    """Return all rows of a table of the package's database.

    The tables are `admin_units` (today) and `admin_units_legacy`.
    """
    database = sqlite3.connect(package() / "dataset.db")
    database.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in database.execute(f"select * from {table}")]
    finally:
        database.close()


def converter() -> dict[str, Any]:
    """Return the package's mapping of former wards to today's communes, by its own keys."""
    loaded: dict[str, Any] = json.loads((package() / "converter_2025.json").read_text("utf-8"))
    return loaded


def ward_boxes() -> dict[str, Box]:
    """Return {former ward code: its box}, for the wards whose bounds the package knows."""
    boxes = {}
    for row in rows("admin_units_legacy"):
        if row["wardBounds"]:
            south, west, north, east = (
                float(part) for part in re.split(r"[ ,–]+", row["wardBounds"])
            )
            boxes[row["wardCode"]] = Box(row["wardLat"], row["wardLon"], south, west, north, east)
    return boxes


def countries() -> dict[str, list[list[list[tuple[float, float]]]]]:
    """Return the polygons of Việt Nam and its neighbours in Natural Earth's 1:10m.

    Returns:
        {ISO 3166-1 numeric code: polygons}; a polygon is a list of rings of (lon, lat), the outer
        ring first.

    Raises:
        MissingSourceError: npm cannot fetch the package.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(
                ["npm", "pack", "--silent", WORLD_ATLAS],
                cwd=folder,
                check=True,
                capture_output=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise MissingSourceError(
                f"npm could not fetch {WORLD_ATLAS} (Node.js and the network are needed)"
            ) from error
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as tar:
            member = tar.extractfile("package/countries-10m.json")
            assert member is not None, f"{WORLD_ATLAS} has no countries-10m.json"
            topology = json.load(member)
    return {country: list(decode(topology, country)) for country in (VIET_NAM, *NEIGHBOURS)}


def decode(topology: dict[str, Any], country: str) -> Iterator[list[list[tuple[float, float]]]]:
    """Yield the polygons of one country from quantised TopoJSON.

    Its arcs are delta-coded and shared by neighbours.
    """
    (scale_x, scale_y), (shift_x, shift_y) = (
        topology["transform"]["scale"],
        topology["transform"]["translate"],
    )

    def arc(index: int) -> list[tuple[float, float]]:
        x = y = 0
        points = []
        for dx, dy in topology["arcs"][index if index >= 0 else ~index]:
            x, y = x + dx, y + dy
            points.append((x * scale_x + shift_x, y * scale_y + shift_y))
        return points if index >= 0 else points[::-1]

    def ring(indices: list[int]) -> list[tuple[float, float]]:
        points: list[tuple[float, float]] = []
        for index in indices:
            points += arc(index)[1 if points else 0 :]
        return points

    shape = next(
        one for one in topology["objects"]["countries"]["geometries"] if one.get("id") == country
    )
    for polygon in shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]:
        yield [ring(indices) for indices in polygon]
