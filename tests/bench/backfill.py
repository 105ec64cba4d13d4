"""A backfill of a year's events by one worker, against ClickHouse copying the same raw rows with
INSERT … SELECT.
"""

import time
from datetime import UTC, datetime, timedelta

from clickhouse_driver import Client

from schemas.clickhouse.tables import events_table
from schemas.events.kinds import FILING
from tests.bench.ground import Ground, follow
from tests.bench.load import Load
from tests.bench.machine import Processes, thread_seconds
from tests.bench.peers import starts
from tests.bench.results import Details, Report, Result

MOST_SECONDS = 90
"""So long it is watched.

Its rate changes little, and all of the benches have to end within 20 minutes.
"""
INSERTING = "SELECT sum(value) / 1e6 FROM system.events WHERE event = 'InsertQueryTimeMicroseconds'"


def measure(bench: Ground, report: Report) -> None:
    """Have one worker process everything, then ClickHouse copy what it wrote."""
    count = 300_000 if bench.quick else 10_000_000
    installation = bench.installation()
    prefix = installation.settings.topic_prefix
    span = timedelta(days=365)
    bench.publish(
        prefix,
        Load(count, datetime.now(UTC) - span, span, check_every=100),
        f"{count:,} filings of a year",
    )
    client = installation.client()
    with starts.worker_of(bench, installation) as going:
        pid = going.pids["worker"]
        seen: list[tuple[dict[str, float], float]] = []
        course = follow(
            bench,
            f"backfill of {count:,}",
            going,
            count,
            seconds=MOST_SECONDS,
            each=lambda: seen.append((thread_seconds(pid), client.execute(INSERTING)[0][0])),
        )
        (threads, inserting), (threads_after, inserting_after) = seen[0], seen[-1]
    rows, seconds, cpu = _copy(bench, client)
    windows = client.execute("SELECT count() FROM windows_filing FINAL")[0][0]
    client.disconnect()
    rate = rows / seconds
    report.results.append(
        Result(
            f"backfill of {count:,} events across a year, watched for {MOST_SECONDS} s at most: "
            f"{course.events:,} of them",
            "ClickHouse INSERT … SELECT of the same raw rows",
            f"{rate / course.rate:.1f} times as long ({course.rate:,.0f} against {rate:,.0f} "
            "events/s)",
            "report",
            None,
        )
    )
    used = {name: threads_after.get(name, 0.0) - threads.get(name, 0.0) for name in threads_after}
    share = {
        "event loop: handing over, acknowledging": used["main"],
        "threads: fetching from Kafka; decoding, validating, judging, folding, encoding": used[
            "others"
        ],
        "ClickHouse at work on inserts": inserting_after - inserting,
    }
    peak = max(sample.memory for sample in course.samples)
    report.details.append(
        Details(
            "Where a backfill spends its time",
            ("part", "seconds", "of the whole"),
            (
                ("from first event to last", f"{course.seconds:.1f}", f"{course.events:,} events"),
                *(
                    (name, f"{value:.1f}", f"{value / course.seconds:.0%}")
                    for name, value in share.items()
                ),
                (
                    "CPU of ClickHouse, merges included",
                    f"{course.cpu['clickhouse']:.1f}",
                    f"{course.cpu['clickhouse'] / course.seconds:.0%}",
                ),
                (
                    "CPU of Kafka",
                    f"{course.cpu['kafka']:.1f}",
                    f"{course.cpu['kafka'] / course.seconds:.0%}",
                ),
                (
                    "INSERT … SELECT of the raw rows",
                    f"{seconds:.1f}",
                    f"{cpu:.1f} CPU s, {rows:,} rows",
                ),
            ),
            (
                f"The worker wrote {rows:,} raw rows and {windows:,} window values, entity states "
                "and freshness; it held at most "
                f"{peak:.0f} MB. Event loop and threads are of one Python process and take turns.",
            ),
        )
    )


def _copy(bench: Ground, client: Client) -> tuple[int, float, float]:
    """Return rows, seconds and CPU seconds of ClickHouse for a copy of the raw rows into a table of
    the same form.
    """
    table = events_table(FILING).name
    client.execute(f"CREATE TABLE copied AS {table}")
    task = bench.screen.add_task("INSERT … SELECT", total=None)
    processes = Processes(bench.servers)
    processes.start()
    began = time.monotonic()
    client.execute(f"INSERT INTO copied SELECT * FROM {table}")
    seconds = time.monotonic() - began
    cpu = processes.used()["clickhouse"]
    bench.screen.remove_task(task)
    return client.execute("SELECT count() FROM copied")[0][0], seconds, cpu
