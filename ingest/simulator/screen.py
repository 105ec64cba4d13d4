"""Show a run: a progress bar on a terminal, lines of a log elsewhere."""

import logging
import sys
import time
from datetime import datetime
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from ingest.simulator.run import format_moment

log = logging.getLogger("ingest.simulator")
BACKFILL_LINE_SECONDS, LIVE_LINE_SECONDS = 5.0, 60.0


class ProgressScreen:
    """A `Watcher` of a run from `start` to `end`, and beyond when live; a context manager."""

    def __init__(self, start: datetime, end: datetime, console: Console | None = None) -> None:
        """Prepare the progress bar on `console`, by default standard error."""
        self._console = console or Console(file=sys.stderr, highlight=False)
        self._start, self._end = start, end
        self._began = self._lined = time.monotonic()
        self._reported = 0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[words]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task(
            "simulate", total=max((end - start).total_seconds(), 1), words=""
        )

    def __enter__(self) -> Self:
        """Show the progress bar."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal tidy."""
        self._progress.stop()

    def say(self, sentence: str) -> None:
        """Print a line that stays."""
        if self._console.is_terminal:
            self._console.print(f"simulate: {sentence}", soft_wrap=True)
        else:
            log.info("%s", sentence)

    def trouble(self, sentence: str) -> None:
        """Print a line about a problem."""
        if self._console.is_terminal:
            self._console.print(f"simulate: {sentence}", style="red", soft_wrap=True)
        else:
            log.warning("%s", sentence)

    def progress(self, sent_until: datetime, sent: int) -> None:
        """Show how far the run has come and how many events were sent."""
        now, live = time.monotonic(), sent_until > self._end
        rate = sent / max(now - self._began, 0.001)
        words = f"{format_moment(sent_until)}  {sent:,} events" + (
            "  live" if live else f"  {rate:,.0f}/s"
        )
        done = min(
            (sent_until - self._start).total_seconds(), (self._end - self._start).total_seconds()
        )
        self._progress.update(self._task, completed=done, words=words)
        due = now - self._lined >= (LIVE_LINE_SECONDS if live else BACKFILL_LINE_SECONDS)
        if (
            not self._console.is_terminal
            and (due or sent_until == self._end)
            and sent != self._reported
        ):
            self.say(words)
            self._lined, self._reported = now, sent
