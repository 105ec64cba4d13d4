"""The operators' map: what its addresses say, how communes are classed, where units lie.

No database.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.pages.map import page, routes
from dashboard.pages.map.layer import MapLayer
from dashboard.pages.map.layers import LAYERS, layers_address, shown
from dashboard.pages.map.marks import words
from dashboard.pages.map.shades import quantiles, shades
from dashboard.pages.map.spots import spots
from dashboard.pages.map.view import (
    EXTENT,
    MEASURES,
    MapView,
    box_of,
    written,
)
from dashboard.query.clock import At
from dashboard.query.connection import Connection
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.store import HERE
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas import places
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING
from schemas.figures import BY_CODE, Reading
from schemas.figures.series import SeriesStep

PLACE, NOW = ProvinceContext("46"), datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
ONE, OTHER = places.communes("46")[:2]


def view(**parameters: str) -> MapView:
    given = {name.rstrip("_"): value for name, value in parameters.items()}
    return MapView.of(PageRequest("/map", tuple(sorted(given.items()))), PLACE, NOW)


def names(layers: Iterable[MapLayer]) -> list[str]:
    return [one.name for one in layers]


def test_an_empty_address_is_the_usual_map_of_the_last_week() -> None:
    usual = view()
    assert names(shown(usual)) == ["communes", "feedback", "alarms"]
    assert (usual.measure.code, usual.style, usual.kind) == (
        "filing.overdue",
        "clusters",
        FEEDBACK,
    )
    assert (usual.since, usual.until, usual.past) == (NOW - timedelta(days=7), NOW, False)
    assert not usual.chosen and not usual.problem


def test_layers_are_said_in_one_order_and_all_may_be_off() -> None:
    assert names(shown(view(layers="alarms,communes,no-such"))) == ["communes", "alarms"]
    assert shown(view(layers="none")) == ()
    by_name = {one.name: one for one in LAYERS}
    assert layers_address([by_name["alarms"], by_name["sources"]]) == "sources,alarms"
    assert layers_address(()) == "none"
    assert layers_address(shown(view())) is None
    for some in ((), (by_name["flows"],), LAYERS):
        assert shown(view(layers=layers_address(some) or "")) == some


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"kind": "document"}, {"kind": DOCUMENT}),
        ({"kind": "indicator"}, {"kind": FEEDBACK}),
        ({"measure": "filing.on_time"}, {"measure": BY_CODE["filing.on_time"]}),
        ({"measure": "'; DROP TABLE"}, {"measure": BY_CODE["filing.overdue"]}),
        ({"as_": "heat"}, {"style": "heat"}),
        ({"as_": "3d"}, {"style": "clusters"}),
        ({"state": "overdue"}, {"state": "overdue"}),
        ({"state": "standing"}, {"state": ""}),
        ({"record": "filing/H57.19753-1/2"}, {"record": (FILING, "H57.19753-1/2")}),
        ({"record": "filing/"}, {"record": None}),
        ({"box": "107.1,16.2,107.3,16.4"}, {"box": (107.1, 16.2, 107.3, 16.4)}),
        ({"box": "107.3,16.2,107.1,16.4"}, {"box": None}),
        ({"box": "a,b,c,d"}, {"box": None}),
        ({"unit": ONE.code}, {"communes": (ONE.code,)}),
        ({"unit": f"{ONE.code},{OTHER.code},{ONE.code}"}, {"communes": (ONE.code, OTHER.code)}),
        ({"unit": "H57.SYT"}, {"agency": "H57.SYT", "communes": ()}),
        ({"unit": "46"}, {"communes": (), "agency": "", "unknown": ()}),
        ({"unit": "99999"}, {"communes": (), "unknown": ("99999",)}),
        ({"window": "1h"}, {"since": NOW - timedelta(hours=1), "until": NOW}),
        ({"window": "year"}, {"window": "7d", "since": NOW - timedelta(days=7)}),
    ],
)
def test_what_an_address_says(parameters: dict[str, str], expected: dict[str, Any]) -> None:
    found = view(**parameters)
    assert {name: getattr(found, name) for name in expected} == expected


def test_a_box_goes_before_units() -> None:
    found = view(box="107.1,16.2,107.3,16.4", unit=ONE.code)
    assert found.box and not found.communes


def test_a_window_of_its_own_is_in_local_time_and_ends_by_now() -> None:
    found = view(from_="2026-11-24T08:00", to="2026-11-24T17:30")
    assert (found.window, found.past, found.problem) == ("custom", True, "")
    assert found.since == datetime(2026, 11, 24, 8, 0, tzinfo=HERE)
    assert found.until - found.since == timedelta(hours=9, minutes=30)
    until_now = view(from_="2026-11-24T08:00", to="2027-01-01T00:00")
    assert (until_now.until, until_now.past) == (NOW, False)
    assert view(from_=written(found.since), to=written(found.until)).since == found.since


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-11-24T08:00", "2026-11-24T08:00"),
        ("x", "2026-11-24T08:00"),
        ("2026-11-24T08:00", "y"),
        ("1990-01-01T00:00", ""),
        ("2026-11-24T08:00", "9999-12-31T23:59"),
    ],
)
def test_a_window_that_cannot_be_is_said_and_the_usual_one_shown(since: str, until: str) -> None:
    found = view(from_=since, to=until)
    assert (found.problem, found.window, found.until) == ("map_wrong_window", "7d", NOW)


def test_the_extent_decides_nothing_but_where_the_map_is() -> None:
    asked = PageRequest("/map", (("at", "16.4,107.5"), ("unit", ONE.code), ("zoom", "11")))
    assert asked.without(*EXTENT).parameters == (("unit", ONE.code),)


def test_a_scope_has_the_communes_with_their_middle_in_the_box_and_their_bodies() -> None:
    where = spots(PLACE)
    lat, lon = where.communes[ONE.code]
    scope = view(
        box=f"{lon - 0.0001:.5f},{lat - 0.0001:.5f},{lon + 0.0001:.5f},{lat + 0.0001:.5f}"
    ).scope(PLACE, where)
    assert scope.communes == (ONE.code,)
    assert set(scope.bodies) == {f"H57.{ONE.code}", f"H57.{ONE.code}.UB"}
    assert view(box="100,10,100.1,10.1").scope(PLACE, where).communes == ()
    assert view().scope(PLACE, where).communes is None


@pytest.mark.parametrize(
    ("window", "step"),
    [
        ("1h", SeriesStep.MINUTES),
        ("24h", SeriesStep.HOUR),
        ("7d", SeriesStep.DAY),
        ("30d", SeriesStep.DAY),
    ],
)
def test_a_window_is_told_in_parts_that_fit_it(window: str, step: SeriesStep) -> None:
    assert view(window=window).scope(PLACE, spots(PLACE)).step is step


def test_units_lie_in_their_communes_and_provincial_bodies_at_one_seat() -> None:
    where = spots(PLACE)
    assert where.of(f"H57.{ONE.code}.UB") == where.of(ONE.code)
    assert where.of("H57.SYT") == where.of("46") == ("46", where.seat)


def test_a_place_without_units_still_has_an_extent() -> None:
    where = spots(ProvinceContext("NOWHERE"))
    assert (where.communes, where.seat, where.outlined) == ({}, None, False)
    assert where.of("X.1") is None
    assert where.bounds[0][0] < where.bounds[1][0]


def test_known_breaks_are_fixed_and_others_are_fifths_of_what_is_there() -> None:
    overdue = shades(
        BY_CODE["filing.overdue"],
        {"a": Reading(0), "b": Reading(7), "c": Reading(500), "d": Reading(None)},
    )
    assert (overdue.fixed, dict(overdue.steps)) == (True, {"a": 0, "b": 1, "c": 4})
    assert overdue.counts() == [1, 1, 0, 0, 1]
    assert [overdue.shade(step) for step in range(5)] == [0, 1, 2, 3, 4]
    received = shades(BY_CODE["feedback.received"], {str(n): Reading(n) for n in range(100)})
    assert (received.fixed, received.breaks) == (False, (20, 40, 60, 80))
    assert received.counts() == [20] * 5


def test_where_more_is_better_the_least_has_the_strongest_shade() -> None:
    on_time = shades(BY_CODE["filing.on_time"], {"a": Reading(50.0), "b": Reading(100.0)})
    assert (on_time.shade(on_time.steps["a"]), on_time.shade(on_time.steps["b"])) == (4, 0)


def test_breaks_of_few_or_equal_values_are_few() -> None:
    assert quantiles([], True) == ()
    assert quantiles([3, 3, 3], True) == ()
    assert quantiles([1.0, 1.0, 1.0, 9.0], False) == (9.0,)
    single = shades(BY_CODE["feedback.received"], {"a": Reading(3), "b": Reading(3)})
    assert (single.counts(), single.shade(0)) == ([2], 0)


def test_communes_can_be_coloured_by_the_figures_of_every_kind_that_has_communes() -> None:
    assert {one.kind for one in MEASURES} == {FEEDBACK, FILING, DOCUMENT}


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "0,0,inf,1", "-181,0,1,1"])
def test_a_box_that_is_none(text: str) -> None:
    assert box_of(text) is None


def test_the_script_speaks_both_languages() -> None:
    assert words("vi").keys() == words("en").keys()
    assert "{n}" in words("vi")["seen"] and words("vi")["seen"] != words("en")["seen"]


def test_when_clickhouse_is_away_the_map_stays_and_the_panel_says_so() -> None:
    ask = PageContext(Connection("clickhouse://127.0.0.1:1/none"), At(NOW), PLACE)
    found = page.parts(ask, PageRequest("/map"))
    assert (found["bar"], found["side"], found["drawn"]) == (None, None, None)
    assert "ClickHouse không trả lời" in str(found["panel"])
    whole = str(page.content(ask, PageRequest("/map", (), "en")))
    assert "map-of" in whole and "ClickHouse does not respond" in whole and '"drawn":null' in whole


def test_a_view_that_cannot_be_is_refused() -> None:
    ask = PageContext(Connection("clickhouse://127.0.0.1:1/none"), At(NOW), PLACE)
    for parameters in (
        {},
        {"bbox": "1,2,3", "zoom": "9"},
        {"bbox": "1,2,3,4", "zoom": "x"},
        {"bbox": "1,2,3,4", "zoom": "40"},
    ):
        with pytest.raises(ValueError):
            routes.reports(ask, PageRequest("/map", tuple(parameters.items())))
