"""Create and delete what belongs to one replay run: its database, its topics, its workers."""

import asyncio
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from schemas.clickhouse.replays import sandbox
from schemas.clickhouse.sql import database
from schemas.settings import Settings
from streams.admin.migrate import migrate, on_server
from streams.worker.topics import ensure_topics

SHUTDOWN_SECONDS = 20
"""Seconds that a worker has to stop after SIGTERM, before it is killed."""
LOG_TAIL_CHARACTERS = 300
"""How much of a worker's log an error message quotes."""
PR_SET_PDEATHSIG = 1
"""Linux's `prctl` option for the signal that a process gets when its parent dies."""


class WorkerEndedError(Exception):
    """Raised if a worker of the run has ended; the message has the end of its log."""


class RunWorkers:
    """The worker processes of a run, and its watch if the run raises alarms."""

    def __init__(
        self, settings: Settings, own: Settings, count: int, *, watched: bool = False
    ) -> None:
        """Start the processes.

        Args:
            settings: The settings of the live installation.
            own: The settings of the run (`schemas.clickhouse.replays.sandbox`).
            count: The number of workers.
            watched: Also start a watch.
        """
        self._log = folder(settings, own) / "worker.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._processes = [
            self._start(own, one) for one in ["worker"] * count + (["watch"] if watched else [])
        ]

    def _start(self, own: Settings, what: str) -> subprocess.Popen[bytes]:
        changed = {
            "IOC_CLICKHOUSE_URL": own.clickhouse_address,
            "IOC_TOPIC_PREFIX": own.topic_prefix,
            "IOC_WORKER_GROUP": own.worker_group,
            "IOC_TOPIC_RETENTION_DAYS": str(own.topic_retention_days),
            "IOC_WORKER_PORT": str(_free_port(own.host)),  # Faust does not accept port 0
        }
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "streams", what],
                env=os.environ | changed,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only the run, which stops them in order
                preexec_fn=_end_with_parent,
            )

    def check(self) -> None:
        """Check that all processes are running.

        Raises:
            WorkerEndedError: If one has ended.
        """
        for process in self._processes:
            if process.poll() is not None:
                tail = self._log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]
                raise WorkerEndedError(f"a worker ended with {process.returncode}: …{tail}")

    def stop(self) -> None:
        """Stop all processes: SIGTERM, then SIGKILL after `SHUTDOWN_SECONDS`."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(SHUTDOWN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def folder(settings: Settings, own: Settings) -> Path:
    """Return the folder of a run's logs."""
    return settings.home / "replays" / database(own.clickhouse_url)


async def create(own: Settings) -> None:
    """Create the empty database and topics of a run.

    Args:
        own: The settings of the run.

    Raises:
        aiokafka.errors.KafkaError: If Kafka cannot be used.
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    await asyncio.to_thread(migrate, own)
    await ensure_topics(own)


async def remove(settings: Settings, name: str) -> None:
    """Delete a run's database, topics and logs, as far as they exist.

    Args:
        settings: The settings of the live installation.
        name: The name of the run.

    Raises:
        aiokafka.errors.KafkaError: If Kafka cannot be used.
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    own = sandbox(settings, name)
    await asyncio.to_thread(on_server, own, "DROP DATABASE IF EXISTS `{database}` SYNC")
    admin = AIOKafkaAdminClient(bootstrap_servers=own.kafka_servers)
    await admin.start()
    try:
        while its := [
            topic for topic in await admin.list_topics() if topic.startswith(own.topic_prefix)
        ]:
            await admin.delete_topics(its)
            await asyncio.sleep(0.2)
    finally:
        await admin.close()
    shutil.rmtree(folder(settings, own), ignore_errors=True)


def _end_with_parent() -> None:
    """Have the new process get SIGTERM when the run is killed.

    Linux only; elsewhere the process continues until somebody stops it.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
