"""Simulate filings, registered at a counter or online, and all the steps of their histories."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache

from ingest.simulator.clock import HOUR, MINUTE, moment
from ingest.simulator.dice import Choice, Dice
from ingest.simulator.steps import SimulatedStep
from ingest.simulator.world import AT_THE_COUNTER, ONLINE, World
from schemas.events.codes import Applicant, Channel, Digitisation, FilingStatus, Reuse, ServiceLevel
from schemas.events.payloads import Filing
from schemas.reference import Procedure, procedures

COUNTER_PER_DAY, ONLINE_PER_DAY, BY_POST = 230, 1070, 0.06
ELSEWHERE = 0.1
"""How often a procedure that is wholly online comes to the counter, and another is begun online."""
WEEKEND_ONLINE = 0.16
NOT_ACCEPTED, SUPPLEMENT, PAYMENT, WITHDRAWN, STOPPED, RATED = 0.03, 0.07, 0.45, 0.012, 0.008, 0.3
OF_DISTRICTS = ("land", "construction", "business", "education")
"""Fields whose procedures districts handled before the reform, and communes do since.

The choice is ours, for believability.
"""
RATINGS = Choice((5, 4, 3, 2, 1), (62, 30, 5, 2, 1))
RATINGS_WHEN_LATE = Choice((5, 4, 3, 2, 1), (18, 30, 24, 17, 11))
REUSES = Choice((Reuse.NONE, Reuse.PROVINCE, Reuse.NATIONAL), (58, 24, 18))


@cache
def _kinds_of_work(online: bool) -> Choice[Procedure]:
    fits = [
        1.0 if (one.service_level is ServiceLevel.FULL) is online else ELSEWHERE
        for one in procedures()
    ]
    return Choice(
        procedures(), [one.share * fit for one, fit in zip(procedures(), fits, strict=True)]
    )


def generate(world: World, hour: int, dice: Dice, layer: int) -> Iterator[SimulatedStep]:
    """Yield the whole histories of the filings that are registered in an hour."""
    opened = world.clock.between(hour, hour + HOUR)
    stamp, number = f"{moment(hour):%y%m%d-%H}{layer:02d}", 0
    for _ in range(
        dice.count(world.expected(hour, COUNTER_PER_DAY, AT_THE_COUNTER, 0) if opened else 0)
    ):
        number += 1
        channel = Channel.POST if dice.happens(BY_POST) else Channel.IN_PERSON
        yield from _life(
            world,
            world.clock.add(hour, dice.random() * opened),
            channel,
            dice,
            f"{stamp}{number:03d}",
        )
    for _ in range(dice.count(world.expected(hour, ONLINE_PER_DAY, ONLINE, WEEKEND_ONLINE))):
        number += 1
        at = hour + int(dice.random() * HOUR)
        yield from _life(world, at, Channel.ONLINE, dice, f"{stamp}{number:03d}")


class _Life:
    """A filing in progress: its state so far."""

    def __init__(self, world: World, at: int, channel: Channel, dice: Dice, number: str) -> None:
        self.procedure = procedure = _kinds_of_work(channel is Channel.ONLINE).pick(dice)
        commune = world.crowd.pick(dice)
        communal = procedure.level == "commune"
        if not communal:
            self.desk = world.body("HCC")
        elif commune.district and procedure.field in OF_DISTRICTS:
            self.desk = world.district_centre(commune.district)
        else:
            self.desk = world.centre(commune)
        self.handler = self.desk if communal else world.body(procedure.body)
        if procedure.body == "CA":  # The police keep counters of their own.
            self.desk = self.handler
        self.id = f"{self.desk}-{number}"
        self.at, self.steps = at, 0
        self.due: datetime | None = None
        self.finished: datetime | None = None
        self.paid = False
        self.digitisation = (
            Digitisation.ALREADY
            if channel is Channel.ONLINE and dice.happens(0.1)
            else Digitisation.NONE
        )
        self.fixed = {
            "commune": commune.code,
            "filing_id": self.id,
            "procedure": procedure.code,
            "channel": channel,
            "service_level": procedure.service_level,
            "applicant": _applicant(procedure, dice),
            "registered_at": moment(at),
            "fee": procedure.fee,
            "reuse": REUSES.pick(dice) if channel is Channel.ONLINE else Reuse.NONE,
        }

    def step(
        self, status: FilingStatus, agency: str, satisfaction: int | None = None
    ) -> SimulatedStep:
        self.steps += 1
        event = Filing(
            agency=agency,
            status=status,
            due_at=self.due,
            finished_at=self.finished,
            paid_online=self.paid,
            digitisation=self.digitisation,
            satisfaction=satisfaction,
            **self.fixed,  # type: ignore[arg-type]
        )
        return SimulatedStep(self.at, f"{self.id}/{self.steps}", agency, event)


def _applicant(procedure: Procedure, dice: Dice) -> Applicant:
    if procedure.code.startswith("1.0015") or procedure.code.startswith("1.0016"):
        return Applicant.HOUSEHOLD
    return Applicant.ENTERPRISE if dice.happens(procedure.enterprise_share) else Applicant.CITIZEN


def _life(
    world: World, at: int, channel: Channel, dice: Dice, number: str
) -> Iterator[SimulatedStep]:
    work = world.clock.add
    life = _Life(world, at, channel, dice, number)
    late = world.lateness(life.handler)
    online = channel is Channel.ONLINE
    yield life.step(FilingStatus.REGISTERED, life.desk)

    life.at = work(life.at, dice.wait(50 * MINUTE if online else 4 * MINUTE) + 20_000)
    if dice.happens(NOT_ACCEPTED if online else NOT_ACCEPTED / 3):
        life.finished = moment(life.at)
        yield life.step(FilingStatus.NOT_ACCEPTED, life.desk)
        return
    accepted, allowed = life.at, life.procedure.hours * HOUR
    due = work(accepted, allowed)
    life.due = moment(due)
    if life.digitisation is Digitisation.NONE and dice.happens(0.86):
        life.digitisation = Digitisation.RECEIVED
    yield life.step(FilingStatus.ACCEPTED, life.desk)

    effort = allowed * dice.pace(late)
    life.at = work(life.at, min(dice.wait(0.08 * allowed), 0.5 * effort) + 30_000)
    yield life.step(FilingStatus.PROCESSING, life.handler)

    pause = 0
    if dice.happens(SUPPLEMENT):
        life.at = asked = work(life.at, 0.3 * effort)
        yield life.step(FilingStatus.SUPPLEMENT, life.handler)
        life.at = work(life.at, dice.wait(6 * HOUR))
        pause += world.clock.between(asked, life.at)
        life.due = moment(work(due, pause))
        if dice.happens(WITHDRAWN * 6):
            life.finished = moment(life.at)
            yield life.step(FilingStatus.WITHDRAWN, life.handler)
            return
        yield life.step(FilingStatus.PROCESSING, life.handler)
    if life.procedure.fee and dice.happens(PAYMENT):
        life.at = asked = work(life.at, 0.2 * effort)
        yield life.step(FilingStatus.PAYMENT, life.handler)
        life.at = asked + int(dice.wait(3 * HOUR)) + MINUTE
        pause += world.clock.between(asked, life.at)
        life.due = moment(work(due, pause))
        life.paid = dice.happens(0.72 if online else 0.35)
        yield life.step(FilingStatus.PROCESSING, life.handler)
    if dice.happens(WITHDRAWN + STOPPED):
        life.at = work(life.at, 0.2 * effort)
        stopped = dice.happens(STOPPED / (WITHDRAWN + STOPPED))
        life.finished = None if stopped else moment(life.at)
        yield life.step(FilingStatus.STOPPED if stopped else FilingStatus.WITHDRAWN, life.handler)
        return

    life.at = max(work(accepted, effort + pause), life.at + MINUTE)
    life.finished = moment(life.at)
    overdue = life.finished > life.due
    if life.digitisation is Digitisation.RECEIVED and dice.happens(0.9):
        life.digitisation = Digitisation.RESULT
    yield life.step(FilingStatus.FINISHED, life.handler)

    if online and life.procedure.service_level is ServiceLevel.FULL:
        life.at += int(dice.wait(20 * MINUTE)) + 5_000
    else:
        life.at = work(life.at, dice.wait(3 * HOUR) + 60_000)
    if life.procedure.fee and not life.paid:
        life.paid = dice.happens(0.3)
    rating = (RATINGS_WHEN_LATE if overdue else RATINGS).pick(dice) if dice.happens(RATED) else None
    yield life.step(FilingStatus.RETURNED, life.desk, rating)
