"""Lists of records as operators use them: narrow, sort, turn pages, choose columns, take along.

By mouse and by keyboard only.
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.query.connection import Connection
from schemas import places
from schemas.events.codes import Channel, FeedbackStatus, FilingStatus
from schemas.events.kinds import FEEDBACK, FILING
from schemas.events.payloads import Feedback, Filing
from tests.browser.conftest import System
from tests.browser.contrast import faint
from tests.browser.focus import nameless
from tests.browser.legible import illegible
from tests.running import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.browser]
NOW = datetime.now(UTC)
ONE, TWO = places.communes("46")[5], places.communes("46")[9]
FILINGS = 60
FORMULA = "=cmd|' /C calc'!A0"
SECRET = "Nguyễn Văn Kín"
PATIENCE = 30_000


def filing(number: int) -> Filing:
    """Return every third of `TWO`, every fourth by post.

    The first twelve were due, the longest ago first.
    """
    commune = TWO if number % 3 == 0 else ONE
    due = NOW - timedelta(days=20 - number) if number < 12 else NOW + timedelta(days=40)
    return Filing(
        agency=f"H57.{commune.code}",
        commune=commune.code,
        filing_id=f"H57-L-{number:03}",
        procedure="1.005129" if number % 2 else "2.000635",
        status=FilingStatus.PROCESSING,
        channel=Channel.POST if number % 4 == 0 else Channel.ONLINE,
        registered_at=NOW - timedelta(days=25, minutes=number),
        due_at=due,
        fee=1000 * number,
    )


@pytest.fixture(scope="module")
def filled(system: System) -> System:
    """Sixty filings, twelve of them overdue, and a report whose words are a formula."""
    system.post(
        FILING, *(filing(number) for number in range(FILINGS)), time=NOW - timedelta(days=24)
    )
    told: dict[str, Any] = {
        "description": FORMULA,
        "reporter": SECRET,
        "category": "water",
        "report_id": "PA-L-1",
    }
    report = Feedback(
        agency=f"H57.{ONE.code}.UB",
        commune=ONE.code,
        status=FeedbackStatus.RECEIVED,
        reported_at=NOW,
        **told,
    )
    system.post(FEEDBACK, report)
    connection = Connection(system.settings.clickhouse_url)
    asked = (
        "SELECT (SELECT count() FROM current_filing FINAL), (SELECT count() FROM current_feedback "
        "FINAL)"
    )
    wait_for(lambda: connection.tuples(asked) == [(FILINGS, 1)], what="the lives of what was sent")
    connection.close()
    return system


@pytest.fixture
def desk(page: Page) -> Iterator[Page]:
    page.set_viewport_size({"width": 1600, "height": 1000})
    expect.set_options(timeout=PATIENCE)
    yield page
    expect.set_options(timeout=5_000)


def visit(page: Page, system: System, query: str = "", kind: str = "filing") -> Locator:
    """Open a list with rows, and return these."""
    page.goto(f"{system.url}/records/{kind}{query}")
    expect(page.locator("#list tbody tr").first).to_be_visible()
    return page.locator("#list tbody tr")


def numbers(page: Page) -> list[str]:
    return page.locator("#list tbody tr td:first-child").all_inner_texts()


def counted(page: Page, total: int) -> None:
    expect(page.locator("#list .paging")).to_contain_text(f"trên {total} bản ghi")


def choose(page: Page, menu: str, words: str) -> None:
    """Open a menu, unless it is open, and click a choice."""
    details = page.locator(f"#choice-{menu}")
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    details.get_by_role("link", name=words).first.click()


def sort_by(page: Page, words: str) -> None:
    page.locator("#list thead").get_by_role("link", name=words).click()


def asked_for(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_from_the_navigation_to_all_filings_and_to_one_of_them(desk: Page, filled: System) -> None:
    desk.goto(f"{filled.url}/sources")
    desk.get_by_role("link", name="Hồ sơ", exact=True).click()
    desk.wait_for_url("**/records/filing")
    expect(desk.locator("h1")).to_have_text("Hồ sơ dịch vụ công")
    counted(desk, FILINGS)
    assert numbers(desk)[:2] == ["H57-L-000", "H57-L-001"], "the newest first"
    desk.locator("#list tbody a").first.click()
    expect(desk.locator("h1")).to_have_text("H57-L-000")
    desk.goto(f"{filled.url}/records?overdue=1")
    desk.wait_for_url("**/records/filing?overdue=1")
    counted(desk, 12)


def test_choices_tell_what_they_leave_narrow_the_list_and_are_taken_away_by_their_chip(
    desk: Page, filled: System
) -> None:
    visit(desk, filled)
    desk.locator("#choice-commune summary").click()
    expect(desk.locator("#choice-commune li", has_text=TWO.name)).to_contain_text("20")
    choose(desk, "commune", TWO.name)
    counted(desk, 20)
    expect(desk.locator("#choice-commune")).to_have_attribute("open", "")
    choose(desk, "commune", ONE.name)
    counted(desk, 60)
    desk.keyboard.press("Escape")
    expect(desk.locator("#choice-commune")).not_to_have_attribute("open", "")
    choose(desk, "channel", "Bưu chính")
    counted(desk, 15)
    chips = desk.locator("#chosen li")
    expect(chips).to_have_count(3)
    chips.filter(has_text=ONE.name).get_by_role("link").click()
    counted(desk, 5)
    desk.reload()
    counted(desk, 5)
    desk.go_back()
    counted(desk, 15)
    desk.locator("#chosen").get_by_role("link", name="Xóa mọi điều kiện").click()
    counted(desk, 60)
    expect(desk.locator("#chosen")).to_have_count(0)


def test_a_long_menu_is_narrowed_by_typing_with_and_without_marks(
    desk: Page, filled: System
) -> None:
    visit(
        desk, filled, "?agency=" + ",".join(f"H57.{one.code}" for one in places.communes("46")[:20])
    )
    desk.locator("#choice-agency summary").click()
    desk.locator("#narrow-agency").fill("xuan")
    shown = desk.locator("#choice-agency li:visible")
    expect(shown.first).to_be_visible()
    assert all("uân" in words for words in shown.all_inner_texts())


def test_a_text_and_days_are_typed_and_kept(desk: Page, filled: System) -> None:
    visit(desk, filled)
    desk.locator("#text").fill("l-01")
    desk.keyboard.press("Enter")
    counted(desk, 10)
    expect(desk.locator("#text")).to_have_value("l-01")
    desk.locator("#choice-days summary").click()
    desk.locator("#day-to").fill("01/01/2020")
    desk.locator("#choice-days").get_by_role("button", name="Áp dụng").click()
    expect(desk.locator(".nothing")).to_contain_text("Không có bản ghi nào thỏa các điều kiện này")
    desk.locator(".clear-all").get_by_role("link").click()
    counted(desk, FILINGS)
    desk.locator("#choice-days summary").click()
    desk.get_by_role("link", name="Hôm nay").click()
    expect(desk.locator(".nothing")).to_be_visible()


def test_any_column_sorts_and_says_so(desk: Page, filled: System) -> None:
    visit(desk, filled, "?columns=entity_id,left,fee,commune,started_at")
    sort_by(desk, "Thời hạn")
    desk.wait_for_url("**sort=left**")
    expect(desk.locator("#list tbody tr").first).to_contain_text(
        re.compile("H57-L-000.*quá", re.DOTALL)
    )
    expect(desk.locator("#list th").nth(1)).to_have_attribute("aria-sort", "ascending")
    sort_by(desk, "Phí")
    desk.wait_for_url("**sort=-fee**")
    expect(desk.locator("#list tbody tr").first).to_contain_text("59.000")
    expect(desk.locator("#list th").nth(2)).to_have_attribute("aria-sort", "descending")
    sort_by(desk, "Phường, xã")
    desk.wait_for_url("**sort=commune**")
    first = min((ONE, TWO), key=lambda one: one.name)
    expect(desk.locator("#list tbody tr").first).to_contain_text(first.name)


def test_pages_are_turned_to_the_last_and_back_and_have_another_size(
    desk: Page, filled: System
) -> None:
    visit(desk, filled, "?size=25")
    paging = desk.locator("#list .paging")
    paging.get_by_role("link", name="cuối").click()
    expect(paging).to_contain_text("51–60 trên 60")
    assert numbers(desk) == [f"H57-L-{number:03}" for number in range(50, 60)]
    paging.get_by_role("link", name="trước").click()
    expect(paging).to_contain_text("26–50 trên 60")
    desk.reload()
    expect(paging).to_contain_text("26–50 trên 60")
    paging.get_by_role("link", name="100").click()
    expect(paging).to_contain_text("1–60 trên 60")
    desk.go_back()
    expect(paging).to_contain_text("26–50 trên 60")
    desk.goto(f"{filled.url}/records/filing?size=25&page=900")
    expect(paging).to_contain_text("51–60 trên 60")


def test_columns_are_chosen_and_keep_their_order(desk: Page, filled: System) -> None:
    visit(desk, filled)
    heads = desk.locator("#list th")
    before = heads.count()
    choose(desk, "columns", "Phí, lệ phí")
    expect(heads).to_have_count(before + 1)
    expect(heads.last).to_contain_text("Phí, lệ phí")
    choose(desk, "columns", "Thủ tục")
    expect(heads).to_have_count(before)
    desk.locator("#choice-columns").get_by_title("Đưa Trạng thái lên trước").click()
    expect(heads.first).to_contain_text("Trạng thái")
    desk.reload()
    expect(heads.first).to_contain_text("Trạng thái")
    choose(desk, "columns", "Về các cột mặc định")
    expect(heads.first).to_contain_text("Bản ghi")


def test_the_link_is_copied_whole(desk: Page, filled: System) -> None:
    desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit(desk, filled, "?overdue=1&sort=left&page=1")
    desk.get_by_role("button", name="Chép liên kết").click()
    expect(desk.get_by_role("status").filter(has_text="Đã chép liên kết")).to_be_visible()
    assert desk.evaluate("navigator.clipboard.readText()") == desk.url
    desk.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    desk.evaluate(
        "document.addEventListener('copy', () => { window.copied = document.activeElement.value; })"
    )
    desk.get_by_role("button", name="Chép liên kết").click()
    expect(desk.get_by_role("button", name="Chép liên kết")).to_be_focused()
    assert desk.evaluate("window.copied") == desk.url, "also where a page may not use the clipboard"


def taken(page: Page, form: str) -> list[list[Any]]:
    """Return the cells of the file that the button of a form gives."""
    with page.expect_download() as started:
        page.locator(f"#download-{form}").click()
    assert re.fullmatch(rf"\w+-[\w.]+-\d{{8}}-\d{{4}}\.{form}", started.value.suggested_filename)
    body = started.value.path().read_bytes()
    if form == "csv":
        return [list(row) for row in csv.reader(io.StringIO(body.decode("utf-8-sig")))]
    book = openpyxl.load_workbook(io.BytesIO(body))
    return [[cell.value for cell in row] for row in book.active.iter_rows()]  # type: ignore[union-attr]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_file_has_the_rows_of_the_screen_and_of_all_other_pages(
    desk: Page, filled: System, form: str
) -> None:
    visit(
        desk,
        filled,
        f"?commune={ONE.code}&sort=-fee&size=25&columns=entity_id,commune,fee,started_at",
    )
    expect(desk.locator(f"#download-{form}")).to_contain_text("40 dòng")
    head, *rows = taken(desk, form)
    assert head == ["Bản ghi", "Phường, xã", "Phí, lệ phí", "Bắt đầu"]
    assert [row[0] for row in rows][:25] == numbers(desk) and len(rows) == 40
    assert {row[1] for row in rows} == {ONE.full_name}
    assert [int(row[2]) for row in rows] == sorted((int(row[2]) for row in rows), reverse=True)
    if form == "xlsx":
        assert all(isinstance(row[2], int) and isinstance(row[3], datetime) for row in rows)
    expect(desk.get_by_role("status").filter(has_text="Đã tải xong")).to_be_visible()


def test_a_file_and_a_page_hold_no_formula_and_no_reporter(desk: Page, filled: System) -> None:
    visit(desk, filled, kind="feedback")
    assert taken(desk, "csv")[1][2] == f"'{FORMULA}" and taken(desk, "xlsx")[1][2] == FORMULA
    assert SECRET not in desk.content() and "sealed:1" not in desk.content()
    for path in ("/records/feedback?columns=entity_id,reporter", "/records/feedback?reporter=x"):
        desk.goto(f"{filled.url}{path}")
        expect(desk.locator(".nothing")).to_contain_text("Địa chỉ không hợp lệ")
    desk.goto(f"{filled.url}/records/feedback?text={SECRET}")
    expect(desk.locator(".nothing")).to_contain_text("Không có bản ghi nào")


def test_a_file_that_cannot_be_made_says_why_and_one_that_broke_off_is_not_kept(
    desk: Page, filled: System
) -> None:
    visit(desk, filled)
    desk.route("**/export/**", lambda route: route.fulfill(status=503, body="away"))
    desk.locator("#download-csv").click()
    word = desk.locator(".desk-word")
    expect(word).to_contain_text("ClickHouse không trả lời")
    expect(desk.locator("#download-csv")).not_to_have_attribute("aria-busy", "true")
    desk.unroute("**/export/**")
    desk.route("**/export/**", lambda route: route.fulfill(status=400, body="Không có cột “x”"))
    desk.locator("#download-xlsx").click()
    expect(word).to_contain_text("Không có cột “x”")


def test_what_is_typed_and_open_outlives_the_renewal_of_the_page(
    desk: Page, filled: System
) -> None:
    visit(desk, filled, "?columns=entity_id,status")
    desk.locator("#choice-status summary").click()
    desk.locator("#text").fill("đang gõ")
    desk.locator("#choice-status summary").focus()
    filled.post(FILING, filing(FILINGS), time=NOW)
    counted(desk, FILINGS + 1)
    expect(desk.locator("#text")).to_have_value("đang gõ")
    expect(desk.locator("#choice-status")).to_have_attribute("open", "")
    expect(desk.locator("#choice-status summary")).to_be_focused()


def test_rows_are_walked_by_arrow_keys_and_opened_by_enter(desk: Page, filled: System) -> None:
    visit(desk, filled, "?sort=entity_id")
    desk.locator("#list tbody a").first.focus()
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("ArrowUp")
    expect(desk.get_by_role("link", name="H57-L-001")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.locator("h1")).to_have_text("H57-L-001")


def test_the_records_behind_a_figure_open_as_a_list_of_the_same_rows(
    desk: Page, filled: System
) -> None:
    desk.goto(f"{filled.url}/unit/{TWO.code}?records=filing.overdue")
    rows = desk.locator("#records tbody tr")
    expect(rows).to_have_count(4)
    behind = [words.split("\n")[0] for words in rows.locator("td:first-child").all_inner_texts()]
    assert [row[0] for row in taken(desk, "csv")[1:]] == behind
    desk.get_by_role("link", name="Mở thành bảng").click()
    counted(desk, 4)
    assert numbers(desk) == behind
    assert asked_for(desk) == {"figure": ["filing.overdue"], "unit": [TWO.code], "sort": ["left"]}
    expect(desk.locator("#chosen")).to_contain_text("Số liệu: Hồ sơ quá hạn")
    expect(desk.locator("#chosen")).to_contain_text(f"Đơn vị: {TWO.full_name}")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/records/indicator", "Không có danh sách “indicator”"),
        ("/records/filing?sort=1;DROP", "Không sắp xếp được theo “1;DROP”"),
        ("/records/filing?from=31/02/2026", "không phải là ngày"),
        ("/records/filing?unit=nobody", "Không có đơn vị mã nobody"),
        ("/records/filing?agency=x' OR 1=1 --", "Không có bản ghi nào thỏa các điều kiện này"),
        ("/records/meeting", "Chưa có dữ liệu"),
    ],
)
def test_an_address_that_finds_nothing_says_why(
    desk: Page, filled: System, path: str, words: str
) -> None:
    desk.goto(f"{filled.url}{path}")
    expect(desk.locator("#content")).to_contain_text(words)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_whatever_can_be_used_has_a_name_and_every_word_can_be_read(
    desk: Page, filled: System, theme: str
) -> None:
    for lang in ("vi", "en"):
        visit(desk, filled, f"?overdue=1&theme={theme}&lang={lang}")
        assert nameless(desk) == []
        assert faint(desk) == []
        assert illegible(desk) == []
        desk.set_viewport_size({"width": 1024, "height": 768})
        assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not re.search("quá hạn|Trạng thái|Phường", desk.locator("#list thead").inner_text())
    desk.emulate_media(media="print")
    expect(desk.locator(".sieve")).to_be_hidden()
    expect(desk.locator("#list")).to_contain_text("H57-L-000")
