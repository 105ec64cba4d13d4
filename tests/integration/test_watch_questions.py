"""What the questions of the watch find in a real ClickHouse."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_driver import Client

from schemas import places
from schemas.events.codes import DocumentStatus, FilingStatus, Priority
from schemas.places import restate
from schemas.reference import ZONE, Rule, alarm_rule, alarm_rules
from schemas.settings import Settings
from streams.watch import alarm_store
from streams.watch.context import MeasureContext, WatchedProvince
from streams.watch.engine import Observation
from streams.watch.questions import QUESTIONS
from streams.watch.readings import readings
from streams.worker.store import WorkerStore
from tests.integration.watch_reports import NOW, ONE, TWO, reports

pytestmark = pytest.mark.stack


def minutes(count: float) -> datetime:
    return NOW - timedelta(minutes=count)


@pytest.fixture
def store(settings: Settings, database: Client) -> Iterator[WorkerStore]:
    found = WorkerStore(settings.clickhouse_url)
    yield found
    found.close()


def rule(code: str) -> Rule:
    found = alarm_rule(code)
    assert found is not None
    return found


def ask(store: WorkerStore, code: str, at: datetime = NOW) -> list[Observation]:
    look = MeasureContext(store, at, WatchedProvince("46"), alarm_store.read(store, at))
    return list(QUESTIONS[rule(code).measure](look, rule(code)))


def test_every_rule_in_force_can_be_asked_and_an_empty_database_calls_nobody(
    store: WorkerStore,
) -> None:
    codes = {one.code for one in alarm_rules() if one.measure in QUESTIONS}
    assert len(codes) >= 9
    assert all(ask(store, code) == [] for code in codes)


def test_a_burst_is_measured_against_what_is_usual_there(
    store: WorkerStore, database: Client
) -> None:
    reports(database, 20)
    reports(database, 30, at=minutes(41))
    reports(database, 9, TWO)
    (found,) = ask(store, "burst")
    assert (found.key, found.value, found.count, found.communes, found.subject) == (
        f"water/{ONE}",
        20,
        20,
        (ONE,),
        "water",
    )
    assert found.usual == pytest.approx(30 * 40 / (14 * 1440))
    assert found.since == NOW.replace(second=0)


def test_reports_that_lie_close_together_are_a_cluster_across_communes(
    store: WorkerStore, database: Client
) -> None:
    for number in range(8):
        reports(database, 1, ONE, lat=16.4600 + number / 5000, lon=107.5900)
        reports(database, 1, TWO, lat=16.4601 + number / 5000, lon=107.5905)
    for number in range(12):  # The same in number, but all over the place.
        reports(database, 1, ONE, "roads", lat=16.3 + number / 50, lon=107.5)
    (found,) = ask(store, "cluster")
    assert (found.subject, found.value, set(found.communes)) == ("water", 16, {ONE, TWO})
    assert found.lat == pytest.approx(16.4608, abs=0.0002) and found.lon == pytest.approx(
        107.59025, abs=0.0001
    )
    assert 70 < found.radius < 110
    assert found.usual == 0


def test_a_pile_a_flash_document_and_dead_letters_are_found(
    store: WorkerStore, database: Client
) -> None:
    far = datetime(2100, 1, 1, tzinfo=ZONE)
    filings = [
        (
            f"{commune}-{number}",
            1,
            minutes(5000),
            far,
            commune,
            FilingStatus.PROCESSING,
            minutes(5000),
            "open",
            due,
            0,
            1,
        )
        for commune, late in ((ONE, 25), (TWO, 0), ("19777", 0))
        for number in range(100)
        for due in [
            minutes(60 * 30)
            if number < late - 5
            else minutes(60)
            if number < late
            else minutes(-60)
        ]
    ]
    names = (
        "entity_id, step, since, until, commune, status, started_at, standing, due_at, due, version"
    )
    database.execute(f"INSERT INTO life_filing ({names}) VALUES", filings)
    assert [(one.agencies, one.count) for one in ask(store, "slow")] == [((), 25)], (
        "of no agency here"
    )
    (found,) = [
        one for one in ask(store, "pile") if rule("pile").reached(one.value or 0, one.usual)
    ]
    assert (found.key, found.count, found.change) == (ONE, 25, 5)
    database.execute(
        "INSERT INTO current_document (entity_id, to_organ, commune, status, priority, "
        "started_at, version) VALUES",
        [
            (f"{receiver}{sent}", receiver, ONE, status, priority, minutes(sent), 1)
            for receiver, status, priority, sent in (
                ("A", DocumentStatus.ARRIVED, Priority.FLASH_TIMED, 150),
                ("A", DocumentStatus.ARRIVED, Priority.FLASH, 130),
                ("B", DocumentStatus.ARRIVED, Priority.FLASH, 119),
                ("C", DocumentStatus.RECEIVED, Priority.FLASH, 500),
                ("D", DocumentStatus.ARRIVED, Priority.URGENT, 500),
            )
        ],
    )
    (flash,) = ask(store, "flash")
    assert (flash.agencies, flash.count, flash.value, flash.since) == (("A",), 2, 150, minutes(150))
    letters = [
        ("ioc.filing", 0, n, minutes(3), "bad-json" if n else "too-deep", "", "open", minutes(3))
        for n in range(25)
    ]
    columns = "topic, partition, offset, received_at, category, reason, state, changed_at"
    database.execute(f"INSERT INTO dead_letter_rows ({columns}) VALUES", letters)
    (dead,) = ask(store, "dead_letters")
    assert (dead.count, dead.subject, dead.since) == (25, "bad-json", minutes(3))


def test_what_is_overdue_since_before_the_reform_calls_by_the_commune_of_today(
    store: WorkerStore, database: Client
) -> None:
    far, then = datetime(2100, 1, 1, tzinfo=ZONE), datetime(2025, 6, 20, 9, tzinfo=ZONE)
    former = next(one.former for one in places.predecessors(ONE) if one.former != ONE)
    filings = [
        (
            f"{commune}-{due}-{number}",
            1,
            since,
            far,
            commune,
            restate.today(commune, restate.day(since)),
            FilingStatus.PROCESSING,
            since,
            "open",
            due,
            0,
            1,
        )
        for commune, since, due, count in (
            (former, then, minutes(60), 3),
            (ONE, then, minutes(60), 2),
            (ONE, minutes(60), far, 100),
        )
        for number in range(count)
    ]
    names = (
        "entity_id, step, since, until, commune, unit, status, started_at, standing, due_at, due, "
        "version"
    )
    database.execute(f"INSERT INTO life_filing ({names}) VALUES", filings)
    (found,) = ask(store, "pile")
    assert (found.key, found.communes, found.count, found.change) == (ONE, (ONE,), 5, 5)
    look = MeasureContext(store, NOW, WatchedProvince("46"), alarm_store.read(store, NOW))
    assert {
        key: one.value for key, one in readings(look, ["filing.overdue"], "commune").items()
    } == {("filing.overdue", ONE): 5}


def test_sources_that_are_silent_refused_or_ahead_are_found(
    store: WorkerStore, database: Client
) -> None:
    at = datetime(2026, 11, 17, 15, 0, tzinfo=UTC) - timedelta(hours=7)
    heard = at - timedelta(hours=6)
    database.execute(
        "INSERT INTO freshness VALUES",
        [(f"H57.{code}", "filing", heard, heard) for code in (ONE, TWO)],
    )
    refused = (
        at - timedelta(minutes=20),
        at - timedelta(minutes=19),
        "g",
        "/a",
        f"H57.{TWO}",
        "filing",
        "wrong-value",
        60,
        "",
        at,
    )
    database.execute("INSERT INTO refusal_rows VALUES", [refused])
    (silent,) = ask(store, "silent", at)
    assert (silent.key, silent.communes, silent.value, silent.since) == (
        f"filing/H57.{ONE}",
        (ONE,),
        2.0,
        heard,
    )
    (wrong,) = ask(store, "malformed", at)
    assert (wrong.agencies, wrong.subject) == ((f"H57.{TWO}",), "filing")
    (many,) = ask(store, "refused", at)
    assert (many.key, many.count, many.usual, many.subject, many.communes) == (
        f"H57.{TWO}",
        60,
        0,
        "wrong-value",
        (TWO,),
    )
    ahead = ("1", "1", at + timedelta(hours=2), at - timedelta(minutes=5), f"H57.{ONE}")
    database.execute(
        "INSERT INTO events_filing (event_id, entity_id, occurred_at, received_at, agency) VALUES",
        [ahead],
    )
    (clock,) = ask(store, "ahead", at)
    assert (clock.value, clock.since) == (7500, at - timedelta(minutes=5))
