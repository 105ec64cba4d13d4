"""The parts: Kafka's jars by Maven, ClickHouse's library by npm. Versions are pinned in pom.xml and package.json."""

import hashlib
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stack import StackError, broker
from stack.parts import HERE, LIBS, MODULES, OR_COMPOSE, java, library, size_of


@dataclass(frozen=True)
class Part:
    """One thing to fetch: `get` fills `folder` from scratch by what `recipe` pins, after `need` found the tools for it."""

    title: str
    folder: Path
    recipe: Path
    need: Callable[[], object]
    get: Callable[[], None]

    @property
    def complete(self) -> bool:
        """Whether the folder was filled to the end by this very recipe on this kind of machine."""
        stamp = self.folder / ".complete"
        return stamp.exists() and stamp.read_text() == self._mark()

    def fill(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.get()
        (self.folder / ".complete").write_text(self._mark())

    def _mark(self) -> str:
        return f"{hashlib.sha256(self.recipe.read_bytes()).hexdigest()} {platform.system()} {platform.machine()}"


def fetch(console: Console) -> bool:
    """Makes sure that all parts are there and complete. Returns whether anything had to be done. Raises `StackError`."""
    wanted = [part for part in PARTS if not part.complete]
    for part in wanted:
        part.need()
    if not wanted:
        return False
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.fields[size]}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor() as pool:
        rows = {pool.submit(part.fill): (progress.add_task(part.title, total=1, size=""), part) for part in wanted}
        open_rows = set(rows)
        while open_rows:
            done, open_rows = wait(open_rows, timeout=0.5)
            for future in done | open_rows:
                row, part = rows[future]
                progress.update(row, size=f"{size_of(part.folder) >> 20} MB", completed=int(future in done))
    for future in rows:
        future.result()
    return True


def _get_jars() -> None:
    copy = ["dependency:copy-dependencies", f"-DoutputDirectory={LIBS}", "-DincludeScope=runtime"]
    _run(["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), *copy])
    broker.archive()


def _get_library() -> None:
    # No lock file: npm writes only this platform's package into it. The versions are exact, and npm checks what it got.
    _run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", str(HERE)])
    library()


def _need_maven() -> None:
    java()
    if not shutil.which("mvn"):
        raise StackError(f"Kafka is fetched by Maven: install it (Debian: apt install maven), {OR_COMPOSE}.")


def _need_npm() -> None:
    if not shutil.which("npm"):
        raise StackError(f"ClickHouse is fetched by npm: install it (Debian: apt install npm), {OR_COMPOSE}.")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tempfile.gettempdir())
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise StackError(f"`{' '.join(command)}` failed:\n{said}")


PARTS = (
    Part("Apache Kafka (Maven)", LIBS, HERE / "pom.xml", _need_maven, _get_jars),
    Part("ClickHouse (npm)", MODULES, HERE / "package.json", _need_npm, _get_library),
)
