"""One poller, many viewers. Each tick the poller asks ClickHouse whether anything was counted; only then it asks every question,
once for all viewers. A viewer gets the newest state only, and of that only what differs from what it has: there is no backlog."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry, Gauge, Histogram

from dashboard.clock import Clock
from dashboard.connection import Unreachable
from dashboard.once import Once
from dashboard.snapshot import Snapshot, take
from dashboard.store import Pulse, Store
from dashboard.wall.frame import Frame, Painter
from dashboard.wall.sources import incomplete
from dashboard.wall.view import View
from schemas.moments import milliseconds
from schemas.partitions import Partitions

FRAME_SECONDS = 2.0
"""A viewer hears from us at least this often; a page that hears nothing for twice as long says so."""
RENEW_SECONDS = 5.0
"""A snapshot is taken this often even when nothing was counted: filings become overdue by time alone."""
OLD_SECONDS = 30.0
"""A snapshot older than this is said to be old, whatever the reason: the page compares its time with ours."""
PACE = 2.0
"""A snapshot that took t seconds is followed by a rest of at least PACE x t, so that ClickHouse is never kept busy by us alone."""

log = logging.getLogger(__name__)


@dataclass
class Metrics:
    """What /metrics tells."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.pulse = Histogram("ioc_dashboard_pulse_seconds", "Time of asking whether there is news.", registry=self.registry)
        self.snapshot = Histogram("ioc_dashboard_snapshot_seconds", "Time of asking every question once.", registry=self.registry)
        self.viewers = Gauge("ioc_dashboard_viewers", "Viewers that are being pushed to.", registry=self.registry)
        self.age = Gauge("ioc_dashboard_snapshot_age_seconds", "Age of the snapshot on the screens.", registry=self.registry)
        self.failures = Gauge("ioc_dashboard_failures", "Ticks in a row that ClickHouse did not answer.", registry=self.registry)


@dataclass
class Board:
    """The newest state, and the viewers that wait for it. Lives on one event loop; `run` is its poller."""

    store: Store
    clock: Clock
    painter: Painter
    tick_seconds: float
    stale_after_seconds: float
    partitions: Partitions
    """How many partitions each kind has to have."""
    metrics: Metrics = field(default_factory=Metrics)
    pulse: Pulse = field(default_factory=lambda: Pulse(None, ""))
    snapshot: Snapshot | None = None
    problem: str = ""
    _number: int = 0
    _taken: float = 0.0
    _rest: float = 0.0
    _mark: str = ""
    _once: Once = field(default_factory=Once)
    _frames: dict[View, tuple[Snapshot, dict[tuple[str, str], tuple[Any, str]]]] = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _executor: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "store"))

    @property
    def ready(self) -> bool:
        """Whether ClickHouse answered when it was last asked."""
        return self.snapshot is not None and not self.problem

    async def close(self) -> None:
        """Let the question that is being asked finish, then leave ClickHouse. After `run` was cancelled."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self.store.connection.close)
        self._executor.shutdown()

    async def run(self) -> None:
        """Look for news until cancelled. Never ends by itself: an unreachable ClickHouse is shown, and asked again."""
        while True:
            started = time.monotonic()
            if await self._look():
                async with self._news:
                    self._number += 1
                    self._news.notify_all()
            self.metrics.age.set(time.monotonic() - self._taken if self.snapshot else float("nan"))
            await asyncio.sleep(max(0.02, self.tick_seconds - (time.monotonic() - started)))

    async def _look(self) -> bool:
        """One tick. True when viewers should hear of it."""
        before = (self.pulse, self.problem, self.snapshot)
        try:
            self.pulse = await self._ask(self.metrics.pulse, self.store.pulse)
            since = time.monotonic() - self._taken
            if self.snapshot is None or (self.pulse.mark != self._mark and since > self._rest) or since > RENEW_SECONDS:
                started = time.monotonic()
                mark = self.pulse.mark
                self.snapshot = await self._ask(self.metrics.snapshot, self._take)
                self._taken, self._mark = time.monotonic(), mark
                self._rest = PACE * (self._taken - started)
            self.problem = ""
            self.metrics.failures.set(0)
        except Unreachable as error:
            if not self.problem:
                log.warning("ClickHouse does not answer: %s", error)
            self.problem = "store_away"
            self.metrics.failures.inc()
        except Exception:
            # Whatever it is, the snapshot on the screens is old: they must say so.
            if not self.problem:
                log.exception("a tick failed")
            self.problem = "failed"
            self.metrics.failures.inc()
        return before != (self.pulse, self.problem, self.snapshot)

    def _take(self) -> Snapshot:
        return take(self.store, self.clock, self.painter.place, self.partitions, self.stale_after_seconds, self._once)

    async def _ask(self, histogram: Histogram, question: Callable[[], Any]) -> Any:
        with histogram.time():
            return await asyncio.get_running_loop().run_in_executor(self._executor, question)

    async def follow(self, view: View) -> AsyncIterator[Frame]:
        """What a viewer must change to show the newest state: at once, at any news, and at least every `FRAME_SECONDS`."""
        shown: dict[tuple[str, str], str] = {}
        number = -1
        with self.metrics.viewers.track_inprogress():
            while True:
                changes: Frame = {("pulse", "data"): self._beat(view)}
                for prop, (value, text) in self._drawn(view).items():
                    if shown.get(prop) != text:
                        shown[prop] = text
                        changes[prop] = value
                number = self._number
                yield changes
                await self._wait(number)

    async def _wait(self, number: int) -> None:
        async def newer() -> None:
            async with self._news:
                await self._news.wait_for(lambda: self._number != number)

        try:
            await asyncio.wait_for(newer(), FRAME_SECONDS)
        except TimeoutError:
            return

    def _drawn(self, view: View) -> dict[tuple[str, str], tuple[Any, str]]:
        """The frame of a view with each value's text, drawn once per snapshot whatever the number of viewers."""
        if self.snapshot is None or view.room == "desk":
            return {}
        drawn = self._frames.get(view)
        if drawn is None or drawn[0] is not self.snapshot:
            try:
                frame = self.painter.frame(self.snapshot, view)
            except Exception:
                log.exception("a frame could not be drawn")
                self.problem = "failed"
                return {}
            drawn = self._frames[view] = (self.snapshot, {prop: (value, _text(value)) for prop, value in frame.items()})
        return drawn[1]

    def _beat(self, view: View) -> dict[str, Any]:
        """What tells a page that it is alive, and how alive the data is. Times are milliseconds since 1970."""
        now = self.clock.now()
        return {
            "now": milliseconds(now),
            "heartbeat": _stamp(self.pulse.sent_at),
            "snapshot": _stamp(self.snapshot.at if self.snapshot else None),
            "stale_ms": round(1000 * self.stale_after_seconds),
            "frame_ms": round(1000 * FRAME_SECONDS),
            "old_ms": round(1000 * OLD_SECONDS),
            "problem": self.problem,
            "incomplete": incomplete(self.snapshot, view.speech) if self.snapshot else None,
            "alarms": len(self.snapshot.calls) if self.snapshot else 0,
        }


def _stamp(at: datetime | None) -> int | None:
    return milliseconds(at) if at is not None else None


def _text(value: Any) -> str:
    """A value as its viewers get it: equal texts need not be sent again."""
    return json.dumps(value, cls=PlotlyJSONEncoder)
