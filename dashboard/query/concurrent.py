"""Questions of a page side by side: ClickHouse takes about as long to plan one as to answer it, and plans each by itself."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from dashboard.query.turns import waiting

T = TypeVar("T")
THREADS = 2
"""How many are asked beside those that the pages ask themselves. They stay, as each has a connection of its own."""
_hands = ThreadPoolExecutor(THREADS, "beside")


def beside(question: Callable[[], T]) -> Callable[[], T]:
    """Have a question asked by another thread meanwhile, with the rights of who asks. What is returned gives its answer, or raises
    what it raised: it waits for it, and where nobody had a hand free it asks itself. So nobody waits for a hand."""
    rights = copy_context()
    asked = _hands.submit(rights.run, question)

    def answer() -> T:
        if asked.cancel():
            return rights.run(question)
        with waiting():
            return asked.result()

    return answer
