"""Counted reports, and statements that make their windows and states wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_driver import Client

from schemas.events.codes import FeedbackStatus
from schemas.events.envelope import Reader, write
from schemas.events.kinds import FEEDBACK
from schemas.events.payloads import Feedback
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.admin.period import parse
from streams.worker.batch import write as write_batch
from streams.worker.engine import Engine
from streams.worker.store import WorkerStore
from tests.records import Record
from tests.sealing import SEALER

NOON = datetime(2026, 11, 2, 5, tzinfo=UTC)
DAY = parse("2026-11-02", "2026-11-03")
LAST = "(SELECT max(last_offset) FROM windows_feedback)"


def report(number: int, time: datetime, id: str | None = None) -> tuple[Feedback, dict[str, Any]]:
    event = Feedback(
        agency="H57.IOC",
        commune=f"{19660 + number % 3}",
        report_id=f"R{number % 20}",
        category="traffic",
        status=list(FeedbackStatus)[number % 8],
        reported_at=time,
    )
    return event, {"id": id or str(number), "source": "/test", "time": time}


def counted_reports(settings: Settings) -> Iterator[Client]:
    """Yield a database in which an engine has counted 300 reports of two hours in partition 0."""
    migrate(settings)
    client = Client.from_url(settings.clickhouse_url)
    records = []
    for number in range(300):
        event, said = report(number, NOON + timedelta(seconds=number * 24))
        records.append(Record(number, 0, event.report_id.encode(), write(FEEDBACK, event, **said)))
    store = WorkerStore(settings.clickhouse_url)
    engine = Engine(store, settings.topic_prefix, Reader(), SEALER)
    write_batch(store, engine.take([(FEEDBACK, 0, records)]))
    store.close()
    yield client
    client.disconnect()


def change(client: Client, statement: str) -> None:
    client.execute(statement, settings={"mutations_sync": 1})


def windows(client: Client) -> list[tuple[Any, ...]]:
    """Return all windows but for the offsets up to which they hold: that is new after a rebuild."""
    names = "window_start, partition, agency, commune, category, steps, received, verified, routed"
    return list(client.execute(f"SELECT {names} FROM windows_feedback FINAL ORDER BY ALL"))


WRONG_WINDOWS = {
    "a wrong value": (
        "ALTER TABLE windows_feedback UPDATE received = 7 WHERE commune = '19660' AND steps > 0",
        "must be",
    ),
    "a wrong value of the newest offset": (
        "INSERT INTO windows_feedback (window_start, commune, agency, category, steps, "
        "last_offset) "
        f"SELECT window_start, commune, agency, category, 9, {LAST} FROM windows_feedback WHERE "
        "steps > 0 LIMIT 1",
        "steps is 9, must be",
    ),
    "a missing window": (
        "ALTER TABLE windows_feedback DELETE WHERE commune = '19661'",
        "counted, not stored",
    ),
    "all missing but the checkpoint": (
        "ALTER TABLE windows_feedback DELETE WHERE steps > 0",
        "counted, not stored",
    ),
    "a ghost": (
        "INSERT INTO windows_feedback (window_start, agency, commune, category, steps, "
        "last_offset) "
        "VALUES (toDateTime('2026-11-02 20:00:00', 'Asia/Ho_Chi_Minh'), 'x', 'y', 'z', 1, 5)",
        "stored, not counted",
    ),
    "an empty ghost": (
        "INSERT INTO windows_feedback (window_start, agency, commune, category, last_offset) "
        "VALUES (toDateTime('2026-11-02 20:00:00', 'Asia/Ho_Chi_Minh'), 'x', 'y', 'z', 5)",
        "stored, not counted",
    ),
    "a window beyond the checkpoint": (
        "INSERT INTO windows_feedback (window_start, agency, commune, category, steps, "
        "last_offset) "
        "SELECT window_start, agency, commune, category, 9, 999999 FROM windows_feedback WHERE "
        "commune = '19662' LIMIT 1",
        "beyond the checkpoint",
    ),
    "a ghost where nothing was ever counted": (
        "INSERT INTO windows_feedback (window_start, partition, agency, commune, category, steps, "
        "last_offset) "
        "VALUES (toDateTime('2026-11-02 20:00:00', 'Asia/Ho_Chi_Minh'), 3, 'x', 'y', 'z', 1, 0)",
        "beyond the checkpoint",
    ),
}


WRONG_STATES = {
    "changed": (
        "ALTER TABLE state_feedback UPDATE address = 'elsewhere' WHERE entity_id = 'R7'",
        "not what its newest step says",
    ),
    "missing": (
        "ALTER TABLE state_feedback DELETE WHERE entity_id = 'R7'",
        "newest step, not stored",
    ),
    "of no event": (
        "INSERT INTO state_feedback SELECT * REPLACE (version + 1 AS version) FROM state_feedback "
        "FINAL WHERE entity_id = 'R7'",
        "not the newest step",
    ),
    "of no entity": (
        "INSERT INTO state_feedback SELECT * REPLACE ('it''s' AS entity_id) FROM state_feedback "
        "FINAL LIMIT 1",
        "not the newest step",
    ),
}
