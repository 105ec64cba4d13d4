"""Three weeks of random reports, filings, documents and meetings for the map."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from schemas import places
from schemas.events.codes import Channel, DocumentStatus, FeedbackStatus, FilingStatus, MeetingState
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind
from schemas.events.payloads import Document, Event, Feedback, Filing, Meeting
from schemas.reference import ZONE

COMMUNES = places.communes("46")[:6]
NOW = datetime(2026, 11, 25, 11, 0, tzinfo=ZONE)
ONE, TWO = (one.code for one in COMMUNES[:2])
CATEGORIES = ("water", "traffic", "environment")


def events(dice: Random) -> Iterator[tuple[Kind, datetime, Event]]:
    """Yield reports, filings and documents of three weeks, each with a step or two.

    Some due before now.
    """

    def moment(most_days: float) -> datetime:
        return NOW - timedelta(minutes=dice.randrange(5, int(most_days * 1440)))

    def second(first: datetime) -> datetime:
        return first + (NOW - first) * dice.uniform(0.2, 0.9)

    for number in range(220):
        unit, at = dice.choice(COMMUNES), moment(20)
        usual: dict[str, Any] = {
            "agency": f"H57.{unit.code}.UB",
            "commune": unit.code,
            "report_id": f"R{number}",
            "reported_at": at,
        }
        usual |= {
            "category": dice.choice(CATEGORIES),
            "due_at": at + timedelta(hours=dice.randrange(20, 400)),
        }
        if number % 11:
            usual |= {
                "lat": round(unit.lat + dice.gauss(0, 0.02), 5),
                "lon": round(unit.lon + dice.gauss(0, 0.02), 5),
            }
        yield FEEDBACK, at, Feedback(**usual, status=FeedbackStatus.ROUTED)
        if number % 3:
            yield (
                FEEDBACK,
                second(at),
                Feedback(
                    **usual,
                    status=dice.choice((FeedbackStatus.PUBLISHED, FeedbackStatus.PROCESSING)),
                ),
            )
    for number in range(90):
        unit, at = dice.choice(COMMUNES), moment(20)
        own: dict[str, Any] = {
            "agency": f"H57.{unit.code}",
            "commune": unit.code,
            "filing_id": f"F{number}",
            "procedure": "1.005129",
        }
        own |= {
            "channel": Channel.ONLINE,
            "registered_at": at,
            "due_at": at + timedelta(days=dice.randrange(2, 12)),
        }
        yield FILING, at, Filing(**own, status=FilingStatus.ACCEPTED)
        if number % 2:
            yield (
                FILING,
                second(at),
                Filing(**own, status=dice.choice((FilingStatus.FINISHED, FilingStatus.SUPPLEMENT))),
            )
    for number in range(120):
        unit, at = dice.choice(COMMUNES), moment(15)
        ends = dice.choice(
            (
                ("H57.VP", f"H57.{unit.code}.UB"),
                (f"H57.{unit.code}.UB", "H57.SYT"),
                ("H57.VP", "H57.SNV"),
            )
        )
        sent: dict[str, Any] = {
            "agency": ends[1],
            "commune": unit.code if ends[1].endswith(".UB") else "",
            "document_id": f"{ends[0]},{number}",
        }
        sent |= {
            "from_organ": ends[0],
            "to_organ": ends[1],
            "sent_at": at,
            "due_at": at + timedelta(days=dice.randrange(1, 9)),
        }
        yield DOCUMENT, at, Document(**sent, status=DocumentStatus.ARRIVED)
        if number % 4:
            yield (
                DOCUMENT,
                second(at),
                Document(
                    **sent, status=dice.choice((DocumentStatus.RECEIVED, DocumentStatus.DONE))
                ),
            )
    for number, hours in enumerate((-2, 3, 30)):
        meets = Meeting(
            agency="H57.VP",
            meeting_id=f"M{number}",
            title=f"Họp {number}",
            state=MeetingState.LIVE if hours < 0 else MeetingState.SCHEDULED,
            starts_at=NOW + timedelta(hours=hours),
            invited=[f"H57.{ONE}.UB", "H57.SYT"] if number < 2 else [f"H57.{TWO}.UB"],
        )
        yield MEETING, NOW - timedelta(hours=4), meets
