"""Moments pictured by default: when severe alarms were raised, and how the period ended."""

from datetime import datetime, timedelta

from dashboard.query.alarms import AlarmStore
from dashboard.query.connection import Connection

GRAVE = 2
MAX_MARKED = 6


def marked(connection: Connection, since: datetime, until: datetime) -> list[datetime]:
    """Return the moments in order.

    Raises:
        dashboard.query.connection.UnreachableError: ClickHouse does not answer.
    """
    rows = AlarmStore(connection).history(since, until)
    raised = sorted(
        (row["priority"], row["raised_at"])
        for row in rows
        if row["priority"] <= GRAVE and row["raised_at"] >= since
    )
    grave = {at + timedelta(seconds=1) for _, at in raised[: MAX_MARKED - 1]}
    return sorted({*(at for at in grave if at < until), until - timedelta(seconds=1)})
