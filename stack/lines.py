"""Write a process's output into its log file: time and level on each line, rotated at a fixed size.

Run as `python lines.py FILE NAME` with the process's output as standard input and the open, locked
file as standard output; it ends when the input does. Lines that have a time and a level stay as
they are; ClickHouse's are converted to the same form; any other line gets the time of its arrival.
Standard library only, and no import of ours: one runs next to every process, and it should be
small.
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
"""The current file and the rotated ones: `NAME.log.1` is the newest of these."""
MAX_LINE_BYTES = 16_384
WELL_FORMED = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.,]\d{3}(Z|[+-]\d\d:\d\d) +"
    r"(DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL|TRACE) "
)
CLICKHOUSE_LINE = re.compile(
    r"(?P<at>\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d\.\d{3})\d* \[ \d+ \] \{(?P<query>[^}]*)\} "
    r"<(?P<level>\w+)> (?P<message>.*)",
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
"""A stack frame in ClickHouse's machine code, which helps nobody."""
TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\[\?2004[hl]|\x1b")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class LogFile:
    """A log file that is rotated when it is full; its lock shows that it is in use."""

    def __init__(
        self, path: Path, max_bytes: int = MAX_BYTES, file: BinaryIO | None = None
    ) -> None:
        """Open the log at `path`, or take over `file`; rotate it at `max_bytes`."""
        self._path, self._max = path, max_bytes
        self._file = file or open_log(path)

    def write(self, line: str) -> None:
        """Append a line."""
        text = (line + "\n").encode(errors="replace")
        if self._file.tell() + len(text) > self._max:
            self._file.close()
            rotate(self._path)
            self._file = open_log(self._path)
        self._file.write(text)


def open_log(path: Path) -> BinaryIO:
    """Open a log for appending, readable by its owner only, and lock it.

    The lock lasts for as long as this file or one inherited from it is open.
    """
    file = os.fdopen(
        os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0
    )
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


def rotate(path: Path) -> None:
    """Rotate a log: `NAME.log` becomes `NAME.log.1`, and so on; the oldest is deleted."""
    for number in range(MAX_FILES - 1, 0, -1):
        older = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number}"))


def format_line(line: str, name: str, now: datetime) -> str | None:
    """Return a line of a process in the form of its log; None for one without content."""
    clean = CONTROL.sub(
        lambda found: found[0].encode("unicode_escape").decode(), TERMINAL.sub("", line)
    ).strip()
    if WELL_FORMED.match(clean):
        return clean
    if found := CLICKHOUSE_LINE.search(clean):
        # ClickHouse writes the machine's local time.
        at = datetime.strptime(found["at"], "%Y.%m.%d %H:%M:%S.%f").astimezone(ZONE)
        query = f" {{{found['query']}}}" if found["query"] else ""
        return f"{_time(at)} {LEVELS.get(found['level'], 'INFO')} {name} {found['message']}{query}"
    if not clean or FRAME.match(clean):
        return None
    return f"{_time(now)} INFO {name} {clean}"


def message_of(line: str) -> str:
    """Return the message of a log line, without its time, level and process."""
    return line.split(" ", 3)[-1]


def read_lines(stream: BinaryIO) -> Iterator[str]:
    """Yield the lines of a stream as they arrive; split those above the maximal length."""
    while line := stream.readline(MAX_LINE_BYTES):
        yield line.decode(errors="replace")


def copy_lines(output: Iterable[str], file: LogFile, name: str) -> None:
    """Format all lines and append them to a log."""
    for line in output:
        # A progress bar redraws one line: only its last state counts.
        if whole := format_line(line.rstrip("\r\n").rpartition("\r")[2], name, datetime.now(ZONE)):
            file.write(whole)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


if __name__ == "__main__":
    with os.fdopen(0, "rb") as given:
        copy_lines(
            read_lines(given),
            LogFile(Path(sys.argv[1]), file=os.fdopen(1, "ab", buffering=0)),
            sys.argv[2],
        )
