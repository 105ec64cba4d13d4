"""Reference data: complete, consistent, and with words for every code that a screen may meet."""

from datetime import date

import pytest

from schemas import places
from schemas.events.kinds import BY_NAME
from schemas.reference import (
    agencies,
    agency,
    agency_today,
    categories,
    category_label,
    criteria_sets,
    fields,
    indicators,
    prefix,
    procedures,
    target,
    targets,
)
from schemas.reference.table import Named


def test_every_commune_has_a_one_stop_centre_and_a_committee() -> None:
    of_communes = [(one.commune, one.role) for one in agencies("46") if one.level == "commune"]
    assert sorted(of_communes) == sorted(
        (commune.code, role)
        for commune in places.communes("46")
        for role in ("one-stop", "committee")
    )
    assert len(of_communes) == 80


def test_codes_of_agencies_are_unique_in_the_country() -> None:
    codes = [one.code for province in places.provinces() for one in agencies(province.code)]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("province", "code"),
    [("46", "H57"), ("38", "H56"), ("60", "H11"), ("68", "H36"), ("01", "P01")],
)
def test_agencies_carry_the_organisation_code_of_their_province(province: str, code: str) -> None:
    assert prefix(province) == code
    on = date(2025, 1, 1) if province == "60" else None
    assert all(one.code.startswith(f"{code}.") for one in agencies(province, on))


def test_an_agency_answers_by_its_code() -> None:
    health = agency("H57.SYT")
    assert (health.vi, health.en, health.level, health.known) == (
        "Sở Y tế",
        "Department of Health",
        "province",
        True,
    )
    centre = agency("H57.19789")
    assert centre.vi == "Trung tâm Phục vụ hành chính công phường Thuận Hóa"
    assert (centre.commune, centre.kinds) == ("19789", ("filing",))


def test_an_unknown_agency_still_has_words() -> None:
    stranger = agency("NYPD")
    assert (stranger.known, stranger.label(), stranger.label("en")) == (
        False,
        "Cơ quan NYPD",
        "Agency NYPD",
    )


BEFORE = date(2025, 6, 30)


def test_before_the_reform_communes_and_districts_had_a_desk_and_a_committee_each() -> None:
    found = agencies("46", BEFORE)
    assert sum(one.level == "commune" for one in found) == 2 * 133
    assert sum(one.level == "district" for one in found) == 2 * 9
    assert all((one.valid_to == date(2025, 7, 1)) == (one.level != "province") for one in found)
    desk = agency("H57.474", BEFORE)
    assert (desk.vi, desk.district, desk.commune) == (
        "Bộ phận Tiếp nhận và Trả kết quả quận Thuận Hóa",
        "474",
        "",
    )
    codes = [
        one.code for province in places.provinces(BEFORE) for one in agencies(province.code, BEFORE)
    ]
    assert len(set(codes)) == len(codes)


def test_a_reused_code_is_the_agency_of_its_day_and_a_former_one_is_still_known() -> None:
    assert agency("H57.19753", BEFORE).vi == "Bộ phận Tiếp nhận và Trả kết quả phường Thuận Lộc"
    assert agency("H57.19753").vi == "Trung tâm Phục vụ hành chính công phường Phú Xuân"
    late = agency("H57.19750.UB")
    assert (late.vi, late.known, late.valid_to) == (
        "Ủy ban nhân dân phường Tây Lộc",
        True,
        date(2025, 7, 1),
    )


@pytest.mark.parametrize(
    ("code", "on", "heir"),
    [
        ("H57.19750", BEFORE, "H57.19753"),
        ("H57.19750.UB", None, "H57.19753.UB"),
        ("H57.19753", None, "H57.19753"),
        ("H11.22915", BEFORE, "H36.22918"),
        ("H11.SYT", BEFORE, "H36.SYT"),
        ("H57.SYT", BEFORE, "H57.SYT"),
        ("H57.474.UB", BEFORE, None),
        ("NYPD", BEFORE, "NYPD"),
        ("NYPD.19750", BEFORE, "NYPD.19750"),
    ],
)
def test_an_agency_of_today_took_over_where_it_follows_from_the_unit(
    code: str, on: date | None, heir: str | None
) -> None:
    assert agency_today(code, on) == heir
    assert heir is None or not agency(heir).known or agency(heir).valid_to is None


def test_every_agency_of_a_former_commune_or_province_has_one_heir_of_today() -> None:
    for province in ("46", "38", "60", "68"):
        for one in agencies(province, BEFORE):
            heir = agency_today(one.code, BEFORE)
            assert (heir is None) == (one.level == "district")
            assert heir is None or (agency(heir).role, agency(heir).level) == (one.role, one.level)


def test_an_unknown_province_has_no_agencies() -> None:
    with pytest.raises(KeyError, match="99"):
        agencies("99")


def test_contracts_speak_of_known_kinds_and_every_feed_has_someone_to_call() -> None:
    for one in agencies("46"):
        assert set(one.kinds) <= set(BY_NAME)
        assert not one.feeds or (one.owner and one.telephone.startswith("0000"))
        assert all(feed.rhythm_minutes > 0 and feed.grace_minutes >= 0 for feed in one.feeds)


@pytest.mark.parametrize(
    "rows",
    [agencies("46"), procedures(), fields(), categories(), indicators(), targets("46")],
    ids=len,
)
def test_everything_shown_has_words_in_both_languages_and_a_source(rows: tuple[Named, ...]) -> None:
    assert len({row.code for row in rows}) == len(rows)
    assert all(row.vi and row.en and row.source for row in rows)


def test_procedures_belong_to_known_fields_and_bodies() -> None:
    bodies = {one.code for one in agencies("46")}
    known = {field.code for field in fields()}
    assert len(procedures()) >= 40
    for one in procedures():
        assert one.field in known
        assert (one.level == "commune") == (one.body == "")
        assert not one.body or f"H57.{one.body}" in bodies
        assert 0 < one.days <= 15


def test_categories_and_indicators_are_handled_by_known_bodies() -> None:
    bodies = {one.code for one in agencies("46")}
    assert all(not one.body or f"H57.{one.body}" in bodies for one in categories())
    assert all(f"H57.{one.body}" in bodies for one in indicators())
    assert category_label("flooding") == "Ngập lụt, thiên tai"
    assert category_label("noise") == "noise"


def test_a_province_has_its_own_targets_and_those_of_all() -> None:
    assert {one.code for one in targets("38")} - {one.code for one in targets("46")} == {"dti"}
    online = target("46", "filing.wholly_online")
    assert online is not None
    assert (online.value, online.direction, online.verified) == (80, "up", True)
    rank = target("38", "rank.dti")
    assert rank is not None
    assert (rank.met(9), rank.met(11)) == (True, False)


def test_every_note_is_said_in_both_languages() -> None:
    sets = criteria_sets()
    groups = [group for one in sets for group in one.groups]
    rows = [
        *targets("46"),
        *targets("38"),
        *targets("60"),
        *sets,
        *groups,
        *(item for group in groups for item in group.items),
    ]
    assert any(row.note for row in rows)
    assert [row.code for row in rows if bool(row.noted("vi")) != bool(row.noted("en"))] == []
