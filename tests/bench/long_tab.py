"""A wall's tab of two hours at speed.

As many frames as that, each another one, as fast as the page takes them; what it holds then.

The frames are those of real snapshots of a simulated province, asked once; from then on the same
server (`serve`) draws and pushes them from memory, one for each that the page has shown, while its
clock goes on as it would have.
"""

import itertools
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from playwright.sync_api import CDPSession, sync_playwright

from dashboard.query.clock import At
from dashboard.query.connection import Connection
from dashboard.query.snapshot import ProvinceContext, Snapshot, take
from dashboard.query.store import DataPulse, ScreenStore
from dashboard.server import app, push
from schemas.settings import load
from stack.browser import find
from tests.bench.ground import Ground
from tests.bench.province import province
from tests.bench.results import Details, Report, Result, met
from tests.browser.conftest import FLAGS

PER_SECOND = 4
HOURS = 2.0
FRAMES = int(HOURS * 3600 * PER_SECOND)
AIM_MB = 5.0
VARIANTS = 12
ASKS = """() => {
  const { live } = window.dash_clientside, heard = live.heard;
  window.shown = 0;
  live.heard = (pulse, viewer) => {
    const said = heard(pulse, viewer);
    if (pulse) {
      window.shown += 1;
      requestAnimationFrame(() => fetch('/next', { method: 'POST' }));
    }
    return said;
  };
  fetch('/next', { method: 'POST' });
}"""


@dataclass
class Course:
    """The clock of a run.

    It stands still until the next frame, which is a quarter of a second later.
    """

    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    frames: int = 0
    wanted: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1))

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.frames / PER_SECOND)

    def pulse(self) -> DataPulse:
        """Return the next news, when the page asks for it.

        It is also given when the page does not, as a heartbeat would be.
        """
        self.wanted.acquire(timeout=1.0)
        self.frames += 1
        return DataPulse(self.now(), str(self.frames))


def serve() -> None:
    """Run the dashboard with such a clock: every frame has another snapshot than the last."""
    settings = load()
    course, store, place = (
        Course(),
        ScreenStore(Connection(settings.clickhouse_url)),
        ProvinceContext(settings.province),
    )
    moments = [course.start - timedelta(hours=number) for number in range(VARIANTS)]
    taken = [
        take(store, At(moment), place, settings.partitions, settings.stale_after_seconds)
        for moment in moments
    ]
    turns = itertools.cycle([_other(one, number) for number, one in enumerate(taken)])
    push.take = lambda *_: replace(next(turns), at=course.now())  # type: ignore[attr-defined]
    ScreenStore.pulse = lambda _: course.pulse()  # type: ignore[method-assign,assignment]
    server = app.create(settings.model_copy(update={"dashboard_tick_seconds": 0.01}), course)

    @server.post("/next")
    async def following() -> None:
        course.wanted.release()

    server.router.routes.insert(
        0, server.router.routes.pop()
    )  # before Dash's own, which catch everything else
    uvicorn.run(server, host="127.0.0.1", port=settings.dashboard_port, log_level="warning")


def _other(one: Snapshot, number: int) -> Snapshot:
    """Return a snapshot with other alarms and reports than the one before."""
    alarms = one.alarms[number % 3 :] if len(one.alarms) > 3 else one.alarms
    return replace(
        one,
        alarms=alarms,
        points=one.points.iloc[number::2],
        watched=replace(one.watched, until=None),
    )


@dataclass(frozen=True)
class Held:
    """What a page holds after a collection of garbage."""

    frames: int
    heap_mb: float
    nodes: int
    listeners: int


def measure(bench: Ground, report: Report) -> None:
    """Look at a tenth, at the half and at the end."""
    total = FRAMES // 10 if bench.quick else FRAMES
    with (
        province(bench) as found,
        found.serve("tests.bench.long_tab", "serve"),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(f"{found.dashboard}/wall")
        page.wait_for_selector(".figure", timeout=60_000)
        session = page.context.new_cdp_session(page)
        page.evaluate(ASKS)
        held, began = [], time.monotonic()
        task = bench.screen.add_task("a tab of two hours", total=total)
        for share in (0.1, 0.5, 1.0):
            while (shown := page.evaluate("window.shown")) < share * total:
                bench.screen.update(task, completed=shown)
                time.sleep(0.5)
            held.append(_held(session, shown))
        seconds = time.monotonic() - began
        bench.screen.remove_task(task)
        browser.close()
    grown, nodes = held[-1].heap_mb - held[0].heap_mb, held[-1].nodes - held[0].nodes
    report.results.append(
        Result(
            f"what a tab of the wall grows by in {total / PER_SECOND / 3600:.1f} hours at speed "
            f"({total:,} frames)",
            "itself after a tenth of them",
            f"{grown:+.1f} MB of JS heap, {nodes:+,} DOM nodes",
            f"≤ {AIM_MB:.0f} MB",
            met(grown, AIM_MB, most=True),
        )
    )
    rows = tuple(
        (f"{one.frames:,}", f"{one.heap_mb:.1f}", f"{one.nodes:,}", f"{one.listeners:,}")
        for one in held
    )
    note = f"After a collection of garbage each time. The page took {total / seconds:.0f} frames/s."
    report.details.append(
        Details("A long tab", ("frames", "JS heap, MB", "DOM nodes", "listeners"), rows, (note,))
    )


def _held(session: CDPSession, frames: int) -> Held:
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    heap: Any = session.send("Runtime.getHeapUsage")
    counts: Any = session.send("Memory.getDOMCounters")
    return Held(frames, heap["usedSize"] / (1 << 20), counts["nodes"], counts["jsEventListeners"])


if __name__ == "__main__" and sys.argv[1:] == ["serve"]:
    serve()
