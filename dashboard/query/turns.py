"""Take turns at computing: many pages may wait for ClickHouse at once, but few of them compute.

Threads of one interpreter compute one at a time anyway. Each thread that wants to compute makes the
event loop, which serves the walls, wait longer for the interpreter. So the threads take turns, and
give up their turn while they wait for something else.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dashboard.query import time_limit
from dashboard.query.errors import TimeLimitError

MAX_COMPUTING = 2
"""Two, so that a short page need not wait for a long one to finish."""
_turns = threading.BoundedSemaphore(MAX_COMPUTING)
_here = threading.local()


@contextmanager
def turn() -> Iterator[None]:
    """Compute when it is this thread's turn. Raises `TimeLimitError` if that is not in time."""
    _take()
    try:
        yield
    finally:
        _give()


@contextmanager
def waiting() -> Iterator[None]:
    """Let others compute while this thread waits; no effect in a thread without a turn."""
    had = _give()
    try:
        yield
    finally:
        if had:
            _take()


@contextmanager
def holding(lock: threading.Lock) -> Iterator[None]:
    """Hold a lock, waiting for it within the time limit. Raises `TimeLimitError`."""
    if not lock.acquire(blocking=False):
        left = time_limit.remaining()
        with waiting():
            is_mine = lock.acquire(timeout=-1 if left is None else left)
        if not is_mine:
            raise TimeLimitError("the same is being made for somebody else, and takes too long")
    try:
        yield
    finally:
        lock.release()


def _take() -> None:
    if not _turns.acquire(timeout=time_limit.remaining()):
        raise TimeLimitError("others compute for too long")
    _here.has_turn = True


def _give() -> bool:
    had: bool = getattr(_here, "has_turn", False)
    if had:
        _here.has_turn = False
        _turns.release()
    return had
