"""The operators' map as its users see it: layers, marks, addresses, languages, themes, screens."""

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from schemas import places
from schemas.events.kinds import FEEDBACK
from stack.ports import choose_port
from tests.browser import test_units
from tests.browser.conftest import System
from tests.browser.contrast import faint
from tests.browser.focus import nameless
from tests.browser.legible import illegible
from tests.browser.mapping import (
    ALL,
    HERE,
    PATIENCE,
    THERE,
    TRAFFIC,
    WATER,
    click_commune,
    fill,
    in_view,
    marks,
    point,
    records,
    report,
    spot,
    stays,
    visit,
)
from tests.browser.waiting import wait_until
from tests.running import Running

pytestmark = [pytest.mark.stack, pytest.mark.browser]
desk = test_units.desk
"""A desk's screen, on whose console nothing may be an error."""


@pytest.fixture(scope="module")
def filled(system: System) -> System:
    """Return the system with a small province in it."""
    fill(system)
    return system


def test_the_map_opens_with_its_layers_their_counts_and_what_happened(
    desk: Page, filled: System
) -> None:
    visit(desk, filled)
    expect(desk.locator("#map-of path[data-code]")).to_have_count(len(places.communes("46")))
    expect(desk.get_by_role("link", name="Bản đồ", exact=True)).to_have_class("here")
    expect(desk.locator("#layer-feedback .count")).to_have_text(str(WATER + TRAFFIC))
    expect(desk.locator("#layer-overdue .count")).to_have_text("3")
    expect(desk.locator("#layer-flows .count")).to_have_text("2")
    in_view(desk, f"{WATER + TRAFFIC} phản ánh")
    records(desk, WATER + TRAFFIC)
    expect(desk.locator("#map-figures article").first).to_contain_text(str(WATER + TRAFFIC))
    expect(desk.locator("#map-course")).to_contain_text(f"Tiếp nhận{WATER + TRAFFIC}")


def test_a_layer_is_switched_by_mouse_and_by_keyboard_and_the_map_stays(
    desk: Page, filled: System
) -> None:
    visit(desk, filled)
    desk.locator("#layer-overdue").click()
    expect(desk.locator("#layer-overdue")).to_have_attribute("aria-checked", "true")
    marks(desk, "overdue", 1)
    assert "layers=communes,feedback,overdue,alarms" in desk.url
    desk.locator("#layer-flows").focus()
    desk.keyboard.press("Space")
    expect(desk.locator("#layer-flows")).to_have_attribute("aria-checked", "true")
    marks(desk, "flow", 2)
    desk.locator("#layer-feedback").focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#layer-feedback")).to_have_attribute("aria-checked", "false")
    marks(desk, "cluster", 0)
    expect(desk.locator("#layer-feedback")).to_be_focused()
    desk.locator("#layer-sources").click()
    marks(desk, "sources", len(places.communes("46")) + 1)
    assert stays(desk)


def test_an_address_keeps_it_all_on_reload_and_in_another_browser(
    desk: Page, filled: System, chromium: Browser
) -> None:
    visit(desk, filled)
    desk.locator("#layer-overdue").click()
    expect(desk.locator("#layer-overdue")).to_have_attribute("aria-checked", "true")
    desk.locator("#as-points").click()
    click_commune(desk, HERE)
    expect(desk.locator("#map-panel h1")).to_have_text(HERE.full_name)
    desk.locator("#choose-measure").select_option("feedback.received")
    desk.wait_for_url(re.compile("measure=feedback.received"))
    before = desk.evaluate("history.length")
    desk.locator("#map-of").focus()
    desk.keyboard.press("+")
    desk.keyboard.press("ArrowLeft")
    wait_until(
        desk,
        "at => new URLSearchParams(location.search).get('zoom') !== at",
        arg=desk.evaluate("ioc.map.here().get('zoom')"),
    )
    desk.wait_for_timeout(800)
    assert desk.evaluate("history.length") == before, "where the map was moved to is no step back"
    address, extent = (
        desk.url,
        desk.evaluate("[ioc.map.state.map.getZoom(), ioc.map.state.map.getCenter().lat]"),
    )
    stranger = chromium.new_context(viewport={"width": 1440, "height": 900})
    for other in (desk, stranger.new_page()):
        other.goto(address)
        expect(other.locator("#map-panel h1")).to_have_text(HERE.full_name, timeout=PATIENCE)
        wait_until(
            other, "ioc.map.state.marks.some((one) => one.kind === 'point')", timeout=PATIENCE
        )
        expect(other.locator("#layer-overdue")).to_have_attribute("aria-checked", "true")
        expect(other.locator("#as-points")).to_have_class("here")
        expect(other.locator("#choose-measure")).to_have_value("feedback.received")
        zoom, lat = other.evaluate(
            "[ioc.map.state.map.getZoom(), ioc.map.state.map.getCenter().lat]"
        )
        assert zoom == pytest.approx(extent[0], abs=0.02) and lat == pytest.approx(
            extent[1], abs=0.002
        )
    stranger.close()


