"""Up, down, status and wipe of one local stack: a Kafka and a ClickHouse whose data, logs and notes lie under one home folder."""

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
from stack.process import Process, one_at_a_time, start, tail, wait_until

DEFAULT_PORTS = {"kafka": 9092, "controller": 9093, "clickhouse": 9000}
START_SECONDS = 90
STOP_SECONDS = 30
MIN_FREE_BYTES = 1_500_000_000
"""Below this, a start says that the disk is nearly full."""


@dataclass(frozen=True)
class Addresses:
    """Where a running stack listens, and what the rest of the product must be told."""

    kafka_servers: str
    clickhouse_address: str
    home: Path

    @property
    def clickhouse_url(self) -> str:
        """The whole ClickHouse address with its password: not for logs."""
        return with_password(self.clickhouse_address, self.password_file)

    @property
    def password_file(self) -> Path:
        """The file with ClickHouse's password."""
        return self.home / CLICKHOUSE_PASSWORD_FILE

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead every process of the product to this stack."""
        return {
            "IOC_KAFKA_SERVERS": self.kafka_servers,
            "IOC_CLICKHOUSE_URL": self.clickhouse_address,
            "IOC_CLICKHOUSE_PASSWORD_FILE": str(self.password_file),
            "IOC_HOME": str(self.home),
        }


@dataclass(frozen=True)
class ServerPart:
    """One server: which ports it listens on, how it is started and how its health is asked. Folders are under the home."""

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
    """What `status` knows of one part. `uptime` is in seconds, `data` in bytes."""

    part: str
    pid: int | None
    port: int | None
    health: str  # "healthy", "starting or hung", "stopped"
    data: int
    uptime: float | None


@dataclass
class Notes:
    """What is remembered between calls, in `stack.json`: the ports for the next start, the processes that were started."""

    ports: dict[str, int]
    processes: dict[str, Process]
    since: dict[str, float]

    @classmethod
    def read(cls, home: Path) -> "Notes":
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
        fresh = home / "stack.json.new"
        fresh.write_text(json.dumps(asdict(self), indent=2) + "\n")
        fresh.replace(home / "stack.json")

    def alive(self, part: ServerPart) -> Process | None:
        process = self.processes.get(part.name)
        return process if process and process.alive else None


def up(
    home: Path, say: Callable[[str], None] = lambda line: None, *, kafka_engine: bool = False
) -> Addresses:
    """Start what does not run yet and wait until all of it is healthy. `say` is told each step.

    With `kafka_engine`, a ClickHouse that it starts may read Kafka by tables of its own, which the product never does.
    Raises `StackError`, with the end of the log, when a part does not come up; what came up stays up.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        held.enter_context(one_at_a_time(home / "stack.lock"))
        notes = Notes.read(home)
        began = time.monotonic()
        _end_without_password(home, notes, say)
        started = [part for part in PARTS if not notes.alive(part)]
        if started:  # what is missing is told before anything runs
            java()
            jars()
            library()
            others = (
                Path(tempfile.gettempdir()) / f"ioc-stack-{os.getuid()}.lock"
            )  # two starts at once would choose the same ports
            held.enter_context(
                one_at_a_time(others, lambda: say("another stack is starting; waiting for it"))
            )
            if short := short_of_disk(home):
                say(short)
            if os.geteuid() == 0:
                say(
                    "Kafka and ClickHouse run as root: start them from an account of their own where others use the machine, too."
                )
        for part in started:
            _start(home, notes, part, say, kafka_engine)
        for part in PARTS:
            while not _wait(home, notes, part):
                # One that ran and was dying when we looked is started like any other.
                if notes.alive(part) or (part in started and not _lost_a_port(notes, part)):
                    what = (
                        f"did not answer within {START_SECONDS} s"
                        if notes.alive(part)
                        else "ended instead of starting"
                    )
                    log = _log(home, part)
                    raise StackError(
                        f"{part.title} {what}. The end of {log}:\n{tail(log, ended=not notes.alive(part))}"
                    )
                started.append(part)
                _start(home, notes, part, say, kafka_engine)
            state = (
                f"ready after {time.monotonic() - began:.1f} s"
                if part in started
                else "is up already"
            )
            say(f"{part.title} {state}: 127.0.0.1:{notes.ports[part.ports[0]]}")
    return addresses(home)


def addresses(home: Path) -> Addresses:
    """Where the stack of this home listens, or did when it last ran. Raises `StackError` when it never ran."""
    home = home.resolve()
    ports = Notes.read(home).ports
    if not DEFAULT_PORTS.keys() <= ports.keys():
        raise StackError(f"No stack has run in {home}: start it with `ioc stack up`.")
    return Addresses(
        kafka_servers=f"127.0.0.1:{ports['kafka']}",
        clickhouse_address=f"clickhouse://{CLICKHOUSE_USER}@127.0.0.1:{ports['clickhouse']}/ioc",
        home=home,
    )


