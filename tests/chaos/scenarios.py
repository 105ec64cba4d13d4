"""Every scenario by name, and how one is run.

A system of its own, its chaos, then the comparison.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.chaos import bombs, kills, moves, outages, transactions
from tests.chaos.settle import Settled, settle
from tests.chaos.system import System

Say = Callable[[str], None]


@dataclass(frozen=True)
class Scenario:
    """One kind of chaos; `run` and `quick` do it and say what was done."""

    title: str
    run: Callable[[System], str]
    quick: Callable[[System], str]
    gateways: int = 1


SCENARIOS = {
    "kills": Scenario(
        "kill -9 at random moments of worker, gateway, import, Kafka and ClickHouse, one at a "
        "time and together",
        partial(kills.at_random, rounds=12),
        partial(kills.at_random, rounds=4),
    ),
    "steps": Scenario(
        "kill -9 of a worker at every step of the order of work",
        partial(kills.at_every_step),
        partial(
            kills.at_every_step, steps=("take", "in events", "events meeting", "windows feedback")
        ),
    ),
    "rolling": Scenario(
        "SIGTERM and rolling restarts of two workers and two gateways under load",
        partial(moves.rolling, rounds=6),
        partial(moves.rolling, rounds=2),
        gateways=2,
    ),
    "zombies": Scenario(
        "SIGSTOP of a worker in mid-batch past its session, another takes over, SIGCONT",
        partial(moves.zombies, rounds=5),
        partial(moves.zombies, rounds=2),
    ),
    "storm": Scenario(
        "two to four workers joining, leaving, killed and frozen: a rebalance storm",
        partial(moves.storm, seconds=60),
        partial(moves.storm, seconds=20),
    ),
    "clickhouse": Scenario(
        "ClickHouse away for minutes, killed and then frozen",
        partial(outages.without_clickhouse, seconds=125, frozen_seconds=50),
        partial(outages.without_clickhouse, seconds=15, frozen_seconds=0),
    ),
    "kafka": Scenario(
        "Kafka away, killed and then frozen",
        partial(outages.without_kafka, seconds=(30.0, 20.0)),
        partial(outages.without_kafka, seconds=(12.0,)),
        gateways=2,
    ),
    "partitions": Scenario(
        "more partitions declared for every topic while events flow and old ones are resent",
        partial(moves.more_partitions, counts=(6, 7)),
        partial(moves.more_partitions, counts=(6,)),
        gateways=2,
    ),
    "transactions": Scenario(
        "senders that commit and abort transactions, one that hangs open, a worker killed "
        "meanwhile",
        partial(transactions.transactions, seconds=60),
        partial(transactions.transactions, seconds=12),
    ),
    "bombs": Scenario(
        "slow senders and hostile requests at the gateway beside agencies: memory flat",
        partial(bombs.bombs, seconds=90),
        partial(bombs.bombs, seconds=20),
    ),
}


@dataclass(frozen=True)
class Result:
    """What a scenario came to: `settled` with all equal to the ledger, or the failure."""

    name: str
    seconds: float
    done: str = ""
    settled: Settled | None = None
    failure: str = ""


def run(name: str, seed: int, quick: bool, say: Say, home: Path | None = None) -> Result:
    """Run one scenario under a seed.

    Never raises for what went wrong: the result says it, and where the logs are.
    """
    scenario = SCENARIOS[name]
    folder = home or Path(tempfile.mkdtemp(prefix=f"ioc-chaos-{name}-"))
    began = time.monotonic()
    try:
        with System(folder, f"{seed}/{name}", say, scenario.gateways) as system:
            done = (scenario.quick if quick else scenario.run)(system)
            settled = settle(system)
    except Exception as error:
        return Result(
            name,
            time.monotonic() - began,
            failure=f"{type(error).__name__}: {error}\nlogs: {folder}",
        )
    return Result(name, time.monotonic() - began, done, settled)
