"""Scene that a wall shows: a function of time and alarms, alike after a reload and on every wall.

Scenes rotate by the clock. An alarm holds the rotation at the scene of its subject: priority 1
while it is open, for an hour at most (by then the room knows, and the list of alarms goes on
showing it); priority 2 while it is new; priority 3 never.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dashboard.query.alarm_causes import ALARM_CAUSES, OF_FIGURE, cause_of
from dashboard.query.alarm_groups import StoredAlarm
from dashboard.request.view import SCENES, Scene
from schemas.declared import whole

HELD = {1: timedelta(hours=1), 2: timedelta(minutes=2)}
"""Time after its raising for which an alarm holds the rotation, by priority."""
SCENE_OF: dict[str, Scene] = {name: name for name in SCENES}
KINDS: dict[str, Scene] = {
    "filing": "filings",
    "feedback": "feedback",
    "document": "documents",
    "meeting": "meetings",
}
"""Scenes by the first part of a figure's code."""
whole(
    "alarm causes",
    *(
        (one.scene in (*SCENES, OF_FIGURE), f"no scene {one.scene} for the cause {one.code}")
        for one in ALARM_CAUSES
    ),
)


@dataclass(frozen=True)
class Turn:
    """The scene shown, the alarm that holds it, and when to look again (None: a single scene)."""

    scene: Scene
    held: StoredAlarm | None = None
    until: datetime | None = None


def scene_of(alarm: StoredAlarm) -> Scene:
    """Return the scene about the subject of an alarm."""
    about = cause_of(alarm.cause).scene
    if about == OF_FIGURE:
        return KINDS.get(alarm.subject.partition(".")[0], "overview")
    return SCENE_OF[about]


def turn(
    scenes: Sequence[Scene], seconds: int, now: datetime, calls: Iterable[StoredAlarm]
) -> Turn:
    """Return the scene that a wall shows at a moment.

    An alarm whose scene is not among `scenes` is shown by the list of alarms beside any scene; it
    holds the overview if that is among them.
    """
    if len(scenes) == 1:
        return Turn(scenes[0])
    number = int(now.timestamp()) // seconds
    until = datetime.fromtimestamp((number + 1) * seconds, UTC)
    for alarm in sorted(calls, key=lambda one: (one.priority, _age(one, now))):
        left = HELD.get(alarm.priority, timedelta(0)) - _age(alarm, now)
        scene = next((one for one in (scene_of(alarm), "overview") if one in scenes), None)
        if scene is not None and left > timedelta(0):
            return Turn(scene, alarm, min(until, now + left))
    return Turn(scenes[number % len(scenes)], until=until)


def _age(alarm: StoredAlarm, now: datetime) -> timedelta:
    """Return the time since an alarm was raised; if unknown, one so long that it holds nothing."""
    at = alarm.raised or alarm.since
    return max(timedelta(0), now - at) if at else HELD[1]
