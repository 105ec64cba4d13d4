"""A busy worker's threads share a core while it has room, and whoever says where they may run is
obeyed.
"""

import os
import subprocess
import sys

import pytest

from streams.worker.cores import should_share_core

LINUX = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="this system does not say where threads run"
)
TWO = pytest.mark.skipif(
    len(getattr(os, "sched_getaffinity", lambda _: ())(0)) < 2, reason="there is one core"
)
PROGRAM = """
import os, threading
from pathlib import Path
from streams.worker.cores import Cores

def where():
    return [os.sched_getaffinity(int(thread.name)) for thread in Path("/proc/self/task").iterdir()]

for _ in range(3):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
every, cores = os.sched_getaffinity(0), Cores()
"""


@pytest.mark.parametrize(
    ("ran", "waited", "together"),
    [
        (0.98, 0.7, True),  # One worker alone on a core, at full load.
        (0.97, 0.3, True),  # The same, loose on two.
        (0.5, 0.75, False),  # Two at full load on one core.
        (0.2, 0.0, False),  # Little to do.
        (0.0, 0.0, False),
    ],
)
def test_threads_are_together_while_one_core_has_room_for_them(
    ran: float, waited: float, together: bool
) -> None:
    assert should_share_core(ran, waited) is together


def run(program: str) -> None:
    """In a process of its own, whose threads may be moved about."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@LINUX
@TWO
def test_all_threads_are_held_to_one_core_and_let_loose_again() -> None:
    run(
        """
cores.pin(True)
(core,) = os.sched_getaffinity(0)
assert where() == [{core}] * 4, where()
cores.pin(True)
assert where() == [{core}] * 4, where()
cores.pin(False)
assert where() == [every] * 4, where()
"""
    )


@LINUX
@TWO
def test_who_says_on_which_cores_a_process_may_run_is_obeyed() -> None:
    run(
        """
cores.pin(True)
one = max(every - os.sched_getaffinity(0))
for thread in Path("/proc/self/task").iterdir():
    os.sched_setaffinity(int(thread.name), {one})
for together in (False, True, False):
    cores.pin(together)
    assert where() == [{one}] * 4, where()
cores.update()
assert where() == [{one}] * 4, where()
"""
    )


@LINUX
@TWO
def test_where_figures_end_while_threads_are_held_they_are_let_loose_for_good() -> None:
    run(
        """
from streams.worker import cores as module

cores.pin(True)

def missing():
    raise OSError("no schedstat")

module._waits = missing
cores.update()
assert where() == [every] * 4, where()
cores.update()
assert where() == [every] * 4, where()
"""
    )
