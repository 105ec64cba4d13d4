"""The loop of the watch: every job in a thread of its own, so that one that hangs holds up no other. It never ends by itself.

A job that fails is said once, done again with growing pauses, and not told as done: the screens see by that how old alarms are.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import FrameType
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from schemas.clickhouse.watch_tables import late_after
from schemas.moments import milliseconds
from schemas.settings import Settings
from streams.watch.jobs import JOBS, Task, WatchJob
from streams.worker.store import WorkerStore
from streams.worker.table_rows import JobRow

log = logging.getLogger(__name__)
MAX_PAUSE_SECONDS = 30.0
READY_TIMEOUT_SECONDS = 20
"""Seconds that ClickHouse has for an answer: a job that waits for ever would never be told."""
TOLD_SECONDS = 2.0
"""That a job was done is told no more often."""
LAST_SECONDS = 5.0


def aligned(now: datetime, period: float) -> datetime:
    """The newest multiple of a period since 1970: watches that run side by side look at the same moments."""
    step = round(period * 1000)
    return datetime.fromtimestamp(milliseconds(now) // step * step / 1000, UTC)


@dataclass
class Round:
    """A job and how it goes."""

    job: WatchJob
    settings: Settings
    name: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    failures: int = 0
    _told: float = field(default=float("-inf"))
    _trouble: str = ""

    def __post_init__(self) -> None:
        self._store = WorkerStore(_patient(self.settings.clickhouse_url))

    def once(self) -> str:
        """Do the job for the newest aligned moment; an empty text, or what failed. Never raises."""
        at, began = aligned(self.clock(), self.job.period), time.monotonic()
        try:
            self.job.run(Task(self.settings, self._store, at))
            if self.failures or time.monotonic() - self._told >= TOLD_SECONDS:
                took = round(1000 * (time.monotonic() - began))
                done = JobRow(
                    job=self.job.name,
                    period_seconds=self.job.period,
                    at=at,
                    took_ms=took,
                    watch=self.name,
                )
                self._store.write_watch([done])
                self._told = time.monotonic()
        except Exception as error:
            self._store.close()
            self.failures += 1
            trouble = f"{type(error).__name__}: {str(error).partition('Stack trace')[0].strip()}"
            if trouble != self._trouble:
                log.warning("%s failed, trying again: %s", self.job.name, trouble)
            self._trouble = trouble
            return trouble
        if self.failures:
            log.warning("%s is done again", self.job.name)
        self.failures, self._trouble = 0, ""
        return ""

    def pause(self) -> float:
        """Seconds until it is to be done again."""
        if self.failures:
            return min(
                MAX_PAUSE_SECONDS, max(1.0, self.job.period) * 2.0 ** min(self.failures - 1, 6)
            )
        now = self.clock()
        return self.job.period - (now - aligned(now, self.job.period)).total_seconds()

    def run(self, stop: threading.Event) -> None:
        """Do the job again and again, until told to stop."""
        while not stop.is_set():
            self.once()
            stop.wait(self.pause())
        self._store.close()


def _patient(url: str) -> str:
    """The address of a ClickHouse with an end to waiting for it, unless it says one itself."""
    parts = urlsplit(url)
    options = {"connect_timeout": "5", "send_receive_timeout": str(READY_TIMEOUT_SECONDS)} | dict(
        parse_qsl(parts.query)
    )
    return urlunsplit(parts._replace(query=urlencode(options)))


def watch_name() -> str:
    """What tells this watch from others."""
    return f"{socket.gethostname()}:{os.getpid()}"


def once(settings: Settings, jobs: Sequence[WatchJob] = JOBS) -> dict[str, str]:
    """Do every job a single time; what failed, by job."""
    troubles = {job.name: Round(job, settings, watch_name()).once() for job in jobs}
    return {name: trouble for name, trouble in troubles.items() if trouble}


def run(settings: Settings, jobs: Sequence[WatchJob] = JOBS) -> None:
    """Watch until SIGTERM or SIGINT. Call from the main thread."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    rounds = [Round(job, settings, watch_name()) for job in jobs]
    threads = [
        threading.Thread(target=one.run, args=(stop,), name=one.job.name, daemon=True)
        for one in rounds
    ]
    for thread in threads:
        thread.start()
    log.info("watching: %s", ", ".join(f"{job.name} every {job.period:g} s" for job in jobs))
    stop.wait()
    deadline = time.monotonic() + LAST_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def late(settings: Settings, jobs: Sequence[WatchJob] = JOBS) -> list[str]:
    """The jobs that no watch did lately, as the screens judge it too. Raises clickhouse-driver's errors."""
    store = WorkerStore(_patient(settings.clickhouse_url))
    done = dict(store.execute("SELECT job, max(at) FROM watch_jobs GROUP BY job"))
    store.close()
    now = datetime.now(UTC)
    return [
        job.name
        for job in jobs
        if job.name not in done
        or (now - done[job.name]).total_seconds()
        > late_after(job.period, settings.stale_after_seconds)
    ]
