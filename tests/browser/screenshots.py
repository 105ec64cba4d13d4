"""`python -m tests.browser.screenshots`.

Draws the pictures of the docs from a seeded run, at a fixed moment of a working day.

Two weeks of the simulated province go through real Kafka and worker; then the dashboard is asked
for that moment, so that a change of the screens can be seen in review, and nothing else changes the
pictures.
"""

import base64
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from clickhouse_driver import Client
from playwright.sync_api import Browser, expect, sync_playwright
from rich.console import Console
from rich.progress import track

from dashboard.query.connection import Connection
from dashboard.query.lives import LifeStore
from dashboard.query.records import RecordStore
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.store import HERE, ScreenStore
from dashboard.request.view import SCENES
from dashboard.server.app import create
from ingest.simulator import staging
from ingest.simulator.cli import LOOK_BACK, run
from ingest.simulator.world import World
from schemas.figures import BY_CODE
from schemas.moments import milliseconds
from schemas.settings import Settings
from stack import control
from stack.browser import find
from streams.admin.migrate import migrate
from streams.watch.jobs import JOBS
from streams.watch.run import JobRunner
from tests.browser.conftest import FLAGS
from tests.browser.waiting import wait_until
from tests.conftest import isolated
from tests.running import answers, wait_for, worker

MOMENT = datetime(2026, 11, 18, 10, 35, tzinfo=HERE)
EARLIER = "2026-11-17T15:20:00"
DAYS, SEED = 14, 7
LIVE_FOR = timedelta(minutes=10)
FOLDER = Path("docs/gallery")
COMMUNE = "19753"
WALL, FOUR_K, DESK, TABLET = (1920, 1080), (3840, 2160), (1440, 900), (1024, 768)
"""px of the screens."""


@dataclass(frozen=True)
class Picture:
    """A screen of the gallery.

    The name of its file, its address, its size in px, and what it shows.
    """

    name: str
    address: str
    size: tuple[int, int]
    words: str


def pictures(oldest: str) -> tuple[Picture, ...]:
    """Return the gallery; `oldest` is the filing that has been overdue for longest."""
    scenes = (
        Picture(f"wall-{one}", f"/wall?scene={one}", WALL, f"The wall, scene {one}")
        for one in SCENES
        if one != "overview"
    )
    return (
        Picture("wall", "/wall?scene=overview", WALL, "The wall's overview, read from 3 m"),
        *scenes,
        Picture("wall-dark", "/wall?scene=overview&theme=dark", WALL, "For a dim room"),
        Picture("wall-english", "/wall?scene=overview&lang=en", WALL, "In English"),
        Picture(
            "wall-8m",
            "/wall?scene=overview&distance=8",
            WALL,
            "One panel, read from 8 m: what does not fit is left out",
        ),
        Picture(
            "wall-4k",
            "/wall?scene=overview&distance=5",
            FOUR_K,
            "A wall of 3840x2160, read from 5 m",
        ),
        Picture(
            "wall-4k-sources",
            "/wall?scene=sources&distance=5&theme=dark",
            FOUR_K,
            "The same in a dim room: sources",
        ),
        Picture(
            "map",
            "/map",
            WALL,
            "The operators' map: layers, a selection, and the records behind it",
        ),
        Picture(
            "map-commune",
            f"/map?unit={COMMUNE}&layers=communes,overdue,flows",
            WALL,
            "A commune selected: its flows of documents",
        ),
        Picture(
            "map-dark",
            "/map?layers=communes,feedback,alarms&as=heat&theme=dark",
            DESK,
            "Field reports as heat, dark",
        ),
        Picture("map-tablet", "/map", TABLET, "The map on a tablet"),
        Picture("records", "/records/filing?sort=left", WALL, "All filings, the most urgent first"),
        Picture(
            "records-feedback",
            "/records/feedback?status=1",
            DESK,
            "An empty list says so, and what to do next",
        ),
        Picture("unit-province", "/unit/46", DESK, "The province"),
        Picture("unit-commune", f"/unit/{COMMUNE}", DESK, "A commune"),
        Picture(
            "unit-dark-tablet", f"/unit/{COMMUNE}?theme=dark", TABLET, "A commune on a tablet, dark"
        ),
        Picture(
            "record",
            f"/record/filing/{oldest}",
            DESK,
            "The history of a filing: each step, who held it, its deadline with pauses",
        ),
        Picture(
            "replay-wall",
            f"/wall?scene=overview&moment={EARLIER}",
            WALL,
            "The past: the wall at a moment of the day before",
        ),
        Picture(
            "replay-map",
            f"/map?moment={EARLIER}",
            DESK,
            "The map at that moment, its timeline and player above",
        ),
        Picture(
            "replay",
            f"/replay?moment={EARLIER}",
            DESK,
            "What was known then beside what is known by now, and what came late",
        ),
        Picture("search", "/search?q=phu+xuan", DESK, "Search, without tone marks"),
        Picture("targets", "/targets", DESK, "Targets with their forecasts"),
        Picture("index", "/index?unit=46", DESK, "The service-quality index: what is lost where"),
        Picture(
            "sources",
            "/sources",
            DESK,
            "Every source: now, over a day, and ranked by timeliness",
        ),
    )


@dataclass(frozen=True)
class Moved:
    """The present, moved to another time."""

    by: timedelta

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


