"""Every line of every process has time, level and zone, and nobody can forge one."""

import logging
import re
import subprocess
import sys

from schemas.logs import LineFormatter

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+07:00 "
    r"(DEBUG|INFO|WARNING|ERROR|CRITICAL) ingest\.gateway "
)


def line(
    message: str,
    *arguments: object,
    name: str = "ingest.gateway.link",
    error: Exception | None = None,
) -> str:
    given = (type(error), error, error.__traceback__) if error else None
    return LineFormatter("ingest.gateway").format(
        logging.LogRecord(name, logging.INFO, "", 0, message, arguments, given)
    )


def test_a_line_says_when_how_grave_and_from_where() -> None:
    assert LINE.match(line("Kafka is away"))
    assert line("Kafka is away").endswith(" INFO ingest.gateway link: Kafka is away")
    assert line("Started", name="uvicorn.error").endswith(
        " INFO ingest.gateway uvicorn.error: Started"
    )


def test_no_text_can_begin_a_line_of_its_own() -> None:
    said = line("named %s", "a\n2026-01-01T00:00:00.000+07:00 INFO forged\r\x1b[2K\u2028")
    assert len(said.splitlines()) == 1 and "\x1b" not in said
    assert len(line("x" * 100_000)) < 5_000


def test_an_error_is_one_line_that_says_where() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        said = line("not done", error=error)
    assert "not done: ValueError: two\\nlines (at unit/test_logs.py:" in said
    assert len(said.splitlines()) == 1


def test_what_nobody_caught_is_a_line_as_well() -> None:
    code = (
        "import logging, threading, warnings; from schemas.logs import configure; "
        "configure('ingest.gateway');"
        "logging.getLogger('uvicorn.error').info('%s - \"WebSocket %s\" [accepted]', '1.2.3.4:5', "
        "'/ws?token=abc');"
        "warnings.warn('old'); t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join(); "
        "[][1]"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    lines = ran.stderr.splitlines()
    assert ran.returncode == 1 and len(lines) == 3, ran.stderr
    assert all(map(LINE.match, lines)), ran.stderr
    assert (
        "UserWarning: old" in lines[0]
        and "ZeroDivisionError" in lines[1]
        and "IndexError" in lines[2]
    )
