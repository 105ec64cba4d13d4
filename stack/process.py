"""Processes that outlive their caller, and the certainty of which process a pid means.

A pid alone is not an identity: it is recycled. A `Process` is a pid with the moment that process began, and nothing here ever
signals a pid whose moment differs.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One run of one program. `began` is opaque: compare it only for equality."""

    pid: int
    began: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return moment_of(self.pid) == self.began

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process and its group; nothing happens when it has ended."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def stop(self, seconds: float) -> bool:
        """Asks the process to end, kills it after `seconds`. Returns whether it ended by itself."""
        self.signal(signal.SIGTERM)
        if wait_until(lambda: not self.alive, seconds):
            return True
        self.signal(signal.SIGKILL)
        wait_until(lambda: not self.alive, 10)
        return False


def moment_of(pid: int) -> str | None:
    """When the process with this pid began, on this boot of the machine; None when there is none or only its zombie is left."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # reap it if it was our own child
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return None if fields[0] in "ZX" else f"{boot}/{fields[19]}"
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    return None if not shown or shown[0].startswith("Z") else " ".join(shown[1:])


def start(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Process:
    """Starts a daemon: its own session (Ctrl-C in the caller's terminal misses it), no input, all output into `log`.

    The log of the run before is kept beside it as `NAME.log.1`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_name(log.name + ".1"))
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    # Its end is told by moment_of, which reaps it; without this Popen warns when it is collected while the daemon runs.
    child.returncode = 0
    return Process(child.pid, moment_of(child.pid) or "ended at once")


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Asks again and again, at most for `seconds`; returns the last answer."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return met


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log, empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64 * 1024))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
