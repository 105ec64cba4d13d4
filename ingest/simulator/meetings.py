"""Simulate video conferences of the province and its communes: scheduled, joined, dropped, ended.

They are on the calendar a working day ahead.
"""

from collections.abc import Iterator

from ingest.simulator.clock import HOUR, MINUTE, moment
from ingest.simulator.dice import Dice
from ingest.simulator.steps import SimulatedStep
from ingest.simulator.world import World
from schemas.events.codes import MeetingState
from schemas.events.payloads import Meeting

PER_DAY, CANCELLED = 6, 0.05
STARTS = (
    8 * HOUR,
    8 * HOUR + 30 * MINUTE,
    9 * HOUR,
    10 * HOUR,
    14 * HOUR,
    14 * HOUR + 30 * MINUTE,
    15 * HOUR + 30 * MINUTE,
)
TITLES = (
    "Giao ban tuần của Ủy ban nhân dân",
    "Họp chỉ đạo phòng, chống thiên tai",
    "Sơ kết chuyển đổi số",
    "Họp tháo gỡ vướng mắc hồ sơ đất đai",
    "Tập huấn dịch vụ công trực tuyến",
    "Họp cải cách hành chính",
    "Họp tiến độ giải ngân đầu tư công",
)
MISSING = 0.04
"""The share of invited sites that never connects."""


def generate(world: World, hour: int, dice: Dice, layer: int) -> Iterator[SimulatedStep]:
    """Yield the whole histories of the meetings that are scheduled in an hour.

    All of a day are scheduled at nine, for the next working day.
    """
    if moment(hour).hour != 9 or not world.clock.is_working_day(hour):
        return
    tomorrow = world.clock.add(hour, 7.5 * HOUR)
    morning = tomorrow - (tomorrow + 7 * HOUR) % (24 * HOUR)
    for number in range(1, dice.count(PER_DAY + dice.between(-1.5, 1.5)) + 1):
        yield from _life(
            world,
            hour + int(dice.random() * HOUR),
            morning + dice.choose(STARTS),
            dice,
            f"{layer:02d}{number:02d}",
        )


def _life(
    world: World, planned: int, starts: int, dice: Dice, number: str
) -> Iterator[SimulatedStep]:
    host = world.body("VP")
    meeting = f"HN-{world.prefix}-{moment(starts):%y%m%d}-{number}"
    wide = dice.happens(0.6)
    sites = [world.committee(one) for one in world.communes if wide or dice.happens(0.3)]
    sites += [one.code for one in world.offices if dice.happens(0.4)]
    sites += map(world.district_committee, world.districts)
    ends = starts + int(dice.between(0.6, 2.8) * HOUR)
    title = dice.choose(TITLES)
    steps = 0

    def step(state: MeetingState, at: int, connected: list[str]) -> SimulatedStep:
        nonlocal steps
        steps += 1
        event = Meeting(
            agency=host,
            meeting_id=meeting,
            title=title,
            state=state,
            starts_at=moment(starts),
            ends_at=moment(ends),
            invited=sites,
            connected=connected,
        )
        return SimulatedStep(at, f"{meeting}/{steps}", host, event)

    yield step(MeetingState.SCHEDULED, planned, [])
    if dice.happens(CANCELLED):
        yield step(MeetingState.CANCELLED, starts - 2 * HOUR, [])
        return
    order = [site for site in sites if not dice.happens(MISSING)]
    yield step(MeetingState.LIVE, starts + int(dice.wait(MINUTE)), order[: len(order) // 2])
    yield step(
        MeetingState.LIVE,
        starts + 8 * MINUTE + int(dice.wait(MINUTE)),
        order[: len(order) * 9 // 10],
    )
    yield step(MeetingState.LIVE, starts + 16 * MINUTE + int(dice.wait(MINUTE)), order)
    dropped = [site for site in order if not dice.happens(0.05)]
    yield step(MeetingState.LIVE, starts + (ends - starts) * 3 // 4, dropped)
    yield step(MeetingState.ENDED, ends, [])
