"""Records by figure, by number and beside each other, over lives in a real ClickHouse.

Nothing of them opens a seal.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from clickhouse_driver import Client

from dashboard.query.clock import At
from dashboard.query.connection import Connection
from dashboard.query.figures import FigureStore
from dashboard.query.lives import LifeStore
from dashboard.query.records import RecordStore
from schemas.events.codes import Channel, DocumentStatus, FeedbackStatus, FilingStatus, Priority
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING
from schemas.events.payloads import Document, Feedback, Filing
from schemas.figures import BY_CODE, FIGURES
from schemas.figures.questions import dimensions
from schemas.reference import ZONE, calendar
from schemas.settings import Settings
from streams.lives import Lives
from tests.counting import Counter

pytestmark = pytest.mark.stack
CALENDAR = calendar("46")
ONE, TWO = "19753", "19774"
SECRET = "sealed:of-whom"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=ZONE)


NOON = At(at("24 11:00"))
"""The clock of the tests: a Tuesday."""


def filing(
    number: str, commune: str, *steps: tuple[str, int], **said: Any
) -> list[tuple[datetime, Filing]]:
    usual: dict[str, Any] = {
        "agency": f"H57.{commune}",
        "commune": commune,
        "procedure": "1.005129",
        "channel": Channel.ONLINE,
    }
    began = at(steps[0][0])
    return [
        (
            at(when),
            Filing(
                **usual
                | {"filing_id": number, "status": FilingStatus(status), "registered_at": began}
                | said
            ),
        )
        for when, status in steps
    ]


@pytest.fixture
def counter(settings: Settings, database: Client) -> Iterator[Counter]:
    counter = Counter(settings)
    yield counter
    counter.close()


@pytest.fixture
def records(settings: Settings, database: Client, counter: Counter) -> Iterator[RecordStore]:
    """Five filings, three reports and a document to two receivers."""
    lives = Lives(database, settings.province)
    filings = [
        *filing("F-over", ONE, ("10 08:00", 1), ("10 09:00", 2), due_at=at("20 10:00")),
        *filing("F-older", ONE, ("09 08:00", 1), ("09 09:00", 2), due_at=at("18 10:00")),
        *filing(
            "F-soon",
            ONE,
            ("20 08:00", 1),
            ("20 09:00", 2),
            due_at=at("24 16:00"),
            channel=Channel.POST,
        ),
        *filing(
            "F-late",
            TWO,
            ("10 08:00", 2),
            ("19 09:00", 9),
            due_at=at("17 10:00"),
            finished_at=at("19 09:00"),
        ),
        *filing(
            "F-good",
            TWO,
            ("10 08:00", 2),
            ("12 09:00", 9),
            due_at=at("17 10:00"),
            finished_at=at("12 09:00"),
        ),
        *filing("F-paused", TWO, ("10 08:00", 2), ("16 08:00", 5), due_at=at("16 10:00")),
    ]
    counter.count(FILING, filings)
    reports = [
        (
            at(when),
            Feedback(
                agency="H57.IOC",
                commune=ONE,
                report_id=f"R{number}",
                category=category,
                reporter=SECRET,
                status=FeedbackStatus.RECEIVED,
                reported_at=at(when),
            ),
        )
        for number, (when, category) in enumerate(
            [("23 08:00", "water"), ("23 20:00", "water"), ("10 08:00", "water")]
        )
    ]
    counter.count(FEEDBACK, reports)
    sent = [
        (
            at("24 09:00"),
            Document(
                agency=f"H57.{code}.UB",
                commune=code,
                document_id="H57.VP,2026/11/24,12/CĐ-VP",
                number="12",
                notation="CĐ-VP",
                subject="Mưa lũ",
                from_organ="H57.VP",
                to_organ=f"H57.{code}.UB",
                status=DocumentStatus.ARRIVED,
                priority=priority,
                sent_at=at("24 09:00"),
            ),
        )
        for code, priority in ((ONE, Priority.NORMAL), (TWO, Priority.FLASH))
    ]
    counter.count(DOCUMENT, sent)
    lives.catch_up()
    connection = Connection(settings.clickhouse_url)
    yield RecordStore(LifeStore(connection, CALENDAR))
    connection.close()


def ids(found: Any) -> list[str]:
    return [row["entity_id"] for row in found.rows]


def test_the_records_behind_a_figure_are_as_many_as_it_says(records: RecordStore) -> None:
    figures = FigureStore(records.lives.connection, CALENDAR)
    for by, unit in (
        ("province", ""),
        ("commune", ONE),
        ("commune", TWO),
        ("agency", f"H57.{ONE}"),
    ):
        of = [one for one in FIGURES if by == "province" or by in dimensions(one.kind)]
        read = figures.now(NOON, of, () if by == "province" else (by,)).get(
            (unit,) if unit else (), {}
        )
        for figure in of:
            if figure.unit == "h" or figure.code not in read:
                continue
            one, found = read[figure.code], records.behind(NOON, figure, by, unit)  # type: ignore[arg-type]
            lost = (one.whole or 0) - (one.part or 0) if figure.whole else one.value
            assert found.total == lost, (figure.code, by, unit)


def test_the_oldest_overdue_comes_first_with_by_how_much_and_who_holds_it(
    records: RecordStore,
) -> None:
    found = records.behind(NOON, BY_CODE["filing.overdue"], "province", "", limit=1)
    assert (ids(found), found.total) == (["F-older"], 2)
    (row,) = found.rows
    assert row["overdue"] and timedelta(milliseconds=-row["left"]) == CALENDAR.working_time(
        at("18 10:00"), at("24 11:00")
    )
    assert (row["agency"], row["level"], row["held_since"]) == (
        f"H57.{ONE}",
        "commune",
        at("09 08:00"),
    )
    assert ids(records.behind(NOON, BY_CODE["filing.overdue"], "province", "", skip=1)) == [
        "F-over"
    ]
    assert ids(records.behind(NOON, BY_CODE["filing.overdue"], "province", "", down=True)) == [
        "F-over",
        "F-older",
    ]


def test_of_those_due_in_one_night_while_the_clock_stands_still_the_first_due_comes_first(
    records: RecordStore, settings: Settings, database: Client, counter: Counter
) -> None:
    steps = ("10 09:00", 2), ("10 10:00", 2)
    counter.count(FILING, filing("F-a", "19789", *steps[1:], due_at=at("22 03:00")))
    counter.count(FILING, filing("F-b", "19789", *steps[:1], due_at=at("20 20:00")))
    Lives(database, settings.province).catch_up()
    overdue = BY_CODE["filing.overdue"]
    found = records.behind(NOON, overdue, "commune", "19789")
    assert ids(found) == ["F-b", "F-a"] and len({row["left"] for row in found.rows}) == 1
    assert ids(records.behind(NOON, overdue, "commune", "19789", down=True)) == ["F-a", "F-b"]


def test_of_a_share_the_records_are_those_that_fall_short(records: RecordStore) -> None:
    assert sorted(ids(records.behind(NOON, BY_CODE["filing.on_time"], "province", ""))) == [
        "F-late",
        "F-older",
        "F-over",
    ]
    post = records.behind(
        NOON,
        BY_CODE["filing.online"],
        "province",
        "",
        only={"channel": ("1", "3"), "nothing": ("x",)},
    )
    assert ids(post) == ["F-soon"]


def test_what_is_paused_has_its_time_left_and_what_is_closed_none(records: RecordStore) -> None:
    rows = {
        row["entity_id"]: row
        for row in records.behind(NOON, BY_CODE["filing.registered"], "commune", TWO).rows
    }
    assert (
        rows["F-paused"]["left"] == timedelta(hours=2) / timedelta(milliseconds=1)
        and not rows["F-paused"]["overdue"]
    )
    assert rows["F-late"]["left"] is None


def test_flash_documents_come_first_and_say_what_they_are(records: RecordStore) -> None:
    found = records.behind(NOON, BY_CODE["document.waiting"], "province", "", order="urgent")
    assert [row["to_organ"] for row in found.rows] == [f"H57.{TWO}.UB", f"H57.{ONE}.UB"]
    assert found.rows[0]["subject"] == "Mưa lũ" and found.rows[0]["number"] == "12"


@pytest.mark.parametrize(
    ("text", "kind", "total"),
    [("F-", FILING, 6), ("F-over", FILING, 1), ("r", FEEDBACK, 3), ("12/CĐ", DOCUMENT, 2)],
)
def test_records_are_found_by_the_beginning_of_their_number(
    records: RecordStore, text: str, kind: Any, total: int
) -> None:
    assert records.numbered(NOON, text)[kind].total == total


def test_the_record_of_exactly_the_number_comes_first_and_nothing_else_is_found_for_a_quote(
    records: RecordStore,
) -> None:
    assert ids(records.numbered(NOON, "F-over")[FILING])[0] == "F-over"
    assert (
        records.numbered(NOON, "F-over' OR 1=1 --") == {} and records.numbered(NOON, "100%") == {}
    )


def test_beside_a_record_are_its_other_receivers_and_what_is_like_it_and_near(
    records: RecordStore,
) -> None:
    def last(kind: Any, entity: str) -> Any:
        return records.lives.steps(kind, entity)[-1]

    sent = "H57.VP,2026/11/24,12/CĐ-VP/H57."
    assert ids(records.nearest(NOON, DOCUMENT, last(DOCUMENT, f"{sent}{ONE}.UB"))) == [
        f"{sent}{TWO}.UB"
    ]
    assert ids(records.nearest(NOON, FEEDBACK, last(FEEDBACK, "R0"))) == ["R1"], (
        "R2 was two weeks before"
    )
    assert ids(records.nearest(NOON, FILING, last(FILING, "F-soon"))) == ["F-older", "F-over"]


def test_a_reporter_is_sealed_in_all_that_is_asked_of_a_record(records: RecordStore) -> None:
    state, events = records.state(FEEDBACK, "R0"), records.events(FEEDBACK, "R0")
    assert state is not None and state["sealed"] and events[0]["sealed"]
    assert SECRET not in str(state) + str(events) + str(records.lives.steps(FEEDBACK, "R0"))
    assert records.state(FEEDBACK, "none") is None and records.events(FEEDBACK, "none") == []


def test_a_trend_ends_with_what_is_now(records: RecordStore) -> None:
    figures = FigureStore(records.lives.connection, CALENDAR)
    line = figures.trends(NOON, "commune", ONE)["filing.overdue"]
    assert len(line) == 30 and [one.value for _, one in line[-7:]] == [1, 1, 2, 2, 2, 2, 2]
    assert line[-1][0] == NOON.now()
