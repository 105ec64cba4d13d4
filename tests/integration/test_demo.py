"""The demo's supervisor on the real stack, with stubs in place of the product's processes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stack import control
from stack.process import Process, wait_until

pytestmark = pytest.mark.stack

STUB = """
import http.server, os, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
address = ("127.0.0.1", int(os.environ["IOC_DASHBOARD_PORT"]))
http.server.ThreadingHTTPServer(address, Ready).serve_forever()
"""

DEMO = """
import sys
from pathlib import Path
from rich.console import Console
from schemas.settings import load
from stack import StackError, demo

def plan(settings):
    python = (sys.executable, "-c")
    return (
        demo.DemoStep("migrate", (*python, sys.argv[2]), once=True),
        demo.DemoStep(
            "worker",
            (
                *python,
                "import sys, time; print('worker failed'); time.sleep(0.2); sys.exit(7)",
            ),
        ),
        demo.DemoStep(
            "simulator",
            (*python, "import time; print('day 1 of 30', flush=True); time.sleep(600)"),
        ),
        demo.DemoStep("dashboard", (*python, sys.argv[3]), ready=f"http://127.0.0.1:{settings.dashboard_port}/readyz"),
    )

try:
    demo.demo(Path(sys.argv[1]), Console(), load(), plan, keep_stack=False)
except StackError as problem:
    sys.exit(str(problem))
"""


def run(home: Path, migrate: str = "print('made')") -> "subprocess.Popen[str]":
    command = [sys.executable, "-u", "-c", DEMO, str(home), migrate, STUB]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def read_until(child: "subprocess.Popen[str]", *wanted: str) -> str:
    assert child.stdout
    said = ""
    while not all(word in said for word in wanted):
        line = child.stdout.readline()
        assert line, f"the demo ended before it said {wanted}:\n{said}"
        said += line
    return said


def noted(home: Path) -> list[Process]:
    return [Process(**entry) for entry in json.loads((home / "demo.json").read_text())]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_shows_its_addresses_restarts_what_dies_and_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    child = run(tmp_path)
    try:
        said = read_until(
            child, "/wall", "worker ended (exit code 7); restarting in 2 s", "worker failed"
        )
        assert "migrate done" in said
        running = [*noted(tmp_path), *control.StackState.read(tmp_path).processes.values()]
        for _ in range(20):  # Whoever is impatient must not make it wait for itself.
            child.send_signal(number)
        child.communicate(timeout=60)
    finally:
        child.kill()
        control.down(tmp_path)
    assert child.returncode == 0
    assert len(running) >= 4
    assert not [process for process in running if process.alive]


def test_a_server_of_the_stack_that_falls_starts_again_where_it_was(tmp_path: Path) -> None:
    child = run(tmp_path)
    try:
        read_until(child, "/wall")
        before = control.StackState.read(tmp_path)
        before.processes["clickhouse"].signal(signal.SIGKILL)
        read_until(child, "ClickHouse ended; restarting it", "ClickHouse ready")
        after = control.StackState.read(tmp_path)
        assert after.ports == before.ports
        assert after.processes["clickhouse"].pid != before.processes["clickhouse"].pid
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=60)
    finally:
        child.kill()
        control.down(tmp_path)


def test_a_failed_migration_ends_the_demo_with_its_log(tmp_path: Path) -> None:
    child = run(tmp_path, migrate="import sys; sys.exit('no such column')")
    try:
        said, _ = child.communicate(timeout=120)
    finally:
        child.kill()
        control.down(tmp_path)
    assert child.returncode == 1
    assert "migrate failed with exit code 1" in said
    assert "no such column" in said
    assert all(part.health == "stopped" for part in control.status(tmp_path))


def test_a_second_demo_in_one_home_is_refused_and_a_killed_one_is_cleaned_up_by_the_next(
    tmp_path: Path,
) -> None:
    first = run(tmp_path)
    try:
        read_until(first, "/wall")
        second = run(tmp_path)
        assert "A demo runs in" in second.communicate(timeout=30)[0]
        left = noted(tmp_path)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        assert any(process.alive for process in left)
        third = run(tmp_path)
        try:
            read_until(third, "/wall")
            assert wait_until(lambda: not any(process.alive for process in left), 5)
            third.terminate()
            third.communicate(timeout=60)
        finally:
            third.kill()
    finally:
        first.kill()
        control.down(tmp_path)


def test_down_refuses_while_a_demo_runs_and_ends_what_a_killed_one_left(tmp_path: Path) -> None:
    child = run(tmp_path)
    command = [sys.executable, "-m", "stack", "down", "--home", str(tmp_path)]
    try:
        read_until(child, "/wall")
        refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert refused.returncode == 1 and "A demo runs in" in refused.stderr
        left = [*noted(tmp_path), *control.StackState.read(tmp_path).processes.values()]
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert any(process.alive for process in left)
        subprocess.run(command, check=True, timeout=60)
        assert not any(process.alive for process in left)
    finally:
        child.kill()
        control.down(tmp_path)
