"""A day of Huế that was counted live, and what is asked of it and of its runs."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from clickhouse_driver import Client

from ingest import topics
from ingest.producer import Producer
from ingest.simulator import World
from schemas.clickhouse.replays import ReplayRun, RunState
from schemas.clickhouse.sql import database
from schemas.clickhouse.tables import state_table, windows_table
from schemas.events.codes import FeedbackStatus
from schemas.events.envelope import write
from schemas.events.kinds import FEEDBACK, FILING, KINDS, Kind
from schemas.events.payloads import Feedback
from schemas.moments import milliseconds
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.admin.period import parse
from streams.replay import run_store
from streams.replay.sandbox import remove
from tests.running import command, wait_for, worker
from tests.simulated import backfill

END = datetime(2026, 11, 10, 17, tzinfo=UTC)
"""Midnight in Viet Nam."""
START = END - timedelta(days=1)
DAY = parse("2026-11-10", "2026-11-11")
DAY_MS = 86_400_000


@dataclass
class Live:
    """A day of Huế that was counted, with repeats, a conflict, what no event can be, and what came
    a day late.
    """

    settings: Settings
    environment: dict[str, str]
    client: Client

    def windows(self, where: Settings | None = None) -> dict[str, list[Any]]:
        """Return all windows of the day; Kafka's partitions and offsets left out."""
        return {kind.name: self._rows(where, kind) for kind in KINDS}

    def _rows(self, where: Settings | None, kind: Kind) -> list[Any]:
        names = ", ".join(("window_start", *kind.dimensions))
        sums = ", ".join(f"sum(w.{one.name}) AS s_{one.name}" for one in kind.measures)
        table = f"{base(where or self.settings)}.{windows_table(kind).name}"
        return list(
            self.client.execute(
                f"SELECT {names}, {sums} FROM {table} AS w FINAL WHERE {DAY.windows} GROUP BY "
                f"{names} ORDER BY ALL"
            )
        )

    def states(self, where: Settings, kind: Kind) -> list[Any]:
        """Return the states of the entities whose events all lie in the day.

        Without offsets and what is made of them.
        """
        kept = [
            c.name
            for c in state_table(kind).columns
            if c.name not in ("offset", "version", "occurred_at")
        ]
        table, live = (
            f"{base(where)}.{state_table(kind).name}",
            f"{base(self.settings)}.events_{kind.name}",
        )
        only = f"SELECT entity_id FROM {live} GROUP BY entity_id HAVING min({DAY.events})"
        return list(
            self.client.execute(
                f"SELECT {', '.join(kept)} FROM {table} FINAL WHERE entity_id IN ({only}) ORDER BY "
                "entity_id"
            )
        )

    def replay(self, *arguments: str) -> str:
        """Return a command that succeeds, and what it says."""
        done = command(self.environment, "streams", "replay", *arguments)
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        return done.stdout.decode()

    def run(self, name: str) -> ReplayRun:
        """Return how a run stands."""
        (found,) = run_store.read(self.client, name)
        return found


def base(settings: Settings) -> str:
    """Return the database of an installation or a run, for SQL."""
    return f"`{database(settings.clickhouse_url)}`"


def counted_day(settings: Settings, environment: dict[str, str], log: Path) -> Iterator[Live]:
    """Yield a day that a worker counted, and remove all runs of it afterwards."""
    migrate(settings)
    topics.ensure(settings)
    ledger, _ = backfill(
        settings, World("46", 7, beginning=milliseconds(START) - DAY_MS), START, END
    )
    client = Client.from_url(settings.clickhouse_url)
    with Producer(settings) as producer:
        arrived = milliseconds(END) + DAY_MS
        for number, (id, status) in enumerate([("1", 0), ("1", 0), ("1", 1), ("2", 1), ("2", 1)]):
            late = Feedback(
                agency="H57.IOC",
                commune="19753",
                report_id=f"R{id}",
                category="water",
                status=list(FeedbackStatus)[status],
                reported_at=START,
                reporter="Nguyễn Thị Mẫu, 0900000000",
            )
            value = write(FEEDBACK, late, id=id, source="/late", time=START + timedelta(hours=3))
            producer.send_record(FEEDBACK, late.report_id.encode(), value, arrived + number)
        producer.send_record(FILING, b"x", b'{"specversion":"1.0"', milliseconds(START) + 1000)
        producer.flush()
    with worker(environment, log):
        for kind in KINDS:
            good = ledger.good[kind.name] + (2 if kind is FEEDBACK else 0)
            wait_for(
                partial(has_counted, client, f"events_{kind.name} FINAL", good),
                what=f"all of {kind.name}",
            )
        wait_for(
            lambda: counted(client, "dead_letters") == sum(ledger.bad.values()) + 2,
            what="the dead letters",
        )
    assert sum(ledger.repeats.values()) > 0
    found = Live(settings, environment, client)
    yield found
    for one in run_store.read(client):
        asyncio.run(remove(settings, one.name))
    client.disconnect()


def counted_by(client: Client, question: str) -> int:
    ((count,),) = client.execute(question)
    return int(count)


def counted(client: Client, table: str) -> int:
    return counted_by(client, f"SELECT count() FROM {table}")


def has_counted(client: Client, table: str, count: int) -> bool:
    return counted(client, table) == count


def is_in(live: Live, name: str, state: RunState) -> bool:
    return live.run(name).state is state
