"""How a run of the simulator is told where nobody looks at a terminal: by lines of the log."""

import io
import logging
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from ingest.simulator.screen import ProgressScreen

START = datetime(2026, 11, 1, tzinfo=UTC)


def test_without_a_terminal_a_run_is_told_by_the_log(caplog: pytest.LogCaptureFixture) -> None:
    out = io.StringIO()
    with (
        caplog.at_level(logging.INFO),
        ProgressScreen(START, START + timedelta(days=1), Console(file=out)) as screen,
    ):
        screen.say("begun")
        screen.trouble("Kafka is away")
        screen.progress(START + timedelta(days=1), 1234)
    assert out.getvalue() == ""
    assert [(record.levelname, record.name) for record in caplog.records] == [
        ("INFO", "ingest.simulator"),
        ("WARNING", "ingest.simulator"),
        ("INFO", "ingest.simulator"),
    ]
    assert "1,234 events" in caplog.messages[-1]


def test_a_terminal_is_written_to_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    out = io.StringIO()
    with (
        caplog.at_level(logging.INFO),
        ProgressScreen(START, START, Console(file=out, force_terminal=True)) as screen,
    ):
        screen.say("begun")
    assert "simulate: begun" in out.getvalue() and not caplog.records
