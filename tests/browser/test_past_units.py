"""Over the reform of the units, 2025-07-01.

The past is drawn and told by the units of its day, and a replay goes on over it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from dashboard.query.connection import Connection
from dashboard.query.store import HERE
from dashboard.request.address import format_moment
from schemas import places
from schemas.events.codes import FilingStatus
from schemas.events.kinds import FILING
from schemas.moments import milliseconds
from tests.browser.conftest import System
from tests.browser.samples import COMMUNE, filing
from tests.running import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.timeout(900)]
MIDNIGHT = datetime.combine(places.REFORM, datetime.min.time(), HERE)
BEFORE, AFTER = MIDNIGHT - timedelta(hours=1), MIDNIGHT + timedelta(hours=9)
FORMER, TODAY = (
    len(places.commune_outlines("46", at.date())["features"]) for at in (BEFORE, AFTER)
)
WARD = places.former(COMMUNE.code)
"""The unit whose code one of today reuses."""


@pytest.fixture(scope="module")
def old(system: System) -> Iterator[System]:
    connection = Connection(system.settings.clickhouse_url)
    begun = filing(
        "F-2025", status=FilingStatus.PROCESSING, registered_at=BEFORE - timedelta(days=2)
    )
    system.post(FILING, begun, time=BEFORE - timedelta(days=1))
    wait_for(
        lambda: connection.tuples("SELECT count() FROM current_filing FINAL")[0][0] == 1,
        what="the filing",
    )
    connection.close()
    expect.set_options(timeout=30_000)
    yield system
    expect.set_options(timeout=5_000)


def look(page: Page, system: System, path: str, at: datetime = BEFORE) -> None:
    period = {
        "since": format_moment(MIDNIGHT - timedelta(days=1)),
        "until": format_moment(MIDNIGHT + timedelta(days=1)),
    }
    page.goto(
        f"{system.url}{path}?"
        + urlencode(
            {"moment": format_moment(at), "picture": "corrected", "scene": "overview"} | period
        )
    )


def go_on(page: Page, at: datetime) -> None:
    page.evaluate("at => window.ioc.replay.show(at)", milliseconds(at))


@pytest.mark.parametrize(
    ("path", "outlines"),
    [("/wall", "#map .leaflet-overlay-pane path"), ("/map", "#map-of path[data-code]")],
)
def test_maps_are_drawn_by_the_units_of_the_day_on_either_side_of_the_reform(
    page: Page, old: System, path: str, outlines: str
) -> None:
    look(page, old, path)
    expect(page.locator(outlines)).to_have_count(FORMER)
    go_on(page, AFTER)
    expect(page.locator(outlines)).to_have_count(TODAY)
    go_on(page, BEFORE)
    expect(page.locator(outlines)).to_have_count(FORMER)


def test_a_reused_code_is_the_unit_of_the_day(page: Page, old: System) -> None:
    look(page, old, f"/unit/{WARD.code}")
    expect(page.locator("h1")).to_have_text(WARD.full_name)
    expect(
        page.get_by_role("heading", name="Cơ quan trực thuộc").locator("xpath=ancestor::section")
    ).to_contain_text(WARD.name)
    go_on(page, AFTER)
    expect(page.locator("h1")).to_have_text(COMMUNE.full_name)


def test_the_map_says_what_it_shows_of_a_former_unit(page: Page, old: System) -> None:
    look(page, old, "/map")
    expect(page.locator(f"#map-of path[data-code='{WARD.code}']")).to_be_visible()
    page.locator("#map-find").fill(WARD.name)
    expect(page.locator("#map-hits")).to_contain_text(WARD.full_name)
