"""What a code means on a day.

Reused codes, late reports, divided units, and codes that nobody knows.
"""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from schemas import places
from schemas.places import restate
from schemas.places.rows import successor_rows, unit_rows

BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)
FORMER_ONLY, HEIR = "19750", "19753"
"""Phường Tây Lộc became part of phường Phú Xuân, whose code was phường Thuận Lộc's."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_HOME", str(tmp_path))


@pytest.fixture
def moved() -> str:
    """Return a code of today whose former owner went elsewhere.

    The only ones for which the day decides the restated unit.
    """
    return next(
        code for code in places.atlas().commune_by_code if restate.today(code, BEFORE) != code
    )


def test_a_reused_code_means_the_unit_of_its_day() -> None:
    former, now = restate.meaning(HEIR, BEFORE), restate.meaning(HEIR, AFTER)
    assert former is not None and now is not None
    assert (former.valid_to, now.valid_from) == (AFTER, AFTER)
    assert former.name != now.name


def test_the_day_is_that_of_viet_nam() -> None:
    assert restate.day(datetime(2025, 6, 30, 16, 59, 59, tzinfo=UTC)) == BEFORE
    assert restate.day(datetime(2025, 6, 30, 17, tzinfo=UTC)) == AFTER


@pytest.mark.parametrize("on", [BEFORE, AFTER, date(2026, 11, 24), None])
def test_a_former_code_is_restated_even_when_it_is_reported_late(on: date | None) -> None:
    assert restate.today(FORMER_ONLY, on) == HEIR
    assert restate.is_former(FORMER_ONLY, on)


def test_a_late_report_under_a_reused_code_is_of_its_own_day(moved: str) -> None:
    assert restate.today(moved, AFTER) == moved
    assert restate.today(moved, BEFORE) == places.successors(moved)[0].code
    assert restate.is_divided(moved, BEFORE) and not restate.is_divided(moved, AFTER)


def test_a_commune_of_today_that_is_named_before_its_day_is_itself() -> None:
    new = next(
        code
        for code in places.atlas().commune_by_code
        if code not in places.atlas().former_communes
    )
    assert restate.today(new, BEFORE) == new
    assert not restate.is_former(new, BEFORE)


@pytest.mark.parametrize("code", ["", "BROOKLYN", "99999"])
def test_a_code_that_no_unit_has_stays(code: str) -> None:
    assert restate.meaning(code, BEFORE) is None
    assert {restate.today(code, on) for on in (BEFORE, AFTER)} == {code}
    assert not restate.is_divided(code, BEFORE)


def test_restating_leads_to_communes_of_today_and_stays_there() -> None:
    for code in places.atlas().former_communes:
        heir = restate.today(code, BEFORE)
        assert places.commune(heir)
        assert restate.today(heir, AFTER) == heir


def test_471_former_units_were_divided_and_one_commune_has_no_restated_history() -> None:
    here = places.atlas()
    assert sum(restate.is_divided(code, BEFORE) for code in here.former_communes) == 471
    assert (
        len(
            set(here.commune_by_code)
            - {restate.today(code, BEFORE) for code in here.former_communes}
        )
        == 1
    )


def test_a_province_is_or_became_one_of_today() -> None:
    assert (restate.province_today("60"), restate.province_today("46")) == ("68", "46")
    assert {restate.province_today(one.code) for one in places.provinces(BEFORE)} == {
        one.code for one in places.provinces()
    }
    with pytest.raises(KeyError, match="'99'"):
        restate.province_today("99")


def test_districts_are_those_of_before() -> None:
    assert (
        len(places.districts("46", BEFORE)),
        len(places.districts("60", BEFORE)),
        places.districts("46"),
    ) == (9, 10, [])
    with pytest.raises(KeyError, match="'99'"):
        places.districts("99")


def test_the_rows_of_the_database_are_all_units_and_links() -> None:
    units = unit_rows()
    levels = [row[1] for row in units]
    assert {level: levels.count(level) for level in levels} == {
        "province": 98,
        "district": 696,
        "commune": 13_361,
    }
    assert len({(row[1], row[0], row[5]) for row in units}) == len(units)
    above = {(row[1], row[0]) for row in units}
    assert all(
        row[4] == "" or ("province", row[4]) in above or ("district", row[4]) in above
        for row in units
    )
    links = successor_rows()
    assert len({row[:2] for row in links}) == len(links)
    assert sum(row[2] for row in links) == 10_040
