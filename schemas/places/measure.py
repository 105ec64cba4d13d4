"""Measure how well outlines fit known areas and centres, and whether they are valid.

The official outlines, which nobody may distribute, are not among the references.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import shapely

from schemas.places.atlas import COUNTRY, Atlas
from schemas.places.geojson import area_km2, polygons


class Fit(msgspec.Struct, frozen=True):
    """Figures over communes; an error is |outline - known| / known area.

    Special zones are left out of it, as their area depends on how their coast is drawn.
    """

    communes: int
    median_error: float
    p90_error: float
    centres_inside: float
    several_parts: int
    vertices: int
    invalid: int
    overlapping_km2: float


def fit(folder: Path, provinces: list[str]) -> Fit:
    """Measure the outlines of some provinces."""
    atlas = Atlas({})
    errors, inside, several, vertices, invalid, overlap, count = [], 0, 0, 0, 0, 0.0, 0
    for province in provinces:
        loaded = msgspec.json.decode((folder / f"{province}.json").read_bytes())
        shapes = {
            one["id"]: shapely.from_geojson(msgspec.json.encode(one["geometry"]))
            for one in loaded["features"]
        }
        for one in loaded["features"]:
            commune = atlas.commune_by_code[one["id"]]
            count += 1
            if commune.area_km2 and commune.type != "đặc khu":
                got = sum(area_km2(part) for part in polygons(one["geometry"]))
                errors.append(abs(got - commune.area_km2) / commune.area_km2)
            inside += bool(shapely.contains_xy(shapes[commune.code], commune.lon, commune.lat))
            several += shapes[commune.code].geom_type != "Polygon"
        vertices += int(shapely.get_num_coordinates(list(shapes.values())).sum())
        invalid += int((~shapely.is_valid(list(shapes.values()))).sum())
        whole = float(np.sum(shapely.area(list(shapes.values()))))
        overlap += max(whole - float(shapely.union_all(list(shapes.values())).area), 0) * 12_000
    return Fit(
        count,
        float(np.median(errors)),
        float(np.percentile(errors, 90)),
        inside / count,
        several,
        vertices,
        invalid,
        overlap,
    )


def report(folder: Path) -> str:
    """Return the figures as text, of the country or of the provinces with files in the folder."""
    names = sorted(path.stem for path in folder.glob("*.json") if path.stem != COUNTRY)
    found = fit(folder, names)
    return (
        f"{found.communes} communes of {len(names)} provinces\n"
        f"area error: median {found.median_error:.1%}, 90th percentile {found.p90_error:.1%}\n"
        f"known centre inside the outline: {found.centres_inside:.1%}\n"
        f"in several parts: {found.several_parts}; points: {found.vertices:,}; "
        f"invalid: {found.invalid}; overlap: {found.overlapping_km2:.3f} km2"
    )
