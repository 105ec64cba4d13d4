"""Questions run concurrently: by whose rights, what they raise, that nobody queues for a worker."""

import threading

import pytest

from dashboard.query.concurrent import WORKERS, run_concurrently
from dashboard.query.rights import NoRightsError, current, must_see_all


def test_an_answer_comes_from_another_thread() -> None:
    begun = threading.Event()

    def question() -> str:
        begun.set()
        return threading.current_thread().name

    answer = run_concurrently(question)
    assert begun.wait(10) and answer() == answer() != threading.current_thread().name


def test_it_is_asked_with_the_rights_of_who_asks() -> None:
    assert run_concurrently(current.get)() == "desk"
    go_on = threading.Event()
    before = current.set("wall")
    try:
        busy = [run_concurrently(go_on.wait) for _ in range(WORKERS)]
        answers = [run_concurrently(must_see_all) for _ in range(2)]
    finally:
        current.reset(before)
    with pytest.raises(NoRightsError):
        answers[0]()  # by who asks, as no worker is free
    go_on.set()
    assert all(one() for one in busy)
    with pytest.raises(NoRightsError):
        answers[1]()


def test_what_it_raises_is_raised_where_the_answer_is_taken() -> None:
    def question() -> None:
        raise LookupError("19753")

    answer = run_concurrently(question)
    with pytest.raises(LookupError, match="19753"):
        answer()


def test_while_all_workers_are_busy_who_asks_does_it() -> None:
    go_on = threading.Event()
    busy = [run_concurrently(go_on.wait) for _ in range(WORKERS)]
    assert run_concurrently(lambda: threading.current_thread())() is threading.current_thread()
    go_on.set()
    assert all(one() for one in busy)


def test_one_may_have_others_asked_in_turn() -> None:
    def counted(depth: int) -> int:
        parts = [run_concurrently(lambda: counted(depth - 1)) for _ in range(2)] if depth else []
        return 1 + sum(one() for one in parts)

    assert counted(6) == 2**7 - 1
