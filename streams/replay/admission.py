"""Admit a replay run: check the free disk space, and queue the run until others have ended.

Each run is a process of its own, started by a dashboard or by hand. A run that waits says so in the
table of runs; runs proceed in the order in which they were started. A waiting process that was
killed is detected in the same way as a running one.
"""

import asyncio
import logging

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from schemas.clickhouse.replays import (
    MAX_RUNNING,
    ReplayRun,
    RunState,
    is_asked_to_stop,
    needed_bytes,
    room,
)
from streams.replay import run_store

POLL_INTERVAL_SECONDS = 1.0
"""Seconds between two checks of the queue."""
HEARTBEAT_SECONDS = 10.0
"""Seconds between two rows by which a waiting run says that it is still waiting."""
log = logging.getLogger(__name__)


class DiskSpaceError(ValueError):
    """Raised if there is not enough free disk space for a run; the message has the numbers."""


class StoppedError(Exception):
    """Raised if a waiting run was asked to stop."""


def require_disk_space(client: Client, events: int) -> None:
    """Check that the disk has room for replaying so many events.

    If ClickHouse does not report its disks, this logs a warning and returns.

    Args:
        client: A connection to the live database.
        events: The number of events to replay.

    Raises:
        DiskSpaceError: If the disk has not enough free space.
    """
    try:
        ((taken, known, free),) = client.execute(room())
    except ServerException as error:
        log.warning("free disk space is unknown: %s", " ".join(str(error).split())[:200])
        return
    if free < (needed := needed_bytes(events, taken, known)):
        raise DiskSpaceError(
            f"There is not enough free disk space: the run needs about {_gb(needed)}, "
            f"{_gb(free)} are free."
        )


async def wait(client: Client, mine: ReplayRun) -> bool:
    """Wait until it is this run's turn; its stored state is `queued` meanwhile.

    Args:
        client: A connection to the live database.
        mine: The run that waits.

    Returns:
        Whether the run had to wait.

    Raises:
        StoppedError: If the run was asked to stop.
    """
    # The state is stored before the first look, too: of two runs that start at once, the later must
    # see the other.
    run_store.write(client, mine.now(state=RunState.QUEUED))
    stored_at, waited = asyncio.get_running_loop().time(), False
    while not _is_next(run_store.read(client), mine):
        waited = True
        now = asyncio.get_running_loop().time()
        if now - stored_at > HEARTBEAT_SECONDS:
            run_store.write(client, mine.now(state=RunState.QUEUED))
            stored_at = now
        _check_for_stop(client, mine)
        await asyncio.sleep(POLL_INTERVAL_SECONDS)
    _check_for_stop(client, mine)
    return waited


def _check_for_stop(client: Client, mine: ReplayRun) -> None:
    if client.execute(is_asked_to_stop(mine))[0][0]:
        raise StoppedError


def _is_next(runs: list[ReplayRun], mine: ReplayRun) -> bool:
    others = [one for one in runs if one.name != mine.name]
    ahead = [
        one
        for one in others
        if one.state is RunState.QUEUED and (one.begun_at, one.name) < (mine.begun_at, mine.name)
    ]
    return sum(one.state is RunState.RUNNING for one in others) + len(ahead) < MAX_RUNNING


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
