"""A small honest round of the chaos that `make chaos` runs for minutes: the same scenarios, fewer rounds."""

import os
from functools import partial
from pathlib import Path

import pytest

from tests.chaos import kills, moves
from tests.chaos.settle import settle
from tests.chaos.system import System

pytestmark = pytest.mark.stack
SEED = int(os.environ.get("IOC_CHAOS_SEED", "1"))
SHORT = {
    "kills": partial(kills.at_random, rounds=2),
    "steps": partial(kills.at_every_step, steps=("in events", "windows feedback")),
    "zombie": partial(moves.zombies, rounds=1),
}


@pytest.mark.parametrize("name", SHORT)
def test_a_short_round_loses_and_doubles_nothing(name: str, tmp_path: Path) -> None:
    with System(tmp_path, f"{SEED}/{name}", print) as system:
        print(SHORT[name](system))
        print(settle(system))