def test_a_mark_tells_what_it_is_and_whose_and_leads_there(desk: Page, filled: System) -> None:
    visit(desk, filled, "?layers=overdue")
    marks(desk, "overdue", 1)
    lat, lon = desk.evaluate("ioc.map.state.marks[0].of.at")
    point(desk, lat, lon, "3 hồ sơ quá hạn")
    desk.mouse.click(*spot(desk, *desk.evaluate("ioc.map.state.marks[0].of.at")))
    desk.locator("#map-tip").get_by_role(
        "link", name=re.compile("Trung tâm Phục vụ hành chính công")
    ).click()
    expect(desk.locator("#map-panel h1")).to_contain_text("Trung tâm Phục vụ hành chính công")
    desk.get_by_role("link", name="Trang đơn vị").click()
    desk.wait_for_url(f"**/unit/H57.{HERE.code}")
    desk.get_by_role("link", name="Xem trên bản đồ").click()
    expect(desk.locator("#map-panel h1")).to_contain_text("Trung tâm Phục vụ hành chính công")


def test_what_is_new_is_shown_and_neither_the_map_nor_its_extent_changes(
    desk: Page, filled: System
) -> None:
    visit(desk, filled, f"?unit={THERE.code}&category=electricity", THERE.full_name)
    expect(desk.locator("#map-records")).to_contain_text("Không có bản ghi nào")
    desk.locator("#map-in").click()
    desk.wait_for_timeout(800)
    address = desk.url
    fresh = report(77, THERE, "electricity")
    filled.post(FEEDBACK, fresh)
    expect(desk.locator("#map-records")).to_contain_text(fresh.report_id)
    assert desk.url == address and stays(desk)


def test_a_unit_that_nobody_here_has_and_a_window_that_cannot_be_are_said(
    desk: Page, filled: System
) -> None:
    visit(desk, filled, "?unit=99999", "99999")
    expect(desk.locator("#map-panel")).to_contain_text("Không có đơn vị mã 99999 ở đây")
    desk.get_by_role("link", name="Xem toàn tỉnh").click()
    expect(desk.locator("#map-panel h1")).to_have_text("Thành phố Huế")
    visit(desk, filled, "?from=2026-11-24T10:00&to=2026-11-24T09:00")
    expect(desk.get_by_role("alert").filter(has_text="không hợp lệ")).to_be_visible()


def overlapping(page: Page) -> list[Any]:
    """Return pairs of names on the canvas of which one lies over the other."""
    labels = page.evaluate("ioc.map.state.labels")
    return [
        (a[0], b[0])
        for a, b in combinations(labels, 2)
        if a[1] < b[3] and b[1] < a[3] and a[2] < b[4] and b[2] < a[4]
    ]


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_word_can_be_read_and_whatever_can_be_used_has_a_name(
    desk: Page, filled: System, lang: str
) -> None:
    heading = "Huế City" if lang == "en" else "Thành phố Huế"
    for kind in ("feedback", "document"):
        visit(desk, filled, f"?lang={lang}&layers={ALL}&kind={kind}&as=points", heading)
        assert illegible(desk) == []
        wait_until(desk, "ioc.map.state.labels.length > 5")  # they are drawn after the panel
        assert overlapping(desk) == []
    assert nameless(desk) == []
    if lang == "en":
        assert not re.search("phản ánh|quá hạn|Lớp|giờ", desk.locator("#content").inner_text())


def test_text_stands_out_in_both_themes(desk: Page, filled: System) -> None:
    for theme in ("light", "dark"):
        visit(desk, filled, f"?theme={theme}&layers={ALL}")
        assert faint(desk) == []


def test_another_language_or_theme_shows_the_same_view(desk: Page, filled: System) -> None:
    visit(desk, filled)
    click_commune(desk, HERE)
    expect(desk.locator("#map-panel h1")).to_have_text(HERE.full_name)
    desk.get_by_role("link", name="English").click()
    expect(desk.locator("#map-panel h1")).to_have_text(HERE.full_name_en)
    desk.get_by_role("link", name="Dark").click()
    expect(desk.locator(".theme-dark #map-panel h1")).to_have_text(HERE.full_name_en)
    assert f"unit={HERE.code}" in desk.url and "lang=en" in desk.url


def test_on_a_tablet_nothing_is_wider_than_the_screen_and_the_map_can_be_used(
    desk: Page, filled: System
) -> None:
    for width, height in ((1024, 768), (768, 1024)):
        desk.set_viewport_size({"width": width, "height": height})
        visit(desk, filled)
        assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
        box = desk.locator("#map-ground").bounding_box()
        assert box and box["width"] > 500 and box["height"] > 400
    click_commune(desk, HERE)
    expect(desk.locator("#map-panel h1")).to_have_text(HERE.full_name)


def test_a_place_without_outlines_shows_its_reports_where_they_lie(
    desk: Page, filled: System, module_environment: dict[str, str], tmp_path: Path
) -> None:
    port = str(choose_port())
    elsewhere = module_environment | {"IOC_PROVINCE": "ELSEWHERE", "IOC_DASHBOARD_PORT": port}
    url = f"http://127.0.0.1:{port}"
    with Running(
        "dashboard",
        "serve",
        environment=elsewhere,
        log=tmp_path / "dashboard.log",
        ready=f"{url}/readyz",
    ):
        desk.goto(f"{url}/map")
        expect(desk.locator("#map-panel h1")).to_have_text("ELSEWHERE")
        wait_until(
            desk, "ioc.map.state.marks.some((one) => one.kind === 'cluster')", timeout=PATIENCE
        )
        south, north = desk.evaluate(
            "(({ _southWest, _northEast }) => [_southWest.lat, "
            "_northEast.lat])(ioc.map.state.map.getBounds())"
        )
        assert HERE.lat - 1.5 < south < HERE.lat < north < HERE.lat + 1.5, (
            "the map is where the reports are"
        )
        expect(desk.locator("#map-records .paging")).to_contain_text("dòng")
