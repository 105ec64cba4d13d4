"""Four simulated days of a province that a worker counted, with their raw events."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from clickhouse_driver import Client

from ingest import topics
from ingest.simulator import World, staging
from ingest.simulator.clock import DAY
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, Kind
from schemas.figures import FIGURES, Figure, Reading
from schemas.figures.questions import QueryMoment, question, readings
from schemas.moments import milliseconds
from schemas.reference import calendar
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.lives import Lives
from tests import second_way
from tests.running import wait_for, worker
from tests.simulated import backfill

END = datetime(2026, 11, 12, 3, tzinfo=UTC)
"""Thursday, ten in the morning in Huế."""
DAYS = timedelta(days=4)
CALENDAR = calendar("46")
KINDS = (FILING, FEEDBACK, DOCUMENT)


class Province:
    """The raw events of the module's database, and its answers."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client = client
        self.settings = settings
        self._raw: dict[Kind, list[dict[str, Any]]] = {}
        self._lives: dict[tuple[Kind, datetime], pd.DataFrame] = {}

    def raw(self, kind: Kind) -> list[dict[str, Any]]:
        if kind not in self._raw:
            self._raw[kind] = self.rows(kind)
        return self._raw[kind]

    def rows(self, kind: Kind) -> list[dict[str, Any]]:
        rows, columns = self.client.execute(
            f"SELECT * FROM events_{kind.name} FINAL", with_column_types=True
        )
        names = [name for name, _ in columns]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def lives(self, kind: Kind, at: datetime) -> pd.DataFrame:
        """Return the state of all at a moment, by pandas; computed once."""
        if (kind, at) not in self._lives:
            self._lives[kind, at] = second_way.lives(kind.name, self.raw(kind), CALENDAR, at)
        return self._lives[kind, at]

    def ask(
        self, kind: Kind, at: datetime, *by: str, past: bool, days: int = 3
    ) -> dict[tuple[str, ...], dict[str, Reading]]:
        asked = question(
            of(kind), QueryMoment.of(at, CALENDAR, timedelta(days=days)), by, past=past
        )
        return readings(of(kind), self.client.execute(asked.live), len(by))


def of(kind: Kind) -> list[Figure]:
    return [figure for figure in FIGURES if figure.kind is kind]


def counted_days(settings: Settings, environment: dict[str, str], log: Path) -> Iterator[Province]:
    """Yield four days of Huế with a storm and a silent agency, through Kafka and a worker."""
    migrate(settings)
    topics.ensure(settings)
    start = END - DAYS
    world = World("46", 7, beginning=milliseconds(start) - DAY)
    world = world.staging(*staging.past(world, milliseconds(END)))
    ledger, _ = backfill(settings, world, start, END)
    client = Client.from_url(settings.clickhouse_url)
    with worker(environment, log):
        for kind in KINDS:
            asked = f"SELECT count() FROM events_{kind.name} FINAL"
            wait_for(
                partial(is_counted, client, asked, ledger.good[kind.name]),
                what=f"all of {kind.name}",
            )
    Lives(client, "46").catch_up()
    yield Province(client, settings)
    client.disconnect()


def is_counted(client: Client, question: str, count: int) -> bool:
    return bool(client.execute(question)[0][0] == count)
