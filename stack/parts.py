"""Where the fetched parts lie, and the Java that runs one of them."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from stack import StackError

HERE = Path(__file__).parent
LIBS = HERE / "libs"
ARCHIVE = LIBS / "kafka.jsa"
MODULES = HERE / "node_modules"
OR_COMPOSE = "or run the system with Docker Compose instead: docker compose up"


def java() -> str:
    """The path of a Java that runs Kafka (17 or later). Raises `StackError`."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found:
        said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
        version = re.search(r'version "(\d+)', said)
        if version and int(version[1]) >= 17:
            return found
    raise StackError(f"Kafka needs Java 17 or later: install it (Debian: apt install openjdk-17-jre-headless), {OR_COMPOSE}.")


def library() -> Path:
    """The fetched ClickHouse library of this machine's platform. Raises `StackError`."""
    found = next(MODULES.glob("@chdb/lib-*/libchdb.so"), None)
    if found is None:
        raise StackError(
            f"There is no ClickHouse package for {platform.system()} on {platform.machine()}, or it is not fetched: "
            f"run `python -m stack fetch`, {OR_COMPOSE}."
        )
    return found


def size_of(folder: Path) -> int:
    """Bytes that a folder takes on disk (Kafka's index files are mostly holes); 0 when it does not exist."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += 512 * os.lstat(os.path.join(root, name)).st_blocks  # noqa: PTH118 - thousands of files, twice a second
            except FileNotFoundError:
                continue
    return total
