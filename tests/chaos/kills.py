"""kill -9: of everything at random, and of a worker at every step of its order of work."""

import subprocess
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from signal import SIGKILL

from tests.chaos.agency import write_csv
from tests.chaos.doomed import STEPS
from tests.chaos.ledger import Entry
from tests.chaos.system import System
from tests.running import Running, wait_for

ROWS = 25_000


@dataclass
class Import:
    """`ingest import` of a file, killed and run again until it completes."""

    system: System
    mapping: Path
    file: Path
    entries: list[Entry]
    kills: int = 0

    def begin(self) -> Running:
        """Start it."""
        command = ("ingest", "import", str(self.file), "--mapping", str(self.mapping))
        return Running(
            *command, environment=self.system.environment, log=self.system.home / "import.log"
        )

    def kill_in_the_middle(self) -> None:
        """Start it and kill it while it sends: when Kafka's log has begun to grow by it."""
        enough = self.system.broker.records() + self.system.rng.randrange(ROWS // 4)
        running = self.begin()
        wait_for(
            lambda: self.system.broker.records() > enough or running.process.poll() is not None
        )
        self.kills += running.process.poll() is None
        running.kill()
        running.stop()

    def complete(self) -> None:
        """Run it until it ends well."""
        for _ in range(5):
            running = self.begin()
            try:
                code = running.process.wait(150)
            except subprocess.TimeoutExpired:
                code = None
            running.stop()
            if code == 0:
                return self.system.ledger.accept(self.entries)
        raise AssertionError(
            f"the import does not complete; its last words:\n{running.text()[-2000:]}"
        )


def _ended(worker: Running) -> bool:
    return worker.process.poll() is not None


def at_random(system: System, rounds: int) -> str:
    """kill -9 of worker, gateway, import, Kafka and ClickHouse at random moments, one at a time and
    together.
    """
    system.start_worker()
    system.send(vandal=True)
    kills: dict[str, int] = {}
    rng = system.rng
    imports: list[Import] = []
    for number in range(rounds):
        system.more(rng.randint(50, 1_500))
        if (
            rng.random() < 0.7
        ):  # Otherwise the next blow falls while the last is still being recovered from.
            system.progress()
            time.sleep(rng.random())
        victims = rng.sample(
            ["worker", "gateway", "import", "clickhouse", "kafka"], rng.choice([1, 1, 1, 2, 2, 5])
        )
        system.say(
            f"round {number + 1} of {rounds}: kill -9 {', '.join(victims)}; {len(system.ledger):,} "
            "accepted"
        )
        if "import" in victims:
            imports.append(Import(system, *write_csv(system.home, number, ROWS, rng)))
            imports[-1].kill_in_the_middle()
        for victim in victims:
            kills[victim] = kills.get(victim, 0) + 1
            match victim:
                case "worker":
                    system.workers[0].kill()
                case "gateway":
                    system.gateways[0].kill()
                case "clickhouse" | "kafka":
                    system.signal(victim, SIGKILL)
        if "worker" in victims:
            system.start_worker(wait=False)
        if "gateway" in victims:
            system.start_gateway(wait=False)
        if imports and rng.random() < 0.5:
            imports.pop().complete()
        _alive(system)
    for one in imports:
        one.complete()
    _alive(system)
    return f"{rounds} rounds; kill -9 of " + ", ".join(
        f"{victim} {times}" for victim, times in sorted(kills.items())
    )


def _alive(system: System) -> None:
    """Whatever was away when it started or while it ran, a worker that nobody killed is there and
    waits.
    """
    worker = system.workers[0]
    assert worker.process.poll() is None, (
        f"the worker ended with {worker.process.returncode}: {worker.text()[-2000:]}"
    )


def at_every_step(system: System, steps: tuple[str, ...] = STEPS, rounds: int = 1) -> str:
    """kill -9 of a worker after every step of its order of work, two workers at a time, each doomed
    at a step of its own.
    """
    system.send(vandal=True)
    chosen = [step for _ in range(rounds) for step in system.rng.sample(steps, len(steps))]
    for number, pair in enumerate(zip(chosen[::2], [*chosen[1::2], chosen[0]], strict=False)):
        system.say(
            f"steps {2 * number + 1} and {2 * number + 2} of {len(chosen)}: {pair[0]}; {pair[1]}"
        )
        doomed = [
            system.doom(worker, step, system.rng.randint(1, 4)) for worker, step in enumerate(pair)
        ]
        for worker, step in zip(doomed, pair, strict=True):
            wait_for(
                partial(_ended, worker),
                90,
                f"the end of the worker after {step!r}",
            )
            assert worker.process.returncode == -SIGKILL, (
                f"{step}: it ended with {worker.process.returncode}: {worker.text()[-2000:]}"
            )
    system.start_worker()
    return f"{len(chosen) + len(chosen) % 2} kills -9 at {len(steps)} steps"
