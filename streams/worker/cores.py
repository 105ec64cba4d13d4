"""Pin the threads of a busy worker to one core, while that core has room for them.

The threads of a Python process take turns: one runs at a time, on whichever core it wakes. Its
results are in the cache of that core, and the next thread, on another core, has to fetch them from
there. If all run on one core, it does not: a worker at full load processes a quarter more
(`bench.md`). If others need that core, such as another worker, the threads wait for more time than
they get; then they are unpinned until there is room again. An affinity that somebody else sets is
respected, before the worker starts and while it runs, unless it is the very core that the threads
are pinned to.
"""

import logging
import os
import time
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)
UPDATE_INTERVAL_SECONDS = 1.0
"""Seconds between two decisions."""
BUSY = 0.5
"""Share of a core that the threads use from which on pinning is worthwhile."""
THREADS = Path("/proc/self/task")


def should_share_core(ran: float, waited: float) -> bool:
    """Return whether the threads are faster on one core.

    If a worker has the core to itself, a thread waits only while another one works outside Python:
    up to 0.8 of a core. Of two busy workers on one core, each gets half of it, and its threads wait
    for the other half in addition.

    Args:
        ran: The share of a core that all threads together used.
        waited: The share of a core that all threads together waited for.
    """
    return ran > BUSY and waited < ran


class Cores:
    """Pins and unpins the threads of this process; does nothing on systems without affinity."""

    def __init__(self) -> None:
        """Remember the cores that this process may use."""
        self._allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
        self._held = self._allowed
        self._waits: dict[str, int] = {}
        self._ran, self._at = time.process_time(), time.monotonic()

    def update(self) -> None:
        """Pin or unpin the threads by what they used since the last call."""
        if len(self._allowed) < 2:
            return
        try:
            waits = _waits()
            ran, at = time.process_time(), time.monotonic()
            waited = sum(wait - self._waits.get(name, wait) for name, wait in waits.items()) / 1e9
            share = 1 / max(at - self._at, 1e-3)
            together = should_share_core((ran - self._ran) * share, waited * share)
            self._waits, self._ran, self._at = waits, ran, at
            self.pin(together)
        except (
            OSError,
            ValueError,
            IndexError,
        ) as error:  # No scheduler statistics, or no permission: leave scheduling to the system.
            log.info("threads are not pinned to one core: %s", error)
            with suppress(OSError):
                self.pin(False)
            self._allowed = set()

    def pin(self, together: bool) -> None:
        """Pin all threads to the core that the main thread used last, or to all allowed cores.

        Args:
            together: Whether to pin them to one core.
        """
        if (now := os.sched_getaffinity(0)) != self._held:
            self._allowed = now  # Somebody else set the affinity.
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
    """Return the nanoseconds that each thread of this process waited for a core, by thread id.

    Threads that end meanwhile are left out.
    """
    waits = {}
    for thread in THREADS.iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            waits[thread.name] = int((thread / "schedstat").read_text().split()[1])
    return waits