def down(home: Path, say: Callable[[str], None] = lambda line: None) -> None:
    """Stops what runs, in good order if it can. The data stay."""
    home = home.resolve()
    if not (home / "stack.json").exists():
        return
    with one_at_a_time(home / "stack.lock"):
        notes = Notes.read(home)
        for part in reversed(PARTS):
            if process := notes.alive(part):
                said = (
                    "stopped"
                    if process.stop(STOP_SECONDS)
                    else f"killed: it did not stop within {STOP_SECONDS} s"
                )
                say(f"{part.title} {said}")
            notes.processes.pop(part.name, None)
            notes.since.pop(part.name, None)
        notes.write(home)


def wipe(home: Path, say: Callable[[str], None] = lambda line: None) -> None:
    """Stop what runs; delete the data, ClickHouse's password, the logs, the remembered ports, how far the simulator came.

    Other files stay.
    """
    home = home.resolve()
    down(home, say)
    for folder in (*(part.name for part in PARTS), "logs"):
        shutil.rmtree(home / folder, ignore_errors=True)
    # A simulator that went on where it was would leave its history out.
    for name in ("stack.json", str(CLICKHOUSE_PASSWORD_FILE), "simulator.json"):
        (home / name).unlink(missing_ok=True)


def status(home: Path) -> list[Health]:
    """What is known of every part, now."""
    home = home.resolve()
    notes = Notes.read(home)
    known = []
    for part in PARTS:
        process = notes.alive(part)
        healthy = process is not None and part.healthy(home / part.name, notes.ports)
        known.append(
            Health(
                part=part.name,
                pid=process.pid if process else None,
                port=notes.ports.get(part.ports[0]),
                health="healthy" if healthy else "starting or hung" if process else "stopped",
                data=size_of(home / part.name),
                uptime=time.time() - notes.since[part.name] if process else None,
            )
        )
    return known


def short_of_disk(home: Path) -> str:
    """A sentence when the disk under a folder has too little free space; empty when it has enough."""
    free = shutil.disk_usage(home).free
    if free >= MIN_FREE_BYTES:
        return ""
    return f"Only {free / 1e9:.1f} GB are free under {home}: Kafka and ClickHouse stop when the disk is full, so make room."


def fallen(home: Path) -> list[str]:
    """Titles of the parts that were started and no longer run."""
    notes = Notes.read(home.resolve())
    return [part.title for part in PARTS if part.name in notes.processes and not notes.alive(part)]


def _start(
    home: Path, notes: Notes, part: ServerPart, say: Callable[[str], None], kafka_engine: bool
) -> None:
    for name in part.ports:
        wanted = notes.ports.get(name, DEFAULT_PORTS[name])
        notes.ports[name] = choose_port(
            wanted, [port for other, port in notes.ports.items() if other != name]
        )
        if notes.ports[name] != wanted:
            say(f"port {wanted} is taken; {part.title} takes {notes.ports[name]}")
    command = part.command(home / part.name, notes.ports, kafka_engine)
    notes.processes[part.name] = start(command, _log(home, part), part.environment())
    notes.since[part.name] = time.time()
    notes.write(home)


def _end_without_password(home: Path, notes: Notes, say: Callable[[str], None]) -> None:
    """End a ClickHouse that a release without passwords started, so that it starts again with one."""
    part = PARTS[0]
    if (process := notes.alive(part)) and not (home / CLICKHOUSE_PASSWORD_FILE).exists():
        say(f"{part.title} runs without a password; it starts again with one")
        process.stop(STOP_SECONDS)


def _wait(home: Path, notes: Notes, part: ServerPart) -> bool:
    """Waits until the part is healthy, which is the answer, or has ended, or took too long."""
    healthy = False

    def settled() -> bool:
        nonlocal healthy
        alive = notes.alive(part) is not None
        healthy = alive and part.healthy(home / part.name, notes.ports)
        return healthy or not alive

    wait_until(settled, START_SECONDS)
    return healthy


def _http_port() -> int:
    """The port on which ClickHouse is to take HTTP, too; 0 for none. Raises `StackError` when somebody listens there."""
    wanted = load().clickhouse_http_port
    if wanted and choose_port(wanted) != wanted:
        raise StackError(
            f"Port {wanted} (IOC_CLICKHOUSE_HTTP_PORT) is taken: choose another one, or 0 for no HTTP."
        )
    return wanted


def _lost_a_port(notes: Notes, part: ServerPart) -> bool:
    """Whether somebody else took one of the part's ports between its choice and its use, as two starts at once can."""
    return any(choose_port(notes.ports[name]) != notes.ports[name] for name in part.ports)


def _log(home: Path, part: ServerPart) -> Path:
    return home / "logs" / f"{part.name}.log"
