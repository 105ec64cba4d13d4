"""Three weeks of random steps, alarms and refusals, told to a database until a moment."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from clickhouse_driver import Client

from dashboard.query.snapshot import ProvinceContext
from schemas import places
from schemas.events.codes import (
    Channel,
    DocumentStatus,
    FeedbackStatus,
    FilingStatus,
    MeetingState,
    Priority,
)
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, INDICATOR, KINDS, MEETING, Kind
from schemas.events.payloads import Document, Event, Feedback, Filing, Indicator, Meeting
from schemas.reference import ZONE, calendar
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.lives import Lives
from streams.watch.alarm_store import write
from streams.watch.engine import Alarm
from streams.worker.store import WorkerStore
from tests.counting import Counter

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
