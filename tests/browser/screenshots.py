"""`python -m tests.browser.screenshots`: draws the pictures of the docs from a seeded run, at a fixed moment of a working day.

Two weeks of the simulated province go through real Kafka and worker; then the dashboard is asked for that moment, so that a
change of the screens can be seen in review, and nothing else changes the pictures.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from clickhouse_driver import Client
from playwright.sync_api import Browser, expect, sync_playwright

from dashboard.app import create
from dashboard.connection import Connection
from dashboard.store import HERE, Store
from ingest.simulator import staging
from ingest.simulator.cli import BEFORE, run
from ingest.simulator.world import World
from schemas.moments import milliseconds
from schemas.settings import Settings
from stack import control
from stack.browser import find
from streams.migrate import migrate
from streams.watch.jobs import JOBS
from streams.watch.run import Round
from tests.browser.conftest import FLAGS
from tests.conftest import isolated
from tests.running import answers, wait_for, worker

MOMENT = datetime(2026, 11, 18, 10, 35, tzinfo=HERE)
DAYS, SEED = 14, 7
LIVE_FOR = timedelta(minutes=10)
FOLDER = Path("dashboard/docs")
PICTURES = {
    "wall.png": (1920, 1080, ""),
    "wall-dark.png": (1920, 1080, "?theme=dark"),
    "wall-english.png": (1920, 1080, "?lang=en"),
    "wall-4k.png": (3840, 2160, "?distance=5"),
}


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
                for name, (width, height, query) in PICTURES.items():
                    draw(browser, f"http://127.0.0.1:{settings.dashboard_port}/wall{query}", width, height, FOLDER / name)
                browser.close()
        finally:
            if "IOC_TEST_HOME" not in os.environ:
                control.wipe(home)


def history(environment: dict[str, str], settings: Settings, logs: Path) -> None:
    """Simulate until the moment, with what a live run stages in its first minutes, and wait until all of it is counted."""
    start = MOMENT - timedelta(days=DAYS)
    world = World(settings.province, SEED, beginning=milliseconds(start - BEFORE))
    world = world.staging(*staging.past(world, milliseconds(MOMENT)))
    world = world.staging(*staging.live(world, milliseconds(MOMENT - LIVE_FOR), milliseconds(start), 1))
    store = Store(Connection(settings.clickhouse_url))
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
    troubles = [Round(job, settings, "watch", clock).once() for job in JOBS]
    assert not any(troubles), troubles


@contextmanager
def dashboard(settings: Settings) -> Iterator[None]:
    """The dashboard of the moment, with the heartbeats that a gateway would send then, and what the watch would do."""
    clock = Moved(MOMENT - datetime.now(UTC))
    server = uvicorn.Server(uvicorn.Config(create(settings, clock), port=settings.dashboard_port, log_level="warning"))
    over = threading.Event()

    def beat() -> None:
        client = Client.from_url(settings.clickhouse_url)
        while not over.wait(1):
            client.execute("INSERT INTO heartbeats VALUES", [("gateway", 0, clock.now(), clock.now())])
            watch(settings, clock.now)
        client.disconnect()

    threads = [threading.Thread(target=server.run), threading.Thread(target=beat)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{settings.dashboard_port}/readyz"), what="the dashboard")
        yield
    finally:
        over.set()
        server.should_exit = True
        for thread in threads:
            thread.join()


def draw(browser: Browser, address: str, width: int, height: int, path: Path) -> None:
    """One picture, once everything on it is there."""
    page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.goto(address)
    expect(page.locator(".figure").first).to_be_visible(timeout=30_000)
    expect(page.locator(".place").first).to_be_visible(timeout=30_000)
    expect(page.locator("#banner")).to_be_hidden()
    page.wait_for_function("document.fonts.status === 'loaded'")
    path.parent.mkdir(exist_ok=True)
    page.screenshot(path=path)
    page.close()


if __name__ == "__main__":
    main()
