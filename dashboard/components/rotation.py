"""Which scene a wall shows: a function of the time and of what calls, so that a reload, a restart or another wall keeps the place.

Scenes take turns by the clock. An alarm holds the rotation at the scene that is about it: one of the highest priority for as long
as it is open, for an hour at most (by then the room knows, and the list of alarms goes on saying it); one that needs attention
while it is new; one of the lowest never.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dashboard.query.alarm_causes import ALARM_CAUSES, OF_FIGURE, cause_of
from dashboard.query.alarm_groups import StoredAlarm
from dashboard.request.view import SCENES, Scene
from schemas.declared import whole

HELD = {1: timedelta(hours=1), 2: timedelta(minutes=2)}
"""Priority → for how long after it was raised an alarm holds the rotation."""
SCENE_OF: dict[str, Scene] = {name: name for name in SCENES}
KINDS: dict[str, Scene] = {
    "filing": "filings",
    "feedback": "feedback",
    "document": "documents",
    "meeting": "meetings",
}

"""The first part of a figure's code → its scene."""
whole(
    "alarm causes",
    *(
        (one.scene in (*SCENES, OF_FIGURE), f"no scene {one.scene} for the cause {one.code}")
        for one in ALARM_CAUSES
    ),
)


@dataclass(frozen=True)
class Turn:
    """The scene that is shown; `held` is the alarm that holds it. `until` is when to look again, None for a wall of one scene."""

    scene: Scene
    held: StoredAlarm | None = None
    until: datetime | None = None


def scene_of(alarm: StoredAlarm) -> Scene:
    """The scene that is about what an alarm is about."""
    about = cause_of(alarm.cause).scene
    if about == OF_FIGURE:
        return KINDS.get(alarm.subject.partition(".")[0], "overview")
    return SCENE_OF[about]


def turn(
    scenes: Sequence[Scene], seconds: int, now: datetime, calls: Iterable[StoredAlarm]
) -> Turn:
    """The scene of a moment, of those that take turns every so many seconds.

    An alarm whose scene is not among them is shown by the list of alarms beside any scene: it holds the overview if that is there.
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
    """How long ago an alarm was raised; of one that nobody knows the time of, so long that it holds nothing."""
    at = alarm.raised or alarm.since
    return max(timedelta(0), now - at) if at else HELD[1]
