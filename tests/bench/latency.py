"""From an event that the gateway accepted to the changed figure in Chromium."""

import json
import statistics
import time
import urllib.request
from datetime import UTC, datetime

from playwright.sync_api import sync_playwright

from schemas.events.codes import Channel, FilingStatus
from schemas.events.envelope import write
from schemas.events.kinds import FILING
from schemas.events.payloads import Filing
from stack.browser import find
from tests.bench.ground import Ground, whole
from tests.bench.results import Report, Result
from tests.browser.conftest import FLAGS
from tests.browser.waiting import wait_until

WATCH = """() => {
  window.changes = [];
  const figure = () => document.querySelector('#figure-filings b')?.textContent;
  let last = figure();
  const look = () => {
    const now = figure();
    if (now !== last) { last = now; window.changes.push([Date.now(), now]) }
    requestAnimationFrame(look);
  };
  look();
}"""


def measure(bench: Ground, report: Report) -> None:
    """Post events one by one.

    For each, the time from the gateway's answer to the first frame that shows the new count.
    """
    with (
        whole(bench.installation(), bench.folder("latency")) as (gateway, dashboard),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        post(gateway, 0)
        page.goto(f"{dashboard}/wall?lang=en&scene=overview")
        wait_until(
            page, "document.querySelector('#figure-filings b')?.textContent === '1'", timeout=60_000
        )
        page.evaluate(WATCH)
        took = []
        for number in range(1, 41 if bench.quick else 201):
            accepted = post(gateway, number)
            shown = f"{number + 1:,}"
            wait_until(
                page,
                "shown => window.changes.some(([, text]) => text === shown)",
                arg=shown,
                timeout=30_000,
            )
            at = page.evaluate(
                "shown => window.changes.find(([, text]) => text === shown)[0]", shown
            )
            took.append(at / 1000 - accepted)
        browser.close()
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    report.results.append(
        Result(
            "from an event that the gateway accepted to the changed figure in Chromium, "
            f"{len(took)} events one by one",
            "-",
            f"p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, at most {max(took):.2f} s",
            "report",
            None,
        )
    )


def post(gateway: str, number: int) -> float:
    """Send one registered filing; when the gateway's answer came, as Unix seconds."""
    now = datetime.now(UTC)
    event = Filing(
        agency="H57.VP",
        filing_id=f"F{number}",
        procedure="1.0",
        status=FilingStatus.REGISTERED,
        channel=Channel.ONLINE,
        registered_at=now,
    )
    request = urllib.request.Request(
        f"{gateway}/v1/events",
        write(FILING, event, id=str(number), source="/bench", time=now),
        {"Content-Type": "application/cloudevents+json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["accepted"] == 1
    return time.time()
