"""Received reports, written as a worker would."""

from datetime import UTC, datetime
from typing import Any

from clickhouse_driver import Client

NOW = datetime.now(UTC).replace(microsecond=0)
ONE, TWO = "19753", "19774"


def reports(
    database: Client,
    count: int,
    commune: str = ONE,
    category: str = "water",
    at: datetime = NOW,
    **columns: Any,
) -> None:
    """Write received reports as a worker would: their events and their windows."""
    begun = database.execute("SELECT count() FROM events_feedback")[0][0]
    names = (
        "event_id",
        "entity_id",
        "occurred_at",
        "received_at",
        "agency",
        "commune",
        "category",
        "status",
        "identity",
        "offset",
    )
    rows = [
        {
            **dict(
                zip(
                    names,
                    (str(n), str(n), at, at, "H57.IOC", commune, category, "received", n, n),
                    strict=True,
                )
            ),
            **columns,
        }
        for n in range(begun, begun + count)
    ]
    database.execute(f"INSERT INTO events_feedback ({', '.join(rows[0])}) VALUES", rows)
    database.execute(
        "INSERT INTO windows_feedback (window_start, partition, agency, commune, category, "
        "received, last_offset) VALUES",
        [(at.replace(second=0), 0, "H57.IOC", commune, category, count, begun + count)],
    )
