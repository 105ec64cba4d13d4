"""One intake thread, shared.

Who sends much does not hold up who sends little, and the other way round.
"""

import asyncio
import gc
import itertools
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress

import pytest

from ingest.gateway.scheduler import FairScheduler


def work(
    log: list[str], name: str, steps: int, begun: threading.Event | None = None
) -> Iterator[None]:
    for _ in range(steps):
        if begun:
            begun.wait(10)
        log.append(name)
        yield


def served(*requests: tuple[str, str, int], turn: float = 0) -> list[str]:
    """Return the names of requests (sender, name, steps) in the order of their steps.

    All steps take equally long; each is a turn, unless a `turn` is longer.
    """
    log: list[str] = []

    async def go() -> None:
        turns, begun = (
            FairScheduler(turn_seconds=turn, clock=map(float, itertools.count()).__next__),
            threading.Event(),
        )
        turns.start()
        tasks = [
            asyncio.create_task(turns.run(sender, work(log, name, steps, begun), steps))
            for sender, name, steps in requests
        ]
        await asyncio.sleep(0.05)
        begun.set()
        await asyncio.gather(*tasks)
        turns.stop()

    asyncio.run(go())
    return log


def test_a_small_request_is_done_while_a_large_one_has_hardly_begun() -> None:
    log = served(("a", "large", 1000), ("b", "small", 1))
    assert log.index("small") <= 2 and log.count("large") == 1000


def test_many_large_requests_of_one_sender_do_not_push_another_back() -> None:
    log = served(*(("a", f"large {number}", 100) for number in range(20)), ("b", "small", 1))
    assert log.index("small") <= 2


def test_of_one_sender_the_small_request_goes_first_too() -> None:
    log = served(*(("a", f"large {number}", 100) for number in range(5)), ("a", "small", 1))
    assert log.index("small") <= 2


@pytest.mark.parametrize("sender", ["a", "b"])
def test_a_much_smaller_request_waits_for_a_step_and_not_for_a_turn(sender: str) -> None:
    log = served(("a", "large", 1000), (sender, "small", 1), turn=10_000)
    assert log.index("small") <= 2


def test_a_request_of_like_size_waits_for_the_end_of_a_turn() -> None:
    log = served(("a", "first", 100), ("b", "second", 50), turn=10_000)
    assert [name for name, _ in itertools.groupby(log)] in (
        ["first", "second"],
        ["second", "first"],
    )


def test_two_large_senders_take_turns() -> None:
    log = served(("a", "a", 300), ("b", "b", 300))
    half = log[:300]
    assert 140 < half.count("a") < 160


def test_an_error_reaches_its_request_and_nobody_else() -> None:
    def broken() -> Iterator[None]:
        yield
        raise ValueError("mine")

    async def go() -> None:
        turns = FairScheduler()
        turns.start()
        log: list[str] = []
        with pytest.raises(ValueError, match="mine"):
            await turns.run("a", broken(), 1)
        await turns.run("a", work(log, "after", 3), 3)
        assert log == ["after"] * 3
        turns.stop()

    asyncio.run(go())


def test_a_request_that_nobody_waits_for_any_more_is_dropped() -> None:
    log: list[str] = []

    async def go() -> None:
        turns, begun = FairScheduler(turn_seconds=0), threading.Event()
        turns.start()
        left = asyncio.create_task(turns.run("a", work(log, "left", 1000, begun), 1000))
        await asyncio.sleep(0.05)
        left.cancel()
        await asyncio.sleep(0)
        begun.set()
        await turns.run("b", work(log, "stays", 3), 3)
        await turns.run("a", work(log, "stays", 3), 3)
        turns.stop()

    asyncio.run(go())
    assert log.count("left") < 10 and log.count("stays") == 6


def test_the_body_of_a_request_that_failed_is_let_go_of_at_once() -> None:
    """An error, its frames, the request and its body in a circle would stay until garbage is looked
    for, which is seldom.
    """

    class Body:
        pass

    def broken(seen: list[weakref.ref[Body]]) -> Iterator[None]:
        body = Body()
        seen.append(weakref.ref(body))
        yield
        raise ValueError("broken")

    async def go() -> None:
        turns, seen = FairScheduler(), list[weakref.ref[Body]]()
        turns.start()
        with suppress(ValueError):
            await turns.run("a", broken(seen), 1)
        await asyncio.sleep(0.05)
        assert seen[0]() is None
        turns.stop()

    gc.collect()
    gc.disable()
    try:
        asyncio.run(go())
    finally:
        gc.enable()
