"""Generate a province's records in order of arrival: a pure function of the world and the time.

Every entity is created in an hour and its whole history is drawn then, from a stream of chance that
belongs to that hour and kind. So any span of time can be generated without what went before it:
what arrives in it was created in it or within the look-back of its kind.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from ingest.simulator import documents, feedback, filings, indicators, meetings
from ingest.simulator.clock import DAY, HOUR, moment
from ingest.simulator.delivery import Arrival, Fate, deliver
from ingest.simulator.dice import Dice
from ingest.simulator.handover import hand_over
from ingest.simulator.scenes import Faster
from ingest.simulator.steps import SimulatedStep, source
from ingest.simulator.world import World
from schemas.events.envelope import write
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, INDICATOR, MEETING, Kind
from schemas.moments import milliseconds


class SimulatedLife(NamedTuple):
    """How a kind's entities are generated, and how long after that an event may arrive."""

    kind: Kind
    generate: Callable[[World, int, Dice, int], Iterator[SimulatedStep]]
    look_back: int
    staged: Callable[[World, int], Iterator[tuple[Dice, Iterator[SimulatedStep]]]] | None = None


LIVES = (
    SimulatedLife(FILING, filings.generate, 70 * DAY),
    SimulatedLife(FEEDBACK, feedback.generate, 45 * DAY, feedback.storms),
    SimulatedLife(DOCUMENT, documents.generate, 40 * DAY, documents.stuck),
    SimulatedLife(MEETING, meetings.generate, 25 * DAY),
    SimulatedLife(INDICATOR, indicators.generate, 8 * DAY),
)
FIRST_LAYER_OF_KIND = 500
"""First layer of extra events of one kind; layers of extra events of all kinds are below it."""


class SimulatedRecord(NamedTuple):
    """A record for Kafka, with what a ledger needs to know; `arrival_ms` is its record time."""

    kind: Kind
    key: bytes
    value: bytes
    arrival_ms: int
    event_id: str
    fate: Fate


@dataclass
class Ledger:
    """Counts of what was sent, by kind: distinct good events, repeats, and malformed records."""

    good: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)

    def add(self, records: Iterable[SimulatedRecord]) -> "Ledger":
        """Count records; a repeat whose original came before the ledger counts as the event."""
        for record in records:
            if record.fate == "bad":
                self.bad[record.kind.name] += 1
            elif record.event_id in self._seen:
                self.repeats[record.kind.name] += 1
            else:
                self._seen.add(record.event_id)
                self.good[record.kind.name] += 1
        return self


class Stream:
    """The records of a world from a moment on, taken span by span."""

    def __init__(self, world: World, start: datetime, limit: datetime | None = None) -> None:
        """Begin at `start`; nothing from `limit` on will be asked for."""
        self._world = world
        self._at = milliseconds(start)
        self._limit = milliseconds(limit) if limit else 1 << 62
        self._waiting: defaultdict[int, list[tuple[Kind, Arrival]]] = defaultdict(list)
        self._now: list[tuple[Kind, Arrival]] = []
        """The arrivals of the current hour, latest first."""
        self._hour = max(self._at - max(life.look_back for life in LIVES), world.beginning) // HOUR

    def until(self, end: datetime) -> Iterator[SimulatedRecord]:
        """Yield the records that arrive up to but not including `end`, in order of arrival.

        Take all of them before asking for more.
        """
        stop = milliseconds(end)
        while True:
            while self._now and self._now[-1][1].at < stop:
                kind, arrival = self._now.pop()
                yield _record(kind, arrival)
            if self._now or self._hour * HOUR >= stop:
                break
            self._generate(self._hour)
            self._now = self._waiting.pop(self._hour, [])
            self._now.sort(key=_order, reverse=True)
            self._hour += 1
        self._at = max(self._at, stop)

    def _generate(self, hour: int) -> None:
        for life in LIVES:
            if hour * HOUR >= self._at - life.look_back:
                for arrival in _arrivals(self._world, life, hour * HOUR):
                    if self._at <= arrival.at < self._limit:
                        self._waiting[arrival.at // HOUR].append((life.kind, arrival))


def events(world: World, start: datetime, end: datetime) -> Iterator[SimulatedRecord]:
    """Yield all records that arrive from `start` on and before `end`, in order of arrival.

    The records of two adjacent spans are, one after the other, those of the whole.
    """
    return Stream(world, start, end).until(end)


def _order(item: tuple[Kind, Arrival]) -> tuple[int, str, int]:
    _, arrival = item
    return arrival.at, arrival.id, arrival.copy


def _arrivals(world: World, life: SimulatedLife, hour: int) -> Iterator[Arrival]:
    """Yield the arrivals of everything created in an hour.

    Those beyond the look-back are left out: such entities stay open for good.
    """
    last = hour + life.look_back
    here = world.of(hour)
    if here is None:
        return iter(())
    dice = here.dice(life.kind.name, hour)
    ordinary = _delivered(here, life.generate(here, hour, dice, 0), dice)
    more = (
        arrivals
        for scene in here.scenes
        if isinstance(scene, Faster)
        for arrivals in _layers(here, life, hour, scene)
    )
    staged = (
        (_delivered(here, steps, dice) for dice, steps in life.staged(here, hour))
        if life.staged
        else ()
    )
    return (
        arrival
        for arrival in chain(ordinary, chain.from_iterable(more), chain.from_iterable(staged))
        if arrival.at < last
    )


def _delivered(world: World, steps: Iterator[SimulatedStep], dice: Dice) -> Iterator[Arrival]:
    return deliver(world, hand_over(world, steps), dice)


def _layers(
    world: World, life: SimulatedLife, hour: int, scene: Faster
) -> Iterator[Iterator[Arrival]]:
    """Yield the same hour with other chances, `factor` - 1 times, within the scene's time."""
    if scene.since < hour + HOUR and scene.until > hour and scene.kind in ("", life.kind.name):
        # Other chances than those of layers of all kinds, which may run at the same time.
        first = FIRST_LAYER_OF_KIND if scene.kind else 1
        for layer in range(first, first + scene.factor - 1):
            dice = world.dice(life.kind.name, hour, layer)
            yield _created_within(
                _delivered(world, life.generate(world, hour, dice, layer), dice),
                scene.since,
                scene.until,
            )


def _created_within(arrivals: Iterator[Arrival], since: int, until: int) -> Iterator[Arrival]:
    """Yield the arrivals of entities whose first step is in the time.

    The steps of an entity follow each other.
    """
    inside = False
    for arrival in arrivals:
        if arrival.id.endswith("/1"):
            inside = since <= arrival.step.occurred < until
        if inside:
            yield arrival


def _record(kind: Kind, arrival: Arrival) -> SimulatedRecord:
    step = arrival.step
    value = write(
        kind, step.event, id=step.id, source=source(step.agency), time=moment(step.occurred)
    )
    if arrival.corrupt:
        value = arrival.corrupt(value)
    return SimulatedRecord(
        kind,
        kind.entity_id(step.event).encode(),
        value,
        arrival.at,
        f"{source(step.agency)}#{step.id}",
        arrival.fate,
    )