def main() -> None:
    """Draw all pictures."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(os.environ.get("IOC_TEST_HOME") or folder)
        addresses = control.up(home)
        try:
            environment = isolated(addresses, Path(folder))
            os.environ.update(environment)
            settings = Settings()
            migrate(settings)
            history(environment, settings, Path(folder))
            with dashboard(settings), sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
                drawn = pictures(oldest_overdue(settings))
                for one in track(drawn, "drawing", console=Console(stderr=True)):
                    draw(browser, f"http://127.0.0.1:{settings.dashboard_port}", one)
                browser.close()
                (FOLDER.parent / "gallery.md").write_text(gallery(drawn), encoding="utf-8")
        finally:
            if "IOC_TEST_HOME" not in os.environ:
                control.wipe(home)


def history(environment: dict[str, str], settings: Settings, logs: Path) -> None:
    """Simulate until the moment, with what a live run stages in its first minutes, and wait until
    all of it is counted.
    """
    start = MOMENT - timedelta(days=DAYS)
    world = World(settings.province, SEED, beginning=milliseconds(start - LOOK_BACK))
    world = world.staging(*staging.past(world, milliseconds(MOMENT)))
    world = world.staging(
        *staging.live(world, milliseconds(MOMENT - LIVE_FOR), milliseconds(start), 1)
    )
    store = ScreenStore(Connection(settings.clickhouse_url))
    with worker(environment, logs / "worker.log"):
        run(settings, world, start, MOMENT, live=False, remember=lambda _world, _came: None)
        seen, since = "", time.monotonic()

        def settled() -> bool:
            nonlocal seen, since
            if (mark := store.pulse().mark) != seen:
                seen, since = mark, time.monotonic()
            return time.monotonic() - since > 5

        wait_for(settled, 600, "the worker's rest")
    store.connection.close()
    for minutes in range(round(LIVE_FOR / timedelta(minutes=1)), -1, -1):
        watch(settings, lambda at=MOMENT - timedelta(minutes=minutes): at)  # type: ignore[misc]


def watch(settings: Settings, clock: Callable[[], datetime]) -> None:
    """Do every job of the watch once, as of a moment."""
    troubles = [JobRunner(job, settings, "watch", clock).once() for job in JOBS]
    assert not any(troubles), troubles


@contextmanager
def dashboard(settings: Settings) -> Iterator[None]:
    """Yield the dashboard of the moment, with the heartbeats that a gateway would send then, and
    what the watch would do.
    """
    clock = Moved(MOMENT - datetime.now(UTC))
    server = uvicorn.Server(
        uvicorn.Config(create(settings, clock), port=settings.dashboard_port, log_level="warning")
    )
    over = threading.Event()

    def beat() -> None:
        client = Client.from_url(settings.clickhouse_url)
        while not over.wait(1):
            client.execute(
                "INSERT INTO heartbeats VALUES", [("gateway", 0, clock.now(), clock.now())]
            )
            watch(settings, clock.now)
        client.disconnect()

    threads = [threading.Thread(target=server.run), threading.Thread(target=beat)]
    for thread in threads:
        thread.start()
    try:
        wait_for(
            lambda: answers(f"http://127.0.0.1:{settings.dashboard_port}/readyz"),
            what="the dashboard",
        )
        yield
    finally:
        over.set()
        server.should_exit = True
        for thread in threads:
            thread.join()


def oldest_overdue(settings: Settings) -> str:
    """Return the number of the filing that has been overdue for longest at the moment."""
    connection = Connection(settings.clickhouse_url)
    place = ProvinceContext(settings.province)
    found = RecordStore(LifeStore(connection, place.calendar)).behind(
        Moved(MOMENT - datetime.now(UTC)),
        BY_CODE["filing.overdue"],
        "province",
        place.code,
        limit=1,
    )
    connection.close()
    return str(found.rows[0]["entity_id"])


def draw(browser: Browser, base: str, picture: Picture) -> None:
    """Take one picture, once everything on it is there."""
    width, height = picture.size
    page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.goto(f"{base}{picture.address}")
    for selector in (
        (".figure", ".source", "#board .row, .leaflet-overlay-pane path")
        if "/wall" in picture.address
        else ("h1",)
    ):
        expect(page.locator(selector).first).to_be_attached(timeout=60_000)
    if "moment=" in picture.address:
        expect(page.locator("#replay-line .bar").first).to_be_attached()
    else:
        expect(page.locator("#beat")).to_contain_text(":", timeout=30_000)
    expect(page.locator("#banner")).to_be_hidden()
    wait_until(page, "document.fonts.status === 'loaded'")
    page.wait_for_timeout(2_000)  # names on a map find their places
    taken = page.context.new_cdp_session(page).send(
        "Page.captureScreenshot", {"format": "webp", "quality": 82}
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{picture.name}.webp").write_bytes(base64.b64decode(taken["data"]))
    page.close()


def gallery(drawn: Sequence[Picture]) -> str:
    """Return the page of the docs that shows them all."""
    shown = (
        f"## {one.words}\n\n`{one.address}`, "
        f"{one.size[0]}x{one.size[1]}\n\n![{one.words}](gallery/{one.name}.webp)\n"
        for one in drawn
    )
    head = (
        "# Gallery\n\nEvery screen of a simulated Huế at "
        f"{MOMENT:%d/%m/%Y %H:%M}, drawn by `make screenshots` from a seeded run of {DAYS} days.\n"
    )
    return "\n".join((head, *shown))


if __name__ == "__main__":
    main()
