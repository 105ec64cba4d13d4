"""Work beside the event loop.

In few threads, with the rights of whoever asks, and never longer than it may take.
"""

import asyncio
import threading
from collections.abc import Generator

import pytest

from dashboard.query import time_limit
from dashboard.query.cache import AnswerCache
from dashboard.query.errors import TimeLimitError
from dashboard.query.rights import current
from dashboard.request import workers
from dashboard.request.workers import BusyError, PageWorkers


def test_work_runs_beside_the_loop_with_the_rights_of_whoever_asks() -> None:
    async def ask() -> tuple[str, str]:
        current.set("wall")
        return await PageWorkers(10.0).run(lambda: (threading.current_thread().name, current.get()))

    thread, right = asyncio.run(ask())
    assert thread.startswith("page") and right == "wall"


def test_work_that_takes_too_long_is_given_up_and_sees_the_limit_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "GRACE_SECONDS", 0.0)
    go, ended, seen = threading.Event(), threading.Event(), list[str]()

    def slow() -> None:
        go.wait(30)
        try:
            time_limit.remaining()
        except TimeLimitError as error:
            seen.append(str(error))
        ended.set()

    with pytest.raises(TimeLimitError):
        asyncio.run(PageWorkers(0.1).run(slow))
    go.set()
    assert ended.wait(10) and seen


def test_what_waits_for_a_thread_beyond_its_time_is_never_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "GRACE_SECONDS", 0.0)
    go, begun = threading.Event(), list[int]()

    async def ask() -> None:
        one = PageWorkers(30.0, threads=1)
        first = asyncio.ensure_future(one.run(go.wait))
        await asyncio.sleep(0)
        with pytest.raises(TimeLimitError):
            await one.run(lambda: begun.append(1), 0.05)
        go.set()
        assert await first
        assert await one.run(lambda: "next") == "next"

    asyncio.run(ask())
    assert not begun


def test_more_than_can_be_answered_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MAX_WAITING", 2)
    go = threading.Event()

    async def ask() -> None:
        one = PageWorkers(30.0, threads=1)
        waiting = [asyncio.ensure_future(one.run(go.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await one.run(lambda: None)
        go.set()
        assert await asyncio.gather(*waiting) == [True, True]
        assert await one.run(lambda: "free") == "free"

    asyncio.run(ask())


def test_the_pieces_of_a_file_come_in_order_and_it_is_closed_when_nobody_takes_more() -> None:
    closed = threading.Event()

    def file() -> Generator[bytes, None, None]:
        try:
            yield from (b"head", b"", b"rows", b"end")
        finally:
            closed.set()

    async def take(most: int) -> list[bytes]:
        found: list[bytes] = []
        async for piece in (pieces := PageWorkers(10.0).pieces(file(), 10.0)):
            found.append(piece)
            if len(found) == most:
                break
        await pieces.aclose()  # type: ignore[attr-defined]
        return found

    assert asyncio.run(take(9)) == [b"head", b"", b"rows", b"end"]
    closed.clear()
    assert asyncio.run(take(1)) == [b"head"] and closed.wait(10)


def test_who_asks_the_same_as_somebody_slow_waits_no_longer_than_it_may() -> None:
    once, go, begun = AnswerCache(), threading.Event(), threading.Event()

    def slow() -> bool:
        begun.set()
        return go.wait(30)

    first = threading.Thread(target=lambda: once("key", slow, 5.0))
    first.start()
    assert begun.wait(10)
    with pytest.raises(TimeLimitError):
        time_limit.within(0.05, lambda: once("key", lambda: True, 5.0))
    go.set()
    first.join(10)
    assert once("key", lambda: False, 60.0) is True


def test_what_others_will_use_has_a_limit_of_its_own() -> None:
    def made() -> tuple[float | None, float | None]:
        return time_limit.within(100.0, time_limit.remaining), time_limit.within(
            None, time_limit.remaining
        )

    longer, none = time_limit.within(1.0, made)
    assert longer is not None and longer > 50 and none is None
    assert time_limit.remaining() is None
