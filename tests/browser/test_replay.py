"""The past on the screens, as an administrator goes back in it.

With a mouse, with a keyboard only, by an address.
"""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from dashboard.query.connection import Connection
from dashboard.request.address import format_moment, moment_of
from dashboard.request.context import TICK
from schemas.moments import milliseconds
from tests.browser.conftest import Told
from tests.browser.going_back import asked, at, overdue
from tests.browser.samples import COMMUNE
from tests.browser.waiting import wait_until
from tests.running import wait_for

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("patient"),
]


@pytest.mark.parametrize(
    "path",
    ["/wall", "/map", "/unit/46", "/record/filing/F-in-time", "/records", "/sources", "/targets"],
)
def test_a_page_of_the_past_has_its_frame_and_sign_and_leads_on_in_it(
    page: Page, told: Told, path: str
) -> None:
    told.open(page, path)
    expect(page.locator("#replay .sign")).to_have_text("PHÁT LẠI")
    expect(page.locator("#wall.past")).to_be_visible()
    frame = page.evaluate(
        "getComputedStyle(document.querySelector('#wall'), '::after').borderTopWidth"
    )
    assert float(frame.removesuffix("px")) >= 6
    expect(page).to_have_title(re.compile("^PHÁT LẠI"))
    told_at = re.compile(
        told.moment.astimezone(moment_of(format_moment(told.moment)).tzinfo).strftime(
            "%d/%m/%Y %H:%M:%S"
        )
    )
    expect(page.locator("#replay-moment")).to_have_text(told_at)
    if path != "/wall":
        href = page.get_by_role("link", name="Chỉ tiêu", exact=True).first.get_attribute("href")
        assert href and f"moment={format_moment(told.moment)}".replace(":", "%3A") in href.replace(
            ":", "%3A"
        )
    page.get_by_role("link", name="Về hiện tại").click()
    expect(page.locator("#replay")).to_have_count(0)
    assert "moment" not in asked(page)


def test_what_came_late_is_in_the_corrected_picture_only(page: Page, told: Told) -> None:
    told.open(page, "/unit/46")
    expect(overdue(page)).to_contain_text(re.compile(r"Hồ sơ quá hạn\s*1"))
    page.get_by_role("link", name="như đã chỉnh lý").click()
    expect(overdue(page)).to_contain_text(re.compile(r"Hồ sơ quá hạn\s*2"))
    assert asked(page)["picture"] == "corrected"
    told.open(page, "/record/filing/F-late")
    expect(page.locator("#content")).to_contain_text("Không có bản ghi F-late")


def test_the_map_of_the_past_shows_the_reports_of_then(page: Page, told: Told) -> None:
    held = "(total) => window.ioc?.map?.state.reports?.total === total"
    for picture in ("known", "corrected"):
        told.open(page, "/map", picture=picture)
        wait_until(page, held, arg=0)
    page.goto(f"{told.system.url}/map")
    wait_until(page, held, arg=20)


def test_the_difference_of_the_pictures_is_told_with_the_events_that_made_it(
    page: Page, told: Told
) -> None:
    told.open(page, "/replay")
    figures = page.get_by_role("table", name="Đã biết lúc đó và nay")
    row = figures.get_by_role("row").filter(has_text="Hồ sơ quá hạn")
    expect(row.first).to_contain_text(re.compile(r"1\s*2\s*\+1"))
    expect(row.first.get_by_role("link", name="F-late")).to_have_count(1)
    late = (
        page.get_by_role("table", name="Hồ sơ dịch vụ công")
        .get_by_role("row")
        .filter(has_text="F-late")
    )
    expect(late).to_have_count(1)
    expect(page.get_by_role("row").filter(has_text="F-in-time")).to_have_count(0)
    row.first.get_by_role("link", name="F-late").click()
    expect(page.locator("#content h1")).to_contain_text("F-late")


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


def test_a_wall_of_the_past_shows_its_moment_and_nothing_of_the_present(
    page: Page, told: Told
) -> None:
    told.open(page, "/wall", scene="overview")
    expect(
        page.locator("#figure-overdue .reading b, #figure-filings .reading b").first
    ).to_have_text("1")
    clock = told.moment.astimezone(moment_of(format_moment(told.moment)).tzinfo).strftime(
        "%H:%M:%S"
    )
    expect(page.locator("#clock")).to_contain_text(clock)
    page.wait_for_timeout(3000)  # the pulse of the present goes on and must change nothing
    expect(page.locator("#clock")).to_contain_text(clock)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


