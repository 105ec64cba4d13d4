"""Units, records and the search as operators use them.

With a mouse, with a keyboard only, in both languages, on paper.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from dashboard.query.connection import Connection
from schemas import places
from schemas.events.codes import Channel, DocumentStatus, FeedbackStatus, FilingStatus, Priority
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING
from schemas.events.payloads import Document, Feedback, Filing
from tests.browser.conftest import System
from tests.browser.contrast import faint
from tests.browser.focus import nameless
from tests.browser.legible import illegible
from tests.running import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.browser]
WORST, BETTER = places.communes("46")[5], places.communes("46")[9]
COUNTED = 40_000
PATIENCE = 20_000
"""How long a loaded machine may take to draw a page, in milliseconds."""
RENEWED = 30_000
NOW = datetime.now(UTC)
OLDEST = f"H57.{WORST.code}-261101-0000001"
LETTER = "H57.VP,2026/11/24,123/CĐ-VP"
SECRET = "sealed:of-whom"


def filing(
    number: str, commune: str, days: float, status: FilingStatus = FilingStatus.PROCESSING
) -> Filing:
    """Return a filing that was due so many days ago."""
    due = NOW - timedelta(days=days)
    return Filing(
        agency=f"H57.{commune}",
        commune=commune,
        filing_id=number,
        procedure="1.005129",
        status=status,
        channel=Channel.ONLINE,
        registered_at=due - timedelta(days=5),
        due_at=due,
    )


@pytest.fixture(scope="module")
def filled(system: System) -> System:
    """Return a province in which one commune is the worst, with a document whose id has slashes,
    commas and marks.
    """
    before = NOW - timedelta(days=25)
    system.post(FILING, filing(OLDEST, WORST.code, 20, FilingStatus.REGISTERED), time=before)
    system.post(
        FILING,
        filing(OLDEST, WORST.code, 20, FilingStatus.FINISHED),
        time=before + timedelta(hours=30),
    )
    overdue = [
        filing(f"H57.{WORST.code}-261101-000000{number}", WORST.code, 20 - number)
        for number in (2, 3)
    ]
    system.post(
        FILING,
        filing(OLDEST, WORST.code, 20),
        *overdue,
        filing("H57-B-1", BETTER.code, 9),
        time=NOW - timedelta(days=19),
    )
    report = Feedback(
        agency=f"H57.{WORST.code}.UB",
        commune=WORST.code,
        report_id="PA-1",
        category="water",
        status=FeedbackStatus.RECEIVED,
        reported_at=NOW,
        reporter=SECRET,
    )
    system.post(FEEDBACK, report)
    letters = [
        Document(
            agency=to,
            document_id=LETTER,
            from_organ="H57.VP",
            to_organ=to,
            number="123",
            notation="CĐ-VP",
            subject="Ứng phó mưa lũ",
            status=DocumentStatus.ARRIVED,
            priority=Priority.FLASH,
            sent_at=NOW,
            due_at=NOW + timedelta(hours=2),
        )
        for to in (f"H57.{WORST.code}.UB", "H57.SYT")
    ]
    system.post(DOCUMENT, *letters)
    connection = Connection(system.settings.clickhouse_url)

    def lives() -> bool:
        counts = "(SELECT count() FROM current_{} FINAL)"
        asked = ", ".join(counts.format(kind) for kind in ("filing", "feedback", "document"))
        return connection.tuples(f"SELECT {asked}, (SELECT count() FROM life_filing FINAL)") == [
            (4, 1, 2, 6)
        ]

    wait_for(lives, what="the lives of what was sent")
    connection.close()
    return system


@pytest.fixture
def desk(page: Page) -> Iterator[Page]:
    """Yield a desk's screen, on whose console nothing may be an error."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            said.append(message.text)

    page.on("console", hear)
    page.set_viewport_size({"width": 1600, "height": 1000})
    expect.set_options(timeout=PATIENCE)
    yield page
    expect.set_options(timeout=5_000)
    assert not said


def visit(page: Page, system: System, path: str, heading: str | re.Pattern[str]) -> None:
    page.goto(f"{system.url}{path}")
    expect(page.locator("h1")).to_have_text(heading)


