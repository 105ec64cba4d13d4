"""Start, stop, inspect and wipe one local stack: a Kafka and a ClickHouse under one home folder.

Their data, logs and state (`stack.json`) lie under that folder.
"""

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from schemas.settings import CLICKHOUSE_PASSWORD_FILE, CLICKHOUSE_USER, load, with_password
from stack import StackError, broker, clickhouse
from stack.parts import jars, java, library, size_of
from stack.ports import choose_port
from stack.process import Process, file_lock, start, tail, wait_until

DEFAULT_PORTS = {"kafka": 9092, "controller": 9093, "clickhouse": 9000}
START_SECONDS = 90
STOP_SECONDS = 30
MIN_FREE_BYTES = 1_500_000_000
"""Free disk space below which a start warns that the disk is nearly full."""


@dataclass(frozen=True)
class Addresses:
    """Where a running stack listens, and the settings that the product's processes need."""

    kafka_servers: str
    clickhouse_address: str
    home: Path

    @property
    def clickhouse_url(self) -> str:
        """Return the ClickHouse address with its password: not for logs."""
        return with_password(self.clickhouse_address, self.password_file)

    @property
    def password_file(self) -> Path:
        """Return the file with ClickHouse's password."""
        return self.home / CLICKHOUSE_PASSWORD_FILE

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables that connect the product's processes to this stack."""
        return {
            "IOC_KAFKA_SERVERS": self.kafka_servers,
            "IOC_CLICKHOUSE_URL": self.clickhouse_address,
            "IOC_CLICKHOUSE_PASSWORD_FILE": str(self.password_file),
            "IOC_HOME": str(self.home),
        }


@dataclass(frozen=True)
class ServerPart:
    """One server: its ports, how it is started and how its health is checked.

    `command` and `healthy` are given the server's folder under the home and its ports by name.
    """

    name: str
    title: str
    ports: tuple[str, ...]
    command: Callable[[Path, dict[str, int], bool], list[str]]
    healthy: Callable[[Path, dict[str, int]], bool]
    environment: Callable[[], Mapping[str, str]] = lambda: os.environ


PARTS = (
    ServerPart(
        "clickhouse",
        "ClickHouse",
        ("clickhouse",),
        lambda folder, ports, kafka: clickhouse.command(
            folder, ports["clickhouse"], _http_port(), kafka_engine=kafka
        ),
        lambda folder, ports: clickhouse.healthy(folder, ports["clickhouse"]),
        clickhouse.environment,
    ),
    ServerPart(
        "kafka",
        "Kafka",
        ("kafka", "controller"),
        lambda folder, ports, _: broker.command(folder, ports["kafka"], ports["controller"]),
        lambda folder, ports: broker.healthy(folder, ports["kafka"]),
    ),
)


@dataclass(frozen=True)
class Health:
    """The status of one part; `uptime` is in seconds, `data` in bytes."""

    part: str
    pid: int | None
    port: int | None
    health: str  # "healthy", "starting or hung", "stopped"
    data: int
    uptime: float | None


@dataclass
class StackState:
    """What `stack.json` keeps between calls: ports for the next start and started processes."""

    ports: dict[str, int]
    processes: dict[str, Process]
    since: dict[str, float]

    @classmethod
    def read(cls, home: Path) -> "StackState":
        """Read the state of a home; empty when nothing has run there."""
        try:
            kept = json.loads((home / "stack.json").read_text())
        except FileNotFoundError:
            return cls({}, {}, {})
        return cls(
            kept["ports"],
            {name: Process(**entry) for name, entry in kept["processes"].items()},
            kept["since"],
        )

    def write(self, home: Path) -> None:
        """Replace the file in one step."""
        fresh = home / "stack.json.new"
        fresh.write_text(json.dumps(asdict(self), indent=2) + "\n")
        fresh.replace(home / "stack.json")

    def alive(self, part: ServerPart) -> Process | None:
        """Return the process of a part if it still runs."""
        process = self.processes.get(part.name)
        return process if process and process.alive else None


