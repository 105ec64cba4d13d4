"""The table of alarms: read before every evaluation, written after it."""

from collections.abc import Iterable
from datetime import datetime

from schemas.clickhouse.rows import RowCodec
from schemas.clickhouse.watch_tables import ALARMS
from schemas.moments import ZONE, milliseconds
from streams.watch.engine import Alarm
from streams.worker.store import WorkerStore

ALARM_ROWS = RowCodec(table=ALARMS, of=Alarm)


def read(store: WorkerStore, at: datetime) -> list[Alarm]:
    """Return the alarms that are not cleared, and those evaluated at or after `at`.

    Raises:
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    rows = store.execute(
        f"SELECT {ALARM_ROWS.read_names} FROM {ALARMS.name} FINAL "
        f"WHERE cleared_at IS NULL OR evaluated_at >= fromUnixTimestamp64Milli(%(at)s, '{ZONE}')",
        {"at": milliseconds(at)},
    )
    return [ALARM_ROWS.read(row) for row in rows]


def write(store: WorkerStore, alarms: Iterable[Alarm]) -> None:
    """Write changed alarms; if they are written twice or by two watches, the later evaluation wins.

    Raises:
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    store.insert(ALARM_ROWS, list(alarms))
