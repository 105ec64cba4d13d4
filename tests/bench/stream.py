"""How many events per second one worker takes from Kafka into ClickHouse, and its memory."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clickhouse_driver import Client
from rich.table import Table

from ingest.producer import Producer
from ingest.topics import ensure
from schemas.codes import Channel, FilingStatus
from schemas.events import Filing
from schemas.kinds import FILING
from schemas.settings import Settings
from stack import control
from streams.migrate import migrate
from tests.conftest import isolated
from tests.running import wait_for, worker


def measure(stack: control.Addresses, home: Path, quick: bool) -> Table:
    """Fill the topic, then start a worker and wait until all is counted."""
    home.mkdir(parents=True)
    environment = isolated(stack, home)
    settings = Settings(**{name.removeprefix("IOC_").lower(): value for name, value in environment.items()})  # type: ignore[arg-type]
    migrate(settings)
    ensure(settings)
    count = 50_000 if quick else 300_000
    start = datetime.now(UTC) - timedelta(hours=1)
    with Producer(settings) as producer:
        for number in range(count):
            at = start + timedelta(seconds=3600 * number / count)
            filing = Filing(
                agency=f"H57.{number % 40}",
                commune=str(number % 40),
                filing_id=f"F{number // 4}",
                procedure=f"1.{number % 7}",
                status=FilingStatus(1 + number % 10),
                channel=Channel(1 + number % 3),
                registered_at=at,
            )
            producer.send(FILING, filing, id=str(number), source="/bench", time=at)
        producer.flush()
    client = Client.from_url(settings.clickhouse_url)
    # Counted by the checkpoints: raw rows alone are not done.
    counted = "SELECT sum(o + 1) FROM (SELECT max(last_offset) AS o FROM windows_filing WHERE window_start = 0 GROUP BY partition)"
    with worker(environment, home / "worker.log") as running:
        wait_for(lambda: client.execute(counted)[0][0] > 0, what="the first chunk")
        first, began = client.execute(counted)[0][0], time.monotonic()
        wait_for(lambda: client.execute(counted)[0][0] == count, 300, "all events")
        rate = (count - first) / (time.monotonic() - began)
        peak = next(
            line.split()[1]
            for line in Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
            if line.startswith("VmHWM")
        )
    client.disconnect()
    table = Table(
        "Kafka → validated, deduplicated raw rows + windows", "events", "events/s", "peak memory of the worker", title="stream"
    )
    table.add_row("one worker", f"{count:,}", f"{rate:,.0f}", f"{int(peak) // 1024} MB")
    return table
