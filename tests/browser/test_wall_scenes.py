"""The wall's scenes as the room sees them.

They take turns, stay when they are pinned, and stop on an alarm.
"""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.request.view import SCENES, Scene
from dashboard.server.tokens import Tokens
from schemas import places
from schemas.events.codes import (
    Channel,
    DocumentStatus,
    FeedbackStatus,
    FilingStatus,
    MeetingState,
    Priority,
)
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, INDICATOR, MEETING
from schemas.events.payloads import Document, Feedback, Filing, Indicator, Meeting
from stack.ports import choose_port
from tests.browser.conftest import System
from tests.browser.contrast import faint
from tests.browser.legible import illegible
from tests.browser.test_wall import COUNTED, OPENED, SIZES

pytestmark = [pytest.mark.stack, pytest.mark.browser]
PLACES = places.communes("46")
HOST, ONE, TWO = "H57.VP", PLACES[0], PLACES[1]
NAMES = {
    "overview": "Tổng quan",
    "filings": "Hồ sơ",
    "feedback": "Phản ánh",
    "documents": "Văn bản",
    "meetings": "Họp trực tuyến",
    "targets": "Chỉ tiêu",
    "index": "Chất lượng phục vụ",
    "sources": "Nguồn dữ liệu",
}


@pytest.fixture(scope="module")
def province(system: System) -> System:
    """Return one event of each kind and more, so that each scene has something to show."""
    now = datetime.now(UTC)
    system.post(
        FILING,
        *(
            Filing(
                agency=f"H57.{one.code}",
                commune=one.code,
                filing_id=f"S{number}",
                procedure="1.005129",
                status=FilingStatus.REGISTERED,
                channel=Channel.ONLINE,
                registered_at=now,
            )
            for number, one in enumerate((ONE, TWO))
        ),
    )
    system.post(
        FEEDBACK,
        Feedback(
            agency="H57.IOC",
            commune=ONE.code,
            report_id="S1",
            category="water",
            status=FeedbackStatus.RECEIVED,
            reported_at=now,
            lat=ONE.lat,
            lon=ONE.lon,
        ),
    )
    system.post(
        DOCUMENT,
        Document(
            agency=HOST,
            document_id="S1",
            from_organ=HOST,
            to_organ=f"H57.{ONE.code}.UB",
            number="12",
            notation="UBND-VP",
            subject="Báo cáo quý",
            status=DocumentStatus.ARRIVED,
            priority=Priority.NORMAL,
            sent_at=now,
        ),
    )
    system.post(
        MEETING,
        Meeting(
            agency=HOST,
            meeting_id="S1",
            title="Giao ban trực tuyến",
            state=MeetingState.LIVE,
            starts_at=now,
            invited=[ONE.code, TWO.code],
            connected=[ONE.code],
        ),
        Meeting(
            agency=HOST,
            meeting_id="S2",
            title="Sơ kết quý",
            state=MeetingState.SCHEDULED,
            starts_at=now + timedelta(hours=3),
        ),
    )
    system.post(
        INDICATOR,
        Indicator(
            agency="H57.THUE",
            commune="",
            indicator="tax.electronic",
            unit="46",
            period=f"{now:%Y-%m-%d}",
            value=80.0,
            measure_unit="%",
            reported_at=now,
        ),
    )
    return system


def open_scene(page: Page, system: System, query: str) -> None:
    page.goto(f"{system.url}/wall?{query}")
    expect(page.locator("#beat")).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"), timeout=OPENED)


def drawn(page: Page, scene: Scene) -> None:
    """Wait until a scene stands there whole."""
    expect(page.locator("#scene b")).to_have_text(NAMES[scene], timeout=OPENED)
    expect(page.locator(".figure").first).to_be_visible(timeout=COUNTED)
    if scene in ("meetings", "targets", "index", "sources"):
        expect(page.locator("#board .row").first).to_be_visible(timeout=COUNTED)
        expect(page.locator("#map")).to_be_hidden()
    else:
        expect(page.locator("#map")).to_be_visible()
        expect(page.locator(".legend .step").first).to_be_visible()


@pytest.mark.parametrize("scene", SCENES)
def test_a_pinned_scene_is_whole_within_its_budget_and_legible(
    page: Page, province: System, scene: Scene
) -> None:
    open_scene(page, province, f"scene={scene}")
    drawn(page, scene)
    assert page.locator(".figure").count() <= 7
    assert page.locator(".alarm").count() <= 5
    assert page.locator("#map").count() == 1
    assert page.locator(".source").count() == 5
    assert page.evaluate(
        "document.documentElement.scrollHeight <= innerHeight && "
        "document.documentElement.scrollWidth <= innerWidth"
    )
    for theme in ("light", "dark"):
        page.evaluate(f"document.getElementById('wall').className = 'wall theme-{theme}'")
        assert faint(page) == []
    least = page.evaluate("parseFloat(getComputedStyle(document.getElementById('wall')).fontSize)")
    assert [one for one in page.evaluate(SIZES) if one[1] < least - 0.5] == []
    assert illegible(page) == []


