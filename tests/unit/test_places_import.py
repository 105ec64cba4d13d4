"""The places' command line: outlines are imported, units listed and shown with their history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas import places
from schemas.places.cli import app
from tests.unit.outline_shapes import shapes

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IOC_HOME", str(tmp_path))
    return tmp_path / "places"


def square(lon: float, lat: float, **properties: object) -> dict[str, Any]:
    ring = [[lon, lat], [lon + 0.1, lat], [lon + 0.1, lat + 0.1], [lon, lat + 0.1], [lon, lat]]
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def write(path: Path, *features: dict[str, Any]) -> str:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return str(path)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, " ".join(result.output.split())


def test_imported_outlines_replace_schematic_ones(tmp_path: Path) -> None:
    codes = [one.code for one in places.communes("46")]
    file = write(
        tmp_path / "hue.geojson",
        *(square(107 + n / 5, 16, ma_xa=int(code)) for n, code in enumerate(codes)),
    )
    assert run("import", file, "--code-property", "ma_xa") == (0, "Thành phố Huế (46): 40 outlines")
    collection = places.commune_outlines("46")
    assert collection["schematic"] is False
    assert shapes(collection)[codes[3]].bounds == pytest.approx((107.6, 16, 107.7, 16.1))


def test_communes_missing_in_an_import_are_told_and_stay_schematic(tmp_path: Path) -> None:
    status, output = run(
        "import",
        write(tmp_path / "one.geojson", square(107, 16, ma="19753")),
        "--code-property",
        "ma",
    )
    assert status == 0
    assert "no outline (the schematic one stays) for:" in output
    assert "and 19 more" in output
    drawn = {
        one["id"]: one["properties"]["schematic"]
        for one in places.commune_outlines("46")["features"]
    }
    assert (len(drawn), drawn.pop("19753"), set(drawn.values())) == (40, False, {True})


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        ([square(107, 16, ma=f"9{n:04}") for n in range(25)], "unknown code: 90000, 90001"),
        ([square(107, 16, ma=f"9{n:04}") for n in range(25)], "90019 and 5 more"),
        ([square(107, 16, other="19753")], "no property 'ma': feature 1"),
        (
            [square(107, 16, ma="19753"), square(108, 16, ma="19753")],
            "more than one feature for: 19753",
        ),
        (
            [square(565_000, 1_820_000, ma="19753")],
            "convert projected metres (VN-2000) to EPSG:4326",
        ),
        (
            [
                {
                    "properties": {"ma": "19753"},
                    "geometry": {"type": "Point", "coordinates": [107, 16]},
                }
            ],
            "19753 is Point, not Polygon",
        ),
        ([{"properties": {"ma": "19753"}, "geometry": None}], "19753 is empty, not Polygon"),
        (
            [
                {
                    "properties": {"ma": "19753"},
                    "geometry": {"type": "Polygon", "coordinates": [[[1, "a"]]]},
                }
            ],
            "19753 has",
        ),
    ],
)
def test_a_wrong_file_is_refused_whole_with_the_reason(
    tmp_path: Path, home: Path, features: list[dict[str, Any]], reason: str
) -> None:
    status, output = run(
        "import", write(tmp_path / "wrong.geojson", *features), "--code-property", "ma"
    )
    assert status == 1
    assert reason in output
    assert not home.exists()


def test_an_import_for_one_province_refuses_communes_of_another(tmp_path: Path) -> None:
    file = write(tmp_path / "hanoi.geojson", square(105, 21, ma="00004"))
    assert (
        "not in province 46: 00004"
        in run("import", file, "--code-property", "ma", "--province", "46")[1]
    )


def test_a_place_of_another_country_can_be_defined_by_a_file(tmp_path: Path) -> None:
    file = write(
        tmp_path / "nyc.geojson",
        square(-74, 40.6, boro="BROOKLYN", label="Brooklyn"),
        square(-73.9, 40.7, boro="QUEENS"),
    )
    options = (
        "--code-property",
        "boro",
        "--name-property",
        "label",
        "--province",
        "NYC",
        "--create",
        "--name",
        "New York",
    )
    for _ in range(2):
        assert run("import", file, *options) == (0, "New York (NYC): 2 outlines")
    assert [(one.code, one.name) for one in places.communes("NYC")] == [
        ("BROOKLYN", "Brooklyn"),
        ("QUEENS", "QUEENS"),
    ]
    brooklyn = places.commune("BROOKLYN")
    assert (brooklyn.province, brooklyn.lat, brooklyn.lon) == (
        "NYC",
        pytest.approx(40.65),
        pytest.approx(-73.95),
    )
    assert brooklyn.area_km2 == pytest.approx(94, abs=1)
    assert places.province("NYC").lat == pytest.approx(40.7, abs=0.1)
    assert list(shapes(places.commune_outlines("NYC"))) == ["BROOKLYN", "QUEENS"]
    assert "NYC" in [one.code for one in places.provinces()]
    assert len(places.province_outlines()["features"]) == 34


def test_an_additional_place_cannot_take_the_code_of_a_province(tmp_path: Path) -> None:
    file = write(tmp_path / "x.geojson", square(0, 0, code="a"))
    assert (
        "46 is Thành phố Huế"
        in run("import", file, "--code-property", "code", "--province", "46", "--create")[1]
    )


def test_the_command_line_shows_units_and_their_history() -> None:
    assert "Phường Phú Xuân" in run("list", "46")[1]
    assert "from 19750 Phường Tây Lộc" in run("show", "19753")[1]
    assert run("show", "nowhere") == (1, "unknown code 'nowhere'")
