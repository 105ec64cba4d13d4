"""Run queries of one page concurrently.

ClickHouse takes about as long to plan a query as to run it, and plans each one separately.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from dashboard.query.turns import waiting

T = TypeVar("T")
WORKERS = 2
"""Worker threads in addition to those of the pages; permanent, as each has a connection of its own.
"""
_workers = ThreadPoolExecutor(WORKERS, "run-concurrently")


def run_concurrently(question: Callable[[], T]) -> Callable[[], T]:
    """Start a query in a worker thread and return a function that waits for its answer.

    It runs with the rights of the caller. If no worker has begun it when the answer is needed, it
    runs inline, so that callers never queue.

    Args:
        question: runs the query.

    Returns:
        A function that returns the answer, or raises what `question` raised.
    """
    rights = copy_context()
    begun = _workers.submit(rights.run, question)

    def answer() -> T:
        if begun.cancel():
            return rights.run(question)
        with waiting():
            return begun.result()

    return answer