@pytest.mark.parametrize(
    "said",
    ["moment=2999-01-01T00:00:00", "moment=yesterday", "moment=0001-01-01", "{good}&since=x"],
)
@pytest.mark.parametrize("path", ["/unit/46", "/replay", "/map", "/wall"])
def test_a_moment_that_cannot_be_is_said(page: Page, told: Told, path: str, said: str) -> None:
    good = f"moment={format_moment(told.moment)}"
    page.goto(f"{told.system.url}{path}?{said.format(good=good)}")
    words = "Không xem lại được thời điểm" if path == "/wall" else "Địa chỉ không hợp lệ"
    expect(page.locator("#wall")).to_contain_text(words)
    expect(page.locator("#replay")).to_have_count(0)


def test_a_moment_that_cannot_be_drawn_is_said(page: Page, told: Told) -> None:
    told.open(page, "/unit/46", speed="60")
    expect(overdue(page)).to_contain_text(re.compile(r"Hồ sơ quá hạn\s*1"))
    page.route("**/replay/desk?*", lambda route: route.abort())
    page.get_by_role("button", name="Lùi một bước").click()
    expect(page.locator("#replay-note")).to_have_text("Không dựng được thời điểm này")
    page.unroute("**/replay/desk?*")
    page.get_by_role("button", name="Lùi một bước").click()
    expect(overdue(page)).to_contain_text(re.compile(r"Hồ sơ quá hạn\s*0"))
    expect(page.locator("#replay-note")).to_have_text("")


def test_a_file_of_the_past_has_nothing_that_came_later(page: Page, told: Told) -> None:
    files = {
        picture: page.request.get(
            f"{told.system.url}/export/records/filing.csv?"
            + urlencode({"moment": format_moment(told.moment), "picture": picture})
        ).text()
        for picture in ("known", "corrected")
    }
    assert "F-in-time" in files["known"] and "F-late" not in files["known"]
    assert "F-in-time" in files["corrected"] and "F-late" in files["corrected"]


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


def test_a_recorded_moment_is_compared_with_what_was_shown(page: Page, told: Told) -> None:
    connection = Connection(told.system.settings.clickhouse_url)
    wait_for(
        lambda: connection.tuples("SELECT count() FROM snapshots")[0][0] > 0,
        what="a recorded snapshot",
        seconds=150,
    )
    recorded = page.locator(
        "section.part", has=page.get_by_role("heading", name="Bằng chứng")
    ).get_by_role("link")

    def seen() -> int:
        page.goto(f"{told.system.url}/replay")
        expect(page.locator("#content h1")).to_be_visible()
        return recorded.count()

    wait_for(seen, what="the page, which knows for some seconds how many there are")
    recorded.first.click()
    expect(page.locator("#content")).to_contain_text("Khớp bản ghi")


def test_what_is_no_longer_kept_is_said_and_shown(page: Page, told: Told) -> None:
    connection, now = Connection(told.system.settings.clickhouse_url), datetime.now(UTC)
    since = now - timedelta(minutes=30)
    connection.tuples(
        f"INSERT INTO horizons SELECT 'events', fromUnixTimestamp64Milli({milliseconds(since)}), "
        "now() - INTERVAL 63 DAY, now()"
    )
    page.wait_for_timeout(
        1000 * (TICK + 1)
    )  # what the pages of other tests asked is remembered for so long
    try:
        page.goto(
            f"{told.system.url}/replay?"
            + urlencode(
                {
                    "since": format_moment(now - timedelta(hours=1)),
                    "until": format_moment(now),
                }
            )
        )
        gone = page.locator("#replay-line .gone")
        expect(gone).to_be_attached()
        width = float(gone.get_attribute("width") or 0)
        assert 400 < width < 600, page.url
        expect(gone.locator("title")).to_contain_text("chỉ còn số lượng")
        row = (
            page.get_by_role("table", name="Có thể xem lại từ khi nào")
            .get_by_role("row")
            .filter(has_text="cả hai bức tranh")
        )
        expect(row).to_contain_text("mãi mãi")
        page.goto(f"{told.system.url}/unit/46?moment={format_moment(now - timedelta(minutes=45))}")
        expect(page.locator("#content")).to_contain_text(
            "không còn được lưu trọn vẹn; chỉ xem lại được từ"
        )
        page.locator("#content").get_by_role("link", name="Xem lại").click()
        expect(page.locator("#replay .sign")).to_be_visible()
        assert abs(at(page) - since) < timedelta(seconds=1), (
            "it leads to the first moment that is whole"
        )
        told.open(page, "/unit/46")
        expect(overdue(page)).to_be_visible()
        form: dict[str, str | float | bool] = {
            "name": "gone",
            "since": format_moment(now - timedelta(days=70)),
            "until": format_moment(now),
        }
        answer = page.request.post(f"{told.system.url}/replay/runs", form=form, max_redirects=0)
        assert answer.status == 303 and "run_problem=kept" in answer.headers["location"]
        page.goto(f"{told.system.url}{answer.headers['location']}")
        expect(page.get_by_role("alert").filter(has_text="không còn được lưu đủ")).to_be_visible()
    finally:
        connection.tuples("TRUNCATE TABLE horizons")
