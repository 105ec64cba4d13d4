"""The loop of the watch: every job in a thread of its own, so that one that hangs delays no other.

A job that fails is logged once and retried with growing pauses. It is not reported as done, so that
the screens can tell how old the alarms are.
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
from schemas.reference import alarm_rules
from schemas.settings import Settings
from streams.watch.jobs import JOBS, Task, WatchJob, check_rules
from streams.watch.questions import MEASURES
from streams.worker.store import WorkerStore
from streams.worker.table_rows import JobRow

log = logging.getLogger(__name__)
MAX_PAUSE_SECONDS = 30.0
"""Longest pause before a failed job is retried."""
READY_TIMEOUT_SECONDS = 20
"""Seconds that ClickHouse has to answer, so that a job does not hang forever."""
REPORT_INTERVAL_SECONDS = 2.0
"""Minimum time between two reports that a job was done."""
SHUTDOWN_SECONDS = 5.0
"""Seconds that jobs have to end after SIGTERM."""


def aligned(now: datetime, period: float) -> datetime:
    """Return the newest multiple of a period since 1970, so that watches use the same moments."""
    step = round(period * 1000)
    return datetime.fromtimestamp(milliseconds(now) // step * step / 1000, UTC)


@dataclass
class JobRunner:
    """Runs a job periodically, logs its failures, and reports that it was done."""

    job: WatchJob
    settings: Settings
    name: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    failures: int = 0
    _reported_at: float = field(default=float("-inf"))
    _problem: str = ""

    def __post_init__(self) -> None:
        """Prepare a connection of its own, with timeouts."""
        self._store = WorkerStore(_with_timeouts(self.settings.clickhouse_url))

    def once(self) -> str:
        """Run the job once for the newest aligned moment. Never raises.

        Returns:
            An empty text, or what failed.
        """
        at, began = aligned(self.clock(), self.job.period), time.monotonic()
        try:
            self.job.run(Task(self.settings, self._store, at))
            if self.failures or time.monotonic() - self._reported_at >= REPORT_INTERVAL_SECONDS:
                took = round(1000 * (time.monotonic() - began))
                done = JobRow(
                    job=self.job.name,
                    period_seconds=self.job.period,
                    at=at,
                    took_ms=took,
                    watch=self.name,
                )
                self._store.write_watch([done])
                self._reported_at = time.monotonic()
        except Exception as error:
            self._store.close()
            self.failures += 1
            problem = f"{type(error).__name__}: {str(error).partition('Stack trace')[0].strip()}"
            if problem != self._problem:
                log.warning("%s failed, trying again: %s", self.job.name, problem)
            self._problem = problem
            return problem
        if self.failures:
            log.warning("%s succeeded again", self.job.name)
        self.failures, self._problem = 0, ""
        return ""

    def pause(self) -> float:
        """Return the seconds until the job is due again."""
        if self.failures:
            return min(
                MAX_PAUSE_SECONDS, max(1.0, self.job.period) * 2.0 ** min(self.failures - 1, 6)
            )
        now = self.clock()
        return self.job.period - (now - aligned(now, self.job.period)).total_seconds()

    def run(self, stop: threading.Event) -> None:
        """Run the job periodically until `stop` is set."""
        while not stop.is_set():
            self.once()
            stop.wait(self.pause())
        self._store.close()


def _with_timeouts(url: str) -> str:
    """Return a ClickHouse URL with timeouts, unless it has timeouts already."""
    parts = urlsplit(url)
    options = {"connect_timeout": "5", "send_receive_timeout": str(READY_TIMEOUT_SECONDS)} | dict(
        parse_qsl(parts.query)
    )
    return urlunsplit(parts._replace(query=urlencode(options)))


def watch_name() -> str:
    """Return the name of this watch, unique among watches."""
    return f"{socket.gethostname()}:{os.getpid()}"


def once(settings: Settings, jobs: Sequence[WatchJob] = JOBS) -> dict[str, str]:
    """Run every job once, and return the errors by job.

    Raises:
        IncompleteDeclarationError: If rules and measures do not fit together.
    """
    check_rules(alarm_rules(), MEASURES)
    problems = {job.name: JobRunner(job, settings, watch_name()).once() for job in jobs}
    return {name: problem for name, problem in problems.items() if problem}


def run(settings: Settings, jobs: Sequence[WatchJob] = JOBS) -> None:
    """Run all jobs until SIGTERM or SIGINT; call it from the main thread.

    Raises:
        IncompleteDeclarationError: If rules and measures do not fit together.
    """
    check_rules(alarm_rules(), MEASURES)
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    rounds = [JobRunner(job, settings, watch_name()) for job in jobs]
    threads = [
        threading.Thread(target=one.run, args=(stop,), name=one.job.name, daemon=True)
        for one in rounds
    ]
    for thread in threads:
        thread.start()
    log.info("watching: %s", ", ".join(f"{job.name} every {job.period:g} s" for job in jobs))
    stop.wait()
    deadline = time.monotonic() + SHUTDOWN_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def overdue(settings: Settings, jobs: Sequence[WatchJob] = JOBS) -> list[str]:
    """Return the jobs that no watch has done in time, by the same rule as the screens.

    Raises:
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    store = WorkerStore(_with_timeouts(settings.clickhouse_url))
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
