"""Threads that make pages, answers and files, so that the event loop only passes them on.

The event loop serves every wall and every probe. What takes time runs here instead: in few threads, as they share one interpreter
with the loop, each piece of work with a time limit, and no more of it waiting than can be answered.
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
"""Pages that are made at a time; most wait for ClickHouse (`dashboard.query.turns`)."""
FILE_THREADS = 3
"""Files take turns piece by piece: more are under way than there are threads."""
MAX_WAITING = 200
GRACE_SECONDS = 2.0
"""How much longer than its limit is waited for work, which sees the limit at its next question."""
SWITCH_SECONDS = 0.001
"""After which a thread hands the interpreter over to one that waits for it. The loop waits so long for each busy thread, several
times for each request: with the 0.005 of Python, and no turns, half of the probes took 20 ms and some 300 ms."""


class BusyError(Exception):
    """So much is being made already that more would not be done in time."""


class PageWorkers:
    """Runs work in a fixed number of threads. Used from one event loop."""

    def __init__(self, seconds: float, threads: int = PAGE_THREADS, name: str = "page") -> None:
        self.seconds = seconds
        """How long a piece of work may take, waiting for a thread included."""
        self._threads = ThreadPoolExecutor(threads, name)
        self._under_way = 0

    async def run(
        self, work: Callable[[], T], seconds: float | None = None, *, in_turn: bool = True
    ) -> T:
        """Return what work returns, or raise what it raises; it runs with the rights of whoever asks.

        `in_turn` is false for work that mostly waits, and not for ClickHouse only: it would keep its turn from others.

        Raises `TimeLimitError` when it takes longer than `seconds`, else than `self.seconds`; `BusyError` when too much waits.
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
            waited.cancel()  # what has not begun will not: nobody waits for it any more

    def _done(self, waited: "asyncio.Future[T]") -> None:
        self._under_way -= 1
        if not waited.cancelled():
            waited.exception()  # whoever asked may be gone: then nobody else looks at it

    async def pieces(
        self, pieces: Generator[bytes, None, None], seconds: float
    ) -> AsyncIterator[bytes]:
        """The pieces of a file, each made when the one before was taken. Raises `TimeLimitError` when all take too long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        try:
            while (
                piece := await self.run(lambda: next(pieces, None), max(until - loop.time(), 0.0))
            ) is not None:
                yield piece
        finally:
            with suppress(RuntimeError):  # it was closed meanwhile, and all ends
                self._threads.submit(_close, pieces)

    def close(self) -> None:
        """Begin nothing any more; what is under way ends at its next question."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _in_turn(work: Callable[[], T]) -> T:
    with turn():
        return work()


def _close(pieces: Generator[bytes, None, None]) -> None:
    """Have a generator let go of what it holds, unless a thread is still at it: then it ends by its own limit."""
    with suppress(ValueError):
        pieces.close()


def share_fairly() -> None:
    """Have busy threads make room for the event loop at once."""
    sys.setswitchinterval(SWITCH_SECONDS)
