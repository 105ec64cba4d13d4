r"""Derive `nyc_boroughs.geojson` from the points of the 311 requests.

Run by `python -m ingest.mappings.nyc_boroughs FILE.csv`. The outlines are hulls of where requests
came from, not borders: enough to show the file's own units on a map, drawn from nothing but the
file. Needs shapely (`pip install shapely`). The result is imported by:

    python -m schemas places import ingest/mappings/nyc_boroughs.geojson --code-property code \
        --name-property name --create --province NYC --name "New York"
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import shapely

from ingest.importer.mapping_file import load
from ingest.importer.run import convert_file
from schemas.events.envelope import Reader
from schemas.seal.identity import KEY_BYTES, Sealer

MARGIN_DEGREES = 0.004


def derive(file: Path) -> dict[str, Any]:
    """Return a GeoJSON FeatureCollection of boroughs: code, name and hull, without overlaps."""
    points: dict[str, set[tuple[float, float]]] = defaultdict(set)
    with file.open("rb") as opened:
        # The key protects nothing: these requests name nobody.
        for taken in convert_file(opened, load("nyc311"), Reader(), Sealer([bytes(KEY_BYTES)])):
            for event in taken.events:
                if event.read.data.commune and event.read.data.lat is not None:
                    points[event.read.data.commune].add((event.read.data.lon, event.read.data.lat))
    hulls = {
        code: shapely.concave_hull(shapely.MultiPoint(sorted(found)), ratio=0.2)
        for code, found in sorted(points.items())
    }
    features, taken_area = [], shapely.Polygon()
    for code, hull in sorted(hulls.items(), key=lambda item: item[1].area):
        others = shapely.union_all([other for name, other in hulls.items() if name != code])
        area = (
            hull.buffer(MARGIN_DEGREES).difference(others.difference(hull)).difference(taken_area)
        )
        taken_area = taken_area.union(area)
        outline = shapely.set_precision(area.simplify(MARGIN_DEGREES / 4), 1e-4)
        features.append(
            {
                "type": "Feature",
                "properties": {"code": code, "name": code.replace("_", " ").title()},
                "geometry": shapely.geometry.mapping(outline),
            }
        )
    return {"type": "FeatureCollection", "features": features}


if __name__ == "__main__":
    target = Path(__file__).with_suffix(".geojson")
    target.write_text(json.dumps(derive(Path(sys.argv[1])), separators=(",", ":")) + "\n")
    print(f"{target}: {target.stat().st_size} bytes")
