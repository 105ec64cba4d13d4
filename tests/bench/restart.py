"""How long a worker takes from its start to lag 0 when a million window values lie behind it,
against one that has no history.

The events that came while it was away are spread over the whole day before, so that every minute of
it has to be loaded.
"""

import time
from datetime import UTC, datetime, timedelta

from tests.bench.ground import Ground, Installation, follow
from tests.bench.load import Load
from tests.bench.peers import starts
from tests.bench.results import Details, Report, Result, met
from tests.running import wait_for, worker

AIM = 10.0
DAY = timedelta(days=1)


def measure(bench: Ground, report: Report) -> None:
    """Build the history with a worker, stop it, let new events arrive, start it.

    The same new events without history.
    """
    count, new = (120_000, 5_000) if bench.quick else (1_600_000, 20_000)
    start = datetime.now(UTC) - DAY
    away = Load(new, start, DAY, name="-new", repeated=0)
    old, fresh = bench.installation(), bench.installation()
    prefix = old.settings.topic_prefix
    bench.publish(prefix, Load(count, start, DAY, check_every=100), f"{count:,} filings of a day")
    with starts.worker_of(bench, old) as going:
        follow(bench, "a day of history", going, count)
    bench.publish(prefix, away, "what came meanwhile")
    bench.publish(fresh.settings.topic_prefix, away, "the same without history")
    client = old.client()
    windows = client.execute(
        "SELECT count() FROM windows_filing FINAL WHERE window_start > toDateTime(0)"
    )[0][0]
    client.disconnect()
    with_history, without = _to_lag_0(bench, old, count + new), _to_lag_0(bench, fresh, new)
    more = with_history - without
    report.results.append(
        Result(
            f"restart with {windows:,} open window rows to lag 0",
            "itself without history",
            f"{more:+.1f} s",
            f"≤ {AIM:.0f} s more",
            met(more, AIM, most=True),
        )
    )
    rows = (
        (f"with {windows:,} window rows, {count:,} raw rows", f"{with_history:.1f}"),
        ("without history", f"{without:.1f}"),
    )
    note = (
        f"{new:,} events wait, spread over the {DAY.total_seconds() / 60:,.0f} minutes of that "
        "day: all of it has to be loaded."
    )
    report.details.append(
        Details("Restart", ("from the start of the process to lag 0", "seconds"), rows, (note,))
    )


def _to_lag_0(bench: Ground, installation: Installation, total: int) -> float:
    task = bench.screen.add_task("restart", total=None)
    client = installation.client()
    began = time.monotonic()
    with worker(installation.environment, bench.folder("worker") / "log"):
        wait_for(lambda: client.execute(starts.CHECKPOINTS)[0][0] >= total, 300, "lag 0")
        seconds = time.monotonic() - began
    client.disconnect()
    bench.screen.remove_task(task)
    return seconds
