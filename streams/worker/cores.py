"""All threads of a busy worker on one core, while that core has room for them.

The threads of a Python process take turns: one works at a time, on whichever core it wakes. What it made lies in the cache of that
core, and the next one fetches it from there. On one core they find it: a worker at full load takes in a quarter more so
(`bench.md`). Should others need that core, another worker even, its threads wait for more than they get, and are let loose
until they find room again. Whoever says on which cores a worker may run is obeyed: before it runs, and while it does, unless it is
the very core that they are held to.
"""

import logging
import os
import time
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)
LOOK_INTERVAL_SECONDS = 1.0
"""Seconds between two looks."""
BUSY = 0.5
"""Share of a core from which on it matters."""
THREADS = Path("/proc/self/task")


def are_better_together(ran: float, waited: float) -> bool:
    """Whether threads gain by one core: how much of a core they had, and how much of one they waited for, all of them together.

    Of one worker alone on a core, a thread waits while another has work outside Python, up to 0.8 of a core. Two busy workers on
    one core get half of it each, and wait for the rest besides.
    """
    return ran > BUSY and waited < ran


class Cores:
    """Keeps the threads of this process together, or lets them loose. Does nothing where the system has no such thing."""

    def __init__(self) -> None:
        self._allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
        self._held = self._allowed
        self._waits: dict[str, int] = {}
        self._ran, self._at = time.process_time(), time.monotonic()

    def look(self) -> None:
        """Decide anew by what was since the last look."""
        if len(self._allowed) < 2:
            return
        try:
            waits = _waits()
            ran, at = time.process_time(), time.monotonic()
            waited = sum(wait - self._waits.get(name, wait) for name, wait in waits.items()) / 1e9
            share = 1 / max(at - self._at, 1e-3)
            together = are_better_together((ran - self._ran) * share, waited * share)
            self._waits, self._ran, self._at = waits, ran, at
            self.hold(together)
        except (
            OSError,
            ValueError,
            IndexError,
        ) as error:  # No such figures, or no right to: they run as the system lets them.
            log.info("threads are not kept together: %s", error)
            with suppress(OSError):
                self.hold(False)
            self._allowed = set()

    def hold(self, together: bool) -> None:
        """Hold all threads to the core that the first of them ran on last, or let them run on all that are allowed."""
        if (now := os.sched_getaffinity(0)) != self._held:
            self._allowed = now  # Somebody else said so.
        if not together:
            wanted = self._allowed
        elif len(self._held) == 1 and self._held <= self._allowed:
            wanted = self._held
        else:
            wanted = {
                int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[36])
            } & self._allowed
        if wanted and wanted != now:
            for thread in THREADS.iterdir():
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(int(thread.name), wanted)
        self._held = wanted or now


def _waits() -> dict[str, int]:
    """Nanoseconds for which each thread of this process waited for a core, by its number; those that end meanwhile left out."""
    waits = {}
    for thread in THREADS.iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            waits[thread.name] = int((thread / "schedstat").read_text().split()[1])
    return waits
