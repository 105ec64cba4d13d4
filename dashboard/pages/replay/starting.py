"""Replay runs that the page starts, stops and removes: processes that outlive the dashboard."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from dashboard.query.replays import ReplayStore
from dashboard.request.address import format_moment, moment_of
from schemas.clickhouse.replays import MAX_QUEUED, NAME, SOURCES, RunState
from schemas.clickhouse.retention import horizon

log = logging.getLogger(__name__)
BEGUN_SECONDS = 60.0
"""Time limit for a run to report itself."""
REMOVED_SECONDS = 120


class RunRequestError(Exception):
    """A refused action on a run; its text completes the message key `run_problem_…`."""


@dataclass
class Starter:
    """Starts and ends runs. Safe to use from many threads."""

    store: ReplayStore
    home: Path
    _begun: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    _one: threading.Lock = field(default_factory=threading.Lock)

    def start(self, form: Mapping[str, str]) -> None:
        """Start the run that a form describes, and wait until it reports itself.

        Args:
            form: name, since, until, speed, source, when, arrival, mark.

        Raises:
            RunRequestError: the run cannot be started.
            dashboard.query.connection.UnreachableError: ClickHouse does not answer.
        """
        name = form.get("name", "").strip()
        if not NAME.fullmatch(name):
            raise RunRequestError("name")
        try:
            since, until = (moment_of(form.get(end, "")) for end in ("since", "until"))
        except ValueError:
            raise RunRequestError("period") from None
        if since >= until:
            raise RunRequestError("period")
        speed, source = form.get("speed") or "max", form.get("source") or SOURCES[0]
        on_time = form.get("arrival") == "on_time"
        if on_time and source == "kafka":
            raise RunRequestError("arrival")
        if source not in SOURCES or not (speed == "max" or (speed.isdecimal() and int(speed))):
            raise RunRequestError("failed")
        with self._one:
            if self.store.runs(name):
                raise RunRequestError("taken")
            known = horizon(self.store.connection.tuples)
            if known and since < known.removed_before:
                raise RunRequestError("kept")
            if not self.store.happened(since, until):
                raise RunRequestError("empty")
            if sum(one.state is RunState.QUEUED for one in self.store.runs()) >= MAX_QUEUED:
                raise RunRequestError("queue")
            if not self.store.has_room(since, until):
                raise RunRequestError("disk")
            arguments = [
                "--from",
                format_moment(since),
                "--to",
                format_moment(until),
                "--into",
                name,
                "--speed",
                speed,
                "--source",
                source,
            ]
            arguments += ["--on-time"] if on_time else []
            exercise = (
                ["--as-now"]
                if form.get("when") == "today"
                else ["--exercise"]
                if form.get("mark") == "exercise"
                else []
            )
            self._begun = {
                begun: process for begun, process in self._begun.items() if process.poll() is None
            }
            self._begun[name] = self._run(name, *arguments, *exercise)
            self._wait(name)

    def stop(self, name: str) -> None:
        """Ask a run to stop, wherever it was started: that dashboard may be gone by now.

        Raises:
            RunRequestError: there is no such run, or it is not running.
            dashboard.query.connection.UnreachableError: ClickHouse does not answer.
        """
        if not NAME.fullmatch(name) or not (found := self.store.runs(name)) or not found[0].goes_on:
            raise RunRequestError("gone")
        self.store.stop(name)

    def remove(self, name: str) -> None:
        """Remove a run, and wait until it is gone.

        Raises:
            RunRequestError: there is no such run, or it is running.
            dashboard.query.connection.UnreachableError: ClickHouse does not answer.
        """
        if not NAME.fullmatch(name) or not (found := self.store.runs(name)):
            raise RunRequestError("gone")
        if found[0].goes_on:
            raise RunRequestError("running")
        with self._one:
            try:
                code = self._run(name, "remove", name).wait(REMOVED_SECONDS)
            except subprocess.TimeoutExpired:
                log.warning("the run %s was not removed within %d s", name, REMOVED_SECONDS)
                raise RunRequestError("failed") from None
        if code:
            log.warning("the run %s could not be removed; see its log", name)
            raise RunRequestError("failed")

    def _run(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with self._log(name) as log_file:
            return subprocess.Popen(
                [sys.executable, "-m", "streams", "replay", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log_file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # the end of the dashboard does not end it
            )

    def _log(self, name: str) -> IO[bytes]:
        folder = self.home / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / f"replay-{name}.log").open("ab")

    def _wait(self, name: str) -> None:
        deadline = time.monotonic() + BEGUN_SECONDS
        while time.monotonic() < deadline:
            if self.store.runs(name):
                return
            if self._begun[name].poll() is not None:
                log.warning("the run %s ended at once; see its log", name)
                raise RunRequestError("failed")
            time.sleep(0.2)
        log.warning(
            "the run %s said nothing of itself within %.0f s; see its log", name, BEGUN_SECONDS
        )
        raise RunRequestError("failed")
