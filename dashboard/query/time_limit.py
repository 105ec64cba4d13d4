"""How long a page may still take: set where it is asked for, read wherever it waits."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from dashboard.query.errors import TimeLimitError

T = TypeVar("T")
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
"""By the monotonic clock; None for what has no limit: the poller, background work."""


def begin(seconds: float) -> None:
    """Give what runs in this context so many seconds from now on."""
    _deadline.set(time.monotonic() + seconds)


def remaining() -> float | None:
    """Return the seconds that are left; None where there is no limit.

    Raises `TimeLimitError` when none are.
    """
    deadline = _deadline.get()
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeLimitError("the time is over")
    return left


def within(seconds: float | None, work: Callable[[], T]) -> T:
    """Run work with a limit of its own, None for none.

    Others will use what it makes, not only whoever asked first.
    """
    before = _deadline.set(None if seconds is None else time.monotonic() + seconds)
    try:
        return work()
    finally:
        _deadline.reset(before)
