"""Choices on the operators' map: by click, box, list, filter, window and search."""

import re

import pytest
from msgspec import structs
from playwright.sync_api import Page, expect

from dashboard.query.connection import Connection
from schemas.events.kinds import FEEDBACK
from tests.browser import test_units
from tests.browser.conftest import System
from tests.browser.mapping import (
    HERE,
    THERE,
    TRAFFIC,
    WATER,
    click_commune,
    fill,
    in_view,
    records,
    report,
    spot,
    stays,
    visit,
)
from tests.browser.waiting import wait_until
from tests.running import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.browser]
desk = test_units.desk
"""A desk's screen, on whose console nothing may be an error."""


@pytest.fixture(scope="module")
def filled(system: System) -> System:
    """Return the system with a small province in it."""
    fill(system)
    return system


def test_a_click_on_a_commune_changes_figures_chart_and_table_and_escape_takes_it_back(
    desk: Page, filled: System
) -> None:
    visit(desk, filled)
    click_commune(desk, HERE)
    expect(desk.locator("#map-panel h1")).to_have_text(HERE.full_name)
    assert f"unit={HERE.code}" in desk.url
    records(desk, WATER)
    in_view(desk, f"{WATER} phản ánh")
    expect(desk.locator("#map-course")).to_contain_text(f"Tiếp nhận{WATER}")
    expect(desk.locator("#layer-flows .count")).to_have_text("1")
    desk.locator("#kind-filing").click()
    records(desk, 3)
    desk.keyboard.press("Escape")
    expect(desk.locator("#map-panel h1")).to_have_text("Thành phố Huế")
    assert "unit=" not in desk.url and "kind=filing" in desk.url and stays(desk)
    click_commune(desk, THERE)
    expect(desk.locator("#map-panel h1")).to_have_text(THERE.full_name)
    desk.locator("#unchoose").click()
    expect(desk.locator("#map-panel h1")).to_have_text("Thành phố Huế")


def test_a_box_is_dragged_around_a_commune(desk: Page, filled: System) -> None:
    visit(desk, filled)
    desk.locator("#draw-box").click()
    left, top = spot(desk, THERE.lat + 0.05, THERE.lon - 0.05)
    right, bottom = spot(desk, THERE.lat - 0.02, THERE.lon + 0.05)
    desk.mouse.move(left, top)
    desk.mouse.down()
    desk.mouse.move((left + right) / 2, (top + bottom) / 2)
    desk.mouse.move(right, bottom)
    desk.mouse.up()
    expect(desk.locator("#map-panel h1")).to_have_text("Khung đã chọn")
    records(desk, TRAFFIC)
    in_view(desk, f"{TRAFFIC} phản ánh")
    assert re.search(r"box=[\d.]+,[\d.]+,[\d.]+,[\d.]+", desk.url) and stays(desk)
    desk.go_back()
    expect(desk.locator("#map-panel h1")).to_have_text("Thành phố Huế")


def test_communes_are_chosen_from_a_list_and_a_box_from_the_view_without_a_mouse(
    desk: Page, filled: System
) -> None:
    visit(desk, filled)
    desk.locator("#choose-communes summary").focus()
    desk.keyboard.press("Enter")
    for unit in (HERE, THERE):
        desk.get_by_role("checkbox", name=unit.name, exact=True).focus()
        desk.keyboard.press("Space")
        expect(desk.get_by_role("checkbox", name=unit.name, exact=True)).to_have_attribute(
            "aria-checked", "true"
        )
    expect(desk.locator("#map-panel h1")).to_have_text("2 xã, phường")
    records(desk, WATER + TRAFFIC)
    desk.keyboard.press("Escape")
    expect(desk.locator("#choose-communes .communes")).to_be_hidden()
    desk.locator("#choose-view").focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#map-panel h1")).to_have_text("Khung đã chọn")
    records(desk, WATER + TRAFFIC)


def test_filters_hold_for_map_chart_and_table_and_back_takes_them_away(
    desk: Page, filled: System
) -> None:
    visit(desk, filled)
    desk.locator("#choose-category").select_option("traffic")
    records(desk, TRAFFIC)
    in_view(desk, f"{TRAFFIC} phản ánh")
    desk.locator("#choose-state").select_option("closed")
    expect(desk.locator("#map-records")).to_contain_text("Không có bản ghi nào")
    in_view(desk, "Không có phản ánh nào")
    desk.go_back()
    records(desk, TRAFFIC)
    expect(desk.locator("#choose-state")).to_have_value("")
    desk.go_back()
    records(desk, WATER + TRAFFIC)
    expect(desk.locator("#choose-category")).to_have_value("")
    desk.go_forward()
    records(desk, TRAFFIC)
    assert stays(desk)


