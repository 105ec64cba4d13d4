"""How soon a page stands there for who opens it for the first time.

With nothing cached, each time in a context of its own.
"""

import statistics
from operator import itemgetter
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from stack.browser import find
from tests.bench.ground import Ground
from tests.bench.province import province
from tests.bench.results import Details, Report, Result, met
from tests.browser.conftest import FLAGS
from tests.browser.waiting import wait_until

AIM = 1.5
SEEN = """() => {
  const look = () => {
    const box = document.querySelector('#content h1, #figures .figure')?.getBoundingClientRect();
    if (box?.height) window.contentSeen = performance.now(); else requestAnimationFrame(look);
  };
  look();
}"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def measure(bench: Ground, report: Report) -> None:
    """Every page once, then again some times in turn.

    By the page's own clock, from its navigation on.
    """
    taken: dict[str, list[tuple[float, float]]] = {}
    with province(bench) as found, found.serve(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        addresses = [address for _, address in found.names.addresses()]
        rounds = 3 if bench.quick else 7
        task = bench.screen.add_task("opening pages", total=rounds * len(addresses))
        for _ in range(rounds):
            for address in addresses:
                taken.setdefault(address, []).append(_open(browser, f"{found.dashboard}{address}"))
                bench.screen.advance(task)
        bench.screen.remove_task(task)
        browser.close()
    rows, first, whole = [], ("", 0.0), ("", 0.0)
    for address, times in taken.items():
        painted, seen = (statistics.median(one) for one in zip(*times, strict=True))
        rows.append(
            (
                address,
                f"{painted:.2f}",
                f"{seen:.2f}",
                f"{times[0][1]:.2f}",
                f"{max(one for _, one in times):.2f}",
            )
        )
        first, whole = (
            max(most, (address, one), key=itemgetter(1))
            for most, one in ((first, painted), (whole, seen))
        )
    for what, slowest in (("first paint", first), ("its own content seen", whole)):
        report.results.append(
            Result(
                f"{what}, every page of {len(rows)}, nothing cached, median of each",
                "-",
                f"at most {slowest[1]:.2f} s ({slowest[0]})",
                f"≤ {AIM} s",
                met(slowest[1], AIM, most=True),
            )
        )
    columns = (
        "address",
        "first contentful paint, s",
        "content seen, s",
        "the very first time, s",
        "at most, s",
    )
    report.details.append(Details("First paint", columns, tuple(rows)))


def _open(browser: Browser, address: str) -> tuple[float, float]:
    """Return seconds until something was painted, and until the content was."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(f"({SEEN})()")
    page.goto(address, wait_until="commit")
    wait_until(page, "window.contentSeen", timeout=60_000)
    seen: Any = page.evaluate("window.contentSeen")
    painted: Any = page.evaluate(PAINTED)
    context.close()
    return float(painted if painted is not None else seen) / 1000, float(seen) / 1000