def up(
    home: Path, say: Callable[[str], None] = lambda line: None, *, kafka_engine: bool = False
) -> Addresses:
    """Start what is not running and wait until all of it is healthy.

    Args:
        home: folder of the data, logs and state.
        say: is called with a line for each step.
        kafka_engine: let a ClickHouse that it starts read Kafka by tables of its own, which the
            product never does.

    Raises:
        StackError: a part did not start; the message has the end of its log. Parts that did start
            keep running.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        held.enter_context(file_lock(home / "stack.lock"))
        state = StackState.read(home)
        began = time.monotonic()
        _end_without_password(home, state, say)
        started = [part for part in PARTS if not state.alive(part)]
        if started:  # report what is missing before anything runs
            java()
            jars()
            library()
            # Two starts at once would choose the same ports.
            lock_of_all = Path(tempfile.gettempdir()) / f"ioc-stack-{os.getuid()}.lock"
            held.enter_context(
                file_lock(lock_of_all, lambda: say("another stack is starting; waiting for it"))
            )
            if warning := disk_warning(home):
                say(warning)
            if os.geteuid() == 0:
                say(
                    "Kafka and ClickHouse run as root: use a separate account for them on a "
                    "machine that others use, too."
                )
        for part in started:
            _start(home, state, part, say, kafka_engine)
        for part in PARTS:
            while not _wait(home, state, part):
                # A part that ran but was dying at the first look is started like any other.
                if state.alive(part) or (part in started and not _lost_a_port(state, part)):
                    what = (
                        f"did not answer within {START_SECONDS} s"
                        if state.alive(part)
                        else "ended instead of starting"
                    )
                    log = _log(home, part)
                    end = tail(log, ended=not state.alive(part))
                    raise StackError(f"{part.title} {what}. The end of {log}:\n{end}")
                started.append(part)
                _start(home, state, part, say, kafka_engine)
            result = (
                f"ready after {time.monotonic() - began:.1f} s"
                if part in started
                else "is already running"
            )
            say(f"{part.title} {result}: 127.0.0.1:{state.ports[part.ports[0]]}")
    return addresses(home)


def addresses(home: Path) -> Addresses:
    """Return where the stack of this home listens, or listened when it last ran.

    Raises:
        StackError: it has never run.
    """
    home = home.resolve()
    ports = StackState.read(home).ports
    if not DEFAULT_PORTS.keys() <= ports.keys():
        raise StackError(f"No stack has run in {home}: start it with `ioc stack up`.")
    return Addresses(
        kafka_servers=f"127.0.0.1:{ports['kafka']}",
        clickhouse_address=f"clickhouse://{CLICKHOUSE_USER}@127.0.0.1:{ports['clickhouse']}/ioc",
        home=home,
    )


def down(home: Path, say: Callable[[str], None] = lambda line: None) -> None:
    """Stop what runs, cleanly if possible, and keep the data."""
    home = home.resolve()
    if not (home / "stack.json").exists():
        return
    with file_lock(home / "stack.lock"):
        state = StackState.read(home)
        for part in reversed(PARTS):
            if process := state.alive(part):
                result = (
                    "stopped"
                    if process.stop(STOP_SECONDS)
                    else f"killed: it did not stop within {STOP_SECONDS} s"
                )
                say(f"{part.title} {result}")
            state.processes.pop(part.name, None)
            state.since.pop(part.name, None)
        state.write(home)


def wipe(home: Path, say: Callable[[str], None] = lambda line: None) -> None:
    """Stop what runs; delete data, password, logs, remembered ports and the simulator's progress.

    Other files in the home stay.
    """
    home = home.resolve()
    down(home, say)
    for folder in (*(part.name for part in PARTS), "logs"):
        shutil.rmtree(home / folder, ignore_errors=True)
    # A simulator that continued where it stopped would leave out its history.
    for name in ("stack.json", str(CLICKHOUSE_PASSWORD_FILE), "simulator.json"):
        (home / name).unlink(missing_ok=True)


def status(home: Path) -> list[Health]:
    """Return the current status of every part."""
    home = home.resolve()
    state = StackState.read(home)
    known = []
    for part in PARTS:
        process = state.alive(part)
        healthy = process is not None and part.healthy(home / part.name, state.ports)
        known.append(
            Health(
                part=part.name,
                pid=process.pid if process else None,
                port=state.ports.get(part.ports[0]),
                health="healthy" if healthy else "starting or hung" if process else "stopped",
                data=size_of(home / part.name),
                uptime=time.time() - state.since[part.name] if process else None,
            )
        )
    return known


def disk_warning(home: Path) -> str:
    """Return a warning if the disk under a folder has too little free space; else an empty text."""
    free = shutil.disk_usage(home).free
    if free >= MIN_FREE_BYTES:
        return ""
    return (
        f"Only {free / 1e9:.1f} GB are free under {home}: Kafka and ClickHouse stop when the disk "
        "is full, so free some space."
    )


def ended_parts(home: Path) -> list[str]:
    """Return the titles of the parts that were started and no longer run."""
    state = StackState.read(home.resolve())
    return [part.title for part in PARTS if part.name in state.processes and not state.alive(part)]


def _start(
    home: Path, state: StackState, part: ServerPart, say: Callable[[str], None], kafka_engine: bool
) -> None:
    for name in part.ports:
        wanted = state.ports.get(name, DEFAULT_PORTS[name])
        state.ports[name] = choose_port(
            wanted, [port for other, port in state.ports.items() if other != name]
        )
        if state.ports[name] != wanted:
            say(f"port {wanted} is in use; {part.title} uses {state.ports[name]}")
    command = part.command(home / part.name, state.ports, kafka_engine)
    state.processes[part.name] = start(command, _log(home, part), part.environment())
    state.since[part.name] = time.time()
    state.write(home)


def _end_without_password(home: Path, state: StackState, say: Callable[[str], None]) -> None:
    """Stop a ClickHouse that a release without passwords started, so that it restarts with one."""
    part = PARTS[0]
    if (process := state.alive(part)) and not (home / CLICKHOUSE_PASSWORD_FILE).exists():
        say(f"{part.title} runs without a password; restarting it with one")
        process.stop(STOP_SECONDS)


def _wait(home: Path, state: StackState, part: ServerPart) -> bool:
    """Wait until the part is healthy, has ended, or took too long; return whether it is healthy."""
    healthy = False

    def settled() -> bool:
        nonlocal healthy
        alive = state.alive(part) is not None
        healthy = alive and part.healthy(home / part.name, state.ports)
        return healthy or not alive

    wait_until(settled, START_SECONDS)
    return healthy


def _http_port() -> int:
    """Return the port on which ClickHouse is to accept HTTP as well; 0 for none.

    Raises:
        StackError: another process listens there.
    """
    wanted = load().clickhouse_http_port
    if wanted and choose_port(wanted) != wanted:
        raise StackError(
            f"Port {wanted} (IOC_CLICKHOUSE_HTTP_PORT) is in use: choose another, or 0 for no HTTP."
        )
    return wanted


def _lost_a_port(state: StackState, part: ServerPart) -> bool:
    """Return whether another process took one of the part's ports between its choice and its use.

    Two starts at once can do that.
    """
    return any(choose_port(state.ports[name]) != state.ports[name] for name in part.ports)


def _log(home: Path, part: ServerPart) -> Path:
    return home / "logs" / f"{part.name}.log"