def visit_filled(page: Page, system: System, path: str = "/unit/46", query: str = "") -> Locator:
    """Open the page of a unit, and return the table of what is below it."""
    page.goto(f"{system.url}{path}{query}")
    expect(
        page.locator("article", has_text=re.compile("Hồ sơ quá hạn|Filings overdue"))
        .locator("b")
        .first
    ).to_have_text(re.compile("[34]"), timeout=COUNTED)
    return page.locator("#units tbody tr")


def search(page: Page, text: str) -> None:
    page.get_by_role("searchbox").fill(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?**")
    expect(page.locator("h1")).to_contain_text(text)


def test_before_any_record_the_units_are_there_and_say_that_they_have_none(
    desk: Page, system: System
) -> None:
    visit(desk, system, "/unit/46", "Thành phố Huế")
    expect(desk.locator("#units tbody tr")).to_have_count(len(places.communes("46")))
    visit(desk, system, f"/unit/{WORST.code}", WORST.full_name)
    expect(desk.locator(".nothing")).to_contain_text("Chưa có bản ghi nào")
    expect(desk.locator("#score-766")).to_contain_text("Chưa đủ dữ liệu")
    expect(desk.locator("#feeds li").first).to_contain_text("0000")


def test_from_the_province_to_the_worst_commune_to_its_oldest_overdue_record(
    desk: Page, filled: System
) -> None:
    desk.goto(f"{filled.url}/sources")
    desk.get_by_role("link", name="Đơn vị", exact=True).click()
    desk.wait_for_url("**/unit/46")
    rows = visit_filled(desk, filled)
    expect(rows.first).to_contain_text("3")
    rows.first.get_by_role("link").click()
    expect(desk.locator("h1")).to_have_text(WORST.full_name)
    desk.locator("#queue-filing-overdue tbody tr").first.get_by_role("link").first.click()
    expect(desk.locator("h1")).to_have_text(OLDEST)
    expect(desk.locator(".headline")).to_contain_text(
        re.compile(r"Đang xử lý.*quá .* ngày làm việc.*0000", re.DOTALL)
    )


def test_a_records_life_flags_what_is_late_and_out_of_order(desk: Page, filled: System) -> None:
    visit(desk, filled, f"/record/filing/{OLDEST}", OLDEST)
    steps = desk.locator("#life li")
    expect(steps).to_have_count(3)
    expect(steps.nth(1)).to_contain_text("sai trình tự")
    expect(steps.nth(2)).to_contain_text("đến nay")
    expect(desk.locator("#deadline .beyond").first).to_be_attached()
    expect(desk.locator("#beside tbody tr")).to_have_count(2)
    desk.locator("#raw summary").click()
    expect(desk.locator("#raw pre").first).to_contain_text('"filing_id"')


def test_the_open_record_shows_a_new_step_without_reload(desk: Page, filled: System) -> None:
    visit(desk, filled, "/record/filing/H57-B-1", "H57-B-1")
    desk.evaluate("window.sameLife = true")
    expect(desk.locator("#life li")).to_have_count(1)
    filled.post(FILING, filing("H57-B-1", BETTER.code, 9, FilingStatus.SUPPLEMENT))
    expect(desk.locator("#life li")).to_have_count(2, timeout=RENEWED)
    expect(desk.locator(".headline")).to_contain_text("tạm dừng")
    assert desk.evaluate("window.sameLife") is True


def test_the_keyboard_stays_where_it_is_and_what_is_unfolded_stays_open_while_the_page_is_renewed(
    desk: Page, filled: System
) -> None:
    visit(desk, filled, "/record/filing/H57-B-1", "H57-B-1")
    desk.locator("#raw summary").focus()
    desk.keyboard.press("Enter")
    steps = desk.locator("#life li")
    before = steps.count()
    filled.post(FILING, filing("H57-B-1", BETTER.code, 9, FilingStatus.PROCESSING))
    expect(steps).to_have_count(before + 1, timeout=RENEWED)
    expect(desk.locator("#raw summary")).to_be_focused()
    expect(desk.locator("#raw pre").first).to_be_visible()


def test_a_number_leads_to_its_record_in_one_search_by_keyboard(desk: Page, filled: System) -> None:
    visit(desk, filled, "/search", "Tìm")
    desk.keyboard.press("Tab")
    while desk.evaluate("document.activeElement.id") != "search":
        desk.keyboard.press("Tab")
    desk.keyboard.type(OLDEST.lower().replace("h57", "H57"))
    desk.keyboard.press("Enter")
    expect(desk.locator(".exact a")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.locator("h1")).to_have_text(OLDEST)
    assert desk.url.endswith(f"/record/filing/{OLDEST}")


def test_an_id_with_slashes_commas_and_marks_keeps_its_page_through_reload_back_and_forward(
    desk: Page, filled: System
) -> None:
    entity = f"{LETTER}/H57.SYT"
    visit(desk, filled, "/search", "Tìm")
    search(desk, entity)
    desk.locator(".exact a").click()
    expect(desk.locator("h1")).to_have_text(entity)
    expect(desk.locator("#beside tbody tr")).to_have_count(1)
    expect(desk.locator("#beside")).to_contain_text(WORST.name)
    desk.reload()
    expect(desk.locator("h1")).to_have_text(entity)
    desk.go_back()
    expect(desk.locator("h1")).to_have_text(f"Tìm: {entity}")
    desk.go_forward()
    expect(desk.locator("h1")).to_have_text(entity)
    desk.get_by_role("link", name="Sở Y tế").first.click()
    expect(desk.locator("h1")).to_have_text("Sở Y tế")
    visit(desk, filled, f"/record/document/{quote(entity)}", entity)


def test_the_reporter_is_sealed_on_the_page_and_in_its_raw_events(
    desk: Page, filled: System
) -> None:
    visit(desk, filled, "/record/feedback/PA-1", "PA-1")
    expect(desk.locator("#facts")).to_contain_text("đã niêm phong")
    desk.locator("#raw summary").click()
    expect(desk.locator("#raw pre")).to_contain_text('"reporter": đã niêm phong')
    assert SECRET not in desk.content()


@pytest.mark.parametrize("text", ["phu xuan", "Phú Xuân"])
def test_units_and_agencies_are_found_with_and_without_tone_marks(
    desk: Page, system: System, text: str
) -> None:
    visit(desk, system, f"/search?q={quote(text)}", f"Tìm: {text}")
    expect(desk.locator("#content")).to_contain_text("Ủy ban nhân dân phường Phú Xuân")
    desk.get_by_role("link", name="Phường Phú Xuân", exact=True).click()
    expect(desk.locator("h1")).to_have_text("Phường Phú Xuân")


def test_what_nobody_has_is_said_clearly(desk: Page, system: System) -> None:
    for path, words in {
        "/unit/99999": "Không có đơn vị mã 99999 ở đây",
        "/record/filing/none": "Không có bản ghi none",
        "/record/nothing/1": "Không có bản ghi 1",
        "/search": "Nhập điều cần tìm",
        "/search?q=zzzz": "Không tìm thấy “zzzz”",
        "/unit/46?records=nothing": "Địa chỉ không hợp lệ",
    }.items():
        desk.goto(f"{system.url}{path}")
        expect(desk.locator("#content")).to_contain_text(words)
    visit(desk, system, "/unit/19750", "Phường Tây Lộc (đến 30/06/2025)")
    desk.get_by_role("link", name="Phường Phú Xuân").click()
    expect(desk.locator("h1")).to_have_text("Phường Phú Xuân")


def test_a_card_shows_the_records_behind_it_and_back_hides_them(desk: Page, filled: System) -> None:
    visit_filled(desk, filled)
    desk.get_by_role("link", name="Hồ sơ sắp đến hạn", exact=True).first.click()
    desk.wait_for_url("**records=filing.due_soon**")
    expect(desk.locator("#records")).to_be_visible()
    desk.go_back()
    expect(desk.locator("#records")).to_have_count(0)
    desk.locator(".cards.key").get_by_role("link", name="Hồ sơ quá hạn", exact=True).click()
    rows = desk.locator("#records tbody tr")
    expect(rows.first).to_contain_text(OLDEST)
    desk.locator("#records").get_by_role("link", name="Thời hạn").click()
    desk.wait_for_url("**records_sort=-left**")
    expect(rows.last).to_contain_text(OLDEST)
    desk.reload()
    expect(rows.last).to_contain_text(OLDEST)


def test_communes_are_ranked_by_any_column_and_by_any_figure(desk: Page, filled: System) -> None:
    rows = visit_filled(desk, filled)
    expect(rows.first).to_contain_text(WORST.name)
    desk.locator("#units").get_by_role("link", name="Đơn vị").click()
    desk.wait_for_url("**units_sort=name**")
    expect(rows.first).to_contain_text("Phường An Cựu")
    desk.go_back()
    expect(rows.first).to_contain_text(WORST.name)
    choice = desk.locator("#units select")
    choice.focus()
    choice.select_option("document.flash_waiting")
    choice.press("Tab")
    expect(desk.get_by_role("button", name="Xếp")).to_be_focused()
    desk.keyboard.press("Enter")
    desk.wait_for_url("**figure=document.flash_waiting**")
    expect(desk.locator("#units th").nth(1)).to_contain_text("Hỏa tốc chưa tiếp nhận")
    desk.get_by_role("link", name="Cơ quan cấp tỉnh").click()
    expect(desk.locator("#units")).to_contain_text("Sở Y tế")


def test_in_english_all_of_it_is_english_and_links_keep_it(desk: Page, filled: System) -> None:
    visit_filled(desk, filled, query="?lang=en&theme=dark").first.get_by_role("link").click()
    expect(desk.locator("h1")).to_have_text(WORST.full_name_en)
    desk.locator("#queue-filing-overdue tbody tr").first.get_by_role("link").first.click()
    expect(desk.locator(".headline")).to_contain_text("working days")
    assert "lang=en" in desk.url and "theme=dark" in desk.url
    assert not re.search("quá hạn|làm việc|Diễn biến", desk.locator("#content").inner_text())


@pytest.mark.parametrize(
    "path",
    ["/unit/46?records=filing.overdue", f"/record/filing/{OLDEST}", f"/search?q={OLDEST[:6]}"],
)
def test_whatever_can_be_used_has_a_name_and_text_stands_out(
    desk: Page, filled: System, path: str
) -> None:
    for theme in ("light", "dark"):
        desk.goto(f"{filled.url}{path}{'&' if '?' in path else '?'}theme={theme}")
        expect(desk.locator("h1")).to_be_visible()
        expect(desk.locator("#content table").first).to_be_visible()
        assert nameless(desk) == [] and faint(desk) == []


def test_nothing_is_wider_than_a_tablet(desk: Page, filled: System) -> None:
    desk.set_viewport_size({"width": 820, "height": 1180})
    for path in (
        "/unit/46",
        f"/unit/{WORST.code}",
        f"/record/document/{quote(LETTER)}/H57.SYT",
        f"/search?q={OLDEST}",
    ):
        desk.goto(f"{filled.url}{path}")
        expect(desk.locator("h1")).to_be_visible()
        assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_on_paper_there_is_the_unit_without_what_only_a_screen_needs(
    desk: Page, filled: System
) -> None:
    visit_filled(desk, filled, f"/unit/{WORST.code}", "?theme=dark")
    desk.emulate_media(media="print")
    expect(desk.locator("nav").first).to_be_hidden()
    expect(desk.get_by_role("searchbox")).to_be_hidden()
    expect(desk.locator(".chooser")).to_be_hidden()
    expect(desk.locator("#queue-filing-overdue")).to_contain_text(OLDEST)
    expect(desk.locator("#score-766")).to_be_visible()
    assert faint(desk) == [], "a dark screen is printed dark on white"
    assert (
        desk.evaluate("getComputedStyle(document.querySelector('.part')).backgroundColor")
        == "rgb(255, 255, 255)"
    )


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_word_can_be_read(desk: Page, filled: System, lang: str) -> None:
    for path in (
        "/unit/46",
        f"/unit/{WORST.code}",
        f"/record/filing/{OLDEST}",
        f"/search?q={OLDEST[:6]}",
    ):
        desk.goto(f"{filled.url}{path}{'&' if '?' in path else '?'}lang={lang}")
        expect(desk.locator("#content table").first).to_be_visible()
        assert illegible(desk) == []
