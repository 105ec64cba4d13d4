"""A small province on the operators' map.

What is sent to it, and how its users point at what it shows.
"""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from dashboard.query.connection import Connection
from schemas import places
from schemas.events.codes import Channel, DocumentStatus, FeedbackStatus, FilingStatus
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING
from schemas.events.payloads import Document, Feedback, Filing
from tests.browser.conftest import System
from tests.browser.waiting import wait_until
from tests.running import wait_for

NOW = datetime.now(UTC)
HERE, THERE = (
    next(one for one in places.communes("46") if one.name == name)
    for name in ("A Lưới 2", "Phú Lộc")
)
WATER, TRAFFIC = 5, 4
"""Reports that were made in the one and the other of two communes, on these."""
PATIENCE = 40_000
"""How long a loaded machine may take to draw what was asked for, in milliseconds."""
ALL = "communes,feedback,overdue,flows,meetings,sources,alarms"


def report(number: int, unit: places.Commune, category: str) -> Feedback:
    return Feedback(
        agency=f"H57.{unit.code}.UB",
        commune=unit.code,
        report_id=f"PA-{unit.code}-{number}",
        category=category,
        status=FeedbackStatus.RECEIVED,
        reported_at=NOW - timedelta(hours=2, minutes=number),
        lat=unit.lat + 0.004 * number,
        lon=unit.lon,
    )


def fill(system: System) -> None:
    """Yield reports in two communes, overdue filings in one, documents of the province to both."""
    system.post(
        FEEDBACK,
        *(report(number, HERE, "water") for number in range(WATER)),
        time=NOW - timedelta(hours=2),
    )
    system.post(
        FEEDBACK,
        *(report(number, THERE, "traffic") for number in range(TRAFFIC)),
        time=NOW - timedelta(hours=2),
    )
    overdue = [
        Filing(
            agency=f"H57.{HERE.code}",
            commune=HERE.code,
            filing_id=f"H57.{HERE.code}-{number}",
            procedure="1.005129",
            status=FilingStatus.PROCESSING,
            channel=Channel.ONLINE,
            registered_at=NOW - timedelta(days=6),
            due_at=NOW - timedelta(days=1),
        )
        for number in range(3)
    ]
    system.post(FILING, *overdue, time=NOW - timedelta(days=6))
    sent = [
        Document(
            agency=f"H57.{unit.code}.UB",
            document_id=f"H57.VP,2026/11/24,{unit.code}/UBND",
            from_organ="H57.VP",
            to_organ=f"H57.{unit.code}.UB",
            status=DocumentStatus.ARRIVED,
            sent_at=NOW - timedelta(hours=3),
        )
        for unit in (HERE, THERE)
    ]
    system.post(DOCUMENT, *sent, time=NOW - timedelta(hours=3))
    connection = Connection(system.settings.clickhouse_url)

    def lives() -> bool:
        counts = ", ".join(
            f"(SELECT count() FROM current_{kind} FINAL)"
            for kind in ("feedback", "filing", "document")
        )
        return connection.tuples(f"SELECT {counts}") == [(WATER + TRAFFIC, 3, 2)]

    wait_for(lives, 120, "the lives of what was sent")
    connection.close()


def visit(page: Page, system: System, query: str = "", heading: str = "Thành phố Huế") -> None:
    """Open the map, and wait until it is drawn."""
    page.set_default_timeout(PATIENCE)
    page.goto(f"{system.url}/map{query}")
    expect(page.locator("#map-panel h1")).to_have_text(heading)
    wait_until(
        page,
        "document.querySelector('#opsmap:not([aria-busy]) #map-of path[data-code]')",
        timeout=PATIENCE,
    )
    # On a loaded machine the banner comes and goes: it must not move the map while somebody points
    # at it.
    page.add_style_tag(content="#banner { display: none !important; }")
    page.evaluate("window.sameMap = document.querySelector('.leaflet-container')")


def stays(page: Page) -> bool:
    """Return whether the map is the one that was opened."""
    return bool(page.evaluate("window.sameMap === document.querySelector('.leaflet-container')"))


def in_view(page: Page, words: str | re.Pattern[str]) -> None:
    expect(page.locator("#map-note")).to_contain_text(words)


def records(page: Page, count: int) -> None:
    expect(page.locator("#map-records .paging")).to_contain_text(f"{count} dòng")


def marks(page: Page, kind: str, count: int) -> None:
    wait_until(
        page,
        "([kind, count]) => new Set(ioc.map.state.marks.filter((one) => one.kind === "
        "kind).map((one) => one.of)).size === count",
        arg=[kind, count],
        timeout=PATIENCE,
    )


def spot(page: Page, lat: float, lon: float) -> tuple[float, float]:
    """Return where a place is on the screen."""
    x, y = page.evaluate(
        """([lat, lon]) => { const { map } = ioc.map.state,
            box = map.getContainer().getBoundingClientRect();
            const at = map.latLngToContainerPoint([lat, lon]);
            return [at.x + box.left, at.y + box.top]; }""",
        [lat, lon],
    )
    return x, y


FREE = """(code) => {
    const path = document.querySelector(`path[data-code="${code}"]`),
        box = path.getBBox(), to = path.getScreenCTM();
    const { map, marks } = ioc.map.state, frame = map.getContainer();
    for (let part = 1; part < 400; part += 1) {
        const at = new DOMPoint(
            box.x + box.width * ((part * 0.618) % 1), box.y + box.height * ((part * 0.414) % 1));
        const { x, y } = at.matrixTransform(to),
            inner = map.mouseEventToLayerPoint({ clientX: x, clientY: y });
        if (path.isPointInFill(at) && !ioc.marks.at(marks, inner) &&
            frame.contains(document.elementFromPoint(x, y))) return [x, y];
    }
    throw Error(`no room in ${code}`);
}"""
"""Where a commune can be clicked: within it, and not on a mark."""


def click_commune(page: Page, unit: places.Commune) -> None:
    """Click into a commune, beside what lies in it, once the map stands still."""
    before, at = None, page.evaluate(FREE, unit.code)
    while before != at:
        page.wait_for_timeout(200)
        before, at = at, page.evaluate(FREE, unit.code)
    page.mouse.click(*at)


def point(page: Page, lat: float, lon: float, words: str) -> None:
    """Hold the mouse over a mark until it says what it is.

    A map that is being drawn anew may miss it once.
    """
    for _ in range(20):
        x, y = spot(page, lat, lon)
        page.mouse.move(x - 40, y)
        page.mouse.move(x, y, steps=4)
        if words in (page.locator("#map-tip").text_content() or ""):
            break
        page.wait_for_timeout(500)
    expect(page.locator("#map-tip")).to_contain_text(words)
