"""How outlines are derived: sites mended, land shared out by area, borders without gaps."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import shapely

from schemas.places.atlas import FORMER, OUTLINES
from schemas.places.outlines import lines, raster
from schemas.places.outlines.sites import OutlineSite, sites
from schemas.places.outlines.sources import Box, decode
from schemas.places.units import Commune, SuccessorLink

ONE_SQUARE_DEGREE = shapely.box(107, 16, 108, 17)


def site(commune: str, lon: float, lat: float, half_km: float = 30) -> OutlineSite:
    return OutlineSite(commune, lon, lat, lon, lat, half_km, half_km)


def box(lon: float, lat: float, half: float) -> Box:
    return Box(lat, lon, lat - half, lon - half, lat + half, lon + half)


def commune(area_km2: float | None, lon: float = 107.5, lat: float = 16.5) -> dict[str, Commune]:
    return {
        "c": Commune(
            code="c", name="C", type="xã", lat=lat, lon=lon, province="p", area_km2=area_km2
        )
    }


def shared(aims: dict[str, float]) -> dict[str, shapely.Geometry]:
    grid = raster.grid(ONE_SQUARE_DEGREE.bounds, 0.01)
    some = {
        "a": [site("a", 107.25, 16.5)],
        "b": [site("b", 107.75, 16.25)],
        "c": [site("c", 107.75, 16.75)],
    }
    labels, codes = raster.share_out(grid, raster.covered(ONE_SQUARE_DEGREE, grid), some, aims)
    return lines.cut(
        {codes[label]: shape for label, shape in lines.trace(labels, grid).items()},
        ONE_SQUARE_DEGREE,
    )


def test_land_is_shared_out_by_known_areas() -> None:
    whole = lines.km2(ONE_SQUARE_DEGREE)
    found = shared({"a": whole * 0.2, "b": whole * 0.5, "c": whole * 0.3})
    assert {code: lines.km2(shape) / whole for code, shape in found.items()} == pytest.approx(
        {"a": 0.2, "b": 0.5, "c": 0.3}, abs=0.02
    )


def test_borders_are_common_and_fill_the_land() -> None:
    found = shared({})
    assert shapely.coverage_is_valid(list(found.values()))
    assert shapely.union_all(list(found.values())).equals(ONE_SQUARE_DEGREE)


def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = shared({"a": 3000.0}), shared({"a": 3000.0})
    assert [shape.wkb for shape in first.values()] == [shape.wkb for shape in second.values()]


def test_crumbs_go_to_the_neighbour_with_the_longest_border() -> None:
    grid = raster.Grid(0, 0, 0.01, 30, 30)
    labels = np.zeros((30, 30), np.int32)
    labels[:, 15:] = 1
    labels[3:5, 20:22] = 0
    found = lines.trace(labels, grid)
    assert [shape.geom_type for shape in found.values()] == ["Polygon", "Polygon"]
    assert not found[1].interiors


def test_a_ward_with_good_bounds_is_one_site() -> None:
    found, areas = sites(
        commune(100), [SuccessorLink("w", "c", True)], {"w": box(107.5, 16.5, 0.06)}
    )
    assert [(one.lon, one.lat) for one in found["c"]] == [(107.5, 16.5)]
    assert areas == {"c": 100}


@pytest.mark.parametrize(
    "wrong", [box(109.5, 16.5, 0.06), box(107.5, 16.5, 0.5), box(107.5, 16.5, 0.001)]
)
def test_a_ward_geocoded_wrongly_is_replaced_at_the_communes_centre(wrong: Box) -> None:
    [mended] = sites(commune(100), [SuccessorLink("w", "c", True)], {"w": wrong})[0]["c"]
    assert (mended.lon, mended.lat) == (107.5, 16.5)
    assert mended.area == pytest.approx(100)


def test_a_lost_ward_lies_where_it_balances_the_known_centre() -> None:
    links = [SuccessorLink("w", "c", True), SuccessorLink("lost", "c", True)]
    good, mended = sites(commune(100), links, {"w": box(107.45, 16.5, 0.044)})[0]["c"]
    assert good.lon < 107.5 < mended.lon


def test_an_area_that_lost_its_decimal_point_is_not_believed() -> None:
    links = [SuccessorLink("v", "c", True), SuccessorLink("w", "c", True)]
    _, areas = sites(
        commune(1000), links, {"v": box(107.45, 16.5, 0.05), "w": box(107.55, 16.5, 0.05)}
    )
    assert 100 < areas["c"] < 150


def test_parts_of_a_divided_ward_lie_on_the_side_of_their_commune() -> None:
    communes = commune(100, lon=107.4) | {
        "d": Commune(code="d", name="D", type="xã", lat=16.5, lon=107.6, province="p", area_km2=100)
    }
    found, _ = sites(
        communes,
        [SuccessorLink("w", "c", True), SuccessorLink("w", "d", False)],
        {"w": box(107.5, 16.5, 0.05)},
    )
    assert found["c"][0].lon < 107.5 < found["d"][0].lon


def test_shared_arcs_are_decoded_in_both_directions() -> None:
    topology = {
        "transform": {"scale": [1, 1], "translate": [100, 10]},
        "arcs": [[[0, 0], [1, 0], [0, 1]], [[0, 0], [0, 1], [1, 0]]],
        "objects": {
            "countries": {"geometries": [{"id": "704", "type": "Polygon", "arcs": [[0, -2]]}]}
        },
    }
    assert list(decode(topology, "704")) == [
        [[(100, 10), (101, 10), (101, 11), (100, 11), (100, 10)]]
    ]


@pytest.mark.skipif(
    importlib.util.find_spec("vietnamadminunits") is None,
    reason="build inputs not installed: make outlines",
)
def test_hue_is_shared_out_anew_on_its_committed_land() -> None:
    from schemas import places
    from schemas.places.outlines.build import Country, knowledge, province_pass

    features = places.Atlas({}).outlines("46")["features"]
    land = shapely.union_all([shapely.geometry.shape(one["geometry"]) for one in features])
    found = province_pass(Country({"46": land}, {}), "46", knowledge())
    assert len(found) == 40
    assert shapely.coverage_is_valid(list(found.values()))
    errors = sorted(
        abs(lines.km2(found[one.code]) / (one.area_km2 or 1) - 1) for one in places.communes("46")
    )
    assert errors[20] < 0.06


def test_the_committed_outlines_of_former_units_follow_from_those_of_today(tmp_path: Path) -> None:
    from schemas.places.outlines.build import save_former

    (tmp_path / "46.json").write_bytes((OUTLINES / "46.json").read_bytes())
    save_former(tmp_path, "46")
    assert (tmp_path / FORMER / "46.json").read_bytes() == (
        OUTLINES / FORMER / "46.json"
    ).read_bytes()
