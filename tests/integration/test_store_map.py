"""What the map shows of a scope equals what pandas makes of the raw rows.

Counts, cells, points, course, flows, records.
"""

from collections import Counter as Tally
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from math import cos, floor, log, pi, radians, tan
from random import Random
from typing import Any

import pandas as pd
import pytest
from clickhouse_driver import Client

from dashboard.query.clock import At
from dashboard.query.connection import Connection
from dashboard.query.lives import LifeStore
from dashboard.query.map import MapStore, Scope, in_scope
from schemas.clickhouse.tables import events_table
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind
from schemas.figures import BY_CODE
from schemas.reference import calendar
from schemas.settings import Settings
from streams.lives import Lives
from tests import second_way
from tests.counting import Counter
from tests.integration.map_events import COMMUNES, NOW, ONE, TWO, events

pytestmark = pytest.mark.stack
CALENDAR = calendar("46")
WEEK = Scope(NOW - timedelta(days=7), NOW)
WORLD = (102.0, 8.0, 110.0, 24.0)


@dataclass
class Province:
    """The store, and the lives of its raw rows, computed a second way."""

    store: MapStore
    lives: dict[Kind, pd.DataFrame]

    def of(self, kind: Kind, scope: Scope) -> pd.DataFrame:
        """Return the lives that are in a scope, its window aside."""
        found = self.lives[kind]
        if scope.box and kind is FEEDBACK:
            west, south, east, north = scope.box
            found = found[found["lat"].between(south, north) & found["lon"].between(west, east)]
        elif scope.agency:
            found = found[found["agency"] == scope.agency]
        elif scope.communes is not None:
            found = found[found["commune"].isin(scope.communes)]
        if scope.category and kind is FEEDBACK:
            found = found[found["category"] == scope.category]
        state = {"open": found["open"], "overdue": found["overdue"], "closed": ~found["open"]}.get(
            scope.state
        )
        return found if state is None else found[state]

    def within(self, kind: Kind, scope: Scope) -> pd.DataFrame:
        """Return the lives of a scope that began in its window."""
        found = self.of(kind, scope)
        return found[(found["started_at"] > scope.since) & (found["started_at"] <= scope.until)]


