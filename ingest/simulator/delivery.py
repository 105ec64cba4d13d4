"""Deliver steps with faults: lag, late events, repeats, silent senders, and malformed events."""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from ingest.simulator.clock import DAY, HOUR, MINUTE, SECOND
from ingest.simulator.dice import Dice
from ingest.simulator.scenes import Silence
from ingest.simulator.steps import SimulatedStep
from ingest.simulator.world import World

REPEATED, LATE, BAD = 0.005, 0.015, 0.001
"""Shares of events that are sent twice, that come minutes to days late, and with a malformed copy.
"""
LAG, TARDY_LAG = 4 * SECOND, 35 * MINUTE
LATEST_AFTER, REPEATED_AFTER = 3 * DAY, 5 * HOUR
RELEASE = 10 * MINUTE
"""How long a sender takes to send all that it withheld while it was silent."""
MAX_DELAY = 6 * TARDY_LAG + LATEST_AFTER + REPEATED_AFTER

Fate = Literal["good", "repeat", "bad"]


class Arrival(NamedTuple):
    """A record that arrives at `at` (ms since 1970): a step's copy, malformed by `corrupt`."""

    at: int
    id: str
    copy: int
    step: SimulatedStep
    fate: Fate
    corrupt: Callable[[bytes], bytes] | None = None


def deliver(world: World, steps: Iterator[SimulatedStep], dice: Dice) -> Iterator[Arrival]:
    """Yield the arrivals of steps.

    Each step draws the same chances whatever the scenes, so that a scene changes only its own
    arrivals.
    """
    silences: dict[str, list[Silence]] = {}
    for scene in world.scenes:
        if isinstance(scene, Silence):
            silences.setdefault(scene.agency, []).append(scene)
    chance, tardy = dice.random, world.tardy
    for step in steps:
        fate = chance()
        at = step.occurred + int(dice.wait(TARDY_LAG if step.agency in tardy else LAG)) + 200
        if REPEATED <= fate < REPEATED + LATE:
            # From minutes to days, each order of magnitude as likely as the next.
            at += int(10 * MINUTE * (LATEST_AFTER / (10 * MINUTE)) ** chance())
        at = _released(silences, step.agency, at)
        yield Arrival(at, step.id, 0, step, "good")
        if fate < REPEATED:
            again = at + int(SECOND * (REPEATED_AFTER / SECOND) ** chance())
            yield Arrival(_released(silences, step.agency, again), step.id, 1, step, "repeat")
        elif fate >= 1 - BAD:
            yield Arrival(
                at, step.id, 2, step, "bad", CORRUPTIONS[int(chance() * len(CORRUPTIONS))]
            )


def _released(silences: dict[str, list[Silence]], agency: str, at: int) -> int:
    for scene in silences.get(agency, ()):
        if scene.since <= at < scene.until:
            at = scene.until + (at - scene.since) * RELEASE // (scene.until - scene.since)
    return at


def _broken(record: bytes) -> bytes:
    return record[: len(record) * 2 // 3]


def _without_agency(record: bytes) -> bytes:
    return record.replace(b'"agency":', b'"agencia":', 1)


def _number_for_text(record: bytes) -> bytes:
    return record.replace(b'"commune":"', b'"commune":17,"commune_name":"', 1)


def _unknown_kind(record: bytes) -> bytes:
    return record.replace(b'"type":"vn.ioc.', b'"type":"vn.unknown.', 1)


def _time_without_zone(record: bytes) -> bytes:
    return record.replace(b"+07:00", b"", 1)


def _beyond_the_pole(record: bytes) -> bytes:
    return (
        record.replace(b'"lat":', b'"lat":9', 1) if b'"lat":' in record else _unknown_kind(record)
    )


CORRUPTIONS: tuple[Callable[[bytes], bytes], ...] = (
    _broken,
    _without_agency,
    _number_for_text,
    _unknown_kind,
    _time_without_zone,
    _beyond_the_pole,
)
