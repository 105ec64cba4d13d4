"""Records as browser tests send them: of one commune, with what a test says of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas import places
from schemas.events.codes import Channel, FeedbackStatus, FilingStatus
from schemas.events.payloads import Feedback, Filing

COMMUNE = places.communes("46")[5]


def filing(number: str, **changes: Any) -> Filing:
    """Return one that was registered now."""
    said: dict[str, Any] = {
        "status": FilingStatus.REGISTERED,
        "registered_at": datetime.now(UTC),
    } | changes
    return Filing(
        agency=f"H57.{COMMUNE.code}",
        commune=COMMUNE.code,
        filing_id=number,
        procedure="1.005129",
        channel=Channel.ONLINE,
        **said,
    )


def overdue_filing(number: str) -> Filing:
    """Return one that is worked on since a month and was due twenty days ago."""
    now = datetime.now(UTC)
    long_ago = {"registered_at": now - timedelta(days=30), "due_at": now - timedelta(days=20)}
    return filing(number, status=FilingStatus.PROCESSING, **long_ago)


def report(number: str) -> Feedback:
    """Return one that was made now, of water."""
    return Feedback(
        agency="H57.IOC",
        commune=COMMUNE.code,
        report_id=number,
        category="water",
        status=FeedbackStatus.RECEIVED,
        reported_at=datetime.now(UTC),
        lat=COMMUNE.lat,
        lon=COMMUNE.lon,
    )
