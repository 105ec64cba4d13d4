"""Threads that make pages, answers and files, so that the event loop only sends them.

The event loop serves every wall and every probe. Slow work runs here instead: in few threads, as
they share one interpreter with the loop; each piece with a time limit; and no longer a queue than
can be answered in time.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import TypeVar

from dashboard.query import time_limit
from dashboard.query.errors import TimeLimitError
from dashboard.query.turns import turn

T = TypeVar("T")
PAGE_THREADS = 8
"""Pages made at the same time; most wait for ClickHouse (`dashboard.query.turns`)."""
FILE_THREADS = 3
"""Files take turns piece by piece, so more are in progress than there are threads."""
MAX_WAITING = 200
GRACE_SECONDS = 2.0
"""Extra time for work to end after its limit, which it notices at its next query."""
SWITCH_SECONDS = 0.001
"""Time after which a busy thread yields the interpreter.

The loop waits this long for each busy thread, several times per request: with Python's default of
0.005 and no turns, half of the probes took 20 ms and some 300 ms.
"""


class BusyError(Exception):
    """So much work is queued that more would not be done in time."""


class PageWorkers:
    """A fixed pool of threads that one event loop submits work to."""

    def __init__(self, seconds: float, threads: int = PAGE_THREADS, name: str = "page") -> None:
        self.seconds = seconds
        """Time limit of a piece of work, including the wait for a thread."""
        self._threads = ThreadPoolExecutor(threads, name)
        self._under_way = 0

    async def run(
        self, work: Callable[[], T], seconds: float | None = None, *, in_turn: bool = True
    ) -> T:
        """Run `work` in a thread with the caller's rights; return or raise what it does.

        Args:
            work: what to run.
            seconds: its time limit; `self.seconds` if None.
            in_turn: False for work that mostly waits for something other than ClickHouse: it
                would keep its turn from others.

        Raises:
            TimeLimitError: the work took longer than its limit.
            BusyError: too much work is queued.
        """
        if self._under_way >= MAX_WAITING:
            raise BusyError
        limit = self.seconds if seconds is None else seconds
        context = copy_context()
        context.run(time_limit.begin, limit)
        future: Future[T] = self._threads.submit(
            context.run, (lambda: _in_turn(work)) if in_turn else work
        )
        self._under_way += 1
        waited = asyncio.wrap_future(future)
        waited.add_done_callback(self._done)
        done, _ = await self._wait(waited, limit + GRACE_SECONDS)
        if not done:
            raise TimeLimitError("the time is over")
        return waited.result()

    @staticmethod
    async def _wait(waited: "asyncio.Future[T]", seconds: float) -> tuple[object, object]:
        try:
            return await asyncio.wait([waited], timeout=seconds)
        finally:
            waited.cancel()  # work that has not begun need not: nobody waits for it any more

    def _done(self, waited: "asyncio.Future[T]") -> None:
        self._under_way -= 1
        if not waited.cancelled():
            waited.exception()  # mark it as seen: the caller may be gone

    async def pieces(
        self, pieces: Generator[bytes, None, None], seconds: float
    ) -> AsyncIterator[bytes]:
        """Yield the pieces of a file, each made once the one before was sent.

        Raises:
            TimeLimitError: all pieces together took longer than `seconds`.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        try:
            while (
                piece := await self.run(lambda: next(pieces, None), max(until - loop.time(), 0.0))
            ) is not None:
                yield piece
        finally:
            with suppress(RuntimeError):  # closed meanwhile: the process ends
                self._threads.submit(_close, pieces)

    def close(self) -> None:
        """Accept no more work; work in progress ends at its next query."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _in_turn(work: Callable[[], T]) -> T:
    with turn():
        return work()


def _close(pieces: Generator[bytes, None, None]) -> None:
    """Close a generator, unless a thread still runs it: then its own limit ends it."""
    with suppress(ValueError):
        pieces.close()


def share_fairly() -> None:
    """Make busy threads yield to the event loop at once."""
    sys.setswitchinterval(SWITCH_SECONDS)
