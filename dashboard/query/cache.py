"""A memory of answers: a question that many ask at a time is asked once, by one thread only."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from dashboard.query.turns import holding

T = TypeVar("T")
MAX_ANSWERS = 500
"""Answers that are remembered at most; beyond that the older half is let go."""


class AnswerCache:
    """Remembers answers under keys. Safe to use from many threads; what a question raises is raised, and not remembered."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[float, Any]] = {}
        self._locks: dict[Hashable, threading.Lock] = {}
        self._guard = threading.Lock()

    def __call__(self, key: Hashable, question: Callable[[], T], seconds: float) -> T:
        """The answer that is remembered under `key` if it is younger than `seconds`, else that of the question, asked now.

        Raises `dashboard.query.errors.TimeLimitError` when who asked the same before is not answered in time.
        """
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with holding(lock):
            before = self._answers.get(key)
            if before is not None and time.monotonic() - before[0] < seconds:
                remembered: T = before[1]
                return remembered
            answer = question()
            with self._guard:
                self._answers[key] = (time.monotonic(), answer)
                if len(self._answers) > MAX_ANSWERS:
                    self._let_go()
        return answer

    def forget(self, key: Hashable) -> None:
        """What is asked from now on is asked anew, an answer that is still on its way left out: what it is about was changed."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock, self._guard:
            self._answers.pop(key, None)

    def _let_go(self) -> None:
        for old in sorted(self._answers, key=lambda one: self._answers[one][0])[: MAX_ANSWERS // 2]:
            del self._answers[old]
            self._locks.pop(old, None)
