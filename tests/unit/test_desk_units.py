"""Units, records and the search as pure parts.

Who a code is, what calls, what a row says, what a text finds.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard.components import record_fields as facts
from dashboard.components import unit_cards as cards
from dashboard.components.kind_screens import LEFT_OUT
from dashboard.components.record_address import link_to, record_of
from dashboard.components.record_rows import columns, left, short, status_label
from dashboard.components.table import TableState, sorted_rows
from dashboard.components.unit_refs import commune_name, name, resolve_unit, unit_link
from dashboard.components.unit_search import found_agencies, found_units
from dashboard.i18n.catalogue import catalogue
from dashboard.i18n.translator import Translator
from dashboard.pages.record import life
from dashboard.pages.search.page import exact
from dashboard.pages.unit import alarms, children, feeds
from dashboard.query.clock import Replay
from dashboard.query.records import SEALED, FoundRecords, _shown
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.store import HERE
from dashboard.request.address import PageRequest
from dashboard.server.pages import PAGES
from schemas.clickhouse.tables import events_table, state_table
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, KINDS, MEETING
from schemas.figures import BY_CODE, Reading
from schemas.reference import target
from schemas.sources.freshness import Source, SourceState

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PLACE = ProvinceContext("46")
VI, EN = Translator("vi"), Translator("en")
ASKED = PageRequest("/unit/46")


def text(components: Any) -> str:
    return json.dumps(json.loads(json.dumps(components, cls=PlotlyJSONEncoder)), ensure_ascii=False)


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


def row(**changes: Any) -> dict[str, Any]:
    return {"left": None, "around": False, "overdue": False, "standing": "open"} | changes


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (row(left=-3_600_000, overdue=True), "quá 1 giờ làm việc"),
        (row(left=27_000_000 * 2), "còn 2,0 ngày làm việc"),
        (row(left=-3_600_000, overdue=True, around=True), "quá 1 giờ"),
        (row(left=5_400_000, standing="paused"), "dừng, còn 1 giờ 30 phút làm việc"),
        (row(), "–"),
    ],
)
def test_the_time_left_is_told_on_the_records_own_clock(given: dict[str, Any], said: str) -> None:
    assert said in text(left(given, VI))


def here(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HERE)


def test_a_moment_is_told_as_exactly_as_it_is_known() -> None:
    day, hour, end = (
        here("2026-11-25T00:00:00"),
        here("2026-11-25T14:05:00"),
        here("2026-11-25T23:59:59.999"),
    )
    assert [VI.known(one) for one in (day, hour, end)] == [
        "25/11/2026",
        "25/11/2026 14:05",
        "25/11/2026",
    ]
    assert (
        VI.known(here("2026-11-25T00:00:00.004"))
        == VI.known(here("2026-11-25T23:59:59.905"))
        == "25/11/2026"
    ), "placed steps"
    assert VI.known(hour, to_the_day=True) == "25/11/2026"
    assert VI.known(here("2026-11-25T00:00:01")) == "25/11/2026 00:00", (
        "a second of the night is an hour"
    )
    assert [VI.known_moment(one, NOW) for one in (day, hour)] == ["25/11", "14:05 25/11"]


def test_a_step_that_is_known_to_the_day_has_no_hour_in_the_life() -> None:
    common = {
        "standing": "open",
        "possible": True,
        "late": False,
        "turned": False,
        "agency": "H57.SYT",
        "level": "province",
    }
    common |= {"status": 4, "around": False, "hours": 1.0, "partition": 0}
    # The second was received on its own day: it is placed no later than that.
    times = (
        here("2026-11-25T00:00:00.004"),
        here("2026-11-25T09:30:00"),
        here("2026-11-25T10:15:00"),
    )
    steps = [
        common | {"since": at, "received_at": at, "offset": number}
        for number, at in enumerate(times)
    ]
    events = [
        {"partition": 0, "offset": number, "precision": ["time:day"] if number < 2 else []}
        for number in range(3)
    ]
    ask: Any = SimpleNamespace(place=PLACE)
    shown = text(life.timeline(ask, FILING, steps, events, ASKED, NOW))
    assert shown.count('"25/11/2026"') == 2 and '"25/11/2026 10:15"' in shown


def test_what_is_due_on_a_day_is_told_to_be_due_at_its_end() -> None:
    end = here("2026-11-25T23:59:59.999")
    assert (VI.due(end), EN.due(end)) == ("hết ngày 25/11/2026", "end of 25/11/2026")
    assert VI.due(here("2026-11-25T17:00:00")) == "25/11/2026 17:00"


def test_the_facts_of_a_record_tell_days_as_days_and_a_due_day_by_its_end() -> None:
    row = {
        "reported_at": here("2026-11-20T00:00:00"),
        "due_at": here("2026-11-25T00:00:00"),
        "finished_at": None,
        "sealed": False,
    }
    told = text(
        facts.facts(FEEDBACK, row | {"precision": ["reported_at:day", "due_at:day"]}, PLACE, ASKED)
    )
    assert '"20/11/2026"' in told and '"hết ngày 25/11/2026"' in told and "due_at:day" not in told
    exact = text(
        facts.facts(
            FEEDBACK, row | {"precision": [], "due_at": here("2026-11-25T17:00:00")}, PLACE, ASKED
        )
    )
    assert '"25/11/2026 17:00"' in exact


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


def test_a_flash_document_is_told_by_its_own_priority() -> None:
    row = {
        "entity_id": "A",
        "subject": "S",
        "document_type": "",
        "status": 1,
        "agency": "H57.VP",
        "held_since": NOW,
        "left": None,
    }
    shown = {
        one: text(columns(ASKED, PLACE, DOCUMENT, NOW, sort=False)[0].show(row | {"priority": one}))
        for one in (2, 3, 4)
    }
    assert "Hỏa tốc hẹn giờ" in shown[4] and "Hỏa tốc" in shown[3] and "khẩn" not in shown[2]


def test_a_record_is_told_by_its_status_and_a_document_without_its_receiver() -> None:
    assert status_label(FILING, {"status": 4}, "vi") == "Đang xử lý"
    assert status_label(FEEDBACK, {"status": "published"}, "en") == "Result published"
    assert status_label(MEETING, {"state": "live"}, "en") == "Live"
    assert status_label(FILING, {"status": 77}, "en") == "77"
    assert (
        short(DOCUMENT, "H57.VP,2026/11/24,123/CV-VP/H57.19753.UB") == "H57.VP,2026/11/24,123/CV-VP"
    )


def test_an_id_with_slashes_commas_and_marks_is_an_address_that_comes_back_as_it_was() -> None:
    number = "H57.VP,2026/11/24,123/CĐ-UBND/H57.19753.UB"
    there = PageRequest("/", (("lang", "en"),), "en").link(f"/record/document/{number}")
    assert there == "/record/document/H57.VP,2026/11/24,123/C%C4%90-UBND/H57.19753.UB?lang=en"


IDS = (
    "A/B/",
    "/A",
    "A//B",
    ".",
    "..",
    "a/../b",
    "./b",
    "new\nline",
    "tab\t",
    " led",
    "P%2F",
    "%2E%2E",
    "H#1",
    "Q?x=1&y=2",
    "C,om;ma",
    "~",
    "a\\b",
    "đ",
)


@pytest.mark.parametrize(
    "entity",
    [
        *IDS,
        "H57.VP,2026/11/24,123/CĐ-UBND/H57.19753.UB",
        "000.00.00.H57,2026/11/27,4120//H57.VP",
        "\u202e1-AP",
    ],
)
def test_every_id_is_read_back_from_its_link_whatever_a_browser_makes_of_paths(entity: str) -> None:
    there = urlsplit(link_to(PageRequest("/", (("lang", "en"),), "en"), FEEDBACK, entity))
    # As browsers do: parts of dots are taken away, however they are written, and backslashes are
    # slashes.
    path = unquote(
        urlsplit(
            urljoin("http://localhost", there.path.replace("%2E", ".").replace("%5C", "/"))
        ).path
    )
    asked = PageRequest.of(path, there.query, None, "vi")
    assert record_of(asked) == ("feedback", entity)
    assert asked.get("lang") == "en", "the link is the same viewer's"


def test_the_link_of_a_common_id_is_its_plain_address() -> None:
    assert (
        link_to(PageRequest("/"), FILING, "H57.19753-261101-0000001")
        == "/record/filing/H57.19753-261101-0000001"
    )
    assert record_of(PageRequest("/record/filing/H57.1/2/")) == ("filing", "H57.1/2/"), (
        "plain addresses that were sent on go on working"
    )
    assert record_of(PageRequest("/record/filing/~")) == ("filing", "~")


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


def test_every_field_of_the_vocabulary_has_words_and_what_is_sealed_is_never_asked_for() -> None:
    for kind in KINDS:
        for column in state_table(kind).columns:
            hidden = column.name in (*LEFT_OUT, *SEALED, "version")
            assert hidden or f"field_{column.name}" in catalogue("vi"), column.name
        assert not [name for name in SEALED if f"`{name}`" in _shown(events_table(kind).columns)]


def test_the_seal_is_said_and_not_opened() -> None:
    state = {"report_id": "R1", "category": "water", "sealed": 1, "lat": 16.4, "lon": 107.5}
    said = text(facts.facts(FEEDBACK, state, PLACE, ASKED))
    assert "đã niêm phong" in said
    event = {"event_id": "e", "occurred_at": NOW, "description": "nước", "sealed": 1}
    assert '\\"reporter\\": đã niêm phong' in text(facts.raw(FEEDBACK, [event], ASKED))


def test_the_navigation_leads_to_a_page_that_is_there() -> None:
    for page in PAGES:
        if page.words:
            assert "<" not in (page.home.format(province="46") or page.template)
