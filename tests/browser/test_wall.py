"""The wall as the room sees it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from dashboard.request.viewing_distance import ViewingDistance
from schemas import places
from schemas.events.kinds import FEEDBACK, FILING
from tests.browser.conftest import System
from tests.browser.contrast import faint
from tests.browser.samples import COMMUNE, filing, report
from tests.browser.waiting import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.browser]
PLACES = places.communes("46")
OPENED = 20_000
COUNTED = 30_000
RECOVERED = 60_000
"""How long a loaded machine may take, in milliseconds.

`make bench` measures how long it does take.
"""


def open_wall(page: Page, system: System, query: str = "") -> None:
    """Open the overview, unless the query says which scene."""
    asked = (
        query
        if "scene=" in query or "rotate=" in query
        else f"{query}{'&' if query else '?'}scene=overview"
    )
    page.goto(f"{system.url}/wall{asked}")
    expect(page.locator("#beat")).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"), timeout=OPENED)


def figure(page: Page, key: str) -> Any:
    return page.locator(f"#figure-{key} .reading b")


def test_before_any_event_the_wall_says_that_there_is_none(page: Page, system: System) -> None:
    open_wall(page, system)
    expect(page.locator(".empty")).to_contain_text("Chưa có dữ liệu")


def test_the_first_page_is_the_wall_and_shows_every_commune(page: Page, system: System) -> None:
    page.goto(f"{system.url}/?theme=dark")
    page.wait_for_url("**/wall?theme=dark")
    expect(page.locator("h1")).to_have_text("Thành phố Huế")
    expect(page.locator(".leaflet-overlay-pane path").first).to_be_attached(timeout=OPENED)
    assert page.locator(".leaflet-overlay-pane path").count() >= len(PLACES)


def test_a_posted_event_changes_a_figure_without_reload(page: Page, system: System) -> None:
    open_wall(page, system)
    page.evaluate("window.sameLife = true")
    expect(figure(page, "filings")).to_have_text("0")
    system.post(FILING, filing("F1"), filing("F2"))
    expect(figure(page, "filings")).to_have_text("2", timeout=COUNTED)
    system.post(FILING, filing("F3"))
    expect(figure(page, "filings")).to_have_text("3", timeout=COUNTED)
    assert page.evaluate("window.sameLife") is True
    expect(page.locator(".empty")).to_have_count(0)


def test_a_burst_of_reports_calls_in_the_list_on_the_map_and_in_the_title(
    page: Page, system: System
) -> None:
    open_wall(page, system)
    system.post(FEEDBACK, *(report(f"R{number}") for number in range(20)))
    alarm = page.locator(".alarm", has_text=COMMUNE.name)
    expect(alarm).to_contain_text("20 phản ánh", timeout=COUNTED)
    expect(alarm.locator(".shape.p2")).to_be_visible()
    expect(page.locator(".place", has_text=COMMUNE.name)).to_be_visible()
    expect(page.locator('.leaflet-overlay-pane path[fill="#e69f00"]')).to_have_count(1)
    expect(page).to_have_title(re.compile(r"^\(1\) "))


def test_a_source_with_much_to_say_leaves_the_others_whole(page: Page, system: System) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    open_wall(page, system)
    expect(page.locator(".source .count")).to_have_count(5)
    cut = page.evaluate(
        """() => {
            const sources = [...document.querySelectorAll(".source")],
                named = document.createElement("span");
            named.className = "named";
            named.textContent = "silent ".repeat(100);
            sources[0].append(named);
            return sources.slice(1).filter((one) => one.scrollWidth > one.clientWidth + 1)
                .map((one) => one.textContent);
        }"""
    )
    assert cut == []


def test_nothing_is_kept_of_what_was_pushed(page: Page, system: System) -> None:
    open_wall(page, system)
    page.wait_for_timeout(5000)  # some frames: ten entries of a history that nobody asks for
    wait_until(
        page,
        "window.dash_stores.reduce((sum, store) => sum + store.getState().history.past.length, 0) "
        "<= 3",
    )


def test_when_the_watch_is_dead_its_alarms_are_hatched_and_nothing_looks_calm(
    page: Page, system: System
) -> None:
    open_wall(page, system)
    alarm = page.locator(".alarm", has_text=COMMUNE.name)
    expect(alarm.locator(".shape.p2")).to_be_visible(timeout=COUNTED)
    system.watch.stop()
    expect(page.locator("#banner")).to_contain_text(
        re.compile(r"CẢNH BÁO DỪNG TỪ \d\d:\d\d"), timeout=COUNTED
    )
    expect(page.locator("#alarms")).to_contain_text("Không ai theo dõi từ")
    expect(alarm.locator(".shape.hatch")).to_be_visible()
    expect(page.locator(".alarm .shape.p2")).to_have_count(0)
    expect(page.locator('.leaflet-overlay-pane path[fill="#e69f00"]')).to_have_count(0)
    expect(page.locator("#wall")).to_have_class(re.compile(r"\bstopped\b"))
    system.start_watch()
    expect(page.locator("#banner")).to_be_hidden(timeout=RECOVERED)
    expect(alarm.locator(".shape.p2")).to_be_visible()


def test_english_is_a_switch_and_is_remembered(page: Page, system: System) -> None:
    open_wall(page, system)
    page.keyboard.press("Tab")
    expect(page.locator("#language")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**lang=en**")
    expect(page.locator("#figure-filings h3")).to_have_text("Filings today")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto(f"{system.url}/wall?scene=overview")
    expect(page.locator("#figure-filings h3")).to_have_text("Filings today")


TEXTS = """
    const texts = [...document.querySelectorAll('#wall *')].filter((e) => e.checkVisibility() &&
        e.getBoundingClientRect().width > 1
        && [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()));
    const name = (e) => String(e.className || e.tagName);
