"""The product's processes as tests run them.

Started with their own settings, awaited by condition, ended by their id.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

T = TypeVar("T")
LISTENING = "0A"


def bare_environment() -> dict[str, str]:
    """Return this process's variables without an installation's.

    Where Kafka and ClickHouse are fetched to stays.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name == "IOC_CACHE" or not name.startswith("IOC_")
    }


def wait_for(
    look: Callable[[], T | Literal[False]], seconds: float = 60, what: str = "the condition"
) -> T:
    """Return the first true answer of `look`.

    Fails after some seconds, with the last error if there was one.
    """
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            if answer := look():
                return answer
            last = answer
        except Exception as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come about in {seconds} s; last: {last!r}")


def answers(url: str) -> bool:
    """Return whether an address answers with success."""
    with urllib.request.urlopen(url, timeout=2) as answer:
        return bool(answer.status == 200)


class Running:
    """A process of the product, such as `Running("streams", "worker", environment=…)`.

    Its output goes to a log file.
    """

    def __init__(
        self, *command: str, environment: dict[str, str], log: Path, ready: str | None = None
    ) -> None:
        self.log = log
        self._out = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=bare_environment() | environment,
            stdout=self._out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._command = " ".join(command)
        self._is_asked_to_stop = False
        if ready:
            self.wait_ready(ready)

    def wait_ready(self, url: str) -> None:
        """Wait until an address of it answers; stop it and quote its log if it does not."""
        try:
            wait_for(lambda: self._alive() and answers(url), what=f"{self._command} at {url}")
        except AssertionError as error:
            self.stop()
            raise AssertionError(f"{error}\n{self.text()[-3000:]}") from None

    def _alive(self) -> bool:
        assert self.process.poll() is None, (
            f"ended with {self.process.returncode}:\n{self.text()[-3000:]}"
        )
        return True

    def text(self) -> str:
        """Return what it said so far."""
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """Send SIGKILL."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP: it keeps its memory, its files and its connections, and does nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def frozen(self) -> bool:
        """Return whether it was stopped by SIGSTOP; Linux only, as `megabytes` is."""
        return (
            Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        )

    def megabytes(self) -> tuple[float, float]:
        """Resident memory now, and the most that it ever was."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        sizes = {
            line.partition(":")[0]: line.split()[1]
            for line in lines
            if line.startswith(("VmRSS", "VmHWM"))
        }
        return int(sizes["VmRSS"]) / 1024, int(sizes["VmHWM"]) / 1024

    def listening(self) -> set[str]:
        """Return addresses of the IPv4 and IPv6 sockets that it listens on, `address:port` as the
        kernel writes them. Linux only.
        """
        own = {
            str(one.readlink())
            for one in Path(f"/proc/{self.process.pid}/fd").iterdir()
            if one.is_symlink()
        }
        found = set()
        for family in ("tcp", "tcp6"):
            for line in Path(f"/proc/{self.process.pid}/net/{family}").read_text().splitlines()[1:]:
                _, address, _, state, *rest = line.split()
                if state == LISTENING and f"socket:[{rest[5]}]" in own:
                    found.add(address)
        return found

    def ask_to_stop(self) -> None:
        """SIGTERM, once, without waiting for its end."""
        if self.process.poll() is None and not self._is_asked_to_stop:
            self._is_asked_to_stop = True
            self.process.send_signal(signal.SIGTERM)
            self.thaw()  # A frozen one would not hear it.

    def stop(self, seconds: float = 20) -> int:
        """SIGTERM, and its exit code; killed if it takes too long."""
        if self.process.poll() is None:
            self.ask_to_stop()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._out.close()
        return self.process.returncode

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def command(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Return a command of the product, such as `command(environment, "streams", "verify")`, run to
    its end.
    """
    line = [sys.executable, "-m", *arguments]
    return subprocess.run(
        line,
        env=bare_environment() | environment | {"COLUMNS": "200"},
        capture_output=True,
        check=False,
        timeout=120,
    )


def worker(environment: dict[str, str], log: Path) -> Running:
    """Return a stream worker, answering on its web port."""
    return Running(
        "streams",
        "worker",
        environment=environment,
        log=log,
        ready=f"http://127.0.0.1:{environment['IOC_WORKER_PORT']}/healthz",
    )
