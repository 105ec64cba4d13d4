"""The past as it was known.

Every question of the stores, asked of a database that knows more by now, answers what it did then.

Two databases: one that was told everything, and one that was told only what had arrived by a
moment. What the first says of the moment, as known then, is what the second says as its present.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from clickhouse_driver import Client

from dashboard.history.lives import PastLives
from dashboard.history.past import PastConnection
from dashboard.history.slices import Slices
from dashboard.history.sql import TIMELESS, NoPastError
from dashboard.query.alarms import AlarmStore
from dashboard.query.clock import At, Clock, Picture, Replay
from dashboard.query.connection import Connection
from dashboard.query.figures import FigureStore
from dashboard.query.lists import ListStore, Order, Sought
from dashboard.query.lives import LifeStore
from dashboard.query.map import MapStore, Scope
from dashboard.query.records import RecordStore
from dashboard.query.snapshot import ProvinceContext, take
from dashboard.query.sources import SourceStore
from dashboard.query.store import ScreenStore
from dashboard.query.unknown_codes import UnknownStore
from dashboard.request.address import PageRequest, format_moment
from dashboard.request.context import PageContext
from dashboard.server import replay_routes as routes
from schemas import places
from schemas.clickhouse.lives import LIVES, Life, life_tables
from schemas.clickhouse.query import Query
from schemas.clickhouse.tables import tables
from schemas.clickhouse.views import views
from schemas.clickhouse.watch_tables import WATCH
from schemas.events.codes import (
    Channel,
    DocumentStatus,
    FeedbackStatus,
    FilingStatus,
    MeetingState,
    Priority,
)
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, INDICATOR, KINDS, MEETING, Kind
from schemas.events.partitions import Partitions
from schemas.events.payloads import Document, Event, Feedback, Filing, Indicator, Meeting
from schemas.figures import BY_CODE, FIGURES
from schemas.reference import ZONE, calendar
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.lives import Lives
from streams.watch.alarm_store import write
from streams.watch.engine import Alarm
from streams.worker.store import WorkerStore
from tests.conftest import forget, isolated
from tests.counting import Counter
from tests.queries import Recorder, all_of

pytestmark = pytest.mark.stack
CALENDAR = calendar("46")
PLACE = ProvinceContext("46")
COMMUNES = places.communes("46")[:4]
NOW = datetime(2026, 11, 25, 11, 0, tzinfo=ZONE)
THEN = NOW - timedelta(hours=30, minutes=7, seconds=11)
Step = tuple[Kind, datetime, datetime, Event]
"""Kind, when it happened, when it arrived, what."""


def steps(dice: Random) -> Iterator[Step]:
    """Yield filings, reports, documents, meetings and indicators of three weeks with several steps
    each.

    A third of the steps arrive late, up to days after they happened, so that they are sorted in
    before what arrived first.
    """

    def course(first: datetime, count: int) -> list[tuple[datetime, datetime]]:
        found, at = [], first
        for _ in range(count):
            lag = (
                timedelta(seconds=dice.uniform(0.2, 3))
                if dice.random() < 0.66
                else timedelta(hours=dice.uniform(0.1, 90))
            )
            found.append((at, at + lag))
            at += timedelta(hours=dice.uniform(0.3, 60))
        return [(at, came) for at, came in found if at < NOW and came < NOW]

    def moment() -> datetime:
        return NOW - timedelta(
            minutes=dice.randrange(5, 20 * 1440), milliseconds=dice.randrange(60_000)
        )

    for number in range(160):
        unit, at = dice.choice(COMMUNES), moment()
        own: dict[str, Any] = {
            "agency": f"H57.{unit.code}.UB",
            "commune": unit.code,
            "filing_id": f"F{number}",
            "registered_at": at,
        }
        own |= {"procedure": "1.005129", "channel": dice.choice(list(Channel))}
        own |= {"due_at": at + timedelta(days=dice.randrange(2, 12))} if number % 3 else {}
        course_of = (
            FilingStatus.REGISTERED,
            FilingStatus.ACCEPTED,
            FilingStatus.SUPPLEMENT,
            FilingStatus.PROCESSING,
        )
        for status, (happened, came) in zip(
            (*course_of, FilingStatus.FINISHED), course(at, 5), strict=False
        ):
            yield FILING, happened, came, Filing(**own, status=status)
    for number in range(160):
        unit, at = dice.choice(COMMUNES), moment()
        own = {
            "agency": f"H57.{unit.code}.UB",
            "commune": unit.code,
            "report_id": f"R{number}",
            "reported_at": at,
        }
        own |= {"category": dice.choice(("water", "traffic")), "description": f"Ngập {number}"}
        own |= {"lat": unit.lat, "lon": unit.lon} if number % 5 else {}
        reported = (
            FeedbackStatus.ROUTED,
            FeedbackStatus.VERIFIED,
            FeedbackStatus.PROCESSING,
            FeedbackStatus.PUBLISHED,
        )
        for report_status, (happened, came) in zip(
            (*reported, FeedbackStatus.REOPENED), course(at, 5), strict=False
        ):
            yield FEEDBACK, happened, came, Feedback(**own, status=report_status)
    for number in range(120):
        unit, at = dice.choice(COMMUNES), moment()
        own = {
            "agency": f"H57.{unit.code}.UB",
            "commune": unit.code,
            "document_id": f"H57.VP,{number}",
            "sent_at": at,
        }
        own |= {
            "from_organ": "H57.VP",
            "to_organ": f"H57.{unit.code}.UB",
            "number": str(number),
            "notation": "UBND-VP",
        }
        for document_status, (happened, came) in zip(
            (DocumentStatus.ARRIVED, DocumentStatus.RECEIVED, DocumentStatus.DONE),
            course(at, 3),
            strict=False,
        ):
            yield DOCUMENT, happened, came, Document(**own, status=document_status)
    wrong = Feedback(
        agency="H57.VP",
        commune=COMMUNES[0].code,
        report_id="RX",
        reported_at=THEN,
        category="water",
        status=FeedbackStatus.ROUTED,
    )
    yield (
        FEEDBACK,
        THEN + timedelta(minutes=9),
        THEN - timedelta(minutes=9),
        wrong,
    )  # by a clock that is ahead
    flash: dict[str, Any] = {
        "agency": "H57.SYT",
        "commune": "",
        "document_id": "H57.VP,flash",
        "from_organ": "H57.VP",
        "to_organ": "H57.SYT",
    }
    sent = THEN - timedelta(hours=9)
    yield (
        DOCUMENT,
        sent,
        sent,
        Document(**flash, priority=Priority.FLASH, sent_at=sent, status=DocumentStatus.ARRIVED),
    )
    for number in range(20):
        at = moment()
        own = {
            "agency": "H57.VP",
            "meeting_id": f"M{number}",
            "title": f"Họp {number}",
            "invited": [f"H57.{COMMUNES[0].code}.UB"],
        }
        own["starts_at"] = at + timedelta(hours=20 if number % 2 else 700)
        for state, (happened, came) in zip(
            (MeetingState.SCHEDULED, MeetingState.LIVE, MeetingState.ENDED),
            course(at, 3 if number % 2 else 1),
            strict=False,
        ):
            yield MEETING, happened, came, Meeting(**own, state=state)
    for number in range(40):
        at = moment()
        for happened, came in course(at, 2):
            own = {
                "agency": "H57.STC",
                "indicator": "budget_revenue",
                "unit": "46",
                "period": f"2026-{1 + number % 11:02}",
            }
            yield (
                INDICATOR,
                happened,
                came,
                Indicator(**own, value=float(number), reported_at=happened),
            )


def called(at: datetime, **changes: Any) -> Alarm:
    """Return an alarm as it was said to be at a moment."""
    first = THEN - timedelta(hours=2)
    usual: dict[str, Any] = {
        **dict.fromkeys(("began_at", "since", "raised_at"), first),
        **dict.fromkeys(("below_since", "cleared_at", "lat", "lon")),
        **dict.fromkeys(("communes", "agencies"), ()),
        "id": "late:F",
        "rule": "late",
        "cause": "figure",
        "subject": "filing.overdue",
        "priority": 2,
        "count": 3,
        "change": 0,
        "value": 3.0,
        "level": 2.0,
        "radius": 0.0,
    }
    return Alarm(**{**usual, **changes}, evaluated_at=at)


def told(settings: Settings, until: datetime) -> None:
    """Tell a database all that arrived until a moment."""
    from ingest.topics import ensure

    migrate(settings)
    ensure(settings)
    said = [step for step in steps(Random(7)) if step[2] <= until]
    for kind in KINDS:
        counter = Counter(settings)
        counter.arrive(
            kind,
            [
                (at, came, one)
                for of, at, came, one in sorted(said, key=lambda step: step[2])
                if of is kind
            ],
        )
        counter.close()
    alarms = [
        called(THEN - timedelta(hours=2)),
        called(THEN - timedelta(minutes=5), count=5, value=5.0),
    ]
    alarms += [
        called(THEN + timedelta(hours=1), count=9),
        called(THEN + timedelta(hours=3), cleared_at=THEN + timedelta(hours=3)),
    ]
    writer = WorkerStore(settings.clickhouse_url)
    for alarm in alarms:
        if alarm.evaluated_at <= until:
            write(writer, [alarm])
    writer.close()
    client = Client.from_url(settings.clickhouse_url)
    rows = [
        (
            "refusal_rows",
            "since, until, gateway, source, agency, kind, category, count, reason, written_at",
        )
    ]
    for at in (THEN - timedelta(hours=3), THEN + timedelta(minutes=1)):
        if at <= until:
            refused = (
                at - timedelta(seconds=5),
                at,
                "g",
                "/s",
                "H57.VP",
                "filing",
                "schema",
                4,
                "status: not a status",
                at,
            )
            client.execute(f"INSERT INTO {rows[0][0]} ({rows[0][1]}) VALUES", [refused])
    Lives(client, settings.province).catch_up()
    client.disconnect()


@dataclass(frozen=True)
class Both:
    """A connection to the database that knows everything, and one to that which knows what had
    arrived by THEN.
    """

    whole: Connection
    then: Connection
    slices: Slices

    def past(
        self, picture: Picture = Picture.KNOWN, at: datetime = THEN, slices: bool = True
    ) -> PastConnection:
        return PastConnection(
            self.whole, "46", Replay(at, picture), None, self.slices if slices else None
        )


@pytest.fixture(scope="module")
def both(
    module_settings: Settings, stack: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    environment = isolated(stack, tmp_path_factory.mktemp("then"))
    other = Settings.of(environment)
    told(module_settings, NOW)
    told(other, THEN)
    whole = Connection(module_settings.clickhouse_url)
    found = Both(whole, Connection(other.clickhouse_url), Slices(whole, "46"))
    for life in LIVES:
        found.slices.at(life, Replay(THEN))
    found.slices.settle()  # as soon as they have all versions of the lives
    yield found
    found.slices.close()
    found.whole.close()
    found.then.close()
    forget(environment)


Question = Callable[[Connection, Clock], Any]


def lives(connection: Connection) -> LifeStore:
    return LifeStore(connection, CALENDAR)


def sources(connection: Connection) -> SourceStore:
    return SourceStore(connection, PLACE.agencies, CALENDAR)


UNIT = COMMUNES[0].code
SCOPE = Scope(THEN - timedelta(days=9), THEN)
VIEW = (102.0, 8.0, 110.0, 24.0)
LIVED = (FILING, FEEDBACK, DOCUMENT, MEETING)


def _held(kind: Kind, c: Connection, t: Clock) -> Any:
    return lives(c).held(t, kind)


def _steps(kind: Kind, c: Connection, t: Clock) -> Any:
    return [lives(c).steps(kind, one) for one in ids(kind)]


def _states(kind: Kind, c: Connection, t: Clock) -> Any:
    return [RecordStore(lives(c)).state(kind, one) for one in ids(kind)]


def _events(kind: Kind, c: Connection, t: Clock) -> Any:
    return [RecordStore(lives(c)).events(kind, one) for one in ids(kind)]


QUESTIONS: dict[str, Question] = {
    "the whole snapshot of a wall": lambda c, t: replace(
        take(ScreenStore(c), t, PLACE, Partitions((1,)), 10),
        points=None,  # type: ignore[arg-type]  # a frame cannot be compared; "points" does it
        lags=(),
    ),
    "points": lambda c, t: ScreenStore(c).feedback_points(t).to_dict("records"),
    "indicators": lambda c, t: sorted(ScreenStore(c).indicator_reports(t, ("46",)), key=str),
    "freshness": lambda c, t: ScreenStore(c).freshness(),
    "clocks ahead": lambda c, t: ScreenStore(c).clocks_ahead(t),
    "figures": lambda c, t: FigureStore(c, CALENDAR).now(t),
    "figures by commune": lambda c, t: FigureStore(c, CALENDAR).now(
        t, [one for one in FIGURES if one.kind in (FILING, FEEDBACK)], ("commune",)
    ),
    "what each adds": lambda c, t: [
        FigureStore(c, CALENDAR).each(t, [one for one in FIGURES if one.kind is kind], ids(kind))
        for kind in LIVED
    ],
    "figures a day before": lambda c, t: FigureStore(c, CALENDAR).then(t.now() - timedelta(days=1)),
    "figures a week before, without state": lambda c, t: FigureStore(c, CALENDAR).then(
        t.now() - timedelta(days=7), state=False
    ),
    "figures at moments of a week": lambda c, t: FigureStore(c, CALENDAR).at_moments(
        [t.now() - timedelta(days=days) for days in (7, 3, 1)], by="commune", unit=UNIT
    ),
    "trends": lambda c, t: FigureStore(c, CALENDAR).trends(t, "commune", UNIT),
    "all units": lambda c, t: FigureStore(c, CALENDAR).units(t, "46", tuple),
    **{f"held {kind.name}s": partial(_held, kind) for kind in LIVED},
    "stuck documents": lambda c, t: lives(c).stuck(t),
    "waiting since": lambda c, t: lives(c).waiting_since(t),
    "endings": lambda c, t: lives(c).endings(t, DocumentStatus.REFUSED),
    "flows": lambda c, t: lives(c).flows(t),
    "meetings": lambda c, t: lives(c).meetings(t),
    "coming meetings": lambda c, t: lives(c).coming(t),
    **{f"steps of {kind.name}s": partial(_steps, kind) for kind in LIVED},
    **{f"states of {kind.name}s": partial(_states, kind) for kind in LIVED},
    **{f"events of {kind.name}s": partial(_events, kind) for kind in LIVED},
    "behind a figure": lambda c, t: RecordStore(lives(c)).behind(
        t, BY_CODE["filing.overdue"], "province", ""
    ),
    "beside a record": lambda c, t: [
        RecordStore(lives(c)).nearest(t, FEEDBACK, row)
        for row in lives(c).held(t, FEEDBACK, order="entity_id", limit=5)
    ],
    "by number": lambda c, t: RecordStore(lives(c)).numbered(t, "f1"),
    "documents by number": lambda c, t: RecordStore(lives(c)).numbered(t, "1/UBND"),
    "a list": lambda c, t: ListStore(lives(c)).page(
        t, Sought(FEEDBACK, text="ngap 1"), ["status", "description"], Order(), limit=50
    ),
    "how many": lambda c, t: ListStore(lives(c)).total(
        t, Sought(FILING, only=(("overdue", ("1",)),))
    ),
    "choices": lambda c, t: ListStore(lives(c)).choices(t, Sought(FILING), ["status", "agency"]),
    "a file": lambda c, t: list(
        ListStore(lives(c)).stream(t, Sought(DOCUMENT), ["entity_id", "subject", "left"], Order())
    ),
    "the map's figures": lambda c, t: MapStore(lives(c)).overview(
        SCOPE, [BY_CODE["feedback.open"]], (FEEDBACK,)
    ),
    "the map's units": lambda c, t: MapStore(lives(c)).by_unit(
        SCOPE, BY_CODE["feedback.received"], "commune"
    ),
    "the map's course": lambda c, t: MapStore(lives(c)).course(SCOPE, FEEDBACK),
    "the map's records": lambda c, t: MapStore(lives(c)).records(t, SCOPE, FILING),
    "the map's cells": lambda c, t: MapStore(lives(c)).grid(SCOPE, VIEW, 9, 72),
    "the map's points": lambda c, t: MapStore(lives(c)).points(SCOPE, VIEW, 500),
    "the map's categories": lambda c, t: MapStore(lives(c)).categories(SCOPE),
    "the map's extent": lambda c, t: MapStore(lives(c)).extent(),
    "flows on the map": lambda c, t: MapStore(lives(c)).flows(
        SCOPE, {one.code: one.code for one in PLACE.agencies}, [BY_CODE["document.sent"]]
    ),
    "a record on the map": lambda c, t: [
        MapStore(lives(c)).record(FEEDBACK, one) for one in ids(FEEDBACK)
    ],
    "open alarms": lambda c, t: AlarmStore(c).open(t),
    "alarms of a period": lambda c, t: AlarmStore(c).history(t.now() - timedelta(days=9), t.now()),
    "sources": lambda c, t: sources(c).current(t),
    "sources' histories": lambda c, t: sources(c).histories(
        [(f"H57.{UNIT}.UB", "document"), ("H57.VP", "filing")], t.now() - timedelta(days=9), t.now()
    ),
    "a source's history": lambda c, t: sources(c).history(
        f"H57.{UNIT}.UB", "document", t.now() - timedelta(days=9), t.now()
    ),
    "silences": lambda c, t: sources(c).silences(t.now() - timedelta(days=9), t.now(), 1),
    "the league": lambda c, t: sources(c).league(t),
    "what was refused": lambda c, t: sources(c).refused(t),
    "codes that nobody knows": lambda c, t: UnknownStore(c, lambda field, code: code == UNIT).codes(
        t
    ),
}


EMPTY = ("endings",)


def ids(kind: Kind) -> list[str]:
    """Return entities of a kind, known by then or not."""
    return sorted({kind.entity_id(one) for of, _, _, one in steps(Random(7)) if of is kind})[:9]


@pytest.mark.parametrize("slices", [True, False], ids=["slices", "history"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_what_was_known_then_is_what_was_shown_then(both: Both, name: str, slices: bool) -> None:
    past = QUESTIONS[name](both.past(slices=slices), Replay(THEN))
    shown = QUESTIONS[name](both.then, At(THEN))
    assert past == shown
    assert past or name in EMPTY, "a question without an answer shows nothing"


def test_what_comes_later_changes_the_corrected_picture_only(both: Both) -> None:
    """The corrected picture is that of all that is known, of what had happened by then."""
    corrected = FigureStore(both.past(Picture.CORRECTED), CALENDAR).now(At(THEN))[()]
    known = FigureStore(both.past(), CALENDAR).now(At(THEN))[()]
    assert corrected == FigureStore(both.whole, CALENDAR).then(THEN)
    assert corrected != known and known == FigureStore(both.then, CALENDAR).now(At(THEN))[()]


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.kind.name)
def test_lives_derived_for_some_hours_are_those_derived_for_each_moment(
    both: Both, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = [THEN + number * timedelta(minutes=47) for number in (*range(-9, 9), 0)]
    shared = PastLives(both.whole, "46")
    together = [sorted(shared.at(life, moment)) for moment in moments]
    monkeypatch.setattr("dashboard.history.lives.BEFORE", timedelta(0))
    monkeypatch.setattr("dashboard.history.lives.AFTER", timedelta(0))
    assert together == [sorted(PastLives(both.whole, "46").at(life, moment)) for moment in moments]
    assert any(together) or life.kind is MEETING


@pytest.mark.parametrize("picture", Picture)
def test_no_table_of_the_past_has_what_came_after_it(both: Both, picture: Picture) -> None:
    """Of what arrives, nothing that arrived later.

    In the corrected picture what happened by then may have.
    """
    past = both.past(picture)
    for name in sorted(past.tables):
        lived = name.startswith(("events_", "state_", "life_", "current_"))
        for row in past.rows(all_of(name)):
            if lived and picture is Picture.CORRECTED:
                assert min(row.get("since") or row["occurred_at"], row["received_at"]) <= THEN, (
                    name,
                    row,
                )
            else:
                came = [
                    row.get(column)
                    for column in ("received_at", "evaluated_at", "written_at", "minute", "since")
                ]
                assert all(one <= THEN for one in came if one is not None), (name, row)


def test_the_timeline_says_from_when_on_it_has_alarms(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    period = ("since", format_moment(THEN - timedelta(days=9))), ("until", format_moment(NOW))

    def told_of() -> dict[str, Any]:
        return routes.line(PageContext(both.whole, At(NOW), PLACE), PageRequest("/replay", period))

    whole = told_of()
    (raised,) = (one[0] for one in whole["alarms"])
    assert whole["alarms_from"] is None and sum(whole["bars"]) > 100
    monkeypatch.setattr(routes, "MAX_ALARMS", 1)
    assert told_of()["alarms_from"] == raised


def test_nobody_watched_before_anything_was_said_of_an_alarm(both: Both) -> None:
    client = Client.from_url(both.whole.url)
    client.execute("INSERT INTO watch_jobs VALUES", [("lives", 0.25, NOW, 1, "here:1")])
    client.disconnect()

    def watched(at: datetime) -> list[datetime]:
        return [
            one
            for (one,) in both.past(at=at).tuples(Query(f"SELECT at FROM {WATCH.ref}", (WATCH,)))
        ]

    assert watched(THEN - timedelta(hours=3)) == [], (
        "no calm is shown of a time of which nothing was kept"
    )
    assert watched(THEN) == [THEN]


def test_every_question_of_the_stores_is_among_these() -> None:
    """But for what tells of the path of the data as it is, and for what is made of answers."""
    source = inspect.getsource(inspect.getmodule(ids))  # type: ignore[arg-type]
    helpers = {"lives": LifeStore.__name__, "sources": SourceStore.__name__}
    called = re.findall(r"(\w+)\((?:c|c, CALENDAR|lives\(c\))\)\.(\w+)\(", source)
    asked = {(helpers.get(of, of), name) for of, name in called}
    present = {"pulse", "progress", "jobs", "with_holder", "refused_last", "standings"}
    stores = (
        ScreenStore,
        FigureStore,
        LifeStore,
        ListStore,
        MapStore,
        RecordStore,
        AlarmStore,
        SourceStore,
    )
    for store in stores:
        questions = {
            name
            for name, one in vars(store).items()
            if inspect.isfunction(one) and not name.startswith("_")
        }
        assert questions - present <= {name for of, name in asked if of == store.__name__}, store


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_query_declares_its_tables_and_each_has_a_past(name: str) -> None:
    recorder = Recorder()
    with suppress(ValueError, KeyError, IndexError):  # of what it does with no rows
        QUESTIONS[name](recorder, At(THEN))
    recorder.check()


def test_every_table_has_a_past_or_none_and_says_so(both: Both) -> None:
    past = both.past()
    every = {table.name for table in (*tables(), *life_tables())} | set(views(""))
    for name in sorted(every):
        if name in past.tables or name in TIMELESS:
            past.tuples(all_of(name))
        else:
            with pytest.raises(NoPastError):
                past.tuples(all_of(name))
