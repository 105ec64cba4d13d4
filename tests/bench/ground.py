"""The ground that all measurements stand on.

The servers, the environment of the peers, the topics with their loads.
"""

import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from clickhouse_driver import Client
from rich.progress import Progress

from ingest.topics import ensure
from schemas.events.kinds import FILING
from schemas.settings import Settings
from stack import control
from streams.admin.migrate import migrate
from tests.bench.load import Load, last_hour
from tests.bench.machine import Processes, resident_mb
from tests.bench.results import NotMeasuredError
from tests.conftest import isolated
from tests.running import Running, worker

HERE = Path(__file__).parent
PARTITIONS = 4
"""Of every topic."""
REQUIREMENTS = HERE / "peers" / "requirements.txt"


@dataclass
class Ground:
    """One run's servers, folder and screen."""

    stack: control.Addresses
    home: Path
    quick: bool
    screen: Progress
    peers_python: Path
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    _hour: str | None = None

    @property
    def servers(self) -> dict[str, int]:
        """Return process ids of Kafka and ClickHouse."""
        return {health.part: health.pid for health in control.status(self.stack.home) if health.pid}

    def folder(self, name: str) -> Path:
        """Return a folder that nobody used before."""
        made = self.home / f"{name}-{next(self._numbers)}"
        made.mkdir(parents=True)
        return made

    def installation(self, prefix: str | None = None) -> "Installation":
        """Return a database, a consumer group and ports that nobody used before.

        Topics of their own unless `prefix` names some.
        """
        home = self.folder("home")
        environment = isolated(self.stack, home) | {"IOC_PARTITIONS": str(PARTITIONS)}
        if prefix:
            environment["IOC_TOPIC_PREFIX"] = prefix
        return Installation(environment)

    def hour(self) -> tuple[str, int]:
        """Return the topics' prefix with an hour's worth of filings, and how many records.

        The same for all that ask in a run.
        """
        count = 300_000 if self.quick else 1_000_000
        if self._hour is None:
            prefix = self.installation().settings.topic_prefix
            self.publish(prefix, last_hour(count), f"{count:,} filings of an hour")
            self._hour = prefix
        return self._hour, count

    def publish(self, prefix: str, load: Load, what: str) -> None:
        """Send a load to the filings' topic of that prefix.

        Raises `RuntimeError` when any record was not acknowledged.
        """
        command: list[str | Path] = [
            self.peers_python,
            HERE / "peers" / "publish.py",
            self.stack.kafka_servers,
            FILING.topic(prefix),
        ]
        task = self.screen.add_task(f"sending {what}", total=load.count)
        log = self.folder("publish") / "log"
        with (
            log.open("wb") as output,
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=output
            ) as sending,
        ):
            assert sending.stdin
            for many in _batches(load.frames(), 1000):
                sending.stdin.write(b"".join(many))
                self.screen.advance(task, len(many))
            sending.stdin.close()
            if sending.wait():
                raise RuntimeError(f"The load was not sent: {log.read_text()[-2000:]}")
        self.screen.remove_task(task)


@dataclass
class Installation:
    """Return the environment of one installation, whose ClickHouse and Kafka are up to date."""

    environment: dict[str, str]

    def __post_init__(self) -> None:
        self.settings = Settings.of(self.environment)
        migrate(self.settings)
        ensure(self.settings)

    def client(self) -> Client:
        """Return a connection to its database."""
        return Client.from_url(self.settings.clickhouse_url)

    def drop(self) -> None:
        """Free what it takes in ClickHouse."""
        client = self.client()
        client.execute(f"DROP DATABASE {client.connection.database}")
        client.disconnect()

    @property
    def topic(self) -> str:
        """Return the topic of its filings."""
        return FILING.topic(self.settings.topic_prefix)


@contextmanager
def whole(installation: Installation, home: Path) -> Iterator[tuple[str, str]]:
    """Worker, watch, gateway and dashboard of an installation, running.

    Gives the addresses of the last two. Logs go to `home`.
    """
    environment = installation.environment
    gateway, dashboard = (
        f"http://127.0.0.1:{environment[f'IOC_{name}_PORT']}" for name in ("GATEWAY", "DASHBOARD")
    )
    with (
        worker(environment, home / "worker.log"),
        Running("streams", "watch", environment=environment, log=home / "watch.log"),
        Running(
            "ingest",
            "gateway",
            environment=environment,
            log=home / "gateway.log",
            ready=f"{gateway}/readyz",
        ),
        Running(
            "dashboard",
            "serve",
            environment=environment,
            log=home / "dashboard.log",
            ready=f"{dashboard}/readyz",
        ),
    ):
        yield gateway, dashboard