def test_a_window_is_chosen_and_drilled_into(desk: Page, filled: System) -> None:
    visit(desk, filled)
    desk.get_by_role("link", name="1 giờ", exact=True).click()
    expect(desk.locator("#map-records")).to_contain_text("Không có bản ghi nào")
    desk.get_by_role("link", name="24 giờ", exact=True).click()
    records(desk, WATER + TRAFFIC)
    desk.locator(".bars-of a").nth(-3).focus()
    desk.keyboard.press("Enter")
    desk.wait_for_url(re.compile("from=.*to="))
    expect(desk.locator("#window-custom summary")).to_have_class("here")
    desk.locator("#window-custom summary").click()
    desk.locator("#window-from").fill("2020-01-01T00:00")
    desk.locator("#window-to").fill("2020-01-02T00:00")
    desk.locator("#window-form button").click()
    desk.wait_for_url(re.compile("from=2020-01-01"))
    expect(desk.locator("#map-records")).to_contain_text("Không có bản ghi nào")


def find(page: Page, words: str) -> None:
    expect(page.locator("#map-find")).to_have_value("")
    page.locator("#map-find").click()
    page.locator("#map-find").press_sequentially(words, delay=15)
    expect(page.locator("#map-hits a").first).to_be_visible()


def test_units_agencies_and_records_are_found_with_and_without_tone_marks(
    desk: Page, filled: System
) -> None:
    visit(desk, filled)
    zoom = desk.evaluate("ioc.map.state.map.getZoom()")
    for words in ("phu loc", "Phú Lộc"):
        find(desk, words)
        expect(desk.locator("#map-hits a").first).to_contain_text(THERE.name)
        desk.keyboard.press("Enter")
        expect(desk.locator("#map-panel h1")).to_have_text(THERE.full_name)
        expect(desk.locator("#map-hits a")).to_have_count(0)
        wait_until(desk, "zoom => ioc.map.state.map.getZoom() > zoom", arg=zoom)
        desk.locator("#unchoose").click()
        expect(desk.locator("#map-panel h1")).to_have_text("Thành phố Huế")
    find(desk, "so y te")
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("Enter")
    expect(desk.locator("#map-panel h1")).to_have_text("Sở Y tế")
    find(desk, f"PA-{HERE.code}-1")
    desk.keyboard.press("Enter")
    expect(desk.locator("#map-panel .marked")).to_contain_text(f"PA-{HERE.code}-1")
    wait_until(desk, "ioc.map.state.drawn.chosen.record?.title")
    assert desk.evaluate(
        "ioc.map.state.map.getBounds().contains(ioc.map.state.drawn.chosen.record.at)"
    )
    desk.locator("#map-panel .marked").get_by_role("link", name=f"PA-{HERE.code}-1").click()
    desk.wait_for_url(f"**/record/feedback/PA-{HERE.code}-1")
    desk.go_back()
    expect(desk.locator("#map-panel .marked")).to_contain_text(f"PA-{HERE.code}-1")


MANY = 70
TOGETHER = (16.2345678, 107.4567891)


@pytest.fixture(scope="module")
def piled(filled: System) -> System:
    """Return reports that lie at one point, as those of a market without addresses do."""
    one = report(0, HERE, "health")
    said = [
        structs.replace(one, report_id=f"PILE-{number}", lat=TOGETHER[0], lon=TOGETHER[1])
        for number in range(MANY)
    ]
    filled.post(FEEDBACK, *said)
    connection = Connection(filled.settings.clickhouse_url)
    asked = "SELECT count() FROM current_feedback FINAL WHERE startsWith(entity_id, 'PILE-')"
    wait_for(lambda: connection.tuples(asked) == [(MANY,)], 60, "the reports at one point")
    connection.close()
    return filled


AT_THE_PILE = f"?layers=feedback&at={TOGETHER[0]:.4f},{TOGETHER[1]:.4f}&zoom=18"


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
@pytest.mark.parametrize("style", ["clusters", "points"])
def test_reports_that_no_zoom_can_part_are_listed(
    desk: Page, piled: System, by: str, style: str
) -> None:
    visit(desk, piled, f"{AT_THE_PILE}&as={style}")
    wait_until(desk, "ioc.map.state.marks.some((one) => ['cluster', 'point'].includes(one.kind))")
    if by == "mouse":
        desk.mouse.click(*spot(desk, *TOGETHER))
    else:
        desk.locator("#map-of").focus()
        expect(desk.locator("#map-tip")).to_be_visible()
        desk.keyboard.press("Enter")
    expect(desk.locator("#map-panel h1")).to_have_text("Khung đã chọn")
    records(desk, MANY)
    assert desk.evaluate("ioc.map.state.map.getZoom()") == 18 and stays(desk)
    desk.locator("#map-records tbody a").first.click()
    desk.wait_for_url("**/record/feedback/PILE-*")
    desk.go_back()
    records(desk, MANY)
