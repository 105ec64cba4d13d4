"""Choose the scenes of a run: those of its past, and those that begin when it goes live."""

from enum import StrEnum

from ingest.simulator.clock import DAY, HOUR, MINUTE, SECOND, midnight
from ingest.simulator.scenes import FOREVER, Faster, Scene, Silence, Storm, Stuck
from ingest.simulator.world import World
from schemas.events.kinds import FILING

STORM_DAY = 9
"""The storm of the past is that many days before the backfill's end, from two in the afternoon."""
STORM_LENGTH, STORM_REPORTS, STORM_COMMUNES = 11 * HOUR, 900, 6
OUTAGE_DAY = 6
"""An agency was silent for the morning of a day about that long before the end of the backfill."""
BURST_EVERY, BURST_LENGTH, BURST_REPORTS, FIRST_BURST = 20 * MINUTE, 4 * MINUTE, 45, 40 * SECOND
"""Small storms of a live run; the first comes soon, so that a newly opened screen shows an alarm.
"""
SILENT_SINCE, SILENT_FOR = 5 * HOUR // 2, 3 * DAY
"""The silent agency of a live run fell silent that much working time before the start.

It sends again that long after the start.
"""
STUCK_SINCE = 3 * HOUR
STORM_AT_ONCE = HOUR
"""The storm of an exercise: as many reports as on a day of the past, in an hour."""
FLOOD = 4
"""How many times as many filings are registered before Tết."""


def past(world: World, end: int) -> tuple[Scene, ...]:
    """Return the scenes of a backfill until `end`: a storm day, and a silent half-day."""
    storm = midnight(end) - STORM_DAY * DAY + 14 * HOUR
    outage = midnight(end) - OUTAGE_DAY * DAY + 8 * HOUR
    while not world.clock.is_working(outage):
        outage -= DAY
    staged: list[Scene] = []
    if here := world.of(storm):
        communes = min(STORM_COMMUNES, len(here.lowland))
        until = storm + STORM_LENGTH
        staged.append(
            Storm(
                storm,
                until,
                every=FOREVER,
                length=STORM_LENGTH,
                reports=STORM_REPORTS,
                communes=communes,
            )
        )
    if here := world.of(outage):
        staged.append(
            Silence(since=outage, until=outage + 5 * HOUR, agency=silent_agency(here, "outage"))
        )
    return tuple(staged)


def live(world: World, start: int, sent_until: int, speed: int) -> tuple[Scene, ...]:
    """Return the scenes that a run adds when it goes live at `start`.

    They do not change what arrived before `sent_until`, up to which the run has sent. An agency
    that is silent since an earlier run stays the silent one.
    """
    added: list[Scene] = [
        Storm(
            since=start + FIRST_BURST,
            until=FOREVER,
            every=BURST_EVERY,
            length=BURST_LENGTH,
            reports=BURST_REPORTS,
            communes=1,
        ),
    ]
    if not any(isinstance(scene, Silence) and scene.until > start for scene in world.scenes):
        since = max(sent_until, world.clock.back(start, SILENT_SINCE))
        stuck = max(sent_until, start - STUCK_SINCE)
        receiver = world.committee(world.dice("stuck", start).choose(world.communes))
        added += [
            Silence(since=since, until=start + SILENT_FOR, agency=silent_agency(world, "live")),
            Stuck(since=stuck, agency=receiver),
        ]
    if speed > 1:
        added.append(Faster(since=start, until=FOREVER, factor=speed))
    return tuple(added)


class Scenario(StrEnum):
    """What may be staged for an exercise, from its start on."""

    STORM = "storm"
    OUTAGE = "outage"
    TET = "tet"


def exercise(world: World, scenario: Scenario, start: int, end: int = FOREVER) -> tuple[Scene, ...]:
    """Return the scenes of an exercise.

    A storm that floods the lowland with reports at once; an agency whose feed goes silent; or the
    days before Tết, when people want their papers done: several times as many filings.
    """
    if scenario is Scenario.OUTAGE:
        return (Silence(since=start, until=end, agency=silent_agency(world, "exercise")),)
    if scenario is Scenario.TET:
        return (Faster(since=start, until=end, factor=FLOOD, kind=FILING.name),)
    communes = min(STORM_COMMUNES, len(world.lowland))
    length = min(STORM_AT_ONCE, end - start)
    return (
        Storm(
            since=start,
            until=end,
            every=FOREVER,
            length=length,
            reports=STORM_REPORTS,
            communes=communes,
        ),
    )


def ended(scenes: tuple[Scene, ...], at: int) -> tuple[Scene, ...]:
    """Return the scenes of a run that stops at `at`: small storms, speed and exercises end."""
    return tuple(_end(scene, at) for scene in scenes)


def _end(scene: Scene, at: int) -> Scene:
    if isinstance(scene, Storm) and scene.until == FOREVER:
        return Storm(scene.since, at, scene.every, scene.length, scene.reports, scene.communes)
    if isinstance(scene, Silence) and scene.until == FOREVER:
        return Silence(scene.since, at, scene.agency)
    if isinstance(scene, Faster) and scene.until == FOREVER:
        return Faster(scene.since, at, scene.factor, scene.kind)
    return scene


def silent_agency(world: World, when: str) -> str:
    """Return the one-stop centre that falls silent: busy, neither slow nor tardy, one per run."""
    dice = world.dice("silent", when)
    plain = [one for one in world.communes if world.centre(one) not in world.slow | world.tardy]
    wards = [one for one in plain if one.type == "phường"] or plain or list(world.communes)
    return world.centre(dice.choose(wards))
