"""The cache of answers: bounded, of young answers only, and nothing is left of what failed."""

import threading

import pytest

from dashboard.query import cache
from dashboard.query.cache import AnswerCache


def fails() -> int:
    raise RuntimeError("away")


def test_an_answer_is_kept_for_as_long_as_whoever_asks_takes_it() -> None:
    answers = AnswerCache()
    assert answers("key", lambda: 1, 60.0) == answers("key", lambda: 2, 60.0) == 1
    assert answers("key", lambda: 3, 0.0) == 3
    assert answers("other", lambda: None, 60.0) is None


def test_none_is_an_answer_too() -> None:
    answers, asked = AnswerCache(), list[int]()
    for _ in range(2):
        answers("key", lambda: asked.append(1), 60.0)
    assert asked == [1]


def test_what_fails_is_raised_and_not_kept_and_leaves_no_lock() -> None:
    answers = AnswerCache()
    with pytest.raises(RuntimeError):
        answers("key", fails, 60.0)
    assert not answers._turns and answers("key", lambda: 1, 60.0) == 1


def test_beyond_its_size_the_least_used_goes_and_what_expired_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cache, "MAX_ANSWERS", 3)
    answers = AnswerCache()
    answers("a", lambda: 1, 60.0)
    answers("short", lambda: 1, 1e-9)
    for key in ("b", "c"):
        answers(key, lambda: 1, 60.0)
    assert answers("a", lambda: 2, 60.0) == 1
    answers("d", lambda: 1, 60.0)
    assert answers("a", lambda: 2, 60.0) == 1 and answers("b", lambda: 2, 60.0) == 2
    assert len(answers._answers) == 3 and not answers._turns


def test_many_who_ask_the_same_at_once_are_answered_by_one_question() -> None:
    answers, asked, found = AnswerCache(), list[int](), list[int]()
    barrier = threading.Barrier(20)

    def question() -> int:
        asked.append(1)
        return len(asked)

    def ask() -> None:
        barrier.wait(10)
        found.append(answers("key", question, 60.0))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(10)
    assert asked == [1] and found == [1] * 20 and not answers._turns
