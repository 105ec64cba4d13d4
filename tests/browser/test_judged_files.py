"""Targets and scores as operators take them along, in files and on paper."""

import csv
import io

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.browser import test_judged
from tests.browser.conftest import System
from tests.browser.judging import BEST, HOSTILE, fill, names, opened, rows

pytestmark = [pytest.mark.stack, pytest.mark.browser]
console = test_judged.console
"""No page says an error to the console."""


@pytest.fixture(scope="module")
def filled(system: System) -> System:
    """Return the system with a province to judge."""
    fill(system)
    return system


def lines(page: Page, link: str = "#download") -> list[list[str]]:
    """Return the cells of the file that a link downloads."""
    with page.expect_download() as started:
        page.locator(link).click()
    body = started.value.path().read_bytes()
    assert started.value.suggested_filename.endswith(".csv") and body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


def test_the_scoreboard_and_a_series_are_taken_along_without_formulas(
    page: Page, filled: System
) -> None:
    opened(page, filled, "/targets?sort=-name")
    head, *body = lines(page)
    assert head[:2] == ["Trạng thái", "Chỉ tiêu"] and [line[1] for line in body] == names(page)
    opened(page, filled, "/targets?status=met")
    assert {line[0] for line in lines(page)[1:]} == {"Đạt"}
    opened(page, filled, "/targets?target=e-tax")
    cells = [cell for line in lines(page) for cell in line]
    assert f"'{HOSTILE}" in cells and "Kỳ báo cáo không hợp lệ" in cells and "80.3" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert page.request.get(f"{filled.url}/export/targets.csv?target=nope").status == 404


@pytest.mark.parametrize("path", ["targets", "index", "targets?target=e-tax"])
def test_a_workbook_has_what_the_other_file_has_with_real_numbers(
    page: Page, filled: System, path: str
) -> None:
    name, _, query = path.partition("?")
    text = page.request.get(f"{filled.url}/export/{name}.csv?{query}").body().decode("utf-8-sig")
    book = openpyxl.load_workbook(
        io.BytesIO(page.request.get(f"{filled.url}/export/{name}.xlsx?{query}").body())
    )
    head, *rows = book.active.iter_rows()  # type: ignore[union-attr]
    known = list(csv.reader(io.StringIO(text)))
    assert [cell.value for cell in head] == known[0] and len(rows) == len(known) - 1 > 3
    assert any(isinstance(cell.value, float) for row in rows for cell in row)
    assert not [cell.value for row in rows for cell in row if cell.data_type == "f"]


def test_a_league_and_a_unit_are_taken_along(page: Page, filled: System) -> None:
    opened(page, filled, "/index?sort=unit&lang=en")
    head, first, *body = lines(page)
    assert head[:6] == ["#", "Code", "Unit", "Total", "Grade", "Coverage"]
    assert first[1] == "46" and len(body) == 40 and first[3] == "Not enough data"
    best = next(line for line in body if line[1] == BEST.code)
    assert best[0] == "1" and float(best[3]) > 90 and best[5] == "100.0"
    opened(page, filled, f"/index?unit={BEST.code}")
    assert len(lines(page)) == 12


QUIET = "getComputedStyle(document.querySelector('.desk')).getPropertyValue('--quiet')"


def test_a_print_is_the_whole_page_without_what_only_a_screen_needs(
    page: Page, filled: System
) -> None:
    opened(page, filled, "/index")
    page.evaluate("window.print = () => { window.printed = true; }")
    page.get_by_role("button", name="In", exact=True).click()
    assert page.evaluate("window.printed") is True
    page.emulate_media(media="print")
    for hidden in (".bar nav", ".actions", ".bar form"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(rows(page, "league")).to_have_count(40)
    expect(rows(page, "league").last).to_be_visible()
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.points-bar i')).printColorAdjust")
        == "exact"
    )
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.desk')).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    page.emulate_media(media="screen")
    opened(page, filled, "/targets?theme=dark")
    assert page.evaluate(QUIET) != "#2e363d"
    page.emulate_media(media="print")
    assert page.evaluate(QUIET).strip() == "#222", "dark on white paper, whatever the screen"
    expect(rows(page).last).to_be_visible()
    expect(page.locator(".chooser")).to_be_hidden()
