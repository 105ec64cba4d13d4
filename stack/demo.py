"""The whole system on this machine: the stack, then every process of the product, watched over until the user has seen enough."""

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
from stack.lines import ZONE, formatted, what
from stack.ports import choose_port
from stack.process import Process, process_of, spawn, tail

READY_SECONDS = 120  # for the dashboard to answer
STOP_SECONDS = 15
STACK_SECONDS = 2.0  # between two looks at whether Kafka and ClickHouse still run
QUIET_SECONDS = 10  # between two lines about the simulator where no line can be drawn anew
MAX_BACKOFF_SECONDS = 30.0
STEADY_SECONDS = 60  # who ran for this long has earned a quick restart again


@dataclass(frozen=True)
class DemoStep:
    """One process of the product. `once` means it must end well before the next begins; `ready` is the address to wait for."""

    name: str
    command: tuple[str, ...]
    once: bool = False
    ready: str | None = None


def whole_system(settings: Settings, days: int, speed: int) -> tuple[DemoStep, ...]:
    """What the demo runs, in this order. Only `once` steps and the `ready` ones are waited for."""
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
    """A step that runs, or waits for its next start."""

    step: DemoStep
    child: Popen[bytes]
    began: float
    failures: int = 0
    restart_at: float | None = None


@dataclass
class Supervisor:
    """Runs steps and restarts those that end, with growing pauses. It ends them all when asked to."""

    home: Path
    environment: Mapping[str, str]
    console: Console
    ending: threading.Event = field(default_factory=threading.Event)
    runs: list[_Run] = field(default_factory=list)

    def run(self, steps: Sequence[DemoStep], panel: Sequence[tuple[str, str]]) -> None:
        """Starts the steps, shows the addresses as soon as the ready ones answer, and watches until `ending` is set.

        Raises `StackError` when a `once` step fails, or a ready one does not answer in time.
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
        said, next_line = "", 0.0
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
                    raise StackError(
                        f"{slow} did not answer within {READY_SECONDS} s. The end of its log:\n{tail(self._log(slow))}"
                    )
                last = tail(self._log("simulator"), 1)
                if last != said and (self.console.is_terminal or time.monotonic() >= next_line):
                    said, next_line = last, time.monotonic() + QUIET_SECONDS
                    spinner.update(escape(what(last)))
                    if not self.console.is_terminal:
                        self._say(f"simulator: {what(last)}")

    def stop(self) -> None:
        """Ends all that runs; kills what takes too long."""
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
                    f"{run.step.name} ended (exit code {code}); it starts again in {pause:.0f} s. The end of its log:\n{end}"
                )

    def _start(self, step: DemoStep, again: bool = False) -> Popen[bytes]:
        return spawn(step.command, self._log(step.name), self.environment, fresh=not again)

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _remember(self) -> None:
        """Notes what runs, so that the next demo can end it should this one be killed."""
        noted = [asdict(process_of(run.child.pid)) for run in self.runs if run.child.poll() is None]
        (self.home / "demo.json").write_text(json.dumps(noted))

    def _say(self, line: str) -> None:
        say_on(self.console, line)


def say_on(console: Console, text: str) -> None:
    """Say something to whoever watches; where nobody does, as a line of a log: time, level, one line."""
    line = text if console.is_terminal else formatted(text, "demo", datetime.now(ZONE))
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def show(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    """Show names and their values, in a frame where somebody watches."""
    if console.is_terminal:
        text = "\n".join(f"{name:8} {value}" for name, value in rows)
        console.print(Panel(text, title="The operations center is live", expand=False))
    else:
        say_on(
            console,
            f"the operations center is live; {', '.join(f'{name}: {value}' for name, value in rows)}",
        )


def demo(
    home: Path,
    console: Console,
    settings: Settings,
    plan: Callable[[Settings], Sequence[DemoStep]],
    *,
    keep_stack: bool,
) -> None:
    """The whole demo; returns when SIGINT or SIGTERM asked it to end, with nothing left behind. Raises `StackError`.

    `plan` is given the settings with the addresses and ports that were chosen.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor(home, os.environ, console)

    asked = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            return
        asked = True
        text = "stopping everything"
        os.write(
            2,
            f"\n{text} …\n".encode()
            if console.is_terminal
            else f"{formatted(text, 'demo', datetime.now(ZONE))}\n".encode(),
        )
        # Not by this thread: what the signal interrupts may hold the event's own lock, and would wait for itself.
        threading.Thread(target=supervisor.ending.set, name="ending").start()

    with ExitStack() as cleanup:
        cleanup.enter_context(alone(home))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            cleanup.callback(signal.signal, number, signal.signal(number, end))

        say = partial(say_on, console)
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
        watch = threading.Thread(target=keep_up, args=(home, supervisor.ending, say), name="stack")
        watch.start()
        cleanup.callback(watch.join)
        cleanup.callback(supervisor.ending.set)
        cleanup.callback(supervisor.stop)
        supervisor.run(plan(settings), panel(settings))


def keep_up(home: Path, ending: threading.Event, say: Callable[[str], None]) -> None:
    """Starts a server of the stack again when it fell."""
    while not ending.wait(STACK_SECONDS):
        for title in control.fallen(home):
            say(f"{title} is gone; it starts again")
            try:
                control.up(home, say)
            except StackError as problem:
                say(str(problem))
            break


def free_ports(settings: Settings, console: Console) -> dict[str, int]:
    """The ports of the product's own servers: those of the settings unless somebody else listens there, which is said."""
    ports: dict[str, int] = {}
    for name in ("gateway_port", "dashboard_port", "worker_port"):
        wanted = int(getattr(settings, name))
        ports[name] = choose_port(wanted, ports.values())
        if ports[name] != wanted:
            say_on(
                console,
                f"port {wanted} is taken; the {name.removesuffix('_port')} takes {ports[name]}",
            )
    return ports


def environment(settings: Settings) -> dict[str, str]:
    """Settings as the variables that they are read from."""
    # Not a dump of the model: that takes a value such as the partitions apart.
    said = {Settings.variable(name): str(getattr(settings, name)) for name in Settings.model_fields}
    return said | {"PYTHONUNBUFFERED": "1"}


def panel(settings: Settings) -> tuple[tuple[str, str], ...]:
    """What the user needs to know once it runs, by name."""
    return (
        ("wall", f"http://127.0.0.1:{settings.dashboard_port}/wall"),
        ("gateway", f"http://127.0.0.1:{settings.gateway_port}/v1/events"),
        ("logs", str(settings.home / "logs")),
        ("stop", "Ctrl-C"),
    )


def answers(address: str) -> bool:
    """Whether a GET gets an answer that is no error."""
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """No demo runs in this home while it lasts, nor what one that was killed left running. Raises `StackError` if one does."""
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
    """Ends what a demo that was killed left running in this home."""
    try:
        noted = json.loads((home / "demo.json").read_text())
    except (FileNotFoundError, ValueError):
        return
    for process in noted:
        Process(**process).stop(STOP_SECONDS)
    (home / "demo.json").unlink()
