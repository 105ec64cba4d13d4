"""The past as it was known.

Every question of the stores, asked of a database that knows more by now, answers what it did then.

Two databases: one that was told everything, and one that was told only what had arrived by a
moment. What the first says of the moment, as known then, is what the second says as its present.
"""

import inspect
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from clickhouse_driver import Client

from dashboard.history.lives import PastLives
from dashboard.history.slices import Slices
from dashboard.history.sql import PAST_TABLES, TIMELESS, NoPastError
from dashboard.query.alarms import AlarmStore
from dashboard.query.clock import At, Picture, Replay
from dashboard.query.connection import Connection
from dashboard.query.figures import FigureStore
from dashboard.query.lists import ListStore
from dashboard.query.lives import LifeStore
from dashboard.query.map import MapStore
from dashboard.query.records import RecordStore
from dashboard.query.sources import SourceStore
from dashboard.query.store import ScreenStore
from dashboard.request.address import PageRequest, format_moment
from dashboard.request.context import PageContext
from dashboard.server import replay_routes as routes
from schemas.clickhouse.lives import LIVES, Life, life_tables
from schemas.clickhouse.query import Query
from schemas.clickhouse.tables import tables
from schemas.clickhouse.views import views
from schemas.clickhouse.watch_tables import WATCH
from schemas.events.kinds import MEETING
from schemas.settings import Settings
from tests.conftest import forget, isolated
from tests.integration.past_events import CALENDAR, NOW, PLACE, THEN, told
from tests.integration.past_questions import QUESTIONS, Both, ids
from tests.queries import Recorder, all_of

pytestmark = pytest.mark.stack


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


@pytest.mark.parametrize("slices", [True, False], ids=["slices", "history"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_what_was_known_then_is_what_was_shown_then(both: Both, name: str, slices: bool) -> None:
    past = QUESTIONS[name](both.past(slices=slices), Replay(THEN))
    shown = QUESTIONS[name](both.then, At(THEN))
    assert past == shown
    assert past, "a question without an answer shows nothing"


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
    for name in sorted(PAST_TABLES):
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
        if name in PAST_TABLES or name in TIMELESS:
            past.tuples(all_of(name))
        else:
            with pytest.raises(NoPastError):
                past.tuples(all_of(name))
