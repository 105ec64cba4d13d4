"""Processes that outlive their caller, and the certainty of which process a pid means.

A pid alone is not an identity: it is recycled. A `Process` is a pid with the moment that process began, and nothing here ever
signals a pid whose moment differs.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack import lines
from stack.lines import open_log, set_aside

ENDED = ("", "Z", "X")
WRITER_SECONDS = 10.0
"""For the last words of a process that ended to be in its log."""
_writers: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Process:
    """One run of one program. `began` is opaque: compare it only for equality."""

    pid: int
    began: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs. One that has ended and is our own child is reaped, its exit code is gone then."""
        state, began = _look(self.pid)
        if began != self.began:
            return False
        if state in ENDED:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, os.WNOHANG)
            return False
        return True

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


def process_of(pid: int) -> Process:
    """The process that has this pid now. If it has ended, the answer is a process that is not alive."""
    return Process(pid, _look(pid)[1])


def _look(pid: int) -> tuple[str, str]:
    """State and moment of birth, unique to this boot of the machine; empty when no process has this pid."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return "", ""
        # A leader that was killed is a zombie at once, while its threads may still hold ports and files: then it has not ended.
        state = "dying" if fields[0] in ENDED and int(fields[17]) > 1 else fields[0]
        return state, f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}/{fields[19]}"
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    return (shown[0][0], " ".join(shown[1:])) if shown else ("", "")


def start(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Process:
    """Starts a daemon as `spawn` does, for a caller that may end before it."""
    child = spawn(command, log, environment)
    # Its end is told by Process.alive, which reaps it; without this Popen warns when it is collected while the daemon runs.
    child.returncode = 0
    return process_of(child.pid)


def spawn(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    *,
    fresh: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a process in its own session (Ctrl-C in the caller's terminal misses it), without input, all output into `log`.

    A process of its own writes the log (`stack.lines`), so that each line has its time and the file its bounds; it ends with
    the last process that could say something. A fresh log sets the one of the run before aside; otherwise output is appended.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    wait_until(lambda: not _is_written(log), WRITER_SECONDS)
    if fresh:
        set_aside(log)
    output, said = os.pipe()
    try:
        _writers[:] = [
            writer for writer in _writers if writer.poll() is None
        ]  # ended ones are reaped
        line = [sys.executable, "-IS", lines.__file__, str(log), log.stem]
        with open_log(log) as file:
            _writers.append(
                subprocess.Popen(
                    line,
                    stdin=output,
                    stdout=file,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=environment,
            start_new_session=True,
        )
    finally:
        os.close(output)
        os.close(said)


def _is_written(log: Path) -> bool:
    """Whether the process that writes a log still does."""
    try:
        with log.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextlib.contextmanager
def one_at_a_time(file: Path, wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock file, whichever process asks; one that finds it held calls `wait` and waits."""
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Asks again and again, at most for `seconds`; returns the last answer."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return met


def tail(log: Path, count: int = 20, *, ended: bool = False) -> str:
    """The last lines of a log, empty when there is none. What has `ended` is given the time to have its last words written."""
    if ended:
        wait_until(lambda: not _is_written(log), WRITER_SECONDS)
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64 * 1024))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
    except FileNotFoundError:
        return ""