def test_the_meetings_name_the_sites_that_are_missing_and_what_comes_next(
    page: Page, province: System
) -> None:
    open_scene(page, province, "scene=meetings")
    row = page.locator("#board .row", has_text="Giao ban trực tuyến")
    expect(row).to_contain_text("1/2 điểm cầu", timeout=COUNTED)
    expect(row).to_contain_text(f"vắng {TWO.name}")
    expect(page.locator("#board .row", has_text="Sơ kết quý")).to_contain_text("lúc ")
    province.post(
        MEETING,
        Meeting(
            agency=HOST,
            meeting_id="S1",
            title="Giao ban trực tuyến",
            state=MeetingState.LIVE,
            starts_at=datetime.now(UTC),
            invited=[ONE.code, TWO.code],
            connected=[ONE.code, TWO.code],
        ),
    )
    expect(row).to_contain_text("đủ điểm cầu", timeout=COUNTED)


def test_scenes_take_turns_without_a_reload_and_a_reload_keeps_the_place(
    page: Page, province: System
) -> None:
    open_scene(page, province, "scene=overview,sources,meetings&rotate=5")
    page.evaluate("window.sameLife = true")
    for scene in ("overview", "sources", "meetings", "overview"):
        expect(page.locator("#scene b")).to_have_text(NAMES[scene], timeout=OPENED)
    expect(page.locator("#map")).to_be_visible()
    expect(page.locator(".leaflet-overlay-pane path").first).to_be_attached()
    assert page.evaluate("window.sameLife") is True
    expect(page.locator(".turn")).to_have_count(3)
    expect(page.locator(".turn.here")).to_have_count(1)
    open_scene(page, province, "rotate=3600")
    expect(page.locator("#scene b")).not_to_have_text("")
    before = page.locator("#scene b").inner_text()
    page.reload()
    expect(page.locator("#scene b")).to_have_text(before, timeout=OPENED)


def test_walls_with_different_scenes_live_side_by_side(chromium: Browser, province: System) -> None:
    context = chromium.new_context(viewport={"width": 1920, "height": 1080})
    walls = {scene: context.new_page() for scene in ("overview", "targets", "sources")}
    for scene, wall in walls.items():
        wall.goto(f"{province.url}/wall?scene={scene}")
    for scene, wall in walls.items():
        drawn(wall, scene)  # type: ignore[arg-type]
    context.close()


def test_a_name_that_no_scene_has_is_said(page: Page, province: System) -> None:
    page.goto(f"{province.url}/wall?scene=weather")
    expect(page.locator(".empty")).to_contain_text("weather", timeout=OPENED)
    expect(page.locator(".empty")).to_contain_text("overview")


def test_a_new_alarm_brings_its_scene_and_holds_it(page: Page, province: System) -> None:
    open_scene(page, province, "scene=targets,feedback&rotate=3600")
    if page.locator("#scene b").inner_text() != NAMES["targets"]:
        open_scene(page, province, "scene=feedback,targets&rotate=3600")
    expect(page.locator("#scene b")).to_have_text(NAMES["targets"], timeout=OPENED)
    now = datetime.now(UTC)
    province.post(
        FEEDBACK,
        *(
            Feedback(
                agency="H57.IOC",
                commune=TWO.code,
                report_id=f"B{number}",
                category="water",
                status=FeedbackStatus.RECEIVED,
                reported_at=now,
                lat=TWO.lat,
                lon=TWO.lon,
            )
            for number in range(20)
        ),
    )
    expect(page.locator("#scene b")).to_have_text(NAMES["feedback"], timeout=COUNTED)
    expect(page.locator(".held")).to_contain_text("dừng vì cảnh báo")
    expect(page.locator(".place", has_text=TWO.name)).to_be_visible()
    page.reload()
    expect(page.locator(".held")).to_be_visible(timeout=OPENED)
    expect(page.locator("#scene b")).to_have_text(NAMES["feedback"])


@pytest.mark.outage
def test_a_wall_token_opens_the_wall_and_nothing_else_until_it_is_revoked(
    page: Page, province: System
) -> None:
    tokens, port = Tokens.of(province.settings.home), choose_port()
    token = tokens.add("left", "wall", datetime.now(UTC))
    guarded, url = province.start_guarded(port), f"http://127.0.0.1:{port}"
    try:
        page.goto(f"{url}/wall?scene=sources")
        expect(page.locator("h1")).to_have_text("Màn hình này cần mã truy cập")
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Mã truy cập không đúng hoặc đã hết hạn")
        page.goto(f"{url}/wall?scene=sources&token={token}")
        drawn(page, "sources")
        assert page.url == f"{url}/wall?scene=sources"
        page.goto(f"{url}/sources")
        expect(page.locator("h1")).to_have_text("Mã này chỉ mở được màn hình lớn")
        page.goto(f"{url}/wall?scene=sources")
        drawn(page, "sources")
        # The page's own scripts can ask for another page without opening its address: it comes
        # without content.
        page.evaluate(
            "history.pushState({}, '', '/unit/46'); dispatchEvent(new PopStateEvent('popstate'))"
        )
        expect(page.locator(".nothing")).to_contain_text(
            "Mã này chỉ mở được màn hình lớn", timeout=OPENED
        )
        assert page.locator(".card").count() == 0
        page.goto(f"{url}/wall?scene=sources")
        drawn(page, "sources")
        tokens.revoke("left")
        expect(page.locator("h1")).to_have_text("Màn hình này cần mã truy cập", timeout=2 * COUNTED)
    finally:
        guarded.stop()
