"""The past on the screens: what its pages show, tell apart, refuse and no longer have."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from dashboard.query.connection import Connection
from dashboard.request.address import format_moment, moment_of
from dashboard.request.context import TICK_SECONDS
from schemas.moments import milliseconds
from tests.browser.conftest import Told
from tests.browser.going_back import asked, at, overdue
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
        1000 * (TICK_SECONDS + 1)
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
