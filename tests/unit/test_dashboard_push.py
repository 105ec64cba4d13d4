"""One poller serves all viewers: newest state only, changes only, and honest about a database that is away."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard import push
from dashboard.clock import Live
from dashboard.connection import Unreachable
from dashboard.push import Board
from dashboard.snapshot import Place
from dashboard.store import Pulse
from dashboard.wall.frame import Painter
from dashboard.wall.view import View
from schemas.figures import Reading
from schemas.partitions import Partitions
from tests.unit.test_dashboard_frame import ONE, commune, snapshot


class Answers:
    """A store that answers from memory and counts what it is asked."""

    def __init__(self) -> None:
        self.mark, self.away, self.questions, self.overdue = "0", False, 0, 0

    def pulse(self) -> Pulse:
        if self.away:
            raise Unreachable("connection refused")
        return Pulse(datetime.now(UTC), self.mark)

    def take(self, *_: Any) -> Any:
        self.questions += 1
        return snapshot({ONE: commune(filings=100, overdue=self.overdue)}, {"filing.overdue": Reading(self.overdue)})


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    found = Answers()
    monkeypatch.setattr(push, "take", found.take)
    return found


def board(answers: Answers) -> Board:
    return Board(answers, Live(), Painter(Place("46")), 0.01, 10.0, Partitions((4,)))  # type: ignore[arg-type]


async def changes(viewer: AsyncIterator[Any], wanted: str) -> Any:
    """The next changes that a viewer gets in which a component takes part."""
    async with asyncio.timeout(5):
        async for found in viewer:
            if any(component == wanted for component, _ in found):
                return found
    raise AssertionError("the viewer was left")


def test_a_hundred_viewers_cost_one_question_set(answers: Answers) -> None:
    async def scenario() -> None:
        shared = board(answers)
        await shared._look()
        viewers = [shared.follow(View("vi")) for _ in range(100)]
        first = [await anext(viewer) for viewer in viewers]
        assert all(("figures", "children") in found for found in first)
        assert answers.questions == 1

    asyncio.run(scenario())


def test_a_viewer_gets_only_what_changed(answers: Answers) -> None:
    async def scenario() -> None:
        shared = board(answers)
        poller = asyncio.create_task(shared.run())
        viewer = shared.follow(View("vi"))
        await changes(viewer, "figures")
        answers.mark, answers.overdue = "1", 30
        found = await changes(viewer, "figures")
        assert ("map-points", "data") not in found
        assert ("map-communes", "hideout") in found
        poller.cancel()

    asyncio.run(scenario())


def test_a_viewer_hears_something_even_when_nothing_happens(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        shared = board(answers)
        monkeypatch.setattr(push, "FRAME_SECONDS", 0.05)
        viewer = shared.follow(View("vi"))
        await anext(viewer)
        assert set(await anext(viewer)) == {("pulse", "data")}

    asyncio.run(scenario())


def test_a_database_that_is_away_is_said_and_asked_again(answers: Answers) -> None:
    async def scenario() -> None:
        shared = board(answers)
        assert await shared._look()
        taken = shared.snapshot
        answers.away = True
        assert await shared._look()
        assert (shared.problem, shared.snapshot, shared.ready) == ("store_away", taken, False)
        beat = (await anext(shared.follow(View("vi"))))["pulse", "data"]
        assert beat["problem"] == "store_away"
        answers.away = False
        assert await shared._look()
        assert shared.ready

    asyncio.run(scenario())


def test_whatever_fails_is_said_and_never_shown_as_live(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        shared = board(answers)
        assert await shared._look()
        monkeypatch.setattr(push, "RENEW_SECONDS", -1.0)
        with monkeypatch.context() as patch:
            patch.setattr(push, "take", lambda *_: 1 / 0)
            assert await shared._look()
            assert (await anext(shared.follow(View("vi"))))["pulse", "data"]["problem"] == "failed"
            assert not shared.ready
        assert await shared._look()
        assert shared.ready

    asyncio.run(scenario())
