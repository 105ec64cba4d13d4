"""Targets and scores as operators use them: sorted, filtered, opened, sent on as an address."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.i18n.translator import sort_key
from dashboard.pages.index import page as index
from dashboard.pages.targets import page as targets
from dashboard.query.clock import Live
from dashboard.query.connection import Connection
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.events.kinds import INDICATOR
from tests.browser.conftest import System
from tests.browser.judging import (
    BEST,
    DUE,
    FAILING,
    LAST,
    SECOND,
    TODAY,
    fill,
    names,
    opened,
    rows,
    told,
)
from tests.browser.legible import illegible

pytestmark = [pytest.mark.stack, pytest.mark.browser]


@pytest.fixture(scope="module")
def filled(system: System) -> System:
    """Return the system with a province to judge."""
    fill(system)
    return system


@pytest.fixture(autouse=True)
def console(page: Page) -> Iterator[None]:
    """No page says an error to the console. A loaded machine has time to draw."""
    expect.set_options(timeout=15_000)
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type == "error" else None
    )
    yield
    expect.set_options(timeout=5_000)
    assert not said


def row(page: Page, words: str, section: str = "board") -> Locator:
    return rows(page, section).filter(has_text=words)


def sort_by(page: Page, words: str, section: str = "board") -> None:
    page.locator(f"#{section} thead").get_by_role("link", name=words).click()


def test_before_any_report_the_pages_say_so_and_nothing_looks_fine(
    page: Page, system: System
) -> None:
    opened(page, system, "/targets")
    expect(page.locator("#board")).to_contain_text("Chưa có báo cáo nào")
    expect(
        page.locator(".filters li").filter(has_text="Chưa đủ số liệu").locator("b")
    ).not_to_have_text("0")
    expect(rows(page).locator(".chip", has_text=re.compile("^Đạt$"))).to_have_count(0)
    opened(page, system, "/index")
    expect(page.locator("#live .reading")).to_have_text("Chưa đủ dữ liệu")
    expect(page.locator("#live .points-bar .got")).to_have_count(0)
    expect(page.locator("#published")).to_contain_text("Chưa có số công bố")


def test_an_index_published_years_ago_is_shown_as_old(page: Page, system: System) -> None:
    at = datetime(2023, 10, 10, 10, tzinfo=UTC)
    system.post(
        INDICATOR, told("service.index", "46", "2023-10-10", 61.7, "điểm", "H57.VP", at), time=at
    )
    opened(page, system, "/index")
    card = page.locator("#published.stale")
    expect(card).to_contain_text("61,7", timeout=40_000)
    expect(card).to_contain_text("số liệu cũ")
    expect(card.locator(".points-bar .got")).to_have_count(0)


def test_targets_stand_in_groups_with_all_that_an_operator_needs(
    page: Page, filled: System
) -> None:
    opened(page, filled, "/targets")
    group = page.locator("#board tr.group").filter(has_text=FAILING)
    expect(group.locator(".shape.p2, .shape.p3").first).to_be_visible()
    met = page.locator("#board tr.group").filter(has_text=re.compile(r"^Đạt"))
    expect(met.locator(".shape")).to_have_count(0)
    tax = row(page, "nộp thuế điện tử")
    for words in (
        "80,3%",
        "≥ 95%",
        "31/12/2026",
        "Thuế thành phố Huế",
        "Bộ phận dữ liệu · 0000",
        "chưa xác minh; mức và hạn",
    ):
        expect(tax).to_contain_text(words)
    expect(tax.locator("img.sparkline")).to_be_visible()
    expect(tax.locator(".age")).to_have_text(re.compile("giây|phút"))
    expect(page.locator(".filters li").filter(has_text=FAILING).locator("b")).not_to_have_text("0")


def test_sorting_has_an_address_that_back_and_reload_keep(page: Page, filled: System) -> None:
    opened(page, filled, "/targets")
    expect(page.locator("#board tr.group").first).to_be_visible()
    before = names(page)
    sort_by(page, "Chỉ tiêu")
    page.wait_for_url("**sort=name**")
    expect(page.locator("#board tr.group")).to_have_count(0)
    up = names(page)
    assert up == sorted(up, key=sort_key) and up != before
    sort_by(page, "Chỉ tiêu")
    page.wait_for_url("**sort=-name**")
    expect(page.locator("#board tbody .named").first).to_have_text(up[-1])
    page.reload()
    expect(page.locator("#board tbody .named").first).to_have_text(up[-1])
    page.go_back()
    page.wait_for_url("**sort=name**")
    expect(page.locator("#board tbody .named").first).to_have_text(up[0])
    sort_by(page, "Hiện tại")
    page.wait_for_url("**sort=now**")
    expect(rows(page).last).to_contain_text("–")
    sort_by(page, "Trạng thái")
    expect(page.locator("#board tr.group").first).to_be_visible()


def test_a_count_filters_and_a_second_click_shows_all_again(page: Page, filled: System) -> None:
    opened(page, filled, "/targets")
    whole = rows(page).count()
    count = page.locator(".filters li").filter(has_text=re.compile("Đạt$")).get_by_role("link")
    count.click()
    page.wait_for_url("**status=met**")
    expect(row(page, "tài khoản định danh")).to_be_visible()
    expect(rows(page)).to_have_count(int(page.locator(".filters li.here b").inner_text()))
    page.reload()
    expect(page.locator(".filters li.here")).to_contain_text("Đạt")
    count.click()
    expect(rows(page)).to_have_count(whole)


def test_a_target_opens_with_its_course_its_ranking_and_what_was_left_out(
    page: Page, filled: System
) -> None:
    opened(page, filled, "/targets?sort=due")
    page.get_by_role("link", name="nộp thuế điện tử").click()
    page.wait_for_url("**target=e-tax**")
    expect(page.locator("h1")).to_contain_text("nộp thuế điện tử")
    expect(page.locator(".chart .point")).to_have_count(4)
    expect(page.locator(".chart .named-aim")).to_have_text("≥ 95%")
    expect(page.locator(".chart .tick.y").first).to_be_visible()
    assert page.locator(".chart .tick.x").count() >= 3
    if TODAY <= DUE:
        expect(page.locator(".chart .named-ahead")).to_have_text(re.compile(r"8\d(,\d)?%"))
    ranked = rows(page, "ranking")
    expect(ranked.nth(0)).to_contain_text(BEST.name)
    expect(ranked.nth(1)).to_contain_text(SECOND.name)
    expect(ranked.nth(2)).to_contain_text(LAST.name)
    expect(ranked.nth(3)).to_contain_text("–")
    sort_by(page, "Hiện tại", "ranking")
    page.wait_for_url("**rank_sort=now**")
    expect(ranked.nth(0)).to_contain_text(LAST.name)
    left = page.locator("#left-out")
    expect(left).to_contain_text("Kỳ báo cáo không hợp lệ")
    expect(left).to_contain_text("Đơn vị tính khác với chỉ tiêu")
    page.locator("#course summary").click()
    expect(page.locator("#course details tbody tr").first).to_contain_text("80,3%")
    page.go_back()
    page.go_back()
    page.wait_for_url("**sort=due**")
    expect(page.locator("#board")).to_be_visible()


def test_a_commune_has_a_scoreboard_of_what_is_known_by_commune(page: Page, filled: System) -> None:
    opened(page, filled, "/targets")
    page.locator("#unit").select_option(BEST.code)
    page.get_by_role("button", name="Xem").click()
    page.wait_for_url(f"**unit={BEST.code}**")
    expect(page.locator("hgroup")).to_contain_text(BEST.name)
    expect(row(page, "nộp thuế điện tử")).to_contain_text("96,5%")
    expect(row(page, "Xếp hạng PAPI")).to_have_count(0)
    expect(page.locator("#unit")).to_have_value(BEST.code)
    expect(row(page, "giải quyết đúng hạn")).to_contain_text("10 trên 10")


def test_the_keyboard_is_enough(page: Page, filled: System) -> None:
    opened(page, filled, "/targets")
    page.locator(".filters li").filter(has_text=FAILING).get_by_role("link").focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator(".filters li.here")).to_contain_text(FAILING)
    page.locator("#board thead a").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#board thead")).to_contain_text("↑")
    page.get_by_role("link", name="nộp thuế điện tử").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**target=e-tax**")
    opened(page, filled, "/index")
    page.locator("#league tbody a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**unit=**")
    expect(page.locator("#breakdown")).to_be_visible()


def test_both_pages_speak_english(page: Page, filled: System) -> None:
    opened(page, filled, "/targets?lang=en")
    expect(page.locator("h1")).to_have_text("Targets")
    expect(row(page, "Share of household businesses using e-tax")).to_contain_text("80.3%")
    page.locator("nav").first.get_by_role("link", name="Service index").click()
    page.wait_for_url("**/index?lang=en")
    expect(page.locator("#live .reading")).to_have_text("Not enough data")
    expect(row(page, BEST.name.replace("phường ", ""), "league").first).to_be_visible()


def test_what_is_not_there_is_told_in_words(page: Page, filled: System) -> None:
    for address, words in (
        ("/targets?target=nope", "Tỉnh không có chỉ tiêu “nope”"),
        ("/targets?unit=99999", "Tỉnh không có đơn vị “99999”"),
        ("/targets?status=great", "Không có trạng thái “great”"),
        ("/index?set=nope", "Không có bộ tiêu chí “nope”"),
        ("/index?unit=nope", "Tỉnh không có đơn vị “nope”"),
        ("/index?set=agency&unit=46", "Bộ tiêu chí này không chấm đơn vị này"),
    ):
        opened(page, filled, address)
        expect(page.locator("#content .nothing")).to_contain_text(words)


def test_the_league_ranks_what_is_known_and_says_how_much_of_the_rest(
    page: Page, filled: System
) -> None:
    opened(page, filled, "/index")
    best, second = row(page, BEST.name, "league").first, row(page, SECOND.name, "league").first
    expect(best).to_contain_text("100%")
    expect(best).to_contain_text("Xuất sắc")
    expect(rows(page, "league").first).to_contain_text(BEST.name)
    expect(second).to_contain_text("Chưa đủ dữ liệu")
    expect(second).to_contain_text("70%")
    expect(second.locator(".points-bar .unknown").first).to_be_visible()
    expect(page.locator(".notes")).to_contain_text("chưa xác minh")
    sort_by(page, "Tiến độ", "league")
    page.wait_for_url("**sort=-progress**")
    expect(rows(page, "league").first).to_contain_text("20,0/20")
    sort_by(page, "Đơn vị", "league")
    page.wait_for_url("**sort=unit**")
    page.reload()
    expect(page.locator("#league thead")).to_contain_text("Đơn vị ↑")
    page.locator("#league .tabs").get_by_role("link", name="Cơ quan cấp tỉnh").click()
    page.wait_for_url("**kind=office**")
    expect(row(page, "Sở Y tế", "league")).to_contain_text("Chưa đủ dữ liệu")
    page.locator(".head .tabs").get_by_role("link", name="đánh giá cơ quan").click()
    page.wait_for_url("**set=agency**")
    expect(page.locator("#league thead")).to_contain_text("Hội đồng đánh giá")
    page.go_back()
    expect(page.locator("#league thead")).to_contain_text("Công khai, minh bạch")


def test_a_unit_opens_with_every_item_and_what_would_raise_it_most(
    page: Page, filled: System
) -> None:
    opened(page, filled, "/index")
    page.locator("#league").get_by_role("link", name=re.compile(BEST.name)).click()
    page.wait_for_url(f"**unit={BEST.code}**")
    expect(page.locator("#live")).to_contain_text("hạng 1 trên 1")
    expect(page.locator("#live")).to_contain_text("Xuất sắc (chưa xác minh)")
    items = rows(page, "breakdown")
    expect(items).to_have_count(11)
    online = items.filter(has_text="Hồ sơ nộp trực tuyến")
    for words in ("50,0%", "5 trên 10", "6,0/12", "điểm chưa xác minh", "Có số liệu"):
        expect(online).to_contain_text(words)
    loss = page.locator("#losses li").first
    expect(loss).to_contain_text("mất 6,0 điểm")
    link = loss.get_by_role("link")
    expect(link).to_have_attribute("href", f"/unit/{BEST.code}?channel=1%2C3&records=filing.online")
    page.go_back()
    expect(page.locator("#league")).to_be_visible()
    page.locator("#league").get_by_role("link", name=re.compile(SECOND.name)).click()
    expect(page.locator("#live .reading")).to_have_text("Chưa đủ dữ liệu")
    expect(page.locator("#live")).to_contain_text("độ phủ 70%")
    expect(
        rows(page, "breakdown").filter(has_text="Chưa có số liệu").locator(".shape.hatch").first
    ).to_be_visible()


def test_the_published_index_stands_beside_with_what_is_known_of_it(
    page: Page, filled: System
) -> None:
    opened(page, filled, "/index?unit=46")
    card = page.locator("#published")
    for words in (
        "61,7",
        "đã công bố 56 trên 100 điểm",
        "hạng 51 trên 63, trung bình cả nước 68,3",
        "17,1/20",
        "–/22",
    ):
        expect(card).to_contain_text(words)
    expect(card.locator(".points-bar .unknown")).to_have_count(2)
    expect(page.locator("#live .reading")).to_have_text("Chưa đủ dữ liệu")


def test_a_hundred_viewers_cost_one_set_of_questions(
    filled: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = PageContext(Connection(filled.settings.clickhouse_url), Live(), ProvinceContext("46"))
    asked: list[str] = []
    for name in ("rows", "tuples", "frame"):
        one = getattr(ask.connection, name)
        monkeypatch.setattr(
            ask.connection,
            name,
            lambda sql, one=one, **parameters: asked.append(sql) or one(sql, **parameters),  # type: ignore[func-returns-value]
        )
    cached = ask.cached
    monkeypatch.setattr(
        ask, "cached", lambda key, question, seconds=600.0: cached(key, question, 600.0)
    )
    for _ in range(3):
        index.content(ask, PageRequest("/index"))
        index.content(ask, PageRequest("/index", (("unit", BEST.code),)))
    first = len(asked)
    assert first < 25, "sources, figures of all units, reports: no question per unit"
    for _ in range(3):
        targets.content(ask, PageRequest("/targets"))
        targets.content(ask, PageRequest("/targets", (("target", "e-tax"),)))
    assert len(asked) - first < 25
    ask.connection.close()


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_word_can_be_read(page: Page, filled: System, lang: str) -> None:
    for address in ("/targets", "/targets?target=e-tax", "/index", f"/index?unit={BEST.code}"):
        opened(page, filled, f"{address}{'&' if '?' in address else '?'}lang={lang}")
        assert illegible(page) == []