def rows_of(frame: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows of a frame, whose columns are known at run time only."""
    return iter(frame.itertuples())


@pytest.fixture(scope="module")
def province(module_settings: Settings) -> Iterator[Province]:
    from ingest.topics import ensure
    from streams.admin.migrate import migrate

    migrate(module_settings)
    ensure(module_settings)
    counter, client = Counter(module_settings), Client.from_url(module_settings.clickhouse_url)
    said = list(events(Random(11)))
    for kind in (FEEDBACK, FILING, DOCUMENT, MEETING):
        counter.count(
            kind,
            sorted(((at, one) for of, at, one in said if of is kind), key=lambda step: step[0]),
        )
    Lives(client, module_settings.province).catch_up()
    connection = Connection(module_settings.clickhouse_url)
    lives = {
        kind: second_way.lives(
            kind.name,
            connection.rows(f"SELECT * FROM {events_table(kind).name} FINAL"),
            CALENDAR,
            NOW,
        )
        for kind in (FEEDBACK, FILING, DOCUMENT)
    }
    yield Province(MapStore(LifeStore(connection, CALENDAR)), lives)
    connection.close()
    client.disconnect()
    counter.close()


LAT, LON = COMMUNES[0].lat, COMMUNES[0].lon
SCOPES = {
    "the province": WEEK,
    "a day": Scope(NOW - timedelta(days=1), NOW),
    "a commune": replace(WEEK, communes=(ONE,), bodies=(f"H57.{ONE}", f"H57.{ONE}.UB")),
    "two communes": replace(WEEK, communes=(ONE, TWO)),
    "an agency": replace(WEEK, agency=f"H57.{ONE}.UB", bodies=(f"H57.{ONE}.UB",)),
    "a box": replace(WEEK, box=(LON - 0.02, LAT - 0.02, LON + 0.02, LAT + 0.02), communes=(ONE,)),
    "a box with nothing in it": replace(WEEK, box=(100.0, 1.0, 100.1, 1.1), communes=()),
    "a category": replace(WEEK, category="water"),
    "a category that has a quote": replace(WEEK, category="wa'ter"),
    "what is overdue": replace(WEEK, state="overdue"),
    "what is closed in a commune": replace(WEEK, state="closed", communes=(ONE,)),
    "open reports on water": replace(WEEK, state="open", category="water"),
}


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES.keys())
def test_figures_and_counts_of_a_scope(province: Province, scope: Scope) -> None:
    names: tuple[str, ...] = (
        "feedback.received",
        "feedback.open",
        "feedback.overdue",
        "filing.registered",
        "filing.open",
        "filing.overdue",
    )
    names = (*names, "filing.closed", "document.sent", "document.waiting", "document.overdue")
    kinds = (FEEDBACK, FILING, DOCUMENT)
    found = province.store.overview(scope, [BY_CODE[name] for name in names], kinds)
    for kind in kinds:
        lives = province.of(kind, scope)
        expected = (
            second_way.figures(kind.name, lives, scope.since, scope.until) if len(lives) else {}
        )
        for name in names:
            if name.startswith(kind.name):
                assert found[name].value == (expected.get(name) or 0), name
        assert found[in_scope(kind)].value == len(province.within(kind, scope))


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES.keys())
def test_the_records_of_a_scope(province: Province, scope: Scope) -> None:
    for kind in (FEEDBACK, FILING, DOCUMENT):
        expected = province.within(kind, scope).sort_values(
            ["started_at", "entity_id"], ascending=[False, True]
        )
        found = province.store.records(At(NOW), scope, kind, limit=10)
        assert found.total == len(expected) or not found.rows
        assert [row["entity_id"] for row in found.rows] == list(expected["entity_id"][:10])
        rest = province.store.records(At(NOW), scope, kind, limit=10, skip=10)
        assert [row["entity_id"] for row in rest.rows] == list(expected["entity_id"][10:20])


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES.keys())
def test_the_course_of_a_scope_counts_each_record_in_the_part_of_its_time(
    province: Province, scope: Scope
) -> None:
    for kind in (FEEDBACK, FILING):
        pairs = province.store.course(scope, kind)
        assert pairs[-1].at == scope.until and len(pairs) == (
            24 if scope.until - scope.since == timedelta(days=1) else 8
        )
        lives, starts = province.of(kind, scope), [scope.since, *(one.at for one in pairs[:-1])]
        for start, one in zip(starts, pairs, strict=True):
            began = lives[(lives["started_at"] >= start) & (lives["started_at"] < one.at)]
            ended = [
                at
                for at in lives["closed_at"]
                if at is not None and at is not pd.NaT and start <= at < one.at
            ]
            assert (one.begun, one.closed) == (len(began), len(ended))


def cell(lat: float, lon: float, zoom: int, pixels: int) -> tuple[int, int]:
    """Of the world's map in Mercator's projection."""
    scale = 256 * 2**zoom / pixels
    y = (1 - log(tan(radians(lat)) + 1 / cos(radians(lat))) / pi) / 2
    return floor((lon + 180) / 360 * scale), floor(y * scale)


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES.keys())
@pytest.mark.parametrize("zoom", [9, 13])
def test_the_cells_of_a_view_hold_its_reports(province: Province, scope: Scope, zoom: int) -> None:
    view = (LON - 0.1, LAT - 0.1, LON + 0.1, LAT + 0.1)
    lives = province.within(FEEDBACK, scope)
    lives = lives[lives["lat"].between(view[1], view[3]) & lives["lon"].between(view[0], view[2])]
    expected = Tally(cell(one.lat, one.lon, zoom, 72) for one in rows_of(lives))
    late = Tally(cell(one.lat, one.lon, zoom, 72) for one in rows_of(lives) if one.overdue)
    found = province.store.grid(scope, view, zoom, 72)
    assert sorted(row["n"] for row in found) == sorted(expected.values())
    assert sum(row["overdue"] for row in found) == late.total()
    assert [row["n"] for row in found] == sorted((row["n"] for row in found), reverse=True)
    for row in found:
        assert expected[cell(row["lat"], row["lon"], zoom, 72)] == row["n"]
        own = lives[
            lives["lat"].between(row["south"], row["north"])
            & lives["lon"].between(row["west"], row["east"])
        ]
        assert (
            row["n"] <= len(own)
            and {*own["lat"]} >= {row["south"], row["north"]}
            and {*own["lon"]} >= {row["west"], row["east"]}
        )
    points = province.store.points(scope, view, 1_000)
    assert {(row["entity_id"], bool(row["overdue"])) for row in points} == {
        (one.entity_id, one.overdue) for one in lives.itertuples()
    }
    assert len(province.store.points(scope, view, 3)) == min(3, len(lives))


def test_categories_are_those_of_the_scope_whatever_it_is_narrowed_to(province: Province) -> None:
    for scope in (WEEK, SCOPES["a commune"], SCOPES["what is overdue"], SCOPES["a category"]):
        lives = province.within(FEEDBACK, replace(scope, category=""))
        assert province.store.categories(scope) == Tally(lives["category"])


def test_a_figure_by_unit_is_of_the_whole_province(province: Province) -> None:
    overdue = province.store.by_unit(SCOPES["a commune"], BY_CODE["filing.overdue"], "agency")
    lives = province.lives[FILING]
    assert {code: one.value for code, one in overdue.items() if one.value} == Tally(
        lives[lives["overdue"]]["agency"]
    )
    registered = province.store.by_unit(WEEK, BY_CODE["filing.registered"], "commune")
    within = province.within(FILING, WEEK)
    assert {code: one.value for code, one in registered.items() if one.value} == Tally(
        within["commune"]
    )


def test_a_window_of_the_past_tells_how_it_stood_at_its_end(province: Province) -> None:
    end = NOW - timedelta(days=6)
    scope = Scope(end - timedelta(days=7), end, past=True)
    rows = province.store.lives.connection.rows(f"SELECT * FROM {events_table(FILING).name} FINAL")
    expected = second_way.figures(
        "filing", second_way.lives("filing", rows, CALENDAR, end), scope.since, end
    )
    found = province.store.overview(
        scope, [BY_CODE["filing.open"], BY_CODE["filing.overdue"], BY_CODE["filing.registered"]], ()
    )
    assert {code: one.value for code, one in found.items()} == {
        code: expected[code] for code in found
    }


def test_flows_are_the_documents_between_spots(province: Province) -> None:
    spots = {"H57.VP": "46", "H57.SYT": "46", "H57.SNV": "46"} | {
        f"H57.{one.code}.UB": one.code for one in COMMUNES
    }
    figures = [BY_CODE["document.sent"], BY_CODE["document.overdue"], BY_CODE["document.waiting"]]
    lives = province.within(DOCUMENT, WEEK)
    ends = [(spots[one.from_organ], spots[one.to_organ]) for one in rows_of(lives)]
    found = province.store.flows(WEEK, spots, figures)
    assert {key: said["document.sent"].value for key, said in found.items()} == Tally(ends)
    late = Tally(key for key, overdue in zip(ends, lives["overdue"], strict=True) if overdue)
    assert {
        key: said["document.overdue"].value
        for key, said in found.items()
        if said["document.overdue"].value
    } == late
    own = province.store.flows(replace(WEEK, agency="H57.SYT", bodies=("H57.SYT",)), spots, figures)
    its = lives[(lives["from_organ"] == "H57.SYT") | (lives["to_organ"] == "H57.SYT")]
    assert sum(said["document.sent"].value or 0 for said in own.values()) == len(its)
    without = province.store.flows(WEEK, {"H57.VP": "46"}, figures)
    assert without == {}, "what lies nowhere is on no line"


def test_meetings_are_of_whom_they_invite_and_those_to_come_are_told(province: Province) -> None:
    coming = province.store.lives.coming(At(NOW), timedelta(hours=24))
    assert [(row["entity_id"], row["title"], row["host"]) for row in coming] == [
        ("M1", "Họp 1", "H57.VP")
    ]

    def found(*bodies: str, agency: str = "") -> set[str]:
        scope = replace(WEEK, communes=None if agency else (ONE,), agency=agency, bodies=bodies)
        return {row["entity_id"] for row in province.store.records(At(NOW), scope, MEETING).rows}

    assert found(f"H57.{ONE}", f"H57.{ONE}.UB") == {"M0", "M1"}
    assert found("H57.VP", agency="H57.VP") == {"M0", "M1", "M2"}
    assert found() == set()


def test_a_record_is_found_with_its_place(province: Province) -> None:
    report = province.lives[FEEDBACK].query("lat == lat").iloc[0]
    row = province.store.record(FEEDBACK, report["entity_id"])
    assert row is not None and (row["lat"], row["lon"], row["commune"]) == (
        report["lat"],
        report["lon"],
        report["commune"],
    )
    filing = province.store.record(FILING, "F1")
    assert filing is not None and filing["lat"] is None and filing["commune"]
    assert province.store.record(FILING, "F-none") is None
