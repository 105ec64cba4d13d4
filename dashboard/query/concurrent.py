"""Run queries of a page at the same time.

ClickHouse takes about as long to plan a query as to answer it, and plans each by itself.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from dashboard.query.turns import waiting

T = TypeVar("T")
WORKERS = 2
"""Threads beside those that the pages run in. They stay, as each has a connection of its own."""
_workers = ThreadPoolExecutor(WORKERS, "run-concurrently")


def run_concurrently(question: Callable[[], T]) -> Callable[[], T]:
    """Begin a question in another thread, and return what waits for its answer.

    It is asked with the rights of the caller. If no worker is free when the answer is taken, it is
    asked inline, so that nobody queues for a worker.

    Args:
        question: What to run.

    Returns:
        A function that gives the answer, or raises what the question raised.
    """
    rights = copy_context()
    begun = _workers.submit(rights.run, question)

    def answer() -> T:
        if begun.cancel():
            return rights.run(question)
        with waiting():
            return begun.result()

    return answer
