"""How we and each peer of the first row are started, how far it is, and which processes it has."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clickhouse_driver import Client

from schemas.events.kinds import FILING
from tests.bench import ground
from tests.bench.ground import Going, Ground, Installation
from tests.bench.peers.kafka_engine import kafka_engine
from tests.running import worker

CHECKPOINTS = (
    "SELECT sum(o + 1) FROM (SELECT max(last_offset) AS o FROM windows_filing WHERE window_start = "
    "0 GROUP BY partition)"
)


@contextmanager
def ours(bench: Ground, prefix: str) -> Iterator[Going]:
    """Yield one worker of the product on the topics of a prefix."""
    installation = bench.installation(prefix)
    with worker_of(bench, installation) as going:
        yield going
    installation.drop()


@contextmanager
def worker_of(bench: Ground, installation: Installation) -> Iterator[Going]:
    """Yield one worker of an installation.

    Done is what its checkpoints say: raw rows and windows are written.
    """
    client = installation.client()
    with worker(installation.environment, bench.folder("worker") / "log") as running:
        yield Going(
            lambda: client.execute(CHECKPOINTS)[0][0],
            {"worker": running.process.pid},
            lambda: not merging(client),
        )
    client.disconnect()


@contextmanager
def engine(bench: Ground, prefix: str, consumers: int = 2, block: int = 65_536) -> Iterator[Going]:
    """ClickHouse's own Kafka engine."""
    installation = bench.installation(prefix)
    client = installation.client()
    with kafka_engine(
        client,
        bench.stack.kafka_servers,
        installation.topic,
        installation.settings.worker_group,
        consumers,
        block,
    ) as done:
        yield Going(done, {}, lambda: not merging(client))
    client.disconnect()
    installation.drop()


@contextmanager
def faust(bench: Ground, prefix: str) -> Iterator[Going]:
    """Faust from the product's own environment."""
    command = [
        sys.executable,
        "-m",
        "faust",
        "-A",
        "tests.bench.peers.faust_windows",
        "worker",
        "-l",
        "info",
        "--without-web",
    ]
    with _program(bench, prefix, "faust", command) as going:
        yield going


@contextmanager
def quix(bench: Ground, prefix: str) -> Iterator[Going]:
    """Quix Streams from the peers' environment."""
    command = [str(bench.peers_python), str(ground.HERE / "peers" / "quix_windows.py")]
    with _program(bench, prefix, "quix", command) as going:
        yield going


@contextmanager
def _program(bench: Ground, prefix: str, name: str, command: list[str]) -> Iterator[Going]:
    """Yield a peer that counts what it has done into the eight bytes of a file."""
    folder = bench.folder(name)
    counter = folder / "counter"
    counter.write_bytes(bytes(8))
    environment = {
        "BENCH_KAFKA": bench.stack.kafka_servers,
        "BENCH_TOPIC": FILING.topic(prefix),
        "BENCH_PARTITIONS": str(ground.PARTITIONS),
        "BENCH_GROUP": f"{prefix}{folder.name}",
        "BENCH_FOLDER": str(folder),
        "BENCH_COUNTER": str(counter),
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=output, stderr=output
        )

    def done() -> int:
        if process.poll() is not None:
            raise RuntimeError(
                f"{name} ended with "
                f"{process.returncode}:\n{log.read_text(errors='replace')[-3000:]}"
            )
        return int.from_bytes(Path(counter).read_bytes(), sys.byteorder)

    try:
        yield Going(done, {name: process.pid})
    finally:
        process.kill()
        process.wait()


def merging(client: Client) -> bool:
    """Return whether ClickHouse still merges parts of this database."""
    return bool(
        client.execute("SELECT count() FROM system.merges WHERE database = currentDatabase()")[0][0]
    )
