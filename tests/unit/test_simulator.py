"""The simulator: one seed gives the same records, spans fit, what happens is believable."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise

import pytest

from ingest.simulator import Ledger, SimulatedRecord, World, events
from ingest.simulator.clock import DAY, HOUR, MINUTE, ZONE, work_clock
from schemas.events.codes import DocumentStatus, FeedbackStatus, FilingStatus, MeetingState, Urgency
from schemas.events.envelope import Read, RefusalError
from schemas.moments import milliseconds
from schemas.places import commune
from schemas.reference import calendar, category, procedure
from tests.unit.two_days import END, HUE, READER, START, two_days

pytestmark = pytest.mark.slow
F, P, D = FilingStatus, FeedbackStatus, DocumentStatus


@cache
def read() -> tuple[Read, ...]:
    """Their good events, as the worker reads them, without repeats."""
    return tuple(READER.read(record.value) for record in two_days() if record.fate == "good")


@cache
def _lives() -> dict[str, dict[str, list[Read]]]:
    world = World("46", seed=11, beginning=milliseconds(START) - 7 * DAY)
    found: defaultdict[str, defaultdict[str, list[Read]]] = defaultdict(lambda: defaultdict(list))
    for record in events(world, START - timedelta(days=7), START):
        if record.fate == "good":
            found[record.kind.name][record.key.decode()].append(READER.read(record.value))
    return {
        name: {key: sorted(steps, key=lambda step: step.time) for key, steps in entities.items()}
        for name, entities in found.items()
    }


def lives(name: str) -> dict[str, list[Read]]:
    """Return the entities of a kind born in a week, with their steps by their source's clock."""
    return _lives()[name]


def of(*names: str) -> list[Read]:
    return [event for event in read() if event.kind.name in names]


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert tuple(events(World("46", 7, beginning=HUE.beginning), START, END)) == two_days()


def test_another_seed_gives_another_province() -> None:
    other = tuple(
        events(World("46", 8, beginning=HUE.beginning), START, START + timedelta(hours=9))
    )
    assert {record.value for record in other}.isdisjoint(record.value for record in two_days())


@pytest.mark.parametrize("middle", ["2026-11-11T10:17:23.456", "2026-11-12T00:00"])
def test_two_spans_that_meet_are_the_whole(middle: str) -> None:
    at = datetime.fromisoformat(middle).replace(tzinfo=ZONE)
    assert (*events(HUE, START, at), *events(HUE, at, END)) == two_days()


def test_records_come_in_order_of_arrival_within_the_span() -> None:
    arrivals = [record.arrival_ms for record in two_days()]
    assert arrivals == sorted(arrivals)
    assert milliseconds(START) <= arrivals[0] <= arrivals[-1] < milliseconds(END)


def test_every_event_is_valid_and_only_the_bad_ones_are_refused() -> None:
    for record in two_days():
        if record.fate == "bad":
            with pytest.raises(RefusalError):
                READER.read(record.value)
        else:
            event = READER.read(record.value)
            assert (event.kind, event.event_id) == (record.kind, record.event_id)
            assert record.key.decode() == event.kind.entity_id(event.data)


def test_bad_records_are_bad_in_different_ways() -> None:
    reasons = set()
    for record in two_days():
        if record.fate == "bad":
            with pytest.raises(RefusalError) as refusal:
                READER.read(record.value)
            reasons.add(refusal.value.category)
    assert len(reasons) >= 3


def test_repeats_are_the_same_event_and_come_later() -> None:
    first: dict[str, SimulatedRecord] = {}
    repeats = 0
    for record in two_days():
        if record.fate == "repeat" and record.event_id in first:
            repeats += 1
            assert record.value == first[record.event_id].value
        elif record.fate == "good":
            assert record.event_id not in first
            first[record.event_id] = record
    assert repeats


