"""Before a run begins: it waits for its turn, and there has to be room for it on the disk.

Each run is a process of its own, begun by a dashboard or by hand. Those that wait say so in the table of the runs, and go on in
the order in which they came; a process that waits and is killed is found out as one that runs.
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

LOOK_SECONDS = 1.0
SAID_SECONDS = 10.0
"""How often one that waits says that it still does."""
log = logging.getLogger(__name__)


class DiskSpaceError(ValueError):
    """There is not enough free disk for a run; the message says how much it takes."""


class StoppedError(Exception):
    """Somebody asked a run to stop that waited."""


def require_disk_space(client: Client, events: int) -> None:
    """Raises `DiskSpaceError` where so many events cannot be sent again. Says nothing where ClickHouse does not tell its disks."""
    try:
        ((taken, known, free),) = client.execute(room())
    except ServerException as error:
        log.warning("the free disk cannot be looked at: %s", " ".join(str(error).split())[:200])
        return
    if free < (needed := needed_bytes(events, taken, known)):
        raise DiskSpaceError(
            f"There is not enough free disk: the run takes about {_gb(needed)}, {_gb(free)} are free."
        )


async def wait(client: Client, mine: ReplayRun) -> bool:
    """Wait until it is this run's turn; whether it had to. Raises `StoppedError`.

    While it waits its state is kept as `queued`.
    """
    # Said before the first look, too: of two that begin at once the later one must see the other.
    run_store.write(client, mine.now(state=RunState.QUEUED))
    said, waited = asyncio.get_running_loop().time(), False
    while not _is_next(run_store.read(client), mine):
        waited = True
        now = asyncio.get_running_loop().time()
        if now - said > SAID_SECONDS:
            run_store.write(client, mine.now(state=RunState.QUEUED))
            said = now
        _must_not_be_stopped(client, mine)
        await asyncio.sleep(LOOK_SECONDS)
    _must_not_be_stopped(client, mine)
    return waited


def _must_not_be_stopped(client: Client, mine: ReplayRun) -> None:
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
