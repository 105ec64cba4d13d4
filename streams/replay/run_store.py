"""The runs that there were: written as they go on, read by whoever lists them."""

from clickhouse_driver import Client

from schemas.clickhouse.replays import RUN_ROWS, ReplayRun, runs


def write(client: Client, run: ReplayRun) -> None:
    """Keep how a run stands. Raises clickhouse-driver's errors."""
    client.execute(RUN_ROWS.insert, [run.row], settings={"async_insert": 0})


def read(client: Client, name: str = "") -> list[ReplayRun]:
    """Runs that are not removed, the newest first: all, or that of a name. Raises clickhouse-driver's errors."""
    return [ReplayRun.of(row) for row in client.execute(runs(name))]