"""
SIZES = (
    "() => {"
    + TEXTS
    + "return texts.map((e) => [name(e), parseFloat(getComputedStyle(e).fontSize)]); }"
)


@pytest.mark.parametrize(("distance", "pitch"), [(5, 0.63), (8, 0.63), (3, 0.63), (5, 1.25)])
def test_no_letter_is_smaller_than_the_distance_allows(
    page: Page, system: System, distance: float, pitch: float
) -> None:
    open_wall(page, system, f"?distance={distance}&pitch={pitch}")
    expect(page.locator(".figure").first).to_be_visible()
    least = ViewingDistance(distance, pitch).pixels()
    sizes = page.evaluate(SIZES)
    assert len(sizes) > 10
    assert [one for one in sizes if one[1] < least - 0.5] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_seven_to_one(page: Page, system: System, theme: str) -> None:
    open_wall(page, system, f"?theme={theme}")
    expect(page.locator(".figure").first).to_be_visible()
    assert faint(page) == []


def test_nothing_needs_scrolling_and_the_figures_fit(page: Page, system: System) -> None:
    open_wall(page, system)
    expect(page.locator(".figure").first).to_be_visible()
    assert page.evaluate(
        "document.documentElement.scrollHeight <= innerHeight && "
        "document.documentElement.scrollWidth <= innerWidth"
    )
    whole, cut = page.evaluate("""() => {
        const row = document.getElementById("figures").getBoundingClientRect();
        const boxes = [...document.querySelectorAll("#figures .figure")]
            .map(e => e.getBoundingClientRect());
        const shown = boxes.filter(box => box.top < row.bottom - 1);
        return [shown.length,
            shown.filter(box => box.bottom > row.bottom + 1 || box.right > row.right + 1).length];
    }""")
    assert 2 <= whole <= 7 and not cut


def test_the_banner_comes_when_the_worker_stops_and_goes_when_it_is_back(
    page: Page, system: System
) -> None:
    open_wall(page, system)
    expect(page.locator("#banner")).to_be_hidden()
    system.worker.stop()
    expect(page.locator("#banner")).to_contain_text(re.compile(r"DỮ LIỆU DỪNG LÚC \d\d:\d\d"))
    expect(page.locator("#wall")).to_have_class(re.compile(r"\bstopped\b"))
    system.start_worker()
    expect(page.locator("#banner")).to_be_hidden(timeout=RECOVERED)
    expect(page.locator("#wall")).not_to_have_class(re.compile(r"\bstopped\b"))


def test_a_source_whose_clock_is_ahead_is_named_and_what_it_dates_in_the_future_does_not_count_yet(
    page: Page, system: System
) -> None:
    open_wall(page, system)
    before = figure(page, "filings").inner_text()
    later = datetime.now(UTC) + timedelta(hours=3)
    system.post(FILING, replace(filing("AHEAD"), agency="H57.VP", registered_at=later), time=later)
    alarm = page.locator(".alarm", has_text="đồng hồ nguồn nhanh")
    expect(alarm).to_contain_text(re.compile("2 giờ 59 phút|3 giờ"), timeout=COUNTED)
    expect(alarm.locator(".shape.p3")).to_be_visible()
    expect(page.locator(".source", has_text="đồng hồ nhanh")).to_contain_text(
        "Hồ sơ", timeout=COUNTED
    )
    expect(figure(page, "filings")).to_have_text(before)


def test_a_partition_that_stands_still_is_said_while_the_heartbeats_go_on(
    page: Page, system: System, tmp_path: Path
) -> None:
    block = tmp_path / "block"
    block.touch()
    system.worker.stop()
    system.start_stalling_worker(block, FEEDBACK, 1)
    open_wall(page, system)
    expect(page.locator("#banner")).to_be_hidden(timeout=RECOVERED)
    system.post(FEEDBACK, *(report(f"still-{number}") for number in range(40)))
    expect(page.locator("#banner")).to_contain_text(
        re.compile(r"DỮ LIỆU THIẾU TỪ \d\d:\d\d"), timeout=COUNTED
    )
    expect(page.locator("#banner")).to_contain_text(
        re.compile(r"Phản ánh: phân vùng 1 đứng yên, \d+ bản ghi chờ")
    )
    expect(page.locator("#beat")).not_to_have_class(re.compile("late"))
    block.unlink()
    system.post(FEEDBACK, *(report(f"moves-{number}") for number in range(40)))
    expect(page.locator("#banner")).to_be_hidden(timeout=RECOVERED)
    system.worker.stop()
    system.start_worker()


@pytest.mark.outage
def test_the_wall_says_that_its_server_is_gone_and_comes_back_by_itself(
    page: Page, system: System
) -> None:
    open_wall(page, system, "?theme=dark")
    system.dashboard.kill()
    expect(page.locator("#banner")).to_contain_text("không nhận được tin từ máy chủ")
    system.start_dashboard()
    expect(page.locator("#banner")).to_be_hidden(timeout=RECOVERED)
    expect(figure(page, "filings")).to_have_text("3", timeout=RECOVERED)
    assert page.url.endswith("/wall?theme=dark&scene=overview")
    system.post(FILING, filing("F4"))
    expect(figure(page, "filings")).to_have_text("4", timeout=COUNTED)
