"""The wheel outside the checkout.

It holds what runs need, and runs the demo in an environment and a folder of its own.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schemas import documents
from schemas.events.kinds import FEEDBACK
from stack import control, demo
from stack.ports import choose_port
from stack.process import wait_until
from tests.running import answers, bare_environment

pytestmark = pytest.mark.stack
ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "ingest", "streams", "dashboard", "stack")
NOT_FOR_RUNS = ("stack/compose/", "stack/Dockerfile")
UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}
PORTS = ("GATEWAY", "DASHBOARD", "WORKER")
READY_SECONDS, STOP_SECONDS, LEFT_SECONDS = 150, 90, 15


def uv(*arguments: str | Path) -> None:
    """Run uv, whose cache makes all but the first run quick."""
    assert UV, "uv is missing: make .venv/test"
    done = subprocess.run(
        [UV, *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr


def clean_environment() -> dict[str, str]:
    """Return the variables of this process but those that lead Python to this checkout or to its
    environment.
    """
    return {
        name: value
        for name, value in bare_environment().items()
        if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }


def sources() -> list[str]:
    """Return the files of the checkout that git has or would take, as paths from its root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel of a copy of the sources.

    A build leaves files beside them, and may find those of an earlier one.
    """
    copy, built = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in sources():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    uv("build", "--quiet", "--wheel", "--out-dir", built, copy)
    (file,) = built.glob("*.whl")
    return file


@dataclass
class Installed:
    """The wheel in an environment of its own, beside an empty folder to run it in."""

    folder: Path
    ports: dict[str, int]

    @property
    def home(self) -> Path:
        """Return where the demo keeps its data unless told."""
        return self.folder / "empty" / ".ioc"

    def command(self, *arguments: str) -> list[str]:
        return [str(self.folder / "venv" / "bin" / "ioc"), *arguments]

    @property
    def options(self) -> dict[str, Any]:
        ports = {f"IOC_{name}_PORT": str(port) for name, port in self.ports.items()}
        return {"cwd": self.folder / "empty", "env": clean_environment() | ports}

    def address(self, name: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def processes(self) -> dict[int, str]:
        """Return every process whose command line names this environment or its data."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                line = (
                    (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
            except OSError:
                continue
            if str(self.folder) in line:
                found[int(entry.name)] = line
        return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("installed")
    (folder / "empty").mkdir()
    uv("venv", "--quiet", "--python", sys.executable, folder / "venv")
    uv(
        "pip",
        "install",
        "--quiet",
        "--python",
        folder / "venv",
        "-c",
        ROOT / "stack" / "constraints.txt",
        wheel,
    )
    ports: dict[str, int] = {}
    for name in PORTS:
        ports[name] = choose_port(taken=ports.values())
    made = Installed(folder, ports)
    try:
        yield made
    finally:
        if made.home.exists():
            demo.stop_leftovers(made.home)
            control.down(made.home)
        for pid in made.processes():
            os.kill(pid, signal.SIGKILL)


def test_the_wheel_holds_every_file_of_the_packages_that_a_run_may_need_and_no_other(
    wheel: Path,
) -> None:
    wanted = {
        name for name in sources() if name.startswith(tuple(f"{package}/" for package in PACKAGES))
    }
    with zipfile.ZipFile(wheel) as packed:
        held = {name for name in packed.namelist() if ".dist-info/" not in name}
        assert held == {name for name in wanted if not name.startswith(NOT_FOR_RUNS)}
        for name in packed.namelist():
            assert str(ROOT).encode() not in packed.read(name), name


def test_the_installed_demo_serves_in_an_empty_folder_and_leaves_no_process(
    installed: Installed,
) -> None:
    said = installed.folder / "demo.log"
    with said.open("wb") as output:
        child = subprocess.Popen(
            installed.command("demo", "--days", "0"),
            stdout=output,
            stderr=subprocess.STDOUT,
            **installed.options,
        )
    try:
        live = wait_until(
            lambda: "/wall" in said.read_text() or child.poll() is not None, READY_SECONDS
        )
        assert live and child.poll() is None, said.read_text()
        assert answers(installed.address("GATEWAY", "/readyz"))
        assert answers(installed.address("DASHBOARD", "/readyz"))
        assert answers(installed.address("WORKER", "/healthz"))
        assert answers(installed.address("DASHBOARD", "/wall"))
        event = urllib.request.Request(
            installed.address("GATEWAY", "/v1/events"), documents.example(FEEDBACK), CLOUDEVENT
        )
        with urllib.request.urlopen(event, timeout=30) as answer:
            assert json.load(answer)["accepted"] == 1
        command = installed.command("stack", "status", "--json")
        status = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=60, **installed.options
        )
        assert {part["part"]: part["health"] for part in json.loads(status.stdout)} == {
            "kafka": "healthy",
            "clickhouse": "healthy",
        }
        modules = [line for line in installed.processes().values() if " -m " in line]
        assert len(modules) >= 6 and all(
            line.startswith(str(installed.folder / "venv")) for line in modules
        )
        child.send_signal(signal.SIGTERM)
        assert child.wait(STOP_SECONDS) == 0, said.read_text()
    finally:
        child.kill()
        child.wait()
    assert wait_until(lambda: not installed.processes(), LEFT_SECONDS), installed.processes()
    assert {path.name for path in (installed.folder / "empty").iterdir()} == {".ioc"}