def test_the_shares_of_late_repeated_and_bad_events_are_those_promised() -> None:
    ledger = Ledger().add(two_days())
    good = sum(ledger.good.values())
    late = sum(
        record.arrival_ms - milliseconds(READER.read(record.value).time) > 10 * MINUTE
        for record in two_days()
        if record.fate == "good" and READER.read(record.value).data.agency not in HUE.tardy
    )
    assert 0.01 < late / good < 0.02
    assert 0.003 < sum(ledger.repeats.values()) / good < 0.007
    assert 0.0003 < sum(ledger.bad.values()) / good < 0.0025


def test_a_working_day_has_the_volumes_of_hue() -> None:
    births = Counter[str]()
    for event in read():
        if event.id.endswith("/1"):
            births[event.kind.name] += 1
    assert 1000 < births["filing"] / 2 < 1600
    assert 300 < births["feedback"] / 2 < 600
    assert 1000 < births["document"] / 2 < 2000
    assert 3 <= births["meeting"] / 2 < 9
    assert 30 < births["indicator"] / 2 < 100


def test_counters_open_in_working_hours_and_people_file_online_in_the_evening_too() -> None:
    registered = [event.data for event in of("filing") if event.data.status is F.REGISTERED]
    counter = [one for one in registered if one.channel is not one.channel.ONLINE]
    assert all(calendar("46").is_working(one.registered_at) for one in counter)
    online = Counter(
        one.registered_at.astimezone(ZONE).hour
        for one in registered
        if one.channel is one.channel.ONLINE
    )
    assert online[9] > online[20] > online[3]
    assert online[8] + online[9] > online[11] + online[12] < online[14] + online[15]
    assert 0.6 < sum(online.values()) / len(registered) < 0.85


def test_a_sunday_and_the_week_of_tet_are_quiet() -> None:
    def steps(day: str) -> int:
        at = datetime.fromisoformat(day).replace(tzinfo=ZONE)
        world = World("46", 7, beginning=milliseconds(at))
        return sum(
            record.kind.name == "filing" for record in events(world, at, at + timedelta(hours=14))
        )

    monday, sunday, tet = steps("2026-03-09"), steps("2026-03-08"), steps("2026-02-17")
    assert tet < monday / 8
    assert sunday < monday / 8


def test_filings_are_due_by_the_working_calendar() -> None:
    accepted = [event for event in of("filing") if event.data.status is F.ACCEPTED]
    assert accepted
    for event in accepted:
        row = procedure(event.data.procedure)
        assert row is not None
        assert event.data.due_at == calendar("46").add_working(event.time, row.hours)


def test_a_pause_moves_the_due_date() -> None:
    resumed = 0
    for steps in lives("filing").values():
        for before, after in pairwise(steps):
            if before.data.status is F.SUPPLEMENT and after.data.status is F.PROCESSING:
                resumed += 1
                assert after.data.due_at >= before.data.due_at
    assert resumed


ORDER: dict[str, dict[object, set[object]]] = {
    "filing": {
        F.REGISTERED: {F.ACCEPTED, F.NOT_ACCEPTED},
        F.ACCEPTED: {F.PROCESSING},
        F.PROCESSING: {F.SUPPLEMENT, F.PAYMENT, F.WITHDRAWN, F.STOPPED, F.FINISHED},
        F.SUPPLEMENT: {F.PROCESSING, F.WITHDRAWN},
        F.PAYMENT: {F.PROCESSING},
        F.FINISHED: {F.RETURNED},
    },
    "feedback": {
        P.RECEIVED: {P.VERIFIED, P.REJECTED},
        P.VERIFIED: {P.ROUTED},
        P.ROUTED: {P.PROCESSING},
        P.PROCESSING: {P.PUBLISHED},
        P.PUBLISHED: {P.RATED},
        P.RATED: {P.REOPENED},
        P.REOPENED: {P.PROCESSING},
    },
    "document": {
        D.ARRIVED: {D.RECEIVED, D.REFUSED, D.RECALL_ASKED},
        D.RECALL_ASKED: {D.RECALL_AGREED, D.RECALL_REFUSED},
        D.RECALL_REFUSED: {D.RECEIVED, D.REFUSED},
        D.RECEIVED: {D.ASSIGNED},
        D.ASSIGNED: {D.PROCESSING, D.DONE},
        D.PROCESSING: {D.DONE},
    },
}


