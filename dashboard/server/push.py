"""Push to the walls: one poller, many viewers.

Each tick the poller asks ClickHouse whether anything was counted; only then it runs every query,
once for all viewers. A viewer gets the newest state only, and of that only what differs from what
it has: there is no backlog.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, Histogram

from dashboard.components.rotation import Turn, turn
from dashboard.pages.wall.backdrop import Backdrop
from dashboard.pages.wall.drawings import NOTHING, Drawings, Texts
from dashboard.pages.wall.frame import Painter
from dashboard.pages.wall.sources import incomplete
from dashboard.query.clock import Clock
from dashboard.query.connection import UnreachableError
from dashboard.query.snapshot import Snapshot, take
from dashboard.query.store import DataPulse, ScreenStore
from dashboard.request.view import Scene, WallView
from schemas.events.partitions import Partitions
from schemas.moments import milliseconds

FRAME_SECONDS = 2.0
"""Longest time between two messages to a viewer; a page that hears nothing for twice as long says
so.
"""
RENEW_SECONDS = 5.0
"""Interval of snapshots even when nothing was counted: time alone makes filings overdue."""
OLD_SECONDS = 30.0
"""Age from which a snapshot counts as old, whatever the reason: pages compare its time with ours.
"""
BACKDROP_SECONDS = 2.0
"""Interval at which the age of slowly changing content is checked."""
SEEN_SECONDS = 120.0
"""Time after which a scene that no wall shows is no longer queried."""
PAUSE_FACTOR = 2.0
"""A snapshot that took t seconds is followed by a pause of at least PAUSE_FACTOR x t, so that this
poller alone never keeps ClickHouse busy.
"""

log = logging.getLogger(__name__)
PULSE = ("pulse", "data")


@dataclass
class PushMetrics:
    """The metrics of the push."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.pulse = Histogram(
            "ioc_dashboard_pulse_seconds",
            "Duration of the check for new data.",
            registry=self.registry,
        )
        self.snapshot = Histogram(
            "ioc_dashboard_snapshot_seconds",
            "Duration of all queries of a snapshot.",
            registry=self.registry,
        )
        self.viewers = Gauge(
            "ioc_dashboard_viewers", "Viewers connected to the push.", registry=self.registry
        )
        self.age = Gauge(
            "ioc_dashboard_snapshot_age_seconds",
            "Age of the snapshot on the screens.",
            registry=self.registry,
        )
        self.failures = Gauge(
            "ioc_dashboard_failures",
            "Failed checks in a row.",
            registry=self.registry,
        )


