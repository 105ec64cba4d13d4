"""The product is not tied to one country: New York's requests on a map of their own place."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_driver import Client
from playwright.sync_api import Page, expect

from schemas.settings import Settings
from streams.migrate import migrate
from tests import nyc311
from tests.nyc311 import FILE
from tests.running import Running, wait_for, worker

ROOT = Path(__file__).parents[2]
OUTLINES = ROOT / "ingest" / "mappings" / "nyc_boroughs.geojson"
pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    nyc311.needed,
]


@pytest.fixture
def wall(settings: Settings, environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    here = environment | {"IOC_PROVINCE": "NYC"}
    migrate(settings)
    place = ["--code-property", "code", "--name-property", "name", "--create", "--province", "NYC", "--name", "New York"]
    database = Client.from_url(settings.clickhouse_url)
    for command in (["schemas", "places", "import", str(OUTLINES), *place], ["ingest", "import", str(FILE), "--mapping", "nyc311"]):
        done = Running(*command, environment=here, log=tmp_path / "command.log")
        assert done.process.wait(120) == 0, done.text()
    url = f"http://127.0.0.1:{environment['IOC_DASHBOARD_PORT']}"
    with (
        worker(here, tmp_path / "worker.log"),
        Running("streams", "watch", environment=here, log=tmp_path / "watch.log"),
        Running("dashboard", "serve", environment=here, log=tmp_path / "dashboard.log", ready=f"{url}/readyz"),
    ):
        wait_for(lambda: database.execute("SELECT count() FROM events")[0][0] == 9_753, 120, "every event in ClickHouse")
        yield f"{url}/wall?lang=en&measure=feedback&scene=overview"
    database.disconnect()


def test_the_boroughs_and_their_open_requests_are_on_the_map(page: Page, wall: str) -> None:
    page.goto(wall)
    expect(page.locator("h1")).to_have_text("New York")
    outlines = page.locator("#map path.leaflet-interactive, #map path")
    expect(outlines.first).to_be_visible(timeout=30_000)
    assert outlines.count() >= 5
    # All requests of 2025 that are still open, whatever their age, count as open reports.
    expect(page.locator("#figure-feedback b")).not_to_have_text("0", timeout=30_000)
