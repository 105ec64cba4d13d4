"""Codes that nobody knows.

Listed with whom they are from, and counted beside the sum of the communes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_driver import Client

from dashboard.pages.map import layer_data
from dashboard.pages.sources.unknown import unknown_codes
from dashboard.query.clock import At, Picture, Replay
from dashboard.query.connection import Connection
from dashboard.query.figures import OUTSIDE
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas import places
from schemas.events.codes import Channel, FeedbackStatus, FilingStatus, MeetingState
from schemas.events.kinds import FEEDBACK, FILING, INDICATOR, MEETING, Kind
from schemas.events.payloads import Feedback, Filing, Indicator, Meeting
from schemas.settings import Settings
from streams.lives import Lives
from tests.counting import Counter

pytestmark = pytest.mark.stack
NOW = datetime.now(UTC).replace(microsecond=0)
THEN = NOW - timedelta(days=3)
HERE, ELSEWHERE = places.communes("46")[0], places.commune("01273")
FORMER = "19750"
"""A ward of before the reform, which became part of a commune of this province."""


def report(
    number: str, commune: str, *, category: str = "water", agency: str = "H57.IOC"
) -> tuple[datetime, Feedback]:
    return THEN, Feedback(
        agency=agency,
        commune=commune,
        category=category,
        report_id=number,
        reported_at=THEN,
        status=FeedbackStatus.RECEIVED,
    )


@pytest.fixture
def ask(settings: Settings, database: Client) -> Iterator[PageContext]:
    """Yield reports, a filing, a meeting and a figure, some with codes that nobody knows.

    All but the last arrived three days ago.
    """
    counter = Counter(settings)
    reports = [
        report("known", HERE.code),
        report("former", FORMER),
        report("whole", ""),
        report("elsewhere", ELSEWHERE.code),
    ]
    reports += [
        report("A-1", "99999"),
        report("A-2", "99999"),
        report("A-3", "99999", agency="H57.NOBODY"),
    ]
    reports += [report("B-1", HERE.code, category="nonsense")]
    filing: dict[str, Any] = {
        "procedure": "1.005129",
        "status": FilingStatus.REGISTERED,
        "channel": Channel.ONLINE,
    }
    steps: list[tuple[Kind, list[tuple[datetime, Any]]]] = [
        (FEEDBACK, reports),
        (
            FILING,
            [
                (
                    THEN,
                    Filing(
                        agency="H57.VP",
                        commune="88888",
                        filing_id="F",
                        registered_at=THEN,
                        **filing,
                    ),
                )
            ],
        ),
        (
            MEETING,
            [
                (
                    THEN,
                    Meeting(
                        agency="H57.VP",
                        meeting_id="M",
                        state=MeetingState.LIVE,
                        starts_at=THEN,
                        invited=[HERE.code, "77777"],
                    ),
                )
            ],
        ),
        (
            INDICATOR,
            [
                (
                    THEN,
                    Indicator(
                        agency="H57.STC",
                        indicator="gold",
                        unit="46",
                        period="2026-11",
                        value=1.0,
                        reported_at=THEN,
                    ),
                )
            ],
        ),
        (FEEDBACK, [(NOW - timedelta(hours=1), report("late", "66666")[1])]),
    ]
    for kind, events in steps:
        counter.count(kind, events)
    counter.close()
    Lives(database, settings.province).catch_up()
    found = PageContext(Connection(settings.clickhouse_url), At(NOW), ProvinceContext("46"))
    yield found
    found.connection.close()


Told = set[tuple[str, str, str, str, int, str]]


def told(ask: PageContext, agency: str = "") -> Told:
    return {
        (one.kind.name, one.field, one.code, one.agency, one.records, one.example)
        for one in unknown_codes(ask, agency)
    }


OLD: Told = {
    ("feedback", "commune", "99999", "H57.IOC", 2, "A-2"),
    ("feedback", "commune", "99999", "H57.NOBODY", 1, "A-3"),
    ("feedback", "agency", "H57.NOBODY", "H57.NOBODY", 1, "A-3"),
    ("feedback", "commune", ELSEWHERE.code, "H57.IOC", 1, "elsewhere"),
    ("feedback", "category", "nonsense", "H57.IOC", 1, "B-1"),
    ("filing", "commune", "88888", "H57.VP", 1, "F"),
    ("meeting", "invited", "77777", "H57.VP", 1, "M"),
    ("indicator", "indicator", "gold", "H57.STC", 1, "gold/46/2026-11"),
}
LATE = ("feedback", "commune", "66666", "H57.IOC", 1, "late")


def test_every_code_that_nobody_knows_is_listed_with_whom_it_is_from(ask: PageContext) -> None:
    assert told(ask) == OLD | {LATE}
    assert told(ask, "H57.VP") == {one for one in OLD if one[3] == "H57.VP"}
    (most, *_) = unknown_codes(ask)
    assert (most.code, most.records, most.since) == ("99999", 2, THEN)


@pytest.mark.parametrize("picture", Picture)
def test_the_past_lists_what_was_there_then(ask: PageContext, picture: Picture) -> None:
    asked = PageRequest(
        "/sources", (("moment", (NOW - timedelta(days=2)).isoformat()), ("picture", picture.value))
    )
    then = ask.of(asked)
    assert isinstance(then.clock, Replay) and told(then) == OLD


def test_what_is_of_no_commune_stands_beside_the_communes_and_the_sum_is_the_province(
    ask: PageContext,
) -> None:
    units = ask.units()
    received = {
        code: units[code]["feedback.received"].value or 0
        for code in units
        if "feedback.received" in units[code]
    }
    assert (received["46"], received[OUTSIDE]) == (9, 5), (
        "a former code is of a commune of today, one of elsewhere is of none here"
    )
    in_communes = sum(received.get(code, 0) for code in ask.place.names)
    assert in_communes + received[OUTSIDE] + 1 == received["46"], (
        "and one is of the province as a whole"
    )
    assert units[OUTSIDE]["filing.registered"].value == 1


def test_the_map_tells_how_much_of_its_measure_lies_in_no_commune(ask: PageContext) -> None:
    view = layer_data.viewed(ask, PageRequest("/map", (("measure", "feedback.received"),)))
    assert layer_data.outside(ask, view) == (5, sorted([ELSEWHERE.code, "66666", "99999"]))
    assert "99999" not in layer_data.communes(ask, view)[1].steps


def test_a_place_without_communes_of_its_own_judges_no_units(ask: PageContext) -> None:
    elsewhere = PageContext(ask.connection, ask.clock, ProvinceContext("Atlantis"))
    assert {one.field for one in unknown_codes(elsewhere)} == {"category", "indicator"}
