"""A small honest round of the chaos that `make chaos` runs for minutes.

Fewer blows, all on one system.
"""

import os
from pathlib import Path

import pytest

from tests.chaos import bombs, kills, moves, transactions
from tests.chaos.settle import settle
from tests.chaos.system import System


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_a_short_round_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with System(tmp_path, os.environ.get("IOC_CHAOS_SEED", "1"), print) as system:
        print(kills.at_random(system, rounds=2))
        system.workers[0].kill()
        print(kills.at_every_step(system, steps=("in events", "windows feedback")))
        system.workers[0].kill()
        print(moves.zombies(system, rounds=1))
        for worker in system.running().values():
            worker.kill()
        print(transactions.transactions(system, seconds=4))
        system.workers[0].kill()
        print(bombs.bombs(system, seconds=8))
        print(settle(system))
