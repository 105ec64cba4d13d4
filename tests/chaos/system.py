"""The whole system under test.

A stack, workers and gateways of its own, started, ended and started again.

A keeper restarts Kafka and ClickHouse whenever they fell, as a supervisor would, but not what a
scenario holds down.
"""

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals
from typing import Any

from clickhouse_driver import Client

from ingest.producer import KafkaUnavailableError, Producer
from schemas.events.kinds import BY_NAME
from schemas.settings import Settings
from stack import control
from stack.ports import choose_port
from streams.admin.migrate import migrate
from tests.chaos.agency import AGES, AHEAD, Agency, Events, Vandal
from tests.chaos.broker import Broker
from tests.chaos.ledger import Ledger
from tests.conftest import isolated
from tests.running import Running, wait_for

SESSION = 6.0
"""Seconds after which the group takes a silent worker for dead (`broker_session_timeout` of the
product).
"""

logging.getLogger("clickhouse_driver").setLevel(
    logging.CRITICAL
)  # It tells of every connection that is refused.


class System:
    """One system with its senders and their ledger.

    Everything is under `home` and gone when it ends, but the logs.
    """

    def __init__(
        self, home: Path, seed: str, say: Callable[[str], None], gateways: int = 1
    ) -> None:
        self.home, self.seed, self.say = home, seed, say
        self.rng = random.Random(seed)
        self.ledger = Ledger()
        self.workers: dict[int, Running] = {}
        self.gateways: dict[int, Running] = {}
        self.agencies: list[Agency] = []
        self.down: set[str] = set()
        """Servers that a scenario keeps down; none is restarted meanwhile."""
        self.not_after: int | None = None
        """Holds the agencies' clocks at a moment, in milliseconds since 1970."""
        self.falls = 0
        """How often Kafka or ClickHouse was started again."""
        self._ports: list[int] = []
        self.gateway_ports = [self._port() for _ in range(gateways)]
        self._worker_ports: dict[int, int] = {}
        self._vandal: Vandal | None = None
        self._producer: Producer | None = None
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._stack_home = home / "stack"

    def __enter__(self) -> "System":
        try:
            self._addresses = control.up(self._stack_home)
            self.environment = isolated(self._addresses, self.home)
            self.settings = Settings.of(self.environment)
            self.broker = Broker(self.settings)
            migrate(self.settings)
            for number in range(len(self.gateway_ports)):
                self.start_gateway(number)
        except BaseException:
            self.__exit__()
            raise
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._keeper.ident is not None:
            self._keeper.join(120)
        for process in (*self.workers.values(), *self.gateways.values()):
            if process.process.poll() is None:
                process.kill()
            process.stop()
        logs = self._stack_home / "logs"
        for log in logs.glob("*"):
            log.replace(self.home / log.name)
        control.wipe(self._stack_home)

    # Senders

    def send(
        self, agencies: int = 2, vandal: bool = False, pause: float = 0.08, ahead: bool = True
    ) -> None:
        """Let agencies begin, if they have not: some of their clocks may be ahead.

        And somebody whose records cannot be counted.
        """
        if self.agencies:
            return
        for number in range(agencies):
            seed = f"{self.seed}/agency {number}"
            ages = (*AGES, AHEAD) if ahead else AGES
            events = Events(f"a{number}", random.Random(seed), ages, self._clock)
            self.agencies.append(Agency(events, self.gateway_ports, self.ledger, seed, pause))
            self.agencies[-1].start()
        if vandal:
            self._vandal = Vandal(self.put, self.ledger, f"{self.seed}/vandal")
            self._vandal.start()

    def _clock(self) -> int:
        now = time.time_ns() // 1_000_000
        return now if self.not_after is None else min(now, self.not_after)

    def more(self, events: int, seconds: float = 120) -> None:
        """Wait until so many more events were accepted."""
        before = len(self.ledger)
        wait_for(lambda: len(self.ledger) >= before + events, seconds, "the agencies' next events")

    def progress(self, seconds: float = 90) -> None:
        """Wait until some worker counts more than is counted now."""
        count = "SELECT count() FROM events"
        before = wait_for(lambda: self.ask(count), seconds)[0][0]
        wait_for(lambda: self.ask(count)[0][0] > before, seconds, "a worker that counts")

    def caught_up(self, seconds: float = 90) -> None:
        """Wait until all that is accepted by now is counted."""
        accepted = len(self.ledger)
        wait_for(
            lambda: self.ask("SELECT count() FROM events")[0][0] >= accepted,
            seconds,
            f"{accepted:,} events to be counted",
        )

    def finish(self) -> None:
        """Let the senders end: each with an answer to its last batch."""
        for agency in self.agencies:
            agency.finish()
        if self._vandal is not None:
            self._vandal.finish()
        if self._producer is not None:
            self._producer.close()

    def put(self, kind: str, key: bytes, record: bytes) -> None:
        """Put a record into Kafka past the gateway, again and again until it is acknowledged."""
        while True:
            try:
                self._producer = self._producer or Producer(self.settings, timeout_seconds=10)
                self._producer.send_record(BY_NAME[kind], key, record)
                return self._producer.flush()
            except KafkaUnavailableError:
                if self._producer is not None:
                    self._producer.close(0)
                self._producer = None
                time.sleep(0.5)

    # Processes of the product

    def start_worker(self, number: int = 0, *command: str, wait: bool = True) -> Running:
        """Start worker `number` on its own port and home.

        `command` takes the place of `streams worker`.
        """
        assert number not in self.workers or self.workers[number].process.poll() is not None
        if number not in self._worker_ports:
            self._worker_ports[number] = self._port()
        port = self._worker_ports[number]
        environment = self.environment | {
            "IOC_WORKER_PORT": str(port),
            "IOC_HOME": str(self.home / f"worker-{number}"),
        }
        ready = f"http://127.0.0.1:{port}/healthz" if wait else None
        log = self.home / f"worker-{number}.log"
        self.workers[number] = Running(
            *(command or ("streams", "worker")), environment=environment, log=log, ready=ready
        )
        return self.workers[number]

    def worker_port(self, number: int) -> int:
        """Return where worker `number` answers."""
        return self._worker_ports[number]

    def running(self) -> dict[int, Running]:
        """Return the workers that run."""
        return {
            number: worker
            for number, worker in self.workers.items()
            if worker.process.poll() is None
        }

    def doom(
        self, number: int, step: str, passage: int, number_of_signal: Signals = SIGKILL
    ) -> Running:
        """Start a worker that gives itself a signal at the n-th passage of a step of the order of
        work.
        """
        return self.start_worker(
            number, "tests.chaos.doomed", step, str(passage), str(int(number_of_signal)), wait=False
        )

    def start_gateway(self, number: int = 0, wait: bool = True) -> Running:
        """Start gateway `number`."""
        port = self.gateway_ports[number]
        environment = self.environment | {"IOC_GATEWAY_PORT": str(port)}
        ready = f"http://127.0.0.1:{port}/healthz" if wait else None
        log = self.home / f"gateway-{number}.log"
        self.gateways[number] = Running(
            "ingest", "gateway", environment=environment, log=log, ready=ready
        )
        return self.gateways[number]

    def _port(self) -> int:
        self._ports.append(choose_port(taken=self._ports))
        return self._ports[-1]

    # Kafka and ClickHouse

    def signal(self, server: str, number: Signals) -> None:
        """Send a signal to `kafka` or `clickhouse`."""
        control.StackState.read(self._stack_home).processes[server].signal(number)

    @contextlib.contextmanager
    def away(self, server: str, frozen: bool = False) -> Iterator[None]:
        """Keep a server away.

        Killed and not restarted, or frozen, so that connections stay and nobody answers.
        """
        self.down.add(server)
        self.signal(server, SIGSTOP if frozen else SIGKILL)
        try:
            yield
        finally:
            if frozen:
                self.signal(server, SIGCONT)
            self.down.discard(server)
            self.say(f"{server} comes back")

    def _keep(self) -> None:
        while not self._over.wait(0.3):
            if not self.down and control.ended_parts(self._stack_home):
                self.falls += 1
                assert control.up(self._stack_home) == self._addresses, (
                    "a server came back elsewhere"
                )

    # Questions

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Return rows of a query."""
        client = Client.from_url(self.settings.clickhouse_url)
        try:
            return list(client.execute(sql))
        finally:
            client.disconnect()
