"""The table of alarms: what is open, read before every look; what changed, written after it."""

from collections.abc import Iterable
from datetime import datetime

from schemas.clickhouse.rows import RowCodec
from schemas.clickhouse.watch_tables import ALARMS
from schemas.moments import ZONE, milliseconds
from streams.watch.engine import Alarm
from streams.worker.store import WorkerStore

ALARM_ROWS = RowCodec(table=ALARMS, of=Alarm)


def known(store: WorkerStore, at: datetime) -> list[Alarm]:
    """The alarms that are open or begin, and those evaluated at or after `at`."""
    rows = store.execute(
        f"SELECT {ALARM_ROWS.read_names} FROM {ALARMS.name} FINAL "
        f"WHERE cleared_at IS NULL OR evaluated_at >= fromUnixTimestamp64Milli(%(at)s, '{ZONE}')",
        {"at": milliseconds(at)},
    )
    return [ALARM_ROWS.read(row) for row in rows]


def write(store: WorkerStore, alarms: Iterable[Alarm]) -> None:
    """Keep what changed; written twice, late, or by two watches, the later evaluation holds."""
    store.insert(ALARM_ROWS, list(alarms))
