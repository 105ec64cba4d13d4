"""Time limit of the current work: set at its start, read wherever it waits."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from dashboard.query.errors import TimeLimitError

T = TypeVar("T")
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
"""On the monotonic clock; None for work without a limit: the poller, background work."""


def begin(seconds: float) -> None:
    """Limit the rest of this context to some seconds from now."""
    _deadline.set(time.monotonic() + seconds)


def remaining() -> float | None:
    """Return the seconds left; None without a limit. Raises `TimeLimitError` when none are left."""
    deadline = _deadline.get()
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeLimitError("the time is over")
    return left


def within(seconds: float | None, work: Callable[[], T]) -> T:
    """Run work with a time limit of its own; None for no limit.

    For results that others will use, too, not only the caller.
    """
    before = _deadline.set(None if seconds is None else time.monotonic() + seconds)
    try:
        return work()
    finally:
        _deadline.reset(before)
