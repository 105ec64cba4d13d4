"""Units and the search as pure parts: who a code is, what calls, what a text finds."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.components import unit_cards as cards
from dashboard.components.table import TableState, sorted_rows
from dashboard.components.unit_refs import commune_name, name, resolve_unit, unit_link
from dashboard.components.unit_search import found_agencies, found_units
from dashboard.pages.search.page import exact
from dashboard.pages.unit import alarms, children, feeds
from dashboard.query.clock import Replay
from dashboard.query.records import FoundRecords
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.server.pages import PAGES
from schemas.events.kinds import DOCUMENT, FILING
from schemas.figures import BY_CODE, Reading
from schemas.reference import target
from schemas.sources.freshness import Source, SourceState
from tests.unit.hue_desk import ASKED, EN, NOW, PLACE, VI, text


def test_a_code_is_the_province_a_commune_or_an_agency_of_it() -> None:
    whats = {
        code: found.what if (found := resolve_unit(PLACE, code)) else None
        for code in ("46", "19753", "H57.19753.UB", "H57.SYT")
    }
    assert whats == {
        "46": "province",
        "19753": "commune",
        "H57.19753.UB": "agency",
        "H57.SYT": "agency",
    }
    assert (
        resolve_unit(PLACE, "H56.SYT") is None
        and resolve_unit(PLACE, "nobody") is None
        and resolve_unit(PLACE, "") is None
    )


def test_a_code_that_communes_reused_is_the_commune_of_today_and_a_former_one_says_until_when() -> (
    None
):
    today, former = resolve_unit(PLACE, "19753"), resolve_unit(PLACE, "19750")
    assert today is not None and not today.former and today.label(VI) == "Phường Phú Xuân"
    assert (
        former is not None
        and former.former
        and former.label(VI) == "Phường Tây Lộc (đến 30/06/2025)"
    )
    assert former.label(EN) == "Tây Lộc Ward (until 30/06/2025)"
    old_desk = resolve_unit(PLACE, "H57.19750")
    assert old_desk is not None and old_desk.former and old_desk.commune == "19750"
    assert resolve_unit(PLACE, "00001") is None, (
        "a former commune of another province has no page here"
    )


def test_before_the_reform_a_code_is_the_unit_of_that_day_and_one_of_today_is_still_to_come() -> (
    None
):
    then = PLACE.then(Replay(datetime(2025, 6, 25, 9, tzinfo=UTC)))
    ward, desk, district = (
        resolve_unit(then, "19753"),
        resolve_unit(then, "H57.19753"),
        resolve_unit(then, "H57.474"),
    )
    assert ward is not None and not ward.elsewhen and ward.label(VI) == "Phường Thuận Lộc"
    assert desk is not None and not desk.elsewhen and "Thuận Lộc" in desk.label(VI)
    assert district is not None and district.what == "agency" and not district.elsewhen
    assert (len(then.communes), len(then.names), then.units, PLACE.units) == (
        133,
        133,
        "day",
        "today",
    )
    assert [one.code for one in found_units(then, "Thuận Lộc")] == ["19753"] and resolve_unit(
        then, "00001"
    ) is None


def test_a_special_zone_that_was_a_district_is_still_to_come_before_the_reform() -> None:
    place = ProvinceContext("51")
    now, then = (
        resolve_unit(one, "21548")
        for one in (place, place.then(Replay(datetime(2025, 6, 25, 9, tzinfo=UTC))))
    )
    assert (
        now is not None
        and not now.elsewhen
        and then is not None
        and then.coming
        and not then.former
    )
    assert now.label(VI) == then.label(VI) == "Đặc khu Lý Sơn"


def test_only_who_has_a_page_is_a_link() -> None:
    assert '"/unit/H57.SYT"' in text(unit_link(ASKED, PLACE, "H57.SYT"))
    assert (
        unit_link(ASKED, PLACE, "stranger") == "stranger"
        and name("H56.SYT", PLACE, VI) == "Sở Y tế"
    )


def test_a_figure_calls_when_it_misses_its_target_or_counts_what_may_not_be() -> None:
    on_time, overdue, opened = (
        BY_CODE["filing.on_time"],
        BY_CODE["filing.overdue"],
        BY_CODE["filing.open"],
    )
    aim = target("46", "filing.on_time")
    assert (
        cards.priority(on_time, Reading(97.0), aim) == 2
        and cards.priority(on_time, Reading(99.0), aim) == 0
    )
    assert (
        cards.priority(overdue, Reading(1.0), None) == 2
        and cards.priority(overdue, Reading(0.0), None) == 0
    )
    assert cards.priority(opened, Reading(9000.0), None) == 0
    assert cards.priority(on_time, Reading(10.0, stale=True), aim) == 0, (
        "an old figure is hatched, it does not call"
    )
    assert cards.priority(on_time, Reading(None), aim) == 0


def test_a_stale_figure_says_so_instead_of_its_target() -> None:
    found = Reading(97.0, 97, 100, NOW, stale=True)
    said = text(cards.detail(found, target("46", "filing.on_time"), 0, VI))
    assert "nguồn im lặng" in said and "shape hatch" in said and "mục tiêu" not in said


def test_sources_that_a_figure_lacks_are_told_whether_it_is_old_by_that_or_not() -> None:
    aim = target("46", "filing.on_time")
    fresh = text(cards.detail(Reading(97.0, 97, 100, NOW, silent=2), aim, 0, VI))
    assert "mất 2 nguồn" in fresh and "mục tiêu" in fresh and "số liệu cũ" not in fresh
    assert "mất 9 nguồn, số liệu cũ" in text(
        cards.detail(Reading(97.0, 97, 100, NOW, stale=True, silent=9), aim, 0, VI)
    )
    assert "shape hatch" not in text(cards.detail(Reading(97.0, 97, 100, NOW), aim, 0, VI))


def test_a_day_on_which_almost_nothing_happened_is_a_gap_of_a_share_not_its_fall() -> None:
    week = [Reading(97.5, 39, 40), Reading(0.0, 0, 3), Reading(None, 0, 0), Reading(75.0, 3, 4)]
    assert cards.course(week) == [97.5, None, None, 75.0]
    assert cards.course([Reading(0.0), Reading(3.0), Reading(None)]) == [0.0, 3.0, None], (
        "a count rests on nothing else"
    )
    assert cards.course([]) == []


def test_codes_that_nobody_knows_are_told_so_and_communes_of_elsewhere_with_their_province() -> (
    None
):
    assert commune_name("99999", PLACE, VI) == "99999 (mã không có trong danh mục)"
    assert commune_name("01273", PLACE, VI) == "Phường Thục Phán (Tỉnh Cao Bằng)"
    assert commune_name("19750", PLACE, VI) == "Phường Tây Lộc (đến 30/06/2025)", (
        "a former unit of this province"
    )
    assert name("H57.NOBODY", PLACE, EN) == "H57.NOBODY (code not in the reference lists)"
    assert name("NYPD", PLACE, VI) == "NYPD", (
        "a code that is not like one of a province is not judged"
    )
    assert commune_name("BROOKLYN", ProvinceContext("NYC"), VI) == "BROOKLYN", (
        "nor is any code of a place without units"
    )


def alarm(**changes: Any) -> dict[str, Any]:
    return {
        "cause": "figure",
        "priority": 3,
        "since": NOW,
        "raised_at": NOW,
        "cleared_at": None,
        "communes": [],
        "agencies": [],
        "subject": "filing.on_time",
        "count": 1,
        "change": 0,
        "rule": "",
        "value": 0.0,
        "radius": 0.0,
        "lat": None,
        "lon": None,
    } | changes


def test_the_alarms_of_a_commune_are_those_about_it_and_about_its_agencies() -> None:
    rows = [
        alarm(communes=["19753"]),
        alarm(cause="silent", subject="filing", agencies=["H57.19753"], priority=2),
        alarm(communes=["19774"]),
        alarm(communes=["19753"], cleared_at=NOW),
        alarm(),
    ]
    commune, province, agency = (resolve_unit(PLACE, code) for code in ("19753", "46", "H57.19753"))
    assert commune and province and agency
    is_open, over = alarms.of_unit(rows, commune)
    assert [one.cause for one in is_open] == ["silent", "figure"] and len(over) == 1, (
        "the gravest first"
    )
    assert len(alarms.of_unit(rows, province)[0]) == 4 and len(alarms.of_unit(rows, agency)[0]) == 1


def test_a_burst_and_the_cluster_in_its_commune_are_told_once() -> None:
    rows = [
        alarm(cause="burst", rule="burst", subject="water", communes=["19753"], count=20),
        alarm(
            cause="burst",
            rule="cluster",
            subject="water",
            communes=["19753"],
            count=18,
            lat=16.4,
            lon=107.5,
            radius=200.0,
        ),
    ]
    commune = resolve_unit(PLACE, "19753")
    assert commune and [one.count for one in alarms.of_unit(rows, commune)[0]] == [20]


def test_the_feeds_of_a_unit_come_with_the_gravest_first() -> None:
    sources = (
        Source("H57.19753.UB", "document", SourceState.LIVE, NOW, "19753"),
        Source("H57.19753", "filing", SourceState.SILENT, NOW - timedelta(days=1), "19753"),
        Source("H57.SYT", "document", SourceState.LATE, NOW),
    )
    commune, agency = resolve_unit(PLACE, "19753"), resolve_unit(PLACE, "H57.SYT")
    assert commune and agency
    assert [one.state for one in feeds.of_unit(sources, commune)] == [
        SourceState.SILENT,
        SourceState.LIVE,
    ]
    assert [one.agency for one in feeds.of_unit(sources, agency)] == ["H57.SYT"]


def test_units_are_ranked_by_a_figure_with_the_unknown_last() -> None:
    asked = PageRequest("/unit/46", (("figure", "filing.duration_p50"),))
    shown = children.columns(asked, PLACE, BY_CODE["filing.duration_p50"], short=True)
    assert [one.name for one in shown[:3]] == ["name", "filing.duration_p50", "filing.overdue"]
    rows = [
        {"code": code, "name": code, "readings": {"filing.duration_p50": Reading(value)}}
        for code, value in (("a", 1.0), ("b", None), ("c", 9.0))
    ]
    table_state = TableState.of(
        asked, children.PREFIX, children.usual(BY_CODE["filing.duration_p50"])
    )
    assert [one["code"] for one in sorted_rows(rows, shown, table_state)] == ["c", "a", "b"]
    assert children.usual(BY_CODE["filing.on_time"]) == "filing.on_time", (
        "of what is better high, the low comes first"
    )


@pytest.mark.parametrize("asked", ["Phú Xuân", "phu xuan", "PHU  XUAN", "19753"])
def test_units_are_found_with_and_without_tone_marks_and_by_code(asked: str) -> None:
    assert found_units(PLACE, asked)[0].code == "19753"


def test_units_of_other_provinces_are_not_found() -> None:
    assert found_units(PLACE, "Đà Lạt") == [] and found_units(PLACE, "") == []


def test_agencies_are_found_by_code_and_by_words_in_both_languages() -> None:
    assert found_agencies(PLACE.agencies, "h57.syt")[0].code == "H57.SYT"
    assert found_agencies(PLACE.agencies, "so y te")[0].code == "H57.SYT"
    assert found_agencies(PLACE.agencies, "department of health")[0].code == "H57.SYT"
    assert found_agencies(PLACE.agencies, "") == [] and found_agencies(PLACE.agencies, "zzz") == []


def test_only_one_record_of_exactly_that_number_leads_on() -> None:
    rows: list[Mapping[str, Any]] = [{"entity_id": "F-1"}, {"entity_id": "F-12"}]
    assert exact("f-1", {FILING: FoundRecords(rows, 2)}) == (FILING, "F-1")
    assert exact("F-", {FILING: FoundRecords(rows, 2)}) is None
    sent: list[Mapping[str, Any]] = [
        {"entity_id": f"D/{code}", "number": "12", "notation": "CV"} for code in "ab"
    ]
    assert exact("12/CV", {DOCUMENT: FoundRecords(sent, 2)}) is None, "it went to two receivers"
    assert exact("12/cv", {DOCUMENT: FoundRecords(sent[:1], 1)}) == (DOCUMENT, "D/a")


def test_the_navigation_leads_to_a_page_that_is_there() -> None:
    for page in PAGES:
        if page.words:
            assert "<" not in (page.home.format(province="46") or page.template)
