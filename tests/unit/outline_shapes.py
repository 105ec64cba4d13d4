"""The outlines of places as shapes that can be measured."""

from __future__ import annotations

import json
from typing import Any

import shapely


def shapes(collection: dict[str, Any]) -> dict[str, Any]:
    return {
        one["id"]: shapely.from_geojson(json.dumps(one["geometry"]))
        for one in collection["features"]
    }
