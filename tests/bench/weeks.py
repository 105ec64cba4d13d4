"""Ten weeks of real requests played at 3,600x in Chromium.

Whether that pace is held, and every frame says what the file says.
"""

from datetime import timedelta

from playwright.sync_api import sync_playwright

from schemas.reference import ZONE
from stack.browser import find
from tests import nyc311
from tests.bench.ground import Ground
from tests.bench.results import NotMeasuredError, Report, Result, met
from tests.browser.conftest import FLAGS
from tests.browser.weeks import STANDINGS, judged, played

SPEED = 3600
AIM = 0.95
"""Of that speed, over all: each play ends with a frame that takes its time."""


def measure(bench: Ground, report: Report) -> None:
    """Import the file, then play it from its first day to its last, open and closed requests side
    by side.
    """
    if not nyc311.FILE.exists():
        raise NotMeasuredError(f"This bench needs {nyc311.FILE}.")
    requests = nyc311.in_order()
    first, last = (
        moment.to_pydatetime().astimezone(ZONE).replace(hour=0, minute=0)
        for moment in (requests["at"].min(), requests["at"].max())
    )
    since, until = first, first + timedelta(days=3) if bench.quick else last + timedelta(days=1)
    installation = bench.installation()
    with (
        nyc311.new_york(installation.environment, bench.folder("weeks")) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        with bench.screen.console.status(f"playing {(until - since).days} days"):
            drawn, took = played([browser.new_page() for _ in STANDINGS], url, since, until)
        browser.close()
    installation.drop()
    frames = judged(drawn, requests, since, until)
    pace, days = (until - since) / took, (until - since).days
    report.results.append(
        Result(
            f"{days} days of {len(requests):,} steps of real requests played on two pages: "
            f"{frames:,} frames, in each the open or "
            "closed requests per agency that pandas counts; every day's end is one",
            f"{SPEED:,}x",
            f"{pace:,.0f}x",
            f"≥ {AIM:.0%}",
            met(pace / SPEED, AIM),
        )
    )
