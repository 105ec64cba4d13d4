"""Some hundred random lives of records, and how all of them stand by pandas."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, cast

import pandas as pd
from clickhouse_driver import Client

from dashboard.query.clock import At
from dashboard.query.connection import Connection
from dashboard.query.lists import ListStore, Order, Sought
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.context import PageContext
from schemas.clickhouse.lives import current_table
from schemas.events.codes import (
    Channel,
    DocumentStatus,
    FeedbackStatus,
    FilingStatus,
    MeetingState,
    Priority,
)
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind
from schemas.events.payloads import Document, Event, Feedback, Filing, Meeting
from schemas.reference import ZONE, calendar
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.lives import Lives
from tests import second_way
from tests.counting import Counter

CALENDAR = calendar("46")
NOON = At(datetime(2026, 11, 24, 11, 0, tzinfo=ZONE))
"""The clock of the tests: a Tuesday."""
BEGIN = datetime(2026, 11, 2, 7, 30, tzinfo=ZONE)
UNITS = ("19753", "19774", "20044")
HOSTILE = "x' OR 1=1 --"
FORMULA = "=cmd|' /C calc'!A0"
SECRET = "sealed:1:of-whom"
PROCEDURES = ("1.005129", "2.000635", "1.004222")
PAST: dict[str, list[tuple[Any, ...]]] = {
    "filing": [
        (1,),
        (1, 2),
        (1, 3),
        (1, 2, 4),
        (1, 2, 4, 9),
        (1, 2, 4, 5),
        (1, 2, 4, 5, 4, 9, 10),
        (1, 5),
        (1, 2, 7),
    ],
    "feedback": [
        ("received",),
        ("received", "routed"),
        ("received", "verified", "routed", "published", "rated"),
        ("received", "rejected"),
    ],
    "document": [(1,), (1, 3), (1, 2), (1, 3, 4, 5, 6), (1, 3, 13, 15)],
}


def _steps(draw: random.Random, kind: Kind) -> list[tuple[datetime, Any]]:
    """Return when each step of a life was taken, and the status that it brings; none lies after
    noon.
    """
    at = BEGIN + timedelta(minutes=draw.randrange(20 * 24 * 60))
    found = []
    for status in draw.choice(PAST[kind.name]):
        if at >= NOON.now() - timedelta(minutes=1):
            break
        found.append((at, status))
        at += timedelta(minutes=draw.randrange(20, 4_000))
    return found


def _filings(draw: random.Random) -> Iterator[tuple[datetime, Event]]:
    for number in range(240):
        steps, commune = _steps(draw, FILING), draw.choice(UNITS)
        due = (
            steps[0][0] + timedelta(hours=draw.randrange(10, 400))
            if steps and draw.random() < 0.6
            else None
        )
        agency = HOSTILE if number == 7 else f"H57.{commune}"
        procedure, channel = draw.choice(PROCEDURES), draw.choice(list(Channel))
        for at, status in steps:
            yield (
                at,
                Filing(
                    agency=agency,
                    commune=commune,
                    filing_id=f"H57-{number:04}",
                    procedure=procedure,
                    channel=channel,
                    status=FilingStatus(status),
                    registered_at=steps[0][0],
                    due_at=due,
                    fee=1000 * (number % 7),
                    finished_at=at if status in (9, 10) else None,
                    satisfaction=number % 5 + 1 if status == 10 else None,
                ),
            )


def _reports(draw: random.Random) -> Iterator[tuple[datetime, Event]]:
    for number in range(80):
        steps, commune = _steps(draw, FEEDBACK), draw.choice(UNITS)
        for at, status in steps:
            yield (
                at,
                Feedback(
                    agency=f"H57.{commune}.UB",
                    commune=commune,
                    report_id=f"PA-{number:03}",
                    category=draw.choice(["water", "roads"]),
                    status=FeedbackStatus(status),
                    reported_at=steps[0][0],
                    reporter=SECRET,
                    description=FORMULA if number == 3 else f"Đường ngập nước, số {number}",
                    rating=number % 5 + 1 if status == "rated" else None,
                ),
            )


def _letters(draw: random.Random) -> Iterator[tuple[datetime, Event]]:
    for number in range(80):
        steps, to = _steps(draw, DOCUMENT), f"H57.{draw.choice(UNITS)}.UB"
        priority = draw.choice(list(Priority))
        for at, status in steps:
            yield (
                at,
                Document(
                    agency=to,
                    commune=to[4:9],
                    document_id=f"H57.VP,2026/11/02,{number}/CV-VP",
                    number=str(number),
                    notation="CV-VP",
                    from_organ="H57.VP",
                    to_organ=to,
                    subject="Ứng phó mưa lũ" if number % 2 else "Họp giao ban",
                    priority=priority,
                    document_type="Công văn",
                    status=DocumentStatus(status),
                    sent_at=steps[0][0],
                    reason=FORMULA if status == 2 else "",
                    due_at=steps[0][0] + timedelta(hours=90) if number % 3 else None,
                ),
            )


class Province:
    """The lists of the module's database, and how all stands by pandas."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client, self.settings = client, settings
        self.connection = Connection(settings.clickhouse_url)
        self.ask = PageContext(self.connection, NOON, ProvinceContext("46"))
        self.lists: ListStore = self.ask.lists
        self._known: dict[Kind, pd.DataFrame] = {}

    def stands(self, kind: Kind) -> pd.DataFrame:
        """Return how all records of a kind stand at noon: a row each, computed once."""
        if kind not in self._known:
            rows, columns = self.client.execute(
                f"SELECT * FROM events_{kind.name} FINAL", with_column_types=True
            )
            events = [dict(zip([name for name, _ in columns], row, strict=True)) for row in rows]
            frame = second_way.lives(kind.name, events, CALENDAR, NOON.now())
            frame["standing"] = [
                "paused" if paused else "open" if is_open else "closed"
                for paused, is_open in zip(frame["paused_now"], frame["open"], strict=True)
            ]
            frame["left"] = [
                _left(kind, cast(dict[str, Any], row)) for row in frame.to_dict("records")
            ]
            self._known[kind] = frame
        return self._known[kind]

    def ids(self, sought: Sought, order: Order = Order()) -> list[str]:
        return [row["entity_id"] for row in self.lists.page(NOON, sought, [], order, limit=1_000)]


