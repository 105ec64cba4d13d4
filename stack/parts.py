"""Locate the downloaded parts, and the Java that runs one of them.

They are kept in a cache folder of the account, not in the package: an installed package may be
read-only, and several checkouts and environments share what is large (about 600 MB).
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from schemas.settings import load
from stack import StackError

HERE = Path(__file__).parent
KAFKA = HERE / "pom.xml"
CLICKHOUSE = HERE / "package.json"
"""The recipes: what Maven and npm are told to download, in exact versions."""
NAMES = {KAFKA: "kafka", CLICKHOUSE: "clickhouse"}
OR_COMPOSE = "or run the system with Docker Compose instead: docker compose up"


def cache_folder() -> Path:
    """Return the folder of all downloads: `IOC_CACHE`, or `province-ioc` in the user's caches.

    Raises:
        StackError: the account has no home folder and no other folder is set.
    """
    try:
        if chosen := load().cache:
            return Path(chosen).expanduser().resolve()
        # XDG Base Directory Specification: a relative path is to be ignored.
        caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
        caches = caches if caches.is_absolute() else Path.home() / ".cache"
    except RuntimeError as unknown:
        raise StackError(
            "This account has no home folder: set IOC_CACHE to a folder for Kafka and ClickHouse."
        ) from unknown
    return caches / "province-ioc"


def part_folder(recipe: Path) -> Path:
    """Return the folder of what a recipe (`KAFKA`, `CLICKHOUSE`) pins.

    Its name contains a hash of the recipe's content and the kind of machine: versions do not mix,
    and a home folder can be shared by machines. `stack.fetch` renames the folder into place when it
    is complete, so that a folder that exists can be used.
    """
    version = hashlib.sha256(recipe.read_bytes()).hexdigest()[:16]
    return (
        cache_folder()
        / f"{NAMES[recipe]}-{version}-{platform.system()}-{platform.machine()}".lower()
    )


def jars() -> list[Path]:
    """Return Kafka's jars, in a fixed order. Raises `StackError` when they are not downloaded."""
    if found := sorted(part_folder(KAFKA).glob("*.jar")):
        return found
    raise StackError(f"Kafka is not fetched: run `ioc stack fetch`, {OR_COMPOSE}.")


def class_archive() -> Path:
    """Return the path of Java's archive of Kafka's loaded classes, which need not exist."""
    return part_folder(KAFKA) / "kafka.jsa"


def npm_packages() -> Path:
    """Return the folder of the packages that npm downloaded."""
    return part_folder(CLICKHOUSE) / "node_modules"


def java() -> str:
    """Return the path of a Java that runs Kafka (17 or later). Raises `StackError`."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found:
        output = subprocess.run(
            [found, "-version"], capture_output=True, text=True, check=False
        ).stderr
        version = re.search(r'version "(\d+)', output)
        if version and int(version[1]) >= 17:
            return found
    raise StackError(
        "Kafka needs Java 17 or later: install it (Debian: apt install openjdk-17-jre-headless), "
        f"{OR_COMPOSE}."
    )


def library(packages: Path | None = None) -> Path:
    """Return the ClickHouse library for this machine's platform. Raises `StackError`.

    Args:
        packages: where npm put its packages; by default the folder where they are kept.
    """
    found = next((packages or npm_packages()).glob("@chdb/lib-*/libchdb.so"), None)
    if found is None:
        raise StackError(
            f"There is no ClickHouse package for {platform.system()} on {platform.machine()}, "
            f"or it is not fetched: run `ioc stack fetch`, {OR_COMPOSE}."
        )
    return found


def size_of(folder: Path) -> int:
    """Return the bytes that a folder takes on disk; 0 when it does not exist.

    Blocks are counted, not lengths: Kafka's index files are mostly holes.
    """
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                # Not by Path: thousands of files, twice a second.
                total += 512 * os.lstat(os.path.join(root, name)).st_blocks  # noqa: PTH118
            except FileNotFoundError:
                continue
    return total
