"""The product is not tied to one country.

New York's requests on a map of their own place, and their weeks played.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from schemas.reference import ZONE
from schemas.settings import Settings
from streams.admin.migrate import migrate
from tests import nyc311
from tests.browser.weeks import STANDINGS, judged, played

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    nyc311.needed,
]


@pytest.fixture(scope="module")
def new_york(
    module_settings: Settings,
    module_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    migrate(module_settings)
    with nyc311.new_york(module_environment, tmp_path_factory.mktemp("logs")) as url:
        yield url


def test_the_boroughs_and_their_open_requests_are_on_the_map(page: Page, new_york: str) -> None:
    page.goto(f"{new_york}/wall?lang=en&measure=feedback&scene=overview")
    expect(page.locator("h1")).to_have_text("New York")
    outlines = page.locator("#map path.leaflet-interactive, #map path")
    expect(outlines.first).to_be_visible(timeout=30_000)
    assert outlines.count() >= 5
    # All requests of 2025 that are still open, whatever their age, count as open reports.
    expect(page.locator("#figure-feedback b")).not_to_have_text("0", timeout=30_000)


def test_days_played_at_full_speed_show_the_open_and_closed_requests_of_the_file(
    chromium: Browser, new_york: str
) -> None:
    """All ten weeks so take half an hour: the bench `weeks`."""
    since = datetime(2025, 2, 10, tzinfo=ZONE)
    until = since + timedelta(days=3)
    pages = [chromium.new_page() for _ in STANDINGS]
    drawn, _ = played(pages, new_york, since, until)
    assert judged(drawn, nyc311.in_order(), since, until) >= 2 * 3
    for page in pages:
        page.close()
