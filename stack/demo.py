"""Run the whole system on this machine: the stack, then every supervised process of the product."""

import fcntl
import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from subprocess import Popen
from types import FrameType

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from schemas.settings import Settings
from stack import StackError, control
from stack.lines import ZONE, format_line, message_of
from stack.ports import choose_port
from stack.process import Process, process_of, spawn, tail

READY_SECONDS = 120  # for the dashboard to answer
STOP_SECONDS = 15
STACK_SECONDS = 2.0  # between two checks that Kafka and ClickHouse still run
QUIET_SECONDS = 10  # between two lines about the simulator where no line can be redrawn
MAX_BACKOFF_SECONDS = 30.0
STEADY_SECONDS = 60  # a process that ran for this long is restarted quickly again


@dataclass(frozen=True)
class DemoStep:
    """One process of the product.

    `once` means that it must succeed before the next begins; `ready` is the address to wait for.
    """

    name: str
    command: tuple[str, ...]
    once: bool = False
    ready: str | None = None


def demo_steps(settings: Settings, days: int, speed: int) -> tuple[DemoStep, ...]:
    """Return the demo's steps in the order of their start.

    Only `once` steps and those with a `ready` address are waited for.
    """
    simulate = ("ingest", "simulate", "--days", str(days), "--live", "--speed", str(speed))
    return (
        DemoStep("migrate", _module("streams", "migrate"), once=True),
        DemoStep(
            "worker",
            _module("streams", "worker"),
            ready=f"http://127.0.0.1:{settings.worker_port}/healthz",
        ),
        DemoStep("watch", _module("streams", "watch")),
        DemoStep(
            "gateway",
            _module("ingest", "gateway"),
            ready=f"http://127.0.0.1:{settings.gateway_port}/readyz",
        ),
        DemoStep("simulator", _module(*simulate)),
        DemoStep(
            "dashboard",
            _module("dashboard", "serve"),
            ready=f"http://127.0.0.1:{settings.dashboard_port}/readyz",
        ),
    )


def _module(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *arguments)


@dataclass
class _Run:
    """A step that is running, or waiting for its next start."""

    step: DemoStep
    child: Popen[bytes]
    began: float
    failures: int = 0
    restart_at: float | None = None


@dataclass
class Supervisor:
    """Runs steps and restarts those that end, with growing pauses, until it is told to stop."""

    home: Path
    environment: Mapping[str, str]
    console: Console
    ending: threading.Event = field(default_factory=threading.Event)
    runs: list[_Run] = field(default_factory=list)

    def run(self, steps: Sequence[DemoStep], panel: Sequence[tuple[str, str]]) -> None:
        """Start the steps, show the addresses once all are ready, watch until `ending` is set.

        Raises:
            StackError: a `once` step failed, or a `ready` one did not answer in time.
        """
        began = time.monotonic()
        for step in steps:
            if self.ending.is_set():
                return
            if step.once:
                self._run_once(step)
            else:
                self.runs.append(_Run(step, self._start(step), time.monotonic()))
                self._remember()
        waiting = {step.name: step.ready for step in steps if step.ready}
        shown, next_line = "", 0.0
        with self.console.status("starting …") as spinner:
            while not self.ending.wait(0.25):
                self._watch()
                for name in [name for name, address in waiting.items() if answers(address)]:
                    del waiting[name]
                    self._say(f"{name} ready after {time.monotonic() - began:.1f} s")
                    if not waiting:
                        show(self.console, panel)
                if waiting and time.monotonic() - began > READY_SECONDS:
                    slow = next(iter(waiting))
                    end = tail(self._log(slow))
                    raise StackError(
                        f"{slow} did not answer within {READY_SECONDS} s. "
                        f"The end of its log:\n{end}"
                    )
                last = tail(self._log("simulator"), 1)
                if last != shown and (self.console.is_terminal or time.monotonic() >= next_line):
                    shown, next_line = last, time.monotonic() + QUIET_SECONDS
                    spinner.update(escape(message_of(last)))
                    if not self.console.is_terminal:
                        self._say(f"simulator: {message_of(last)}")

    def stop(self) -> None:
        """Stop everything that runs; kill what takes too long."""
        running = [
            (run.step.name, process_of(run.child.pid))
            for run in self.runs
            if run.child.poll() is None
        ]
        for _, process in running:
            process.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for name, process in running:
            if not process.stop(deadline - time.monotonic()):
                self._say(f"{name} did not stop within {STOP_SECONDS} s and was killed")
        self.runs.clear()
        (self.home / "demo.json").unlink(missing_ok=True)

    def _run_once(self, step: DemoStep) -> None:
        began = time.monotonic()
        child = self._start(step)
        self.runs.append(run := _Run(step, child, began))
        self._remember()
        while child.poll() is None:
            if self.ending.wait(0.05):
                return
        self.runs.remove(run)
        if child.returncode:
            end = tail(self._log(step.name), ended=True)
            raise StackError(
                f"{step.name} failed with exit code {child.returncode}. The end of its log:\n{end}"
            )
        self._say(f"{step.name} done in {time.monotonic() - began:.1f} s")

    def _watch(self) -> None:
        now = time.monotonic()
        for run in self.runs:
            if run.restart_at is not None:
                if now >= run.restart_at:
                    run.child, run.began, run.restart_at = (
                        self._start(run.step, again=True),
                        now,
                        None,
                    )
                    self._remember()
            elif (code := run.child.poll()) is not None:
                run.failures = 1 if now - run.began > STEADY_SECONDS else run.failures + 1
                pause = min(MAX_BACKOFF_SECONDS, 2.0 ** (run.failures - 1))
                run.restart_at = now + pause
                end = tail(self._log(run.step.name), 10, ended=True)
                self._say(
                    f"{run.step.name} ended (exit code {code}); restarting in {pause:.0f} s. "
                    f"The end of its log:\n{end}"
                )

    def _start(self, step: DemoStep, again: bool = False) -> Popen[bytes]:
        return spawn(step.command, self._log(step.name), self.environment, fresh=not again)

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _remember(self) -> None:
        """Record what runs, so that the next demo can stop it if this one is killed."""
        noted = [asdict(process_of(run.child.pid)) for run in self.runs if run.child.poll() is None]
        (self.home / "demo.json").write_text(json.dumps(noted))

    def _say(self, line: str) -> None:
        print_line(self.console, line)


