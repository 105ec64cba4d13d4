"""One poller serves all viewers.

Newest state only, changes only, and honest about a database that is away.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from dashboard.pages.wall.backdrop import Backdrop
from dashboard.pages.wall.frame import Painter
from dashboard.query.clock import Live
from dashboard.query.connection import UnreachableError
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.store import DataPulse, ScreenStore
from dashboard.request.view import WallView
from dashboard.server import push
from dashboard.server.push import Board
from schemas.events.partitions import Partitions
from schemas.figures import Reading
from tests.unit.test_dashboard_frame import ONE, commune, snapshot


class Answers:
    """A store that answers from memory and counts what it is asked."""

    def __init__(self) -> None:
        self.mark, self.away, self.questions, self.overdue = "0", False, 0, 0

    def pulse(self) -> DataPulse:
        if self.away:
            raise UnreachableError("connection refused")
        return DataPulse(datetime.now(UTC), self.mark)

    def take(self, *_: Any) -> Any:
        self.questions += 1
        return snapshot(
            {ONE: commune(filings=100, overdue=self.overdue)},
            {"filing.overdue": Reading(self.overdue)},
        )


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    found = Answers()
    monkeypatch.setattr(push, "take", found.take)
    return found


def board(answers: Answers, slowly: Any = lambda _scenes: Backdrop()) -> Board:
    return Board(
        cast(ScreenStore, answers),
        Live(),
        Painter(ProvinceContext("46")),
        0.01,
        10.0,
        Partitions((4,)),
        slowly,
    )


def told(found: Any) -> dict[str, Any]:
    """Return what a page hears of how alive all is."""
    said: dict[str, Any] = json.loads(found["pulse", "data"])
    return said


async def changes(viewer: AsyncIterator[Any], wanted: str) -> Any:
    """Return the next changes that a viewer gets in which a component takes part."""
    async with asyncio.timeout(5):
        async for found in viewer:
            if any(component == wanted for component, _ in found):
                return found
    raise AssertionError("the viewer was left")


def test_a_hundred_viewers_cost_one_question_set(answers: Answers) -> None:
    async def scenario() -> None:
        shared = board(answers)
        await shared._check()
        viewers = [shared.follow(WallView("vi")) for _ in range(100)]
        first = [await anext(viewer) for viewer in viewers]
        assert all(("figure-0", "children") in found for found in first)
        assert answers.questions == 1

    asyncio.run(scenario())


def test_a_viewer_gets_only_what_changed(answers: Answers) -> None:
    async def scenario() -> None:
        shared = board(answers)
        poller = asyncio.create_task(shared.run())
        viewer = shared.follow(WallView("vi"))
        await changes(viewer, "figure-0")
        answers.mark, answers.overdue = "1", 30
        found = await changes(viewer, "figure-0")
        assert ("figure-3", "children") not in found, (
            "a figure that reads the same is not sent again"
        )
        assert ("map-dots", "data") not in found
        assert ("map-communes", "hideout") in found
        poller.cancel()

    asyncio.run(scenario())


def test_a_viewer_hears_something_even_when_nothing_happens(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        shared = board(answers)
        monkeypatch.setattr(push, "FRAME_SECONDS", 0.05)
        viewer = shared.follow(WallView("vi"))
        await anext(viewer)
        assert set(await anext(viewer)) == {("pulse", "data")}

    asyncio.run(scenario())


def test_a_database_that_is_away_is_said_and_asked_again(answers: Answers) -> None:
    async def scenario() -> None:
        shared = board(answers)
        assert await shared._check()
        taken = shared.snapshot
        answers.away = True
        assert await shared._check()
        assert (shared.problem, shared.snapshot, shared.ready) == ("store_away", taken, False)
        beat = told(await anext(shared.follow(WallView("vi"))))
        assert beat["problem"] == "store_away"
        answers.away = False
        assert await shared._check()
        assert shared.ready

    asyncio.run(scenario())


def test_whatever_fails_is_said_and_never_shown_as_live(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        shared = board(answers)
        assert await shared._check()
        monkeypatch.setattr(push, "RENEW_SECONDS", -1.0)
        with monkeypatch.context() as patch:
            patch.setattr(push, "take", lambda *_: 1 / 0)
            assert await shared._check()
            assert told(await anext(shared.follow(WallView("vi"))))["problem"] == "failed"
            assert not shared.ready
        assert await shared._check()
        assert shared.ready

    asyncio.run(scenario())


def test_a_rotating_wall_gets_the_next_scene_when_its_turn_comes(answers: Answers) -> None:
    async def scenario() -> None:
        shared = board(answers)
        await shared._check()
        view = WallView("vi", scenes=("overview", "sources"), rotate=1)
        viewer = shared.follow(view)
        names = set()
        async with asyncio.timeout(10):
            async for found in viewer:
                if ("scene", "children") in found:
                    names.add(json.loads(found.get(("ground", "className"), '""')))
                if len(names) > 1:
                    break
        assert {"ground", "ground boarded"} <= names

    asyncio.run(scenario())


def test_what_changes_slowly_is_asked_for_the_scenes_that_walls_show_and_drawn_when_it_comes(
    answers: Answers,
) -> None:
    asked: list[frozenset[Any]] = []

    def slowly(scenes: frozenset[Any]) -> Backdrop:
        asked.append(scenes)
        return Backdrop(meetings=()) if "meetings" in scenes else Backdrop()

    async def scenario() -> None:
        shared = board(answers, slowly)
        poller = asyncio.create_task(shared.run())
        viewer = shared.follow(WallView("vi", scenes=("meetings",)))
        found = await changes(viewer, "board")
        assert "Đang mở" in str(json.loads(found["board", "children"]))
        found = await changes(viewer, "board")
        assert "Không có cuộc họp" in str(json.loads(found["board", "children"]))
        poller.cancel()

    asyncio.run(scenario())
    assert asked[0] == frozenset() and frozenset({"meetings"}) in asked


def test_when_what_changes_slowly_fails_the_page_says_so(answers: Answers) -> None:
    def slowly(_scenes: frozenset[Any]) -> Backdrop:
        raise ZeroDivisionError

    async def scenario() -> None:
        shared = board(answers, slowly)
        poller = asyncio.create_task(shared.run())
        async with asyncio.timeout(5):
            async for found in shared.follow(WallView("vi")):
                if told(found)["problem"] == "failed":
                    break
        poller.cancel()

    asyncio.run(scenario())
