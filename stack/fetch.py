"""Download the parts into the cache folder: Kafka's jars by Maven, ClickHouse's library by npm.

Versions are pinned in `pom.xml` and `package.json`; `stack.parts` says where each is kept.
"""

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
from stack.parts import (
    CLICKHOUSE,
    KAFKA,
    OR_COMPOSE,
    cache_folder,
    java,
    library,
    part_folder,
    size_of,
)
from stack.process import file_lock


@dataclass(frozen=True)
class FetchedPart:
    """One thing to download.

    Attributes:
        title: its name in the progress display.
        recipe: the file that pins its versions.
        need: checks for the tools that download it; raises `StackError`.
        get: fills an empty folder.
        finish: adds what can only be made in the part's final folder.
    """

    title: str
    recipe: Path
    need: Callable[[], object]
    get: Callable[[Path], None]
    finish: Callable[[], None] = lambda: None

    @property
    def complete(self) -> bool:
        """Return whether all of it is there."""
        return (part_folder(self.recipe) / ".complete").exists()

    @property
    def incoming(self) -> Path:
        """Return the folder that holds it until it is complete; then the folder is renamed."""
        folder = part_folder(self.recipe)
        return folder.with_name(f"{folder.name}.part")

    def fill(self) -> None:
        """Download it, or wait for another process that is doing so."""
        folder = part_folder(self.recipe)
        with file_lock(folder.with_name(f"{folder.name}.lock")):
            if self.complete:
                return
            if not folder.exists():
                shutil.rmtree(self.incoming, ignore_errors=True)  # of a fetch that was killed
                self.incoming.mkdir()
                self.get(self.incoming)
                self.incoming.rename(folder)
            self.finish()
            (folder / ".complete").touch()


def fetch(console: Console) -> bool:
    """Download the parts that are missing.

    Any number of processes may do so at once, and servers may run from what is there.

    Returns:
        Whether anything had to be done.

    Raises:
        StackError: a tool is missing or failed, or the cache folder cannot be written.
    """
    wanted = [part for part in PARTS if not part.complete]
    for part in wanted:
        part.need()
    if not wanted:
        return False
    _make_cache()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[size]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor() as pool:
        rows = {
            pool.submit(part.fill): (progress.add_task(part.title, total=1, size=""), part)
            for part in wanted
        }
        open_rows = set(rows)
        while open_rows:
            done, open_rows = wait(open_rows, timeout=0.5)
            for future in done | open_rows:
                row, part = rows[future]
                size = size_of(part_folder(part.recipe)) or size_of(part.incoming)
                progress.update(row, size=f"{size >> 20} MB", completed=int(future in done))
    for future in rows:
        future.result()
    return True


def _make_cache() -> None:
    """Create the cache folder and check that it can be written. Raises `StackError`."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as problem:
        raise StackError(
            f"Kafka and ClickHouse cannot be fetched to {folder} ({problem.strerror}): "
            "set IOC_CACHE to a folder that can be written."
        ) from problem


def _get_jars(folder: Path) -> None:
    copy = [
        "dependency:copy-dependencies",
        f"-DoutputDirectory={folder}",
        "-DincludeScope=runtime",
    ]
    _run(["mvn", "-q", "-B", "-f", str(KAFKA), *copy])


def _get_library(folder: Path) -> None:
    shutil.copy(CLICKHOUSE, folder)
    # No lock file: npm writes only this platform's package into it. The versions are exact,
    # and npm checks what it got.
    _run(
        ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", str(folder)]
    )
    library(folder / "node_modules")  # npm skips an optional package that it cannot download


def _need_maven() -> None:
    java()
    if not shutil.which("mvn"):
        raise StackError(
            f"Kafka is fetched by Maven: install it (Debian: apt install maven), {OR_COMPOSE}."
        )


def _need_npm() -> None:
    if not shutil.which("npm"):
        raise StackError(
            f"ClickHouse is fetched by npm: install it (Debian: apt install npm), {OR_COMPOSE}."
        )


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tempfile.gettempdir()
    )
    if done.returncode:
        end = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise StackError(f"`{' '.join(command)}` failed:\n{end}")


PARTS = (
    # Java's class archive is valid for jars at exactly these paths: it is made after the rename.
    FetchedPart("Apache Kafka (Maven)", KAFKA, _need_maven, _get_jars, broker.archive),
    FetchedPart("ClickHouse (npm)", CLICKHOUSE, _need_npm, _get_library),
)
