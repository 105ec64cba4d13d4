"""Records as pure parts: times as exactly as they are known, statuses, ids as links, the seal."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any, Literal
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from dashboard.components import record_fields as facts
from dashboard.components.kind_screens import LEFT_OUT
from dashboard.components.record_address import link_to, record_of
from dashboard.components.record_rows import columns, left, short, status_label
from dashboard.i18n.catalogue import catalogue
from dashboard.pages.record import life
from dashboard.pages.record.page import content
from dashboard.query.clock import At
from dashboard.query.connection import Connection
from dashboard.query.records import SEALED, _shown
from dashboard.query.store import HERE
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.clickhouse.tables import events_table, state_table
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, KINDS, MEETING
from tests.unit.hue_desk import ASKED, EN, NOW, PLACE, VI, text


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


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_reported_indicator_has_a_page_without_a_life_and_without_records_nearby(
    language: Literal["vi", "en"],
) -> None:
    """A report is no entity with steps; `/sources` links the reports that name unknown codes."""
    entity = "KT01/46/2026-11"
    report = {
        "event_id": "1",
        "entity_id": entity,
        "occurred_at": NOW,
        "agency": "H57.STC",
        "commune": "",
        "indicator": "KT01",
        "unit": "46",
        "period": "2026-11",
        "value": 7.5,
        "measure_unit": "%",
        "reported_at": NOW,
        "precision": [],
        "sealed": False,
    }
    context = PageContext(Connection("clickhouse://127.0.0.1:1/none"), At(NOW), PLACE)
    records = SimpleNamespace(state=lambda *_: report, events=lambda *_: [report])
    context.__dict__["records"] = records  # there is no ClickHouse to ask
    shown = text(content(context, PageRequest(f"/record/indicator/{entity}", (), language)))
    assert entity in shown and "2026-11" in shown and '"facts"' in shown and '"events"' in shown
    for one in ("life", "deadline", "beside"):
        assert f'"id": "{one}"' not in shown


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