@dataclass(frozen=True)
class Sample:
    """How far something is.

    Seconds of the monotonic clock, events done, MB resident of the process under test (0: none).
    """

    at: float
    done: int
    memory: float


@dataclass(frozen=True)
class Course:
    """What was seen of one run, from the first event that was done to the last."""

    samples: list[Sample]
    cpu: dict[str, float]
    """CPU seconds of each process from the first sample to the last, and of ClickHouse until it
    came to rest after it.
    """

    @property
    def events(self) -> int:
        """Return events done between the first sample and the last."""
        return self.samples[-1].done - self.samples[0].done

    @property
    def seconds(self) -> float:
        """Return seconds between them."""
        return self.samples[-1].at - self.samples[0].at

    @property
    def rate(self) -> float:
        """Return events per second until nine tenths are done.

        What comes last may wait to be a full batch.
        """
        enough = 0.9 * self.samples[-1].done
        last = next(
            (sample for sample in self.samples[1:] if sample.done >= enough), self.samples[-1]
        )
        if last.at <= self.samples[0].at:
            raise NotMeasuredError(
                f"all {self.samples[-1].done:,} events were done between two looks"
            )
        return (last.done - self.samples[0].done) / (last.at - self.samples[0].at)

    def cpu_per_100k(self, *names: str) -> float:
        """Return CPU seconds per 100,000 events of some of the processes together."""
        if not self.events:
            raise NotMeasuredError(
                f"all {self.samples[-1].done:,} events were done between two looks"
            )
        return sum(self.cpu[name] for name in names if name in self.cpu) / self.events * 100_000


@dataclass(frozen=True)
class Going:
    """Something that runs.

    How many events it has done, its own processes by name, and whether what it caused has come to
    rest.
    """

    done: Callable[[], int]
    pids: dict[str, int]
    rest: Callable[[], bool] = lambda: True


def follow(
    bench: Ground,
    what: str,
    going: Going,
    total: int,
    *,
    seconds: float = 300,
    each: Callable[[], object] = lambda: None,
) -> Course:
    """Watch until `total` events are done or `seconds` have passed since the first, then until it
    has come to rest.

    `each` is called with every sample.

    Start-up is left out: the course begins with the first sample in which something is done. Raises
    `RuntimeError` when nothing is done in two minutes, or nothing more in one.
    """
    task = bench.screen.add_task(what, total=total)
    processes = Processes(going.pids | bench.servers)
    samples: list[Sample] = []
    waiting_since = time.monotonic()
    while True:
        count, now = going.done(), time.monotonic()
        over = bool(samples) and (count >= total or now - samples[0].at > seconds)
        if count and not samples:
            processes.start()
        if count and (not samples or count > samples[-1].done or over):
            samples.append(Sample(now, count, sum(map(resident_mb, going.pids.values()))))
            each()
            waiting_since = now
            bench.screen.update(task, completed=count)
        if over:
            break
        if now - waiting_since > (60 if samples else 120):
            raise RuntimeError(f"{what}: no progress beyond {count:,} of {total:,} events.")
        time.sleep(0.1)
    until = time.monotonic() + 30
    while not going.rest() and time.monotonic() < until:
        time.sleep(0.2)
    bench.screen.remove_task(task)
    return Course(samples, processes.used())


def make_peers_python(folder: Path) -> Path:
    """Return the Python of the peers' environment, made by uv when its requirements changed."""
    python = folder / "bin" / "python"
    wanted, noted = REQUIREMENTS.read_text(), folder / "requirements.txt"
    if python.exists() and noted.exists() and noted.read_text() == wanted:
        return python
    uv = Path(sys.executable).parent / "uv"
    commands: tuple[list[str | Path], ...] = (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder],
        [uv, "pip", "install", "--quiet", "--python", python, "-r", REQUIREMENTS],
    )
    for command in commands:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise RuntimeError(
                f"The environment of the peers could not be made:\n{made.stderr[-2000:]}"
            )
    noted.write_text(wanted)
    return python


def _batches(frames: Iterable[bytes], size: int) -> Iterable[list[bytes]]:
    waiting = iter(frames)
    while many := list(itertools.islice(waiting, size)):
        yield many