@dataclass
class Board:
    """The newest state and the viewers that wait for it, on one event loop; `run` is the poller."""

    store: ScreenStore
    clock: Clock
    painter: Painter
    tick_seconds: float
    stale_after_seconds: float
    partitions: Partitions
    """Number of partitions that each kind must have."""
    slowly: Callable[[frozenset[Scene]], Backdrop] = lambda _scenes: Backdrop()
    """Queries the slowly changing content of some scenes, in a thread of its own."""
    metrics: PushMetrics = field(default_factory=PushMetrics)
    pulse: DataPulse = field(default_factory=lambda: DataPulse(None, ""))
    snapshot: Snapshot | None = None
    backdrop: Backdrop = field(default_factory=Backdrop)
    problem: str = ""
    """Why the state is not current: `store_away` or `failed`; empty if it is."""
    _trouble: str = ""
    """The same for slowly changing content."""
    _number: int = 0
    _taken: float = 0.0
    _rest: float = 0.0
    _mark: str = ""
    _seen: dict[Scene, float] = field(default_factory=dict)
    """When a wall last showed each scene."""
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _executor: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "store"))
    _drawings: Drawings = field(init=False)
    _slow: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "backdrop"))

    def __post_init__(self) -> None:
        self._drawings = Drawings(self.painter)

    @property
    def ready(self) -> bool:
        """Whether ClickHouse answered the last query."""
        return self.snapshot is not None and not self.problem

    async def close(self) -> None:
        """Wait for the query in progress, then disconnect; call it after `run` was cancelled."""
        for executor in (self._slow, self._executor):
            await asyncio.get_running_loop().run_in_executor(executor, self.store.connection.close)
            executor.shutdown()

    async def run(self) -> None:
        """Poll until cancelled; an unreachable ClickHouse is shown and polled again."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._run_slow())
            both.create_task(self._run())

    async def _run(self) -> None:
        while True:
            started = time.monotonic()
            if await self._check():
                await self._notify()
            self.metrics.age.set(time.monotonic() - self._taken if self.snapshot else float("nan"))
            await asyncio.sleep(max(0.02, self.tick_seconds - (time.monotonic() - started)))

    async def _notify(self) -> None:
        async with self._news:
            self._number += 1
            self._news.notify_all()

    async def _run_slow(self) -> None:
        """Refresh slowly changing content until cancelled."""
        while True:
            oldest = time.monotonic() - SEEN_SECONDS
            scenes = frozenset(scene for scene, at in self._seen.items() if at > oldest)
            self._wanted.clear()
            try:
                found = await asyncio.get_running_loop().run_in_executor(
                    self._slow, self.slowly, scenes
                )
                self._trouble = ""
                if found != self.backdrop:
                    self.backdrop = found
                    await self._notify()
            except UnreachableError:
                self._trouble = "store_away"
            except Exception:
                log.exception("what changes slowly could not be asked")
                self._trouble = "failed"
            with suppress(TimeoutError):
                async with asyncio.timeout(
                    BACKDROP_SECONDS
                ):  # wait_for may lose a cancellation before Python 3.12
                    await self._wanted.wait()

    async def _check(self) -> bool:
        """Run one tick; return whether viewers should hear of it."""
        before = (self.pulse, self.problem, self.snapshot)
        try:
            self.pulse = await self._ask(self.metrics.pulse, self.store.pulse)
            since = time.monotonic() - self._taken
            if (
                self.snapshot is None
                or (self.pulse.mark != self._mark and since > self._rest)
                or since > RENEW_SECONDS
            ):
                started = time.monotonic()
                mark = self.pulse.mark
                self.snapshot = await self._ask(self.metrics.snapshot, self._take)
                self._taken, self._mark = time.monotonic(), mark
                self._rest = PAUSE_FACTOR * (self._taken - started)
            self.problem = ""
            self.metrics.failures.set(0)
        except UnreachableError as error:
            if not self.problem:
                log.warning("ClickHouse does not answer: %s", error)
            self.problem = "store_away"
            self.metrics.failures.inc()
        except Exception:
            # Whatever the reason, the snapshot on the screens is old: they must say so.
            if not self.problem:
                log.exception("a tick failed")
            self.problem = "failed"
            self.metrics.failures.inc()
        return before != (self.pulse, self.problem, self.snapshot)

    def _take(self) -> Snapshot:
        day_ago = self.backdrop.day_ago
        return take(
            self.store,
            self.clock,
            self.painter.place,
            self.partitions,
            self.stale_after_seconds,
            day_ago,
        )

    async def _ask(self, histogram: Histogram, question: Callable[[], Any]) -> Any:
        with histogram.time():
            return await asyncio.get_running_loop().run_in_executor(self._executor, question)

    async def follow(self, view: WallView) -> AsyncIterator[Texts]:
        """Yield what a viewer must change to show the newest state.

        At once, at any news or change of scene, and at least every `FRAME_SECONDS`.
        """
        shown = NOTHING
        with self.metrics.viewers.track_inprogress():
            while True:
                number, now = self._turn(view)
                frame = self._drawn(view, now)
                yield {
                    PULSE: json.dumps(self._beat(view)),
                    **self._drawings.changes(shown, frame or shown),
                }
                shown = frame or shown
                await self._wait(number, now)

    def _turn(self, view: WallView) -> tuple[int, Turn]:
        """Return the number of the news, and the scene that it shows to a viewer."""
        calls = self.snapshot.calls if self.snapshot else ()
        return self._number, turn(view.scenes, view.rotate, self.clock.now(), calls)

    async def _wait(self, number: int, shown: Turn) -> None:
        left = (shown.until - self.clock.now()).total_seconds() if shown.until else FRAME_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(min(max(left, 0.01), FRAME_SECONDS)), self._news:
                await self._news.wait_for(lambda: self._number != number)

    def _drawn(self, view: WallView, now: Turn) -> Texts:
        """Return the frame of a view; nothing if there is none to render."""
        if self.snapshot is None or view.room == "desk":
            return NOTHING
        if now.scene not in self._seen:
            self._wanted.set()
        self._seen[now.scene] = time.monotonic()
        try:
            return self._drawings.frame(self.snapshot, self.backdrop, view, now)
        except Exception:
            log.exception("a frame could not be drawn")
            self.problem = "failed"
            return NOTHING

    def _beat(self, view: WallView) -> dict[str, Any]:
        """Return a heartbeat: the server is alive, and the data this fresh (ms since 1970)."""
        now = self.clock.now()
        return {
            "now": milliseconds(now),
            "heartbeat": _stamp(self.pulse.sent_at),
            "snapshot": _stamp(self.snapshot.at if self.snapshot else None),
            "stale_ms": round(1000 * self.stale_after_seconds),
            "frame_ms": round(1000 * FRAME_SECONDS),
            "old_ms": round(1000 * OLD_SECONDS),
            "problem": self.problem or self._trouble,
            "incomplete": incomplete(self.snapshot, view.translator) if self.snapshot else None,
            "alarms": len(self.snapshot.calls) if self.snapshot else 0,
            "gravest": min((one.priority for one in self.snapshot.calls), default=None)
            if self.snapshot
            else None,
        }


def _stamp(at: datetime | None) -> int | None:
    return milliseconds(at) if at is not None else None
