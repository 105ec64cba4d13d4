"""The table of replay runs: written as a run proceeds, read to list the runs."""

from clickhouse_driver import Client

from schemas.clickhouse.replays import RUN_ROWS, ReplayRun, runs


def write(client: Client, run: ReplayRun) -> None:
    """Store the state of a run.

    Raises:
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    client.execute(RUN_ROWS.insert, [RUN_ROWS.row(run)], settings={"async_insert": 0})


def read(client: Client, name: str = "") -> list[ReplayRun]:
    """Return the runs that are not removed, newest first: all, or the one with this name.

    Raises:
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    return [ReplayRun.of(row) for row in client.execute(runs(name))]


def reason(error: Exception) -> str:
    """Return why a run failed, as one line of at most 500 characters."""
    return " ".join(str(error).split())[:500] or type(error).__name__
