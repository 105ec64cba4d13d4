"""The past on the screens, as an administrator goes back in it: with a mouse, with a keyboard only, by an address."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.connection import Connection
from dashboard.desk.asked import moment_of, written
from schemas import places
from schemas.codes import Channel, FeedbackStatus, FilingStatus
from schemas.events import Feedback, Filing
from schemas.kinds import FEEDBACK, FILING
from tests.browser.conftest import System
from tests.running import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.browser]
COMMUNE = places.communes("46")[5]
PATIENCE = 30_000
"""How long a loaded machine may take, in milliseconds."""


@dataclass(frozen=True)
class Told:
    """A system that was told something late, and the moment before that."""

    system: System
    moment: datetime
    """One overdue filing was known, and no alarm was raised."""

    def open(self, page: Page, path: str, **parameters: str) -> None:
        """The page of a path at the moment."""
        page.goto(f"{self.system.url}{path}?{urlencode({'moment': written(self.moment)} | parameters)}")


def filing(number: str) -> Filing:
    now = datetime.now(UTC)
    return Filing(
        agency=f"H57.{COMMUNE.code}",
        commune=COMMUNE.code,
        filing_id=number,
        procedure="1.005129",
        status=FilingStatus.PROCESSING,
        channel=Channel.ONLINE,
        registered_at=now - timedelta(days=30),
        due_at=now - timedelta(days=20),
    )


def report(number: str) -> Feedback:
    return Feedback(
        agency="H57.IOC",
        commune=COMMUNE.code,
        report_id=number,
        category="water",
        status=FeedbackStatus.RECEIVED,
        reported_at=datetime.now(UTC),
        lat=COMMUNE.lat,
        lon=COMMUNE.lon,
    )


@pytest.fixture(scope="module")
def told(system: System) -> Iterator[Told]:
    connection = Connection(system.settings.clickhouse_url)

    def count(sql: str) -> int:
        return int(connection.tuples(sql)[0][0])

    before = datetime.now(UTC) - timedelta(days=2)
    system.post(FILING, filing("F-in-time"), time=before)
    wait_for(lambda: count("SELECT count() FROM current_filing FINAL") == 1, what="the first filing")
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    wait_for(lambda: datetime.now(UTC) > moment + timedelta(seconds=2), what="the moment")
    system.post(FILING, filing("F-late"), time=before)
    system.post(FEEDBACK, *(report(f"R{number}") for number in range(20)))
    wait_for(lambda: count("SELECT count() FROM current_filing FINAL") == 2, what="the late filing")
    wait_for(
        lambda: count("SELECT count() FROM alarm_steps WHERE rule = 'burst' AND raised_at IS NOT NULL") > 0,
        what="an alarm",
        seconds=90,
    )
    connection.close()
    yield Told(system, moment)


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE)
    yield
    expect.set_options(timeout=5_000)


def asked(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def at(page: Page) -> datetime:
    return moment_of(asked(page)["moment"])


def overdue(page: Page) -> Locator:
    return page.locator(".cards.key .card", has=page.get_by_role("link", name="Hồ sơ quá hạn", exact=True))


@pytest.mark.parametrize("path", ["/wall", "/map", "/unit/46", "/record/filing/F-in-time", "/records", "/sources", "/targets"])
def test_a_page_of_the_past_has_its_frame_and_sign_and_leads_on_in_it(page: Page, told: Told, path: str) -> None:
    told.open(page, path)
    expect(page.locator("#replay .sign")).to_have_text("PHÁT LẠI")
    expect(page.locator("#wall.past")).to_be_visible()
    frame = page.evaluate("getComputedStyle(document.querySelector('#wall'), '::after').borderTopWidth")
    assert float(frame.removesuffix("px")) >= 6
    expect(page).to_have_title(re.compile("^PHÁT LẠI"))
    told_at = re.compile(told.moment.astimezone(moment_of(written(told.moment)).tzinfo).strftime("%d/%m/%Y %H:%M:%S"))
    expect(page.locator("#replay-moment")).to_have_text(told_at)
    if path != "/wall":
        href = page.get_by_role("link", name="Chỉ tiêu", exact=True).first.get_attribute("href")
        assert href and f"moment={written(told.moment)}".replace(":", "%3A") in href.replace(":", "%3A")
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


def test_the_difference_of_the_pictures_is_told_with_the_events_that_made_it(page: Page, told: Told) -> None:
    told.open(page, "/replay")
    row = page.get_by_role("row").filter(has_text="Hồ sơ quá hạn")
    expect(row.first).to_contain_text(re.compile(r"1\s*2\s*\+1"))
    late = page.get_by_role("row").filter(has_text="F-late")
    expect(late).to_have_count(1)
    expect(page.get_by_role("row").filter(has_text="F-in-time")).to_have_count(0)


def test_the_player_steps_plays_and_keeps_the_address(page: Page, told: Told) -> None:
    since, until = (written(told.moment + timedelta(minutes=minutes)) for minutes in (-120, 0))
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
    assert (kept["speed"], kept["loop"]) == ("10", "1") and at(page) < told.moment - timedelta(minutes=100)
    page.reload()
    expect(page.get_by_role("button", name="lặp lại")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Tốc độ")).to_have_value("10")
    page.get_by_role("link", name="Nguồn dữ liệu", exact=True).first.click()
    expect(page.locator("#replay .sign")).to_be_visible()
    assert asked(page)["moment"] == kept["moment"]


def test_the_timeline_is_gone_along_by_keys_and_by_mouse(page: Page, told: Told) -> None:
    told.open(page, "/sources", speed="60", since=written(told.moment - timedelta(days=3)))
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


def test_the_next_alarm_is_jumped_to(page: Page, told: Told) -> None:
    told.open(page, "/wall", scene="overview")
    expect(page.locator("#replay-line .call").first).to_be_attached()
    page.get_by_role("button", name="Cảnh báo kế tiếp").click()
    expect(page.locator(".alarm", has_text=COMMUNE.name).first).to_be_visible()
    assert at(page) > told.moment
    page.get_by_role("button", name="Cảnh báo kế tiếp").click()
    expect(page.locator("#replay-note")).to_contain_text("Không còn cảnh báo nào")


def test_a_wall_of_the_past_shows_its_moment_and_nothing_of_the_present(page: Page, told: Told) -> None:
    told.open(page, "/wall", scene="overview")
    expect(page.locator("#figure-overdue .reading b, #figure-filings .reading b").first).to_have_text("1")
    clock = told.moment.astimezone(moment_of(written(told.moment)).tzinfo).strftime("%H:%M:%S")
    expect(page.locator("#clock")).to_contain_text(clock)
    page.wait_for_timeout(3000)  # the pulse of the present goes on and must change nothing
    expect(page.locator("#clock")).to_contain_text(clock)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


@pytest.mark.parametrize("said", ["2999-01-01T00:00:00", "yesterday"])
def test_a_moment_that_cannot_be_is_said(page: Page, told: Told, said: str) -> None:
    page.goto(f"{told.system.url}/unit/46?moment={said}")
    expect(page.locator("#content")).to_contain_text("Địa chỉ không hợp lệ")
    expect(page.locator("#replay")).to_have_count(0)


def test_a_moment_is_chosen_by_its_time_or_by_how_long_ago(page: Page, told: Told) -> None:
    page.goto(f"{told.system.url}/replay")
    page.get_by_role("link", name="1 giờ trước").click()
    expect(page.locator("#replay .sign")).to_be_visible()
    assert timedelta(minutes=59) < datetime.now(UTC) - at(page) < timedelta(minutes=62)
    page.goto(f"{told.system.url}/replay")
    page.get_by_label("Thời điểm", exact=True).fill(written(told.moment)[:16])
    page.get_by_role("button", name="Xem lại").click()
    expect(page.locator("#replay .sign")).to_be_visible()
    assert at(page) == told.moment.replace(second=0)
