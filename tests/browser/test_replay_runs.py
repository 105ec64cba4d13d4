"""Runs of the stream on the screens: begun, followed, looked at, taken away."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from zipfile import ZipFile

import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.query.connection import Connection
from dashboard.request.address import format_moment
from tests.browser.conftest import Told
from tests.browser.going_back import asked, at, overdue

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("patient"),
]


def chooser(page: Page, told: Told, query: str = "") -> Locator:
    """Return the form for a run, on a page that stands.

    What is filled in while it is still being drawn is lost.
    """
    page.goto(f"{told.system.url}/replay{query}")
    expect(page.locator("#clock")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    return page.locator("form.run")


def test_the_stream_is_run_again_from_the_page_looked_at_and_removed(
    page: Page, told: Told
) -> None:
    connection = Connection(told.system.settings.clickhouse_url)
    ((since,),) = connection.tuples("SELECT min(occurred_at) FROM events_filing")
    form = chooser(page, told, "?theme=dark")
    form.get_by_label("Tên").fill("thu_1")
    form.get_by_label("Từ", exact=True).fill(format_moment(since - timedelta(minutes=1))[:16])
    form.get_by_label("đến", exact=True).fill(format_moment(datetime.now(UTC))[:16])
    form.get_by_label("Thời điểm đến").select_option("ngay khi xảy ra (dữ liệu lịch sử nhập sau)")
    form.get_by_label("Dấu").select_option("DIỄN TẬP")
    form.get_by_role("button", name="Chạy lại").click()
    row = page.get_by_role("row").filter(has_text="thu_1")
    expect(row).to_contain_text("DIỄN TẬP", timeout=90_000)
    assert asked(page) == {"theme": "dark"}, "what the viewer chose stays"
    expect(row).to_contain_text("xong", timeout=180_000)  # told without loading the page anew
    row.get_by_role("link", name="thu_1").click()
    expect(page.locator("#content")).to_contain_text(re.compile(r"0 trong \d+ cửa sổ"))
    expect(page.locator("#content")).to_contain_text("ngay khi xảy ra")
    sums = page.get_by_role("row").filter(has_text="Mọi sự kiện")
    expect(sums.first).to_contain_text("=")
    page.locator("#content").get_by_role("link", name="Đơn vị").click()
    expect(page.locator("#replay .sign")).to_have_text("DIỄN TẬP · thu_1")
    expect(page).to_have_title(re.compile("^DIỄN TẬP · thu_1"))
    expect(overdue(page)).to_contain_text(re.compile(r"Hồ sơ quá hạn\s*2"))
    page.get_by_role("link", name="Chỉ tiêu", exact=True).first.click()
    expect(page.locator("#replay .sign")).to_have_text("DIỄN TẬP · thu_1")
    taken = page.request.get(f"{told.system.url}/export/package.zip?run=thu_1")
    assert "exercise-thu_1-46-" in taken.headers["content-disposition"]
    with ZipFile(io.BytesIO(taken.body())) as package:
        manifest = json.loads(package.read("manifest.json"))
        assert (manifest["run"], manifest["mark"]) == ("thu_1", "exercise")
        assert "DIỄN TẬP · EXERCISE: thu_1" in package.read("index.html").decode(), (
            "nobody takes it for what happened"
        )
    page.get_by_role("link", name="Về hiện tại").click()
    expect(page.locator("#replay")).to_have_count(0)
    form = chooser(page, told)
    form.get_by_label("Tên").fill("thu_1")
    form.get_by_role("button", name="Chạy lại").click()
    expect(page.get_by_role("alert").filter(has_text="Tên này đã có")).to_be_visible()
    row.get_by_role("button", name="Xóa thu_1").click()
    expect(page.locator("#runs")).to_contain_text("Chưa chạy lại lần nào", timeout=90_000)
    page.goto(f"{told.system.url}/unit/46?run=thu_1")
    expect(page.locator("#content")).to_contain_text("không có lần chạy lại thu_1")


def test_a_run_that_goes_on_is_followed_and_stopped(page: Page, told: Told) -> None:
    form = chooser(page, told)
    form.get_by_label("Tên").fill("theo_doi")
    form.get_by_label("Từ", exact=True).fill(format_moment(told.moment - timedelta(days=3))[:16])
    form.get_by_label("đến", exact=True).fill(
        format_moment(datetime.now(UTC) + timedelta(minutes=2))[:16]
    )
    form.get_by_label("Tốc độ").select_option("600×")
    form.get_by_role("button", name="Chạy lại").click()
    expect(page.locator("#runs progress")).to_be_visible(timeout=90_000)
    page.goto(f"{told.system.url}/unit/46?run=theo_doi")
    expect(page.locator("#replay .sign")).to_have_text("PHÁT LẠI · theo_doi")
    seen = page.locator("#replay-moment").inner_text()
    expect(page.locator("#replay-moment")).not_to_have_text(seen)
    assert "moment" not in asked(page), "the address goes on following"
    page.get_by_role("button", name="Lùi một bước").click()
    assert at(page) < datetime.now(UTC)
    page.goto(f"{told.system.url}/replay")
    page.get_by_role("button", name="Dừng theo_doi").click()
    row = page.get_by_role("row").filter(has_text="theo_doi")
    expect(row).to_contain_text("đã dừng", timeout=90_000)
    row.get_by_role("button", name="Xóa theo_doi").click()
    expect(row).to_have_count(0, timeout=90_000)


def test_what_kafka_cannot_give_is_said_and_nothing_begins(page: Page, told: Told) -> None:
    form = chooser(page, told)
    form.get_by_label("Tên").fill("tu_kafka")
    form.get_by_label("Đọc từ").select_option("Kafka")
    form.get_by_label("Thời điểm đến").select_option("on_time")
    form.get_by_role("button", name="Chạy lại").click()
    expect(page.get_by_role("alert").filter(has_text="đọc từ ClickHouse")).to_be_visible()
    assert "tu_kafka" not in page.locator("#runs").inner_text()


def test_a_form_of_another_site_begins_nothing(page: Page, told: Told) -> None:
    answer = page.request.post(
        f"{told.system.url}/replay/runs",
        headers={"Origin": "http://evil.example"},
        form={"name": "x"},
    )
    assert answer.status == 403
    assert page.request.get(f"{told.system.url}/replay/run?run=x").status == 422
