"""The places: what exists, since when, under which name, and how it is drawn."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely

from schemas import places
from schemas.places.atlas import OUTLINES
from tests.unit.outline_shapes import shapes

pytestmark = pytest.mark.slow
LAST_DAY_OF_FOUR_LEVELS = date(2025, 6, 30)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IOC_HOME", str(tmp_path))
    return tmp_path / "places"


# --- what exists


def test_the_country_has_34_provinces_and_3321_communes() -> None:
    codes = [one.code for province in places.provinces() for one in places.communes(province.code)]
    assert (len(places.provinces()), len(codes), len(set(codes))) == (34, 3321, 3321)


@pytest.mark.parametrize(
    ("province", "communes", "before"), [("46", 40, 133), ("38", 166, 547), ("68", 124, None)]
)
def test_provinces_have_their_official_number_of_communes(
    province: str, communes: int, before: int | None
) -> None:
    assert len(places.communes(province)) == communes
    assert before is None or len(places.communes(province, LAST_DAY_OF_FOUR_LEVELS)) == before


@pytest.mark.parametrize(("province", "then"), [("46", {"46"}), ("68", {"60", "67", "68"})])
def test_what_lay_where_a_province_lies_became_its_communes(province: str, then: set[str]) -> None:
    before, after = (
        places.within(province, LAST_DAY_OF_FOUR_LEVELS),
        {one.code for one in places.communes(province)},
    )
    assert {places.successors(one.code)[0].code for one in before} <= after
    assert {one.province for one in before} == then
    assert len(before) == sum(len(places.communes(one, LAST_DAY_OF_FOUR_LEVELS)) for one in then)
    assert (
        places.within(province, places.REFORM)
        == places.within(province)
        == places.communes(province)
    )
    with pytest.raises(places.UnknownUnitError):
        places.within("60", LAST_DAY_OF_FOUR_LEVELS)  # part of 68 today


def test_units_of_a_day_are_found_by_its_names() -> None:
    now, then = (places.find("Thuận Lộc", on=on) for on in (None, LAST_DAY_OF_FOUR_LEVELS))
    assert "19753" in {one.code for one in then} and "19753" not in {one.code for one in now}
    assert [one.code for one in places.find("19753", on=LAST_DAY_OF_FOUR_LEVELS)] == ["19753"]


def test_former_units_share_out_what_their_heirs_are_drawn_as() -> None:
    today, former = (
        shapes(places.commune_outlines("46")),
        shapes(places.commune_outlines("46", LAST_DAY_OF_FOUR_LEVELS)),
    )
    assert places.commune_outlines("46", LAST_DAY_OF_FOUR_LEVELS)["schematic"]
    for (
        code,
        whole,
    ) in today.items():  # but for the rounding of new corners to four decimals, which is 11 m
        own = [
            former[one.former]
            for one in places.predecessors(code)
            if one.default and one.former in former
        ]
        assert shapely.union_all(own).symmetric_difference(whole).area < 0.01 * whole.area
        assert sum(one.area for one in own) == pytest.approx(whole.area, rel=0.005), (
            "without overlaps"
        )
    missing = sum(
        len(places.within(one.code, LAST_DAY_OF_FOUR_LEVELS))
        - len(places.commune_outlines(one.code, LAST_DAY_OF_FOUR_LEVELS)["features"])
        for one in places.provinces()
    )
    assert missing == 8, "of 10,040: centres that others surround at the edge"


def test_hue_has_21_wards_and_19_communes() -> None:
    types = [one.type for one in places.communes("46")]
    assert (types.count("phường"), types.count("xã")) == (21, 19)


def test_codes_keep_their_leading_zeros() -> None:
    assert places.province("01").name == "Hà Nội"
    assert all(len(one.code) == 5 for one in places.communes("01"))


def test_names_are_written_with_their_type_in_both_languages() -> None:
    ward = places.commune("19753")
    assert (ward.name, ward.full_name, ward.full_name_en) == (
        "Phú Xuân",
        "Phường Phú Xuân",
        "Phú Xuân Ward",
    )


@pytest.mark.parametrize(
    "ask",
    [
        places.province,
        places.communes,
        places.commune,
        places.commune_outlines,
        places.successors,
        places.former,
    ],
)
def test_an_unknown_code_is_named(ask: Any) -> None:
    with pytest.raises(KeyError, match="'nowhere'"):
        ask("nowhere")


# --- since when


def test_before_the_reform_there_were_63_provinces() -> None:
    assert len(places.provinces(LAST_DAY_OF_FOUR_LEVELS)) == 63
    assert places.communes("60", LAST_DAY_OF_FOUR_LEVELS), "Bình Thuận existed"
    assert [one.code for one in places.provinces(date(2025, 7, 1))] == [
        one.code for one in places.provinces()
    ]


@pytest.mark.parametrize(
    ("day", "type_"),
    [(date(2026, 4, 29), "tỉnh"), (date(2026, 4, 30), "thành phố"), (None, "thành phố")],
)
def test_dong_nai_is_a_municipality_since_its_day(day: date | None, type_: str) -> None:
    assert [one.type for one in places.provinces(day) if one.code == "75"] == [type_]


def test_every_former_unit_leads_to_communes_of_today_and_one_default() -> None:
    former = [
        one
        for province in places.provinces(LAST_DAY_OF_FOUR_LEVELS)
        for one in places.communes(province.code, LAST_DAY_OF_FOUR_LEVELS)
    ]
    assert len(former) == 10_040
    for one in former:
        links = places.successors(one.code)
        assert [link.default for link in links] == [True] + [False] * (len(links) - 1)
        assert all(places.commune(link.code) for link in links)


def test_every_commune_of_today_has_predecessors() -> None:
    assert all(
        places.predecessors(one.code)
        for province in places.provinces()
        for one in places.communes(province.code)
    )


def test_45_communes_of_lam_dong_come_from_binh_thuan() -> None:
    def provinces_before(code: str) -> set[str]:
        wards = [places.former(link.former) for link in places.predecessors(code)]
        return {ward.province for ward in wards if isinstance(ward, places.Commune)}

    assert sum(provinces_before(one.code) == {"60"} for one in places.communes("68")) == 45


# --- by name


@pytest.mark.parametrize("text", ["Phường Thuận Hóa", "thuan hoa", "THUẬN HÓA", "phuong thuan hoa"])
def test_search_needs_no_tone_marks(text: str) -> None:
    assert ("46", "Phường Thuận Hóa") in [
        (one.province, one.full_name)
        for one in places.find(text)
        if isinstance(one, places.Commune)
    ]


def test_search_prefers_the_same_tone_marks_and_exact_names() -> None:
    assert places.find("Huế")[0] == places.province("46")
    assert places.find("Thuận Hóa")[0].name == "Thuận Hóa"
    assert places.find("19753")[0].code == "19753"
    assert places.find(" ") == []


# --- outlines


@pytest.mark.parametrize("province", [one.code for one in places.Atlas({}).provinces(None)])
def test_outlines_are_complete_valid_and_do_not_overlap(province: str) -> None:
    collection = places.commune_outlines(province)
    found = shapes(collection)
    assert list(found) == [one.code for one in places.communes(province)]
    assert collection["schematic"] is True
    assert all(shape.is_valid and shape.area > 0 for shape in found.values())
    together = shapely.union_all(list(found.values()))
    assert sum(shape.area for shape in found.values()) == pytest.approx(together.area, rel=1e-9)


def test_the_provinces_outlines_are_complete_valid_and_do_not_overlap() -> None:
    found = shapes(places.province_outlines())
    assert list(found) == [one.code for one in places.provinces()]
    assert all(shape.is_valid for shape in found.values())
    assert sum(shape.area for shape in found.values()) == pytest.approx(
        shapely.union_all(list(found.values())).area, rel=1e-9
    )


@pytest.mark.parametrize(
    ("zone", "province"),
    [("Hoàng Sa", "48"), ("Trường Sa", "56"), ("Côn Đảo", "79"), ("Phú Quốc", "91")],
)
def test_special_zones_are_drawn_where_they_are(zone: str, province: str) -> None:
    [unit] = [one for one in places.communes(province) if one.name == zone]
    middle = shapes(places.commune_outlines(province))[unit.code].centroid
    assert (middle.y, middle.x) == pytest.approx((unit.lat, unit.lon), abs=0.1)


def test_outlines_stay_small_enough_for_a_screen() -> None:
    assert max(file.stat().st_size for file in OUTLINES.glob("*.json")) < 250_000


# --- provenance


def test_notices_name_every_source_and_its_licence() -> None:
    notice = (OUTLINES.parent / "NOTICE.md").read_text("utf-8")
    for words in (
        "vietnamadminunits",
        "MIT License",
        "Tran Ngoc Minh Hieu",
        "world-atlas",
        "Michael Bostock",
        "Natural Earth",
    ):
        assert words in notice
