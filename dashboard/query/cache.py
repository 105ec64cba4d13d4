"""Cache answers, with one loader at a time: concurrent requests for one answer compute it once.

Answers are kept by `cachetools.TLRUCache` (`TTLCache` has one lifetime for all of them); the locks
are our own. `cachetools.cached` with a condition has one loader, too, but lets the others wait for
as long as it takes: here they wait no longer than their own time limit, and give up their turn to
compute meanwhile. CPU time, 2026-12-01, 2 cores: a hit 2.5 µs (2.4 with a dict of our own before),
a new answer in a full cache 18 µs (3 µs before), where a query takes ClickHouse milliseconds.
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cachetools import TLRUCache

from dashboard.query.turns import holding

T = TypeVar("T")
MAX_ANSWERS = 500
"""Most answers kept; above this, expired ones are dropped first, then the least recently used."""


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Any
    since: float
    seconds: float


@dataclass(slots=True)
class _Turn:
    """The lock of a key that is being loaded, and how many hold it or wait for it."""

    users: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class AnswerCache:
    """Caches answers by key. Safe to use from many threads; errors are raised and not cached."""

    def __init__(self) -> None:
        self._answers: TLRUCache[Hashable, _Kept] = TLRUCache(
            MAX_ANSWERS, lambda _key, kept, now: now + kept.seconds, time.monotonic
        )
        self._turns: dict[Hashable, _Turn] = {}
        self._guard = threading.Lock()

    def __call__(self, key: Hashable, question: Callable[[], T], seconds: float) -> T:
        """Return the answer cached under `key` if younger than `seconds`; else call `question`.

        All callers of a key pass the same `seconds`: an answer is dropped at the age that its
        loader named, and a caller with a shorter one would load it again for all.

        Raises:
            TimeLimitError: another thread is loading the answer and does not finish in time.
        """
        with self._guard:
            kept = self._answers.get(key)
        if kept is None or time.monotonic() - kept.since >= seconds:
            with self._alone(key):
                with self._guard:
                    kept = self._answers.get(key)
                if kept is None or time.monotonic() - kept.since >= seconds:
                    answer = question()
                    kept = _Kept(answer, time.monotonic(), seconds)
                    with self._guard:
                        self._answers[key] = kept
        found: T = kept.answer
        return found

    def forget(self, key: Hashable) -> None:
        """Drop an answer because its subject has changed.

        If it is being loaded, wait for it and drop it, too: it may date from before the change.
        """
        with self._taking(key) as lock, lock, self._guard:
            self._answers.pop(key, None)

    @contextmanager
    def _alone(self, key: Hashable) -> Iterator[None]:
        with self._taking(key) as lock, holding(lock):
            yield

    @contextmanager
    def _taking(self, key: Hashable) -> Iterator[threading.Lock]:
        with self._guard:
            turn = self._turns.setdefault(key, _Turn())
            turn.users += 1
        try:
            yield turn.lock
        finally:
            with self._guard:
                turn.users -= 1
                if not turn.users:
                    del self._turns[key]
