"""A living system of its own for each module of browser tests, and Chromium that may speak to this
machine only.
"""

import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dashboard.query.connection import Connection
from dashboard.request.address import format_moment
from schemas.events import envelope
from schemas.events.kinds import FEEDBACK, FILING, Kind
from schemas.events.payloads import Event
from schemas.settings import Settings
from stack.browser import find
from streams.admin.migrate import migrate
from tests.browser.samples import overdue_filing, report
from tests.running import Running, wait_for, worker

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HERE = ("127.0.0.1", "localhost", "")


class System:
    """The running processes, as a user of the room would meet them."""

    def __init__(self, settings: Settings, environment: dict[str, str], logs: Path) -> None:
        self._environment, self._logs = environment, logs
        self.settings = settings
        self.url = f"http://127.0.0.1:{settings.dashboard_port}"
        self._sent = 0
        try:
            # All at once: each imports for a second or two, and then waits for the others.
            self.gateway = self._run("ingest", "gateway")
            self.worker = self._run("streams", "worker")
            self.dashboard = self._run("dashboard", "serve")
            self.watch = self.start_watch()
            self.gateway.wait_ready(f"http://127.0.0.1:{settings.gateway_port}/readyz")
            self.worker.wait_ready(f"http://127.0.0.1:{settings.worker_port}/healthz")
            self.dashboard.wait_ready(f"{self.url}/readyz")
        except BaseException:
            self.stop()  # nobody else knows of what was started
            raise

    def _run(self, *command: str, ready: str | None = None) -> Running:
        return Running(
            *command,
            environment=self._environment,
            log=self._logs / f"{command[-1] if command[0] == 'streams' else command[0]}.log",
            ready=ready,
        )

    def start_worker(self) -> None:
        """Start the worker anew."""
        self.worker = worker(self._environment, self._logs / "worker.log")

    def start_watch(self) -> Running:
        """Start the watch anew, which raises and clears alarms."""
        self.watch = Running(
            "streams", "watch", environment=self._environment, log=self._logs / "watch.log"
        )
        return self.watch

    def start_stalling_worker(self, block: Path, kind: Kind, partition: int) -> None:
        """Start a worker of which one partition stands still while a file is there."""
        topic, ready = (
            kind.topic(self.settings.topic_prefix),
            f"http://127.0.0.1:{self.settings.worker_port}/healthz",
        )
        self.worker = self._run("tests.stalling", str(block), topic, str(partition), ready=ready)

    def start_dashboard(self) -> Running:
        """Start the dashboard anew, at the same address."""
        self.dashboard = self._run("dashboard", "serve", ready=f"{self.url}/readyz")
        return self.dashboard

    def start_guarded(self, port: int) -> Running:
        """Start a second dashboard, which takes tokens."""
        environment = self._environment | {"IOC_ACCESS": "token", "IOC_DASHBOARD_PORT": str(port)}
        ready = f"http://127.0.0.1:{port}/readyz"
        return Running(
            "dashboard",
            "serve",
            environment=environment,
            log=self._logs / "guarded.log",
            ready=ready,
        )

    def post(self, kind: Kind, *events: Event, time: datetime | None = None) -> None:
        """Send events to the gateway as an agency would, one batch.

        They happened now unless told otherwise.
        """
        lines = []
        for event in events:
            self._sent += 1
            lines.append(
                envelope.write(
                    kind,
                    event,
                    id=str(self._sent),
                    source="/test/browser",
                    time=time or datetime.now(UTC),
                )
            )
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.settings.gateway_port}/v1/events",
            b"[" + b",".join(lines) + b"]",
            {"Content-Type": "application/cloudevents-batch+json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status in (200, 202), answer.read()

    def stop(self) -> None:
        """End all processes that were started, side by side: the slowest takes seconds."""
        names = ("dashboard", "watch", "gateway", "worker")
        started = [process for name in names if (process := getattr(self, name, None))]
        for process in started:
            process.ask_to_stop()
        for process in started:
            process.stop()


@pytest.fixture(scope="module")
def system(
    module_settings: Settings,
    module_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[System]:
    """Gateway, worker and dashboard, running."""
    migrate(module_settings)
    found = System(
        module_settings,
        module_environment | {"IOC_STALE_AFTER_SECONDS": "4"},
        tmp_path_factory.mktemp("logs"),
    )
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Yield one Chromium for the tests of a module.

    Its event loop ends with them, as other tests have loops of their own.
    """
    path = find()
    assert path, "Chromium is missing: python -m stack browser"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Yield a wall of 1920x1080 whose errors fail the test, and whose every request must stay on
    this machine.
    """
    context = chromium.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.set_default_timeout(30_000)
    errors: list[str] = []
    strangers: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            strangers.append(asked.url) if urlsplit(asked.url).hostname not in HERE else None
        ),
    )
    yield page
    context.close()
    expected = {"Failed to fetch"} if request.node.get_closest_marker("outage") else set()
    assert not set(errors) - expected
    assert not [url for url in strangers if not url.startswith(("data:", "blob:", "file:"))]


PATIENCE = 30_000
"""How long a loaded machine may take, in milliseconds."""


@dataclass(frozen=True)
class Told:
    """A system that was told something late, and the moment before that."""

    system: System
    moment: datetime
    """One overdue filing was known, and no alarm was raised."""

    def open(self, page: Page, path: str, **parameters: str) -> None:
        """Open the page of a path at the moment."""
        page.goto(
            f"{self.system.url}{path}?"
            + urlencode({"moment": format_moment(self.moment)} | parameters)
        )


@pytest.fixture(scope="module")
def told(system: System) -> Iterator[Told]:
    connection = Connection(system.settings.clickhouse_url)

    def count(sql: str) -> int:
        return int(connection.tuples(sql)[0][0])

    before = datetime.now(UTC) - timedelta(days=2)
    system.post(FILING, overdue_filing("F-in-time"), time=before)
    wait_for(
        lambda: count("SELECT count() FROM current_filing FINAL") == 1, what="the first filing"
    )
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    wait_for(lambda: datetime.now(UTC) > moment + timedelta(seconds=2), what="the moment")
    system.post(FILING, overdue_filing("F-late"), time=before)
    system.post(FEEDBACK, *(report(f"R{number}") for number in range(20)))
    wait_for(lambda: count("SELECT count() FROM current_filing FINAL") == 2, what="the late filing")
    wait_for(
        lambda: (
            count("SELECT count() FROM alarm_steps WHERE rule = 'burst' AND raised_at IS NOT NULL")
            > 0
        ),
        what="an alarm",
        seconds=90,
    )
    connection.close()
    yield Told(system, moment)


@pytest.fixture
def patient() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE)
    yield
    expect.set_options(timeout=5_000)
