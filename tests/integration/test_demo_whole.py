"""The demo with the product's own processes: what it listens on, and what its log files hold."""

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from stack import control
from stack.lines import MAX_BYTES
from stack.ports import choose_port
from stack.process import wait_until
from tests.running import bare_environment
from tests.sockets import descendants, listening

pytestmark = pytest.mark.stack
LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.,]\d{3}(Z|[+-]\d\d:\d\d) "
    r"(DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL) [a-z][a-z._]* +\S.*"
)
TOKEN = "token-that-no-log-may-hold"
PROCESSES = {
    "clickhouse",
    "kafka",
    "migrate",
    "worker",
    "watch",
    "gateway",
    "simulator",
    "dashboard",
}


@dataclass
class Demo:
    """A running demo.

    Its process, its home, the ports of what it serves, and the file with what it said.
    """

    child: "subprocess.Popen[bytes]"
    home: Path
    ports: dict[str, int]
    said: Path

    def get(self, name: str, path: str, body: bytes | None = None) -> None:
        """Ask one of its servers, whatever it answers."""
        with suppress(urllib.error.HTTPError):
            urllib.request.urlopen(
                f"http://127.0.0.1:{self.ports[name]}{path}", body, timeout=10
            ).close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home, said = tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("said") / "demo.log"
    ports: dict[str, int] = {}
    for name in ("GATEWAY", "DASHBOARD", "WORKER"):
        ports[name] = choose_port(taken=ports.values())
    with said.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "stack", "demo", "--home", str(home), "--days", "1"],
            env=bare_environment()
            | {f"IOC_{name}_PORT": str(port) for name, port in ports.items()},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        up = wait_until(lambda: "/wall" in said.read_text() or child.poll() is not None, 180)
        assert up and child.poll() is None, said.read_text()
        yield Demo(child, home, ports, said)
    finally:
        child.kill()
        child.wait()
        control.down(home)


def test_every_socket_of_every_process_takes_this_machine_only(demo: Demo) -> None:
    pids = descendants(demo.child.pid)
    for process in control.StackState.read(demo.home).processes.values():
        pids |= descendants(process.pid)
    found = {pid: listening(pid) for pid in pids}
    served = {one.port for sockets in found.values() for one in sockets}
    assert served >= {*demo.ports.values(), *control.StackState.read(demo.home).ports.values()}, (
        "all that listens was looked at"
    )
    open_to_others = {
        (Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "), one)
        for pid, sockets in found.items()
        for one in sockets
        if not one.is_loopback
    }
    assert not open_to_others


def test_every_line_of_every_log_has_its_time_zone_and_level_and_no_query_string(
    demo: Demo,
) -> None:
    demo.get("DASHBOARD", f"/wall?token={TOKEN}")
    demo.get("DASHBOARD", f"/no-such-page?token={TOKEN}")
    demo.get("GATEWAY", f"/v1/events?token={TOKEN}")
    demo.get("GATEWAY", f"/v1/events?token={TOKEN}", b"not an event\n" * 10)
    demo.get("WORKER", f"/healthz?token={TOKEN}")
    demo.child.send_signal(signal.SIGTERM)
    assert demo.child.wait(90) == 0
    logs = list((demo.home / "logs").iterdir())
    assert {log.name.partition(".")[0] for log in logs} == PROCESSES
    password = (demo.home / "clickhouse.password").read_text().strip()
    for log in (*logs, demo.said):
        assert log.stat().st_size <= MAX_BYTES
        text = log.read_text()
        assert [line for line in text.splitlines() if not LINE.fullmatch(line)] == [], log.name
        assert TOKEN not in text and "token=" not in text
        assert password not in text
        assert "Traceback" not in text
