"""Which scene a wall shows: a function of the time and of what calls, so that a reload, a restart or another wall keeps the place.

Scenes take turns by the clock. An alarm holds the rotation at the scene that is about it: one of the highest priority for as long
as it is open, for an hour at most (by then the room knows, and the list of alarms goes on saying it); one that needs attention
while it is new; one of the lowest never.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dashboard.query.alarm_groups import StoredAlarm
from dashboard.request.view import Scene

HELD = {1: timedelta(hours=1), 2: timedelta(minutes=2)}
"""Priority → for how long after it was raised an alarm holds the rotation."""
ABOUT: dict[str, Scene] = {
    "burst": "feedback",
    "pile": "filings",
    "flash": "documents",
    "off_track": "targets",
    "silent": "sources",
    "malformed": "sources",
    "ahead": "sources",
    "refused": "sources",
    "dead_letters": "sources",
}
"""Cause → the scene that is about it; a figure's is that of its kind."""
KINDS: dict[str, Scene] = {
    "filing": "filings",
    "feedback": "feedback",
    "document": "documents",
    "meeting": "meetings",
}


@dataclass(frozen=True)
class Turn:
    """The scene that is shown; `held` is the alarm that holds it. `until` is when to look again, None for a wall of one scene."""

    scene: Scene
    held: StoredAlarm | None = None
    until: datetime | None = None


def scene_of(alarm: StoredAlarm) -> Scene:
    """The scene that is about what an alarm is about."""
    return (
        KINDS.get(alarm.subject.partition(".")[0], "overview")
        if alarm.cause == "figure"
        else ABOUT.get(alarm.cause, "overview")
    )


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
