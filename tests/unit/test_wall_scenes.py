"""Which scene a wall shows, and what each draws.

Within the budget of the room, whatever is known.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard.components import outlines as map
from dashboard.components.alarm_texts import MAX_ALARMS
from dashboard.components.rotation import HELD, Turn, scene_of, turn
from dashboard.pages.wall.backdrop import Backdrop
from dashboard.pages.wall.cards import MAX_CARDS
from dashboard.pages.wall.frame import Painter, heading
from dashboard.pages.wall.scenes import DRAWN
from dashboard.pages.wall.theme_figures import THEMES
from dashboard.query.alarm_groups import StoredAlarm, grouped
from dashboard.query.scoreboard import Scoreboard
from dashboard.request.view import (
    MAX_SCENE_SECONDS,
    MIN_SCENE_SECONDS,
    SCENES,
    WallView,
    scenes,
    unknown_scenes,
    view,
)
from schemas.figures import Reading
from schemas.reference import alarm_rules, criteria_sets
from schemas.scores import score, standings
from tests.unit.test_dashboard_frame import NOW, ONE, PLACE, TWO, snapshot

MEETING = {
    "entity_id": "M1",
    "title": "Giao ban",
    "host": "H57.VP",
    "started_at": NOW,
    "invited": [ONE, TWO],
    "connected": [ONE],
    "missing": [TWO],
}
COMING = {
    "entity_id": "M2",
    "title": "",
    "host": "H57.VP",
    "started_at": NOW + timedelta(hours=3),
    "invited": [ONE],
}


def texts(frame: Any) -> str:
    return json.dumps(
        [value for _, value in sorted(frame.items())], cls=PlotlyJSONEncoder, ensure_ascii=False
    )


def backdrop() -> Backdrop:
    criteria = criteria_sets(NOW.date())[0]
    board = Scoreboard(NOW, "46", tuple(standings("46", "46", {}, {}, NOW)))
    return Backdrop({}, (MEETING,), (COMING,), board, score(criteria, {}), None)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("rest", [Backdrop(), backdrop()], ids=["not asked yet", "asked"])
def test_every_scene_keeps_the_budget_and_can_be_sent(
    scene: Any, language: Any, rest: Backdrop
) -> None:
    called = tuple(
        StoredAlarm(one.cause, 2, NOW, (ONE,), "filing.on_time", 3, rule=one.code)
        for one in alarm_rules()
    )
    frame = Painter(PLACE).frame(
        replace(snapshot(), alarms=called), WallView(language, scenes=SCENES), scene, rest
    )
    assert texts(frame)
    assert len([one for one in frame if one[0].startswith("figure-")]) == MAX_CARDS <= 7
    assert len(frame["alarms", "children"]) <= MAX_ALARMS <= 5
    assert ("map-communes", "hideout") in frame or DRAWN[scene].board


def test_a_scene_with_a_board_sends_no_map_and_hides_it() -> None:
    frame = Painter(PLACE).frame(snapshot(), WallView("vi"), "meetings", backdrop())
    assert frame["ground", "className"] == "ground boarded"
    assert not [one for one in frame if one[0].startswith("map-")]
    said = texts(frame)
    assert "Giao ban" in said and "1/2 điểm cầu" in said and f"vắng {PLACE.names[TWO]}" in said
    assert "M2" in said and "1 điểm cầu" in said


def test_figures_of_a_theme_are_set_against_target_and_yesterday_and_silent_ones_are_hatched() -> (
    None
):
    now = {"feedback.satisfied": Reading(90.0, 90, 100), "feedback.open": Reading(120)}
    shown = replace(
        snapshot(now=now),
        day_ago={"feedback.satisfied": Reading(92.5, 37, 40), "feedback.open": Reading(100)},
    )
    said = texts(Painter(PLACE).frame(shown, WallView("vi"), "feedback"))
    assert (
        "dưới mục tiêu 92%" in said and "↓2,5" in said and "90 trên 100" in said and "↑20" in said
    )
    assert "call-2" in said
    old = {code: replace(reading, stale=True) for code, reading in now.items()}
    said = texts(Painter(PLACE).frame(replace(shown, now=old), WallView("vi"), "feedback"))
    assert "nguồn im lặng" in said and "call-2" not in said and "figure old" in said


def test_what_was_not_asked_of_yesterday_has_no_trend() -> None:
    said = texts(Painter(PLACE).frame(replace(snapshot(), day_ago={}), WallView("vi"), "overview"))
    assert "↑3" not in said


def test_on_the_map_of_a_theme_only_its_own_alarms_call() -> None:
    shown = replace(
        snapshot(),
        alarms=(StoredAlarm("pile", 2, NOW, (ONE,)), StoredAlarm("burst", 2, NOW, (TWO,), "water")),
    )
    assert map.calls(shown) == {ONE: 2, TWO: 2}
    assert map.calls(shown, "filing") == {ONE: 2}
    assert map.calls(shown, "feedback") == {TWO: 2}


def test_dots_are_what_the_page_adds_up() -> None:
    assert map.dots(snapshot()) == [164_000, 1_076_000]


def test_every_alarm_has_a_scene_and_every_figure_of_a_theme_words() -> None:
    for rule in alarm_rules():
        assert scene_of(StoredAlarm(rule.cause, 2, NOW, subject="filing.on_time")) in SCENES
    for shown in THEMES.values():
        assert all(WallView("vi").translator(f"short_{one.code}") for one in shown)


MOMENT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


def test_scenes_take_turns_by_the_clock_so_that_a_reload_and_another_wall_show_the_same() -> None:
    seen = [
        turn(SCENES, 30, MOMENT + timedelta(seconds=second), ()).scene
        for second in range(0, 240, 30)
    ]
    assert sorted(seen) == sorted(SCENES)
    first = turn(SCENES, 30, MOMENT + timedelta(seconds=7), ())
    assert first.scene == turn(SCENES, 30, MOMENT + timedelta(seconds=29), ()).scene
    assert first.until == MOMENT + timedelta(seconds=30)


def test_one_scene_stays() -> None:
    assert turn(("targets",), 30, MOMENT, [StoredAlarm("burst", 1, MOMENT, raised=MOMENT)]) == Turn(
        "targets"
    )


@pytest.mark.parametrize(
    ("priority", "cause", "scene"),
    [(1, "pile", "filings"), (2, "burst", "feedback"), (2, "flash", "documents")],
)
def test_an_alarm_holds_the_scene_that_is_about_it(priority: int, cause: str, scene: str) -> None:
    alarm = StoredAlarm(cause, priority, MOMENT - timedelta(days=1), raised=MOMENT)
    for seconds in (0, 45, 100):
        held = turn(SCENES, 30, MOMENT + timedelta(seconds=seconds), [alarm])
        assert (held.scene, held.held) == (scene, alarm)
    over = MOMENT + HELD[priority] + timedelta(seconds=1)
    assert turn(SCENES, 30, over, [alarm]).held is None
    assert turn(SCENES, 30, over - timedelta(seconds=2), [alarm]).until <= over  # type: ignore[operator]


def test_the_gravest_and_newest_alarm_holds_and_advice_never_does() -> None:
    grave = StoredAlarm("pile", 1, MOMENT, raised=MOMENT - timedelta(minutes=30))
    news = StoredAlarm("burst", 2, MOMENT, raised=MOMENT)
    assert turn(SCENES, 30, MOMENT, [news, grave]).held == grave
    older = StoredAlarm("flash", 2, MOMENT, raised=MOMENT - timedelta(minutes=1))
    assert turn(SCENES, 30, MOMENT, [older, news]).held == news
    assert turn(SCENES, 30, MOMENT, [StoredAlarm("silent", 3, MOMENT, raised=MOMENT)]).held is None


def test_an_alarm_without_a_scene_of_its_own_on_this_wall_holds_the_overview_or_nothing() -> None:
    alarm = StoredAlarm("burst", 1, MOMENT, raised=MOMENT)
    assert turn(("overview", "filings"), 30, MOMENT, [alarm]).scene == "overview"
    assert turn(("filings", "targets"), 30, MOMENT, [alarm]).held is None


def test_alarms_told_as_one_hold_from_the_last_time_that_people_were_called() -> None:
    several = [
        StoredAlarm("pile", 2, MOMENT, (str(number),), raised=MOMENT + timedelta(minutes=number))
        for number in range(4)
    ]
    (one,) = grouped(several)
    assert one.raised == MOMENT + timedelta(minutes=3)


def test_the_heading_says_which_scene_it_is_and_what_holds_it() -> None:
    many = WallView("en", scenes=SCENES)
    said = json.dumps(
        heading(many, Turn("filings", StoredAlarm("pile", 2, MOMENT))), cls=PlotlyJSONEncoder
    )
    assert "Filings" in said and "Scene 2 of 8" in said and "held by an alarm" in said
    assert "Scene" not in json.dumps(
        heading(WallView("en", scenes=("filings",)), Turn("filings")), cls=PlotlyJSONEncoder
    )


@pytest.mark.parametrize(
    ("asked", "rotate", "expected"),
    [
        (None, None, (SCENES, 30)),
        ("all", "20", (SCENES, 20)),
        ("targets", None, (("targets",), 30)),
        ("feedback, filings,feedback", "60", (("feedback", "filings"), 60)),
        (None, "0", (("overview",), 30)),
        ("filings,feedback", "0", (("filings",), 30)),
        ("weather", None, (SCENES, 30)),
        (None, "1", (SCENES, MIN_SCENE_SECONDS)),
        (None, "99999", (SCENES, MAX_SCENE_SECONDS)),
        (None, "soon", (SCENES, 30)),
    ],
)
def test_an_address_says_which_scenes_and_for_how_long(
    asked: Any, rotate: Any, expected: Any
) -> None:
    assert scenes(asked, rotate, 30) == expected


def test_names_that_no_scene_has_are_told() -> None:
    assert unknown_scenes("filings, weather,all,Filings") == ("weather", "Filings")
    assert unknown_scenes(None) == ()


def test_a_page_says_which_view_it_is_and_nonsense_is_the_usual_one() -> None:
    assert view({"language": "en", "scenes": ["targets", "index"], "rotate": 15}) == WallView(
        "en", scenes=("targets", "index"), rotate=15
    )
    assert view({"scenes": "x", "rotate": [], "measure": 3}).scenes == SCENES
    assert view({"room": "desk"}) == WallView("vi", room="desk")