def print_line(console: Console, text: str) -> None:
    """Print a message; where no terminal is attached, as a log line with time and level."""
    line = text if console.is_terminal else format_line(text, "demo", datetime.now(ZONE))
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def show(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    """Print names with their values, in a frame on a terminal."""
    if console.is_terminal:
        text = "\n".join(f"{name:8} {value}" for name, value in rows)
        console.print(Panel(text, title="The operations center is live", expand=False))
    else:
        values = ", ".join(f"{name}: {value}" for name, value in rows)
        print_line(console, f"the operations center is live; {values}")


def demo(
    home: Path,
    console: Console,
    settings: Settings,
    plan: Callable[[Settings], Sequence[DemoStep]],
    *,
    keep_stack: bool,
) -> None:
    """Run the whole demo until SIGINT, SIGTERM or SIGHUP, and leave nothing behind.

    Args:
        home: folder of the data, logs and state.
        console: shows progress.
        settings: base settings; addresses and ports are replaced by those chosen here.
        plan: returns the steps for the settings that were chosen.
        keep_stack: leave Kafka and ClickHouse running.

    Raises:
        StackError: something did not start, or a demo runs in this home already.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor(home, os.environ, console)

    stopping = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:
            return
        stopping = True
        text = "stopping everything"
        os.write(
            2,
            f"\n{text} …\n".encode()
            if console.is_terminal
            else f"{format_line(text, 'demo', datetime.now(ZONE))}\n".encode(),
        )
        # Not by this thread: the code that the signal interrupts may hold the event's own lock,
        # and would wait for itself.
        threading.Thread(target=supervisor.ending.set, name="ending").start()

    with ExitStack() as cleanup:
        cleanup.enter_context(exclusive_home(home))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            cleanup.callback(signal.signal, number, signal.signal(number, end))

        say = partial(print_line, console)
        if not keep_stack:
            cleanup.callback(control.down, home, say)
        where = control.up(home, say)
        own = {
            "home": home,
            "kafka_servers": where.kafka_servers,
            "clickhouse_address": where.clickhouse_address,
        }
        settings = settings.model_copy(update=own | free_ports(settings, console))
        supervisor.environment = os.environ | environment(settings)
        watch = threading.Thread(
            target=restart_ended, args=(home, supervisor.ending, say), name="stack"
        )
        watch.start()
        cleanup.callback(watch.join)
        cleanup.callback(supervisor.ending.set)
        cleanup.callback(supervisor.stop)
        supervisor.run(plan(settings), panel(settings))


def restart_ended(home: Path, ending: threading.Event, say: Callable[[str], None]) -> None:
    """Restart servers of the stack that ended, until `ending` is set."""
    while not ending.wait(STACK_SECONDS):
        for title in control.ended_parts(home):
            say(f"{title} ended; restarting it")
            try:
                control.up(home, say)
            except StackError as problem:
                say(str(problem))
            break


def free_ports(settings: Settings, console: Console) -> dict[str, int]:
    """Choose the ports of the product's own servers: those of the settings unless they are in use.

    A port that differs from its setting is reported on the console.
    """
    ports: dict[str, int] = {}
    for name in ("gateway_port", "dashboard_port", "worker_port"):
        wanted = int(getattr(settings, name))
        ports[name] = choose_port(wanted, ports.values())
        if ports[name] != wanted:
            print_line(
                console,
                f"port {wanted} is in use; the {name.removesuffix('_port')} uses {ports[name]}",
            )
    return ports


def environment(settings: Settings) -> dict[str, str]:
    """Return settings as the environment variables that they are read from."""
    # Not a dump of the model: that would split structured values such as the partitions.
    names = Settings.model_fields
    variables = {Settings.variable(name): str(getattr(settings, name)) for name in names}
    return variables | {"PYTHONUNBUFFERED": "1"}


def panel(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return what the user needs to know once everything runs, by name."""
    return (
        ("wall", f"http://127.0.0.1:{settings.dashboard_port}/wall"),
        ("gateway", f"http://127.0.0.1:{settings.gateway_port}/v1/events"),
        ("logs", str(settings.home / "logs")),
        ("stop", "Ctrl-C"),
    )


def answers(address: str) -> bool:
    """Return whether a GET of the address answers with status 200."""
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


@contextmanager
def exclusive_home(home: Path) -> Iterator[None]:
    """Hold a home for one demo, after stopping what a killed demo left running there.

    Raises:
        StackError: a demo runs in this home.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as busy:
            raise StackError(
                f"A demo runs in {home}: end it with Ctrl-C, or use --home for another one."
            ) from busy
        stop_leftovers(home)
        yield


def stop_leftovers(home: Path) -> None:
    """Stop the processes that a killed demo left running in this home."""
    try:
        recorded = json.loads((home / "demo.json").read_text())
    except (FileNotFoundError, ValueError):
        return
    for process in recorded:
        Process(**process).stop(STOP_SECONDS)
    (home / "demo.json").unlink()
