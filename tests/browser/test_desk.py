"""The desk as an operator uses it.

The page of the sources, with mouse, keyboard, Back and a link.
"""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Route, expect

from schemas.events.codes import Channel, FilingStatus
from schemas.events.kinds import FILING
from schemas.events.payloads import Filing
from tests.browser.conftest import System
from tests.browser.legible import illegible
from tests.browser.waiting import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.browser]
OPENED = 30_000


def open_desk(page: Page, system: System, path: str) -> None:
    page.goto(f"{system.url}{path}")
    expect(page.locator("#content h1")).to_be_visible(timeout=OPENED)


def filing(number: str) -> Filing:
    return Filing(
        agency="H57.HCC",
        filing_id=number,
        procedure="1.005129",
        status=FilingStatus.REGISTERED,
        channel=Channel.ONLINE,
        registered_at=datetime.now(UTC),
    )


def test_every_feed_has_its_state_and_a_source_that_speaks_turns_live(
    page: Page, system: System
) -> None:
    open_desk(page, system, "/sources")
    row = page.locator("tbody tr", has_text="Trung tâm Phục vụ hành chính công thành phố Huế").first
    system.post(FILING, filing("S1"))
    page.goto(f"{system.url}/sources?agency=H57.HCC")
    row = page.locator("#feeds tbody tr", has_text="Hồ sơ")
    expect(row).to_contain_text("đúng nhịp", timeout=OPENED)  # renewed by itself
    expect(row.locator(".age")).to_contain_text(re.compile(r"giây|phút"))
    expect(row).to_contain_text("0000")


def test_sorting_is_an_address_that_back_and_reload_keep(page: Page, system: System) -> None:
    open_desk(page, system, "/sources")
    page.get_by_role("link", name="Cơ quan", exact=True).first.click()
    page.wait_for_url("**sort=agency**")
    expect(page.get_by_role("link", name="Cơ quan ↑")).to_be_visible(timeout=OPENED)
    first = page.locator("#feeds tbody tr td").first.inner_text()
    page.reload()
    expect(page.locator("#feeds tbody tr td").first).to_have_text(first, timeout=OPENED)
    page.go_back()
    page.wait_for_url(re.compile(r"/sources$"))
    expect(page.get_by_role("link", name="Trạng thái ↑")).to_be_visible(timeout=OPENED)


def test_the_keyboard_reaches_everything_and_the_language_is_a_switch(
    page: Page, system: System
) -> None:
    open_desk(page, system, "/sources")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".bar .name")).to_be_focused()
    names = page.evaluate(
        "[...document.querySelectorAll('a, button, input:not([type=hidden])')]"
        ".filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || "
        "e.labels?.length)).map(e => e.outerHTML)"
    )
    assert names == [], "everything that can be reached has a name"
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("Data sources", timeout=OPENED)
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_an_agency_that_is_not_known_and_an_empty_list_are_told_in_words(
    page: Page, system: System
) -> None:
    page.goto(f"{system.url}/sources?agency=H57.NOBODY")
    expect(page.locator("#content")).to_contain_text("Không tìm thấy", timeout=OPENED)
    open_desk(page, system, "/sources?agency=H57.STP&lang=vi")
    expect(page.locator("#refused")).to_contain_text("Không có gì bị từ chối")


def test_a_dark_room_and_a_small_screen_have_all_of_it_without_scrolling_sideways(
    page: Page, system: System
) -> None:
    page.set_viewport_size({"width": 820, "height": 1180})
    open_desk(page, system, "/sources?theme=dark")
    expect(page.locator(".desk.theme-dark")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_word_can_be_read(page: Page, system: System, lang: str) -> None:
    open_desk(page, system, f"/sources?lang={lang}")
    assert illegible(page) == []


def test_a_page_says_that_it_is_being_opened_before_it_is_there(page: Page, system: System) -> None:
    held: list[Route] = []
    page.route("**/_dash-layout", lambda route: held.append(route))
    with page.expect_request("**/_dash-layout"):
        page.goto(f"{system.url}/sources", wait_until="commit")
    assert page.evaluate("getComputedStyle(document.body, '::before').content") == '"Đang mở…"'
    wait_until(page, "performance.getEntriesByName('first-contentful-paint').length === 1")
    expect(page.locator("#content")).to_have_count(0)
    for one in held:
        one.continue_()
    expect(page.locator("#content h1")).to_be_visible(timeout=OPENED)
    assert page.evaluate("getComputedStyle(document.body, '::before').content") == "none"


HEADER_ROWS = """() => {
  const rows = []
  for (const part of document.querySelectorAll('.desk > .bar > *')) {
    const box = part.getBoundingClientRect()
    if (!box.width) continue
    const middle = (box.top + box.bottom) / 2
    let row = rows.find((row) => Math.abs(row.middle - middle) < 8)
    if (!row) rows.push((row = { middle, parts: [] }))
    row.parts.push(part.id || part.tagName.toLowerCase())
  }
  return rows.map((row) => row.parts)
}"""


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_header_is_one_row_on_a_desk_and_two_filled_ones_on_a_tablet(
    page: Page, system: System, language: str
) -> None:
    found = {}
    for width, height in ((1920, 1080), (1440, 900), (1280, 800), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        open_desk(page, system, f"/targets?lang={language}")
        found[width] = page.evaluate(HEADER_ROWS)
    assert {width: len(rows) for width, rows in found.items()} == {
        1920: 1,
        1440: 1,
        1280: 1,
        1024: 2,
    }
    assert set(found[1024][1]) > {"help", "clock"}, "these two are not left over in a row"
    said = page.locator(".desk > .bar .beat")
    assert said.evaluate("(one) => one.scrollWidth <= one.clientWidth"), "how fresh data is, whole"
