"""Run processes that outlive their caller, and never mistake another process for one of them.

A pid alone is not an identity: it is recycled. A `Process` is a pid with the moment at which that
process began, and nothing here ever signals a pid whose moment differs.
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
from stack.lines import open_log, rotate

ENDED = ("", "Z", "X")
WRITER_SECONDS = 10.0
"""Seconds to wait until the last output of an ended process is in its log."""
_writers: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Process:
    """One run of one program. `began` is opaque: compare it only for equality."""

    pid: int
    began: str

    @property
    def alive(self) -> bool:
        """Return whether this very process still runs.

        An ended child of our own is reaped; its exit code is lost then.
        """
        state, began = _inspect(self.pid)
        if began != self.began:
            return False
        if state in ENDED:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, os.WNOHANG)
            return False
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and its group; do nothing when it has ended."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def stop(self, seconds: float) -> bool:
        """Ask the process to end and kill it after `seconds`; return whether it ended by itself."""
        self.signal(signal.SIGTERM)
        if wait_until(lambda: not self.alive, seconds):
            return True
        self.signal(signal.SIGKILL)
        wait_until(lambda: not self.alive, 10)
        return False


def process_of(pid: int) -> Process:
    """Return the process that has this pid now; if it has ended, one that is not alive."""
    return Process(pid, _inspect(pid)[1])


def _inspect(pid: int) -> tuple[str, str]:
    """Return a process's state and start, unique to this boot; empty texts when there is none."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return "", ""
        # A killed thread-group leader is a zombie at once, while its threads may still hold ports
        # and files: then the process has not ended.
        state = "dying" if fields[0] in ENDED and int(fields[17]) > 1 else fields[0]
        return state, f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}/{fields[19]}"
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    return (shown[0][0], " ".join(shown[1:])) if shown else ("", "")


def start(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Process:
    """Start a daemon as `spawn` does, for a caller that may end before it."""
    child = spawn(command, log, environment)
    # Process.alive notices its end and reaps it; without this, Popen warns when it is garbage
    # collected while the daemon runs.
    child.returncode = 0
    return process_of(child.pid)


def spawn(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    *,
    fresh: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a process in its own session, without input, with all output going to `log`.

    Ctrl-C in the caller's terminal does not reach it. A separate process writes the log
    (`stack.lines`), so that each line has its time and the file a bounded size; it ends with the
    last process that could write to it.

    Args:
        command: program and arguments.
        log: the log file.
        environment: the process's environment; by default the caller's.
        fresh: rotate the log of the previous run first; otherwise append to it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    wait_until(lambda: not _is_written(log), WRITER_SECONDS)
    if fresh:
        rotate(log)
    read_end, write_end = os.pipe()
    try:
        _writers[:] = [writer for writer in _writers if writer.poll() is None]  # reaps ended ones
        line = [sys.executable, "-IS", lines.__file__, str(log), log.stem]
        with open_log(log) as file:
            _writers.append(
                subprocess.Popen(
                    line,
                    stdin=read_end,
                    stdout=file,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=write_end,
            stderr=write_end,
            env=environment,
            start_new_session=True,
        )
    finally:
        os.close(read_end)
        os.close(write_end)


def _is_written(log: Path) -> bool:
    """Return whether the process that writes a log is still running."""
    try:
        with log.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextlib.contextmanager
def file_lock(file: Path, wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock file across processes; one that finds it held calls `wait` and waits."""
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll a condition for at most `seconds`; return its last result."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return met


def tail(log: Path, count: int = 20, *, ended: bool = False) -> str:
    """Return the last lines of a log; empty when there is none.

    Args:
        log: the log file.
        count: number of lines.
        ended: its process has ended; wait for the last output to be written.
    """
    if ended:
        wait_until(lambda: not _is_written(log), WRITER_SECONDS)
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64 * 1024))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
    except FileNotFoundError:
        return ""
