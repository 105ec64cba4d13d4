"""The player and timeline of the past: with a mouse, with a keyboard only, by an address."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from dashboard.query.connection import Connection
from dashboard.request.address import format_moment, moment_of
from tests.browser.conftest import Told
from tests.browser.going_back import asked, at, overdue
from tests.browser.samples import COMMUNE
from tests.browser.waiting import wait_until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("patient"),
]


def test_the_player_steps_plays_and_keeps_the_address(page: Page, told: Told) -> None:
    since, until = (
        format_moment(told.moment + timedelta(minutes=minutes)) for minutes in (-120, 0)
    )
    told.open(page, "/unit/46", speed="60", since=since, until=until)
    page.get_by_role("button", name="Lùi một bước").click()
    expect(overdue(page)).to_contain_text(re.compile(r"Hồ sơ quá hạn\s*0"))
    assert at(page) == told.moment - timedelta(minutes=1)
    page.get_by_role("button", name="Tiến một bước").click()
    expect(overdue(page)).to_contain_text(re.compile(r"Hồ sơ quá hạn\s*1"))
    assert at(page) == told.moment
    page.get_by_role("button", name="Lùi một bước").click()
    expect(overdue(page)).to_contain_text(re.compile(r"Hồ sơ quá hạn\s*0"))
    page.get_by_label("Tốc độ").select_option("10")
    play, pause = (page.get_by_role("button", name=name, exact=True) for name in ("Phát", "Dừng"))
    play.click()
    expect(pause).to_be_visible()
    expect(play).to_be_visible()  # at the end of the period it stops
    expect(overdue(page)).to_contain_text(re.compile(r"Hồ sơ quá hạn\s*1"))
    assert at(page) == told.moment
    page.get_by_role("button", name="lặp lại").click()
    play.click()
    expect(overdue(page)).to_contain_text(re.compile(r"Hồ sơ quá hạn\s*0"))
    pause.click()
    expect(play).to_be_visible()
    kept = asked(page)
    assert (kept["speed"], kept["loop"]) == ("10", "1") and at(page) < told.moment - timedelta(
        minutes=100
    )
    page.reload()
    expect(page.get_by_role("button", name="lặp lại")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Tốc độ")).to_have_value("10")
    page.get_by_role("link", name="Nguồn dữ liệu", exact=True).first.click()
    expect(page.locator("#replay .sign")).to_be_visible()
    assert asked(page)["moment"] == kept["moment"]


@pytest.mark.parametrize("picture", ["known", "corrected"])
def test_at_full_speed_all_that_came_between_two_frames_is_told(
    page: Page, told: Told, picture: str
) -> None:
    since, until = told.moment - timedelta(hours=12), datetime.now(UTC)
    given = {
        "speed": "3600",
        "since": format_moment(since),
        "until": format_moment(until),
        "moment": format_moment(since),
        "picture": picture,
    }
    told.open(page, "/sources", **given)
    expect(page.locator("#replay-line rect.bar").first).to_be_attached()
    page.locator("#replay-note").evaluate(
        "(box) => { window.notes = []; new MutationObserver(() => "
        "notes.push(box.textContent)).observe(box, { childList: true }); }"
    )
    play = page.get_by_role("button", name="Phát", exact=True)
    play.click()
    expect(page.get_by_role("button", name="Dừng", exact=True)).to_be_visible()
    expect(play).to_be_visible()
    notes, words = (
        page.evaluate("notes"),
        {"known": "sự kiện đến", "corrected": "sự kiện xảy ra"}[picture],
    )
    events, alarms = (
        sum(int(n) for one in notes for n in re.findall(rf"(\d+) {what}", one))
        for what in (words, "cảnh báo")
    )
    ((reports, raised),) = Connection(told.system.settings.clickhouse_url).tuples(
        "SELECT (SELECT count() FROM events_feedback FINAL), (SELECT count() FROM alarms WHERE "
        "raised_at IS NOT NULL)"
    )
    filings = 2 if picture == "known" else 0  # that happened days ago
    assert (events, alarms) == (reports + filings, raised) and raised > 0


def test_the_timeline_is_gone_along_by_keys_and_by_mouse(page: Page, told: Told) -> None:
    told.open(page, "/sources", speed="60", since=format_moment(told.moment - timedelta(days=3)))
    line = page.locator("#replay-line")
    expect(line.locator("rect.bar").first).to_be_attached()
    line.focus()
    line.press("ArrowLeft")
    assert at(page) == told.moment - timedelta(minutes=1)
    line.press("PageUp")
    assert at(page) == told.moment - timedelta(days=1, minutes=1)
    line.press("Home")
    assert at(page) == told.moment - timedelta(days=3)
    box = line.bounding_box()
    assert box
    line.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    expect(page).to_have_url(re.compile("moment="))
    assert told.moment - timedelta(days=3) < at(page) < told.moment
    assert 49 <= float(line.get_attribute("aria-valuenow") or 0) <= 51
    moment = at(page)
    for key, end in (("[", "since"), ("]", "until")):  # a period of one's own, without a mouse
        line.press("ArrowLeft")
        line.press("ArrowRight")
        line.press("PageUp" if end == "since" else "End")
        chosen = at(page)
        line.press(key)
        expect(page).to_have_url(re.compile(f"{end}={re.escape(format_moment(chosen))}"))
    assert chosen > moment and period(page) > timedelta(days=1)


def test_the_next_alarm_is_jumped_to(page: Page, told: Told) -> None:
    told.open(page, "/wall", scene="overview")
    expect(page.locator("#replay-line .call").first).to_be_attached()
    page.get_by_role("button", name="Cảnh báo kế tiếp").click()
    expect(page.locator(".alarm", has_text=COMMUNE.name).first).to_be_visible()
    assert at(page) > told.moment
    page.get_by_role("button", name="Cảnh báo kế tiếp").click()
    expect(page.locator("#replay-note")).to_contain_text("Không còn cảnh báo nào")
    page.evaluate(
        "ioc.replay.state.line.alarms_from = ioc.replay.state.until + 1"
    )  # as where there are too many for a line
    page.get_by_role("button", name="Cảnh báo kế tiếp").click()
    expect(page.locator("#replay-note")).to_contain_text("Dòng này chỉ có các cảnh báo từ")


def period(page: Page) -> timedelta:
    given = asked(page)
    return moment_of(given["until"]) - moment_of(given["since"])


def test_the_period_of_the_timeline_is_chosen_from_a_list_or_drawn(page: Page, told: Told) -> None:
    told.open(page, "/sources")
    chosen = page.get_by_label("Khoảng của dòng thời gian")
    expect(chosen).to_have_value(str(7 * 86_400_000))
    chosen.select_option("1 ngày")
    expect(page).to_have_url(re.compile("since="))
    assert period(page) == timedelta(days=1) and at(page) == told.moment
    expect(page.locator("#replay-line .days span").first).to_have_text(re.compile(r"^\d\d:\d\d$"))
    page.reload()
    expect(chosen).to_have_value(str(86_400_000))
    box = page.locator("#replay-line").bounding_box()
    assert box
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.locator("#replay-line .band")).to_have_count(0)
    assert timedelta(hours=5.9) < period(page) < timedelta(hours=6.1)
    assert moment_of(asked(page)["since"]) <= at(page) <= moment_of(asked(page)["until"]), (
        "the moment lies in the period"
    )
    page.reload()
    expect(chosen.locator("option:checked")).to_have_text("khoảng tự chọn")


def test_a_moment_is_chosen_on_a_timeline_before_any_is_shown(page: Page, told: Told) -> None:
    page.goto(f"{told.system.url}/replay")
    line = page.locator("#replay-line")
    expect(line.locator("rect.bar").first).to_be_attached()
    expect(page.locator("#wall.past")).to_have_count(0)
    drawn = (
        "() => { const s = ioc.replay.state; return s.line && [s.line.since - s.since, "
        "s.line.until - s.until]; }"
    )
    page.get_by_label("Khoảng của dòng thời gian").select_option("1 ngày")
    assert "since" not in asked(page)
    wait_until(page, f"({drawn})()?.every((off) => Math.abs(off) < 2000)")
    box = line.bounding_box()
    assert box
    page.keyboard.down("Shift")
    for share, hold in ((1 / 4, page.mouse.down), (1 / 2, page.mouse.up)):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + 20, steps=4)
        hold()
    page.keyboard.up("Shift")
    wait_until(page, f"({drawn})()?.every((off) => Math.abs(off) < 2000)")
    assert timedelta(hours=5.9) < page.evaluate(
        "ioc.replay.state.until - ioc.replay.state.since"
    ) * timedelta(milliseconds=1)
    page.get_by_label("Khoảng của dòng thời gian").select_option("7 ngày")
    line.focus()
    line.press("PageUp")
    assert "moment" not in asked(page), "looking along it shows no moment yet"
    line.press("Enter")
    expect(page.locator("#replay .sign")).to_be_visible()
    assert timedelta(hours=23) < datetime.now(UTC) - at(page) < timedelta(hours=25)


def test_a_moment_is_chosen_by_its_time_or_by_how_long_ago(page: Page, told: Told) -> None:
    page.goto(f"{told.system.url}/replay")
    page.get_by_role("link", name="1 giờ trước").click()
    expect(page.locator("#replay .sign")).to_be_visible()
    assert timedelta(minutes=59) < datetime.now(UTC) - at(page) < timedelta(minutes=62)
    page.goto(f"{told.system.url}/replay")
    page.get_by_label("Thời điểm", exact=True).fill(format_moment(told.moment)[:16])
    page.get_by_role("button", name="Xem lại").click()
    expect(page.locator("#replay .sign")).to_be_visible()
    assert at(page) == told.moment.replace(second=0)
