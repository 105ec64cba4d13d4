"""The table of alarms: what is open, read before every look; what changed, written after it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from schemas.clickhouse.watch_tables import ALARMS
from schemas.moments import ZONE, milliseconds
from streams.watch.engine import Alarm
from streams.worker.store import WorkerStore

NAMES = tuple(column.name for column in ALARMS.columns if column.name != "version")


def known(store: WorkerStore, at: datetime) -> list[Alarm]:
    """The alarms that are open or begin, and those evaluated at or after `at`."""
    rows = store.execute(
        f"SELECT {', '.join(NAMES)} FROM {ALARMS.name} FINAL "
        f"WHERE cleared_at IS NULL OR evaluated_at >= fromUnixTimestamp64Milli(%(at)s, '{ZONE}')",
        {"at": milliseconds(at)},
    )
    return [_alarm(row) for row in rows]


def _alarm(row: tuple[Any, ...]) -> Alarm:
    values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in row]
    return Alarm(*values)


def write(store: WorkerStore, alarms: Iterable[Alarm]) -> None:
    """Keep what changed; written twice, late, or by two watches, the later evaluation holds."""
    rows = [(*(_plain(getattr(one, name)) for name in NAMES), one.version) for one in alarms]
    if rows:
        store.write_alarms(rows)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return milliseconds(value)
    return list(value) if isinstance(value, tuple) else value
