"""Format the log of every process: one line per record, each with time, level and zone.

    2026-11-30T20:16:05.123+07:00 INFO ingest.gateway uvicorn.error: Started server process [4711]

A record never takes more than its line: line ends and control characters in it are escaped, so that
nobody can forge a line, and an exception is described by its type, its message and the innermost
frames.
"""

import logging
import re
import sys
import threading
import traceback
from datetime import datetime
from pathlib import Path
from types import TracebackType
from zoneinfo import ZoneInfo

from schemas.moments import ZONE

MAX_LETTERS = 4000
"""Maximum length of a line, in letters; the rest is cut off."""
MAX_FRAMES = 12
"""Maximum number of frames of an exception to name, the innermost ones."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_QUIET = {
    # Its errors reach us as exceptions, which say the same in one sentence instead of one line per
    # attempt.
    "kafka": logging.CRITICAL,
    # Its warnings would repeat at every attempt what its errors say.
    "clickhouse_driver": logging.ERROR,
    "websockets": logging.WARNING,
    "asyncio": logging.WARNING,
}


class LineFormatter(logging.Formatter):
    """Formats a record as one line: time with zone, level, process, logger, message."""

    def __init__(self, process: str) -> None:
        """Keep the name of the process."""
        super().__init__()
        self._process = process
        self._zone = ZoneInfo(ZONE)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        at = datetime.fromtimestamp(record.created, self._zone).isoformat(timespec="milliseconds")
        name = record.name.removeprefix(f"{self._process}.")
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            message = f"{message}: {describe(record.exc_info[1])}"
        text = f"{at} {record.levelname} {self._process} " + (
            message if name == self._process else f"{name}: {message}"
        )
        line = _CONTROL.sub(_escaped, text)
        return line if len(line) <= MAX_LETTERS else line[:MAX_LETTERS] + "…"


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def describe(error: BaseException) -> str:
    """Return an exception in one line: type, message, innermost frames as `file:line function`."""
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    way = " > ".join(
        f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}"
        for frame in frames
    )
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    origin = "" if cause is None else f"; caused by {type(cause).__name__}: {cause}"
    return f"{type(error).__name__}: {error}{origin}" + (f" (at {way})" if way else "")


def configure(process: str, level: int = logging.INFO) -> None:
    """Send every record of this process to standard error, one line each.

    Warnings and uncaught exceptions are logged, too.

    Args:
        process: Its name in the lines, such as `ingest.gateway`.
        level: The lowest level to log.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, least))
    logging.getLogger("uvicorn.error").addFilter(_without_clients)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda given: _uncaught(
        given.exc_type, given.exc_value, given.exc_traceback
    )


def _without_clients(record: logging.LogRecord) -> bool:
    """Drop uvicorn's lines about WebSockets, which quote the client and the query string.

    `schemas.http` has lines of its own.
    """
    return record.levelno > logging.INFO or not (
        "WebSocket %s" in str(record.msg) or str(record.msg).startswith("connection ")
    )


def _uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger().critical("ended by an error", exc_info=(kind, error or kind(), trace))
