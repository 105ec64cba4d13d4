"""Write what a process says into its log file: a time with zone and a level on every line, and never more than some megabytes.

Run as `python lines.py FILE NAME` with the process's output as its input and the open file, locked, as its output; it ends when
the input does. Lines that have a time and a
level stay as they are; ClickHouse's are put into the same form; any other line gets the time of its coming. Standard library only,
and no import of ours: there is one beside every process, and it should be small.
"""

import fcntl
import os
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import BinaryIO

ZONE = timezone(timedelta(hours=7))
"""Asia/Ho_Chi_Minh."""
MAX_BYTES = 20_000_000
MAX_FILES = 3
"""The file and those before it: `NAME.log.1` is the newest of them."""
MAX_LINE_BYTES = 16_384
WELL_FORMED = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.,]\d{3}(Z|[+-]\d\d:\d\d) +(DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL|TRACE) "
)
OF_CLICKHOUSE = re.compile(
    r"(?P<at>\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d\.\d{3})\d* \[ \d+ \] \{(?P<query>[^}]*)\} <(?P<level>\w+)> (?P<said>.*)",
    re.DOTALL,
)
LEVELS = {
    "Fatal": "CRITICAL",
    "Critical": "CRITICAL",
    "Error": "ERROR",
    "Warning": "WARNING",
    "Debug": "DEBUG",
    "Trace": "DEBUG",
}
FRAME = re.compile(r"\d+\. .* @ 0x[0-9a-f]+$|Stack trace \(when copying")
"""A place in ClickHouse's machine code: it tells nobody anything."""
TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\[\?2004[hl]|\x1b")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class LogFile:
    """A file that is appended to and set aside when it is full. Others see by its lock that it is still written."""

    def __init__(
        self, path: Path, max_bytes: int = MAX_BYTES, file: BinaryIO | None = None
    ) -> None:
        self._path, self._max = path, max_bytes
        self._file = file or open_log(path)

    def write(self, line: str) -> None:
        """Append a line."""
        text = (line + "\n").encode(errors="replace")
        if self._file.tell() + len(text) > self._max:
            self._file.close()
            set_aside(self._path)
            self._file = open_log(self._path)
        self._file.write(text)


def open_log(path: Path) -> BinaryIO:
    """Open a log to append to it, readable by its owner only, and lock it for as long as this or a heir of it is open."""
    file = os.fdopen(
        os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0
    )
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


def set_aside(path: Path) -> None:
    """Make room for a new file: `NAME.log` becomes `NAME.log.1`, and so on; the oldest goes."""
    for number in range(MAX_FILES - 1, 0, -1):
        older = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number}"))


def formatted(line: str, name: str, now: datetime) -> str | None:
    """A line of a process as its log has it; None for one that says nothing."""
    clean = CONTROL.sub(
        lambda found: found[0].encode("unicode_escape").decode(), TERMINAL.sub("", line)
    ).strip()
    if WELL_FORMED.match(clean):
        return clean
    if found := OF_CLICKHOUSE.search(clean):
        at = datetime.strptime(found["at"], "%Y.%m.%d %H:%M:%S.%f").astimezone(
            ZONE
        )  # in the time of the machine
        query = f" {{{found['query']}}}" if found["query"] else ""
        return f"{_time(at)} {LEVELS.get(found['level'], 'INFO')} {name} {found['said']}{query}"
    if not clean or FRAME.match(clean):
        return None
    return f"{_time(now)} INFO {name} {clean}"


def what(line: str) -> str:
    """What a line of a log says, without its time, level and process."""
    return line.split(" ", 3)[-1]


def lines(stream: BinaryIO) -> Iterator[str]:
    """The lines of a stream, as they come; what is longer than a line may be is several."""
    while line := stream.readline(MAX_LINE_BYTES):
        yield line.decode(errors="replace")


def follow(said: Iterable[str], file: LogFile, name: str) -> None:
    """Write all of it."""
    for line in said:
        # A progress bar draws one line again and again: what stands at the end is what was said.
        if whole := formatted(line.rstrip("\r\n").rpartition("\r")[2], name, datetime.now(ZONE)):
            file.write(whole)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


if __name__ == "__main__":
    with os.fdopen(0, "rb") as given:
        follow(
            lines(given),
            LogFile(Path(sys.argv[1]), file=os.fdopen(1, "ab", buffering=0)),
            sys.argv[2],
        )