@pytest.mark.parametrize("name", ORDER)
def test_statuses_follow_in_legal_order_by_the_clock_of_the_source(name: str) -> None:
    seen = set()
    for steps in lives(name).values():
        numbers = [int(step.id.rpartition("/")[2]) for step in steps]
        assert numbers == sorted(numbers)
        for before, after in pairwise(steps):
            if int(after.id.rpartition("/")[2]) == int(before.id.rpartition("/")[2]) + 1:
                assert after.data.status in ORDER[name].get(before.data.status, set()), (
                    before,
                    after,
                )
                seen.add((before.data.status, after.data.status))
    assert len(seen) > len(ORDER[name])


def test_nothing_finishes_before_it_began_and_what_is_closed_says_when() -> None:
    for event in of("filing"):
        done = event.data.status in (F.FINISHED, F.RETURNED, F.WITHDRAWN, F.NOT_ACCEPTED)
        assert done == (event.data.finished_at is not None)
        assert not done or event.data.registered_at < event.data.finished_at <= event.time
    for event in of("document"):
        assert event.data.sent_at < event.time
        assert event.data.from_organ != event.data.to_organ
        assert (
            event.data.status in (D.REFUSED, D.RECALL_ASKED, D.RECALL_AGREED, D.RECALL_REFUSED)
        ) == bool(event.data.reason)


def test_slow_agencies_are_late_and_the_others_are_not() -> None:
    world = World("46", seed=11)
    late: defaultdict[bool, list[bool]] = defaultdict(list)
    for steps in lives("filing").values():
        for step in steps:
            if step.data.status is F.FINISHED:
                late[step.data.agency in world.slow].append(
                    step.data.finished_at > step.data.due_at
                )
    shares = {slow: sum(found) / len(found) for slow, found in late.items()}
    assert shares[True] > 0.2
    assert shares[False] < 0.05


def test_reports_lie_within_their_commune_and_name_nobody_who_exists() -> None:
    for event in of("feedback"):
        place = commune(event.data.commune)
        radius = ((place.area_km2 or 20) / 3.1416) ** 0.5 / 111.2
        assert abs(event.data.lat - place.lat) < 0.62 * radius
        assert abs(event.data.lon - place.lon) < 0.62 * radius / 0.95
        assert "0000" in event.data.reporter, "nobody has such a telephone number"


def test_reports_are_due_by_their_category() -> None:
    routed = [event for event in of("feedback") if event.data.status is P.ROUTED]
    for event in routed:
        row = category(event.data.category)
        assert row is not None
        allowed = timedelta(hours=row.hours)
        timed = row.urgency is Urgency.TIMED
        assert event.data.due_at == (
            calendar("46").add_working(event.time, allowed) if timed else event.time + allowed
        )


def test_meetings_are_planned_held_and_ended_with_sites_that_were_invited() -> None:
    states = {event.data.state for event in of("meeting")}
    assert {MeetingState.SCHEDULED, MeetingState.LIVE, MeetingState.ENDED} <= states
    for event in of("meeting"):
        assert set(event.data.connected) <= set(event.data.invited)
        assert calendar("46").is_working(event.data.starts_at)


def test_other_provinces_live_too() -> None:
    nine = START + timedelta(hours=9)
    world = World("38", 7, beginning=milliseconds(START))
    found = [
        record for record in events(world, nine, nine + timedelta(hours=1)) if record.fate == "good"
    ]
    assert len(found) > 2000
    assert all(READER.read(record.value).data.agency.startswith("H56.") for record in found)


def test_working_time_in_milliseconds_is_that_of_the_calendar() -> None:
    clock, book = work_clock("46"), calendar("46")
    for hour in range(0, 24 * 30, 7):
        at = START + timedelta(hours=hour, minutes=hour % 60)
        assert clock.add(milliseconds(at), 11 * HOUR + 17) == milliseconds(
            book.add_working(at, timedelta(hours=11, milliseconds=17))
        )
        assert clock.is_working(milliseconds(at)) == book.is_working(at)
        assert clock.between(clock.back(milliseconds(at), 5 * HOUR), milliseconds(at)) == 5 * HOUR