def _left(kind: Kind, row: dict[str, Any]) -> float | None:
    """Return milliseconds of the clock until a record is due."""
    if row["standing"] == "closed" or row["due"] is None or pd.isna(row["due"]):
        return None
    since, due = (row["since"] if row["standing"] == "paused" else NOON.now()), row["due"]
    if second_way.around(kind.name, row):
        return float((due - since) / timedelta(milliseconds=1))
    return float(CALENDAR.position(due) - CALENDAR.position(since))


def random_lives(settings: Settings) -> Iterator[Province]:
    """Yield some hundred random lives, written in several batches whose rows are not merged yet."""
    migrate(settings)
    client = Client.from_url(settings.clickhouse_url)
    for life in (FILING, FEEDBACK, DOCUMENT, MEETING):
        client.execute(f"SYSTEM STOP MERGES {current_table(life).name}")
    counter, lives, draw = (
        Counter(settings),
        Lives(client, settings.province),
        random.Random(7),
    )
    steps: dict[Kind, list[tuple[datetime, Event]]] = {
        FILING: sorted(_filings(draw), key=lambda one: one[0]),
        FEEDBACK: sorted(_reports(draw), key=lambda one: one[0]),
        DOCUMENT: sorted(_letters(draw), key=lambda one: one[0]),
        MEETING: [
            (
                BEGIN,
                Meeting(
                    agency="H57.VP",
                    meeting_id="HN-1",
                    title="Họp giao ban",
                    state=state,
                    starts_at=BEGIN,
                ),
            )
            for state in (MeetingState.SCHEDULED, MeetingState.LIVE)
        ],
    }
    for third in range(3):
        for kind, ones in steps.items():
            if batch := ones[third * len(ones) // 3 : (third + 1) * len(ones) // 3]:
                counter.count(kind, batch)
        lives.catch_up()
    assert client.execute("SELECT count() > uniqExact(entity_id) FROM current_filing") == [(1,)], (
        "old rows lie there too"
    )
    found = Province(client, settings)
    yield found
    found.connection.close()
    counter.close()
    client.disconnect()
