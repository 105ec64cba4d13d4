"""What a scene adds to a simulated province or withholds, and nothing before it begins."""

from collections import Counter, defaultdict
from datetime import timedelta

import pytest

from ingest.simulator import World, events
from ingest.simulator.clock import HOUR, MINUTE
from ingest.simulator.scenes import FOREVER, Faster, Silence, Storm, Stuck
from ingest.simulator.staging import Scenario, exercise, live, silent_agency
from schemas.events.codes import DocumentStatus, FeedbackStatus
from schemas.moments import milliseconds
from tests.unit.two_days import END, HUE, READER, START, two_days

pytestmark = pytest.mark.slow
P, D = FeedbackStatus, DocumentStatus


def test_a_scene_changes_nothing_that_arrived_before_it() -> None:
    noon = START + timedelta(hours=12)
    staged = HUE.staging(*live(HUE, milliseconds(noon), milliseconds(noon), speed=3))
    assert tuple(events(staged, START, noon)) == tuple(events(HUE, START, noon))
    assert tuple(events(staged, noon, END)) != tuple(events(HUE, noon, END))


def test_a_storm_floods_the_lowland() -> None:
    at = milliseconds(START) + 8 * HOUR
    storm = Storm(
        since=at, until=at + 5 * HOUR, every=FOREVER, length=5 * HOUR, reports=400, communes=6
    )
    added = Counter[str]()
    for record in events(HUE.staging(storm), START, END):
        if record.kind.name == "feedback" and record.fate == "good":
            event = READER.read(record.value)
            if event.data.status is P.RECEIVED and "S0-" in event.data.report_id:
                added[event.data.category] += 1
                assert event.data.commune in [one.code for one in HUE.lowland]
    assert 380 < sum(added.values()) <= 400
    assert added["flooding"] > 200


def test_small_storms_of_a_live_run_come_again_and_again_in_turn() -> None:
    start = milliseconds(START)
    staged = HUE.staging(*live(HUE, start, start, speed=1))
    hit = defaultdict(set)
    for record in events(staged, START, START + timedelta(minutes=65)):
        if b"S0-" in record.key and record.fate == "good":
            event = READER.read(record.value)
            hit[(milliseconds(event.data.reported_at) - start) // (20 * MINUTE)].add(
                event.data.commune
            )
    assert sorted(hit) == [0, 1, 2, 3]
    assert all(len(communes) == 1 for communes in hit.values())


def test_a_silent_agency_sends_all_it_withheld_in_one_burst() -> None:
    agency = silent_agency(HUE, "test")
    since, until = milliseconds(START) + 8 * HOUR, milliseconds(START) + 16 * HOUR
    staged = HUE.staging(Silence(since=since, until=until, agency=agency))
    mine = [
        record for record in events(staged, START, END) if f"urn:vn:{agency}#" in record.event_id
    ]
    assert not [record for record in mine if since <= record.arrival_ms < until]
    assert len([record for record in mine if until <= record.arrival_ms < until + 15 * MINUTE]) > 20
    without = [record for record in two_days() if f"urn:vn:{agency}#" in record.event_id]
    assert {record.event_id for record in mine} == {record.event_id for record in without}


def test_a_stuck_flash_document_arrives_and_is_never_received() -> None:
    receiver = HUE.committee(HUE.communes[0])
    staged = HUE.staging(Stuck(since=milliseconds(START) + 9 * HOUR, agency=receiver))
    found = [record for record in events(staged, START, END) if b"99000" in record.key]
    assert [READER.read(record.value).data.status for record in found] == [D.ARRIVED]


def test_speed_multiplies_what_happens_and_not_the_time() -> None:
    nine = START + timedelta(hours=9)
    faster = HUE.staging(Faster(since=milliseconds(nine), until=FOREVER, factor=5))

    def births(world: World) -> int:
        return sum(
            record.event_id.endswith("/1")
            for record in events(world, nine, nine + timedelta(hours=1))
        )

    assert 4 < births(faster) / births(HUE) < 6
    assert all(
        READER.read(record.value).time < nine + timedelta(hours=1)
        for record in events(faster, nine, nine + timedelta(hours=1))
        if record.fate == "good"
    )


def test_an_exercise_may_have_a_storm_a_silent_agency_and_the_flood_before_tet() -> None:
    nine = START + timedelta(hours=9)
    start, ten = milliseconds(nine), nine + timedelta(hours=1)

    def births(world: World) -> Counter[str]:
        return Counter(
            one.kind.name
            for one in events(world, nine, ten)
            if one.event_id.endswith("/1") and one.fate == "good"
        )

    def staged(scenario: Scenario) -> World:
        return HUE.staging(*exercise(HUE, scenario, start))

    usual = births(HUE)
    storm, flood = births(staged(Scenario.STORM)), births(staged(Scenario.TET))
    assert storm["feedback"] > usual["feedback"] + 800 and storm | {"feedback": 0} == usual | {
        "feedback": 0
    }
    assert 3 < flood["filing"] / usual["filing"] < 5 and flood | {"filing": 0} == usual | {
        "filing": 0
    }
    (silence,) = exercise(HUE, Scenario.OUTAGE, start)
    assert isinstance(silence, Silence)
    for world, sends in ((HUE, True), (staged(Scenario.OUTAGE), False)):
        mine = (
            one for one in events(world, nine, END) if f"urn:vn:{silence.agency}#" in one.event_id
        )
        assert any(mine) is sends
    faster = staged(Scenario.TET).staging(Faster(since=start, until=FOREVER, factor=3))
    names = Counter(one.event_id for one in events(faster, nine, ten) if one.fate == "good")
    assert max(names.values()) == 1, "a run that goes faster meanwhile has filings of its own"
