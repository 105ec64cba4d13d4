"""What is a run's own: its database, its topics, its workers; made, and taken away again."""

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

END_SECONDS = 20
TAIL = 300
PR_SET_PDEATHSIG = 1


class WorkerEndedError(Exception):
    """A worker of the run is no more; the message has what it said last."""


class RunWorkers:
    """The processes that count what is sent again: as many as asked for, with the settings of the run; and a watch over it, if
    it is to call as live does."""

    def __init__(
        self, settings: Settings, own: Settings, count: int, *, watched: bool = False
    ) -> None:
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
            "IOC_WORKER_PORT": str(_free_port(own.host)),  # Faust takes no 0 for any
        }
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "streams", what],
                env=os.environ | changed,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the run, which ends them in good order
                preexec_fn=_end_with_parent,
            )

    def look(self) -> None:
        """Raise `WorkerEndedError` when one is no more."""
        for process in self._processes:
            if process.poll() is not None:
                raise WorkerEndedError(
                    f"a worker ended with {process.returncode}: …{self._log.read_text(errors='replace')[-TAIL:]}"
                )

    def stop(self) -> None:
        """End them, in good order where that comes about soon."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def folder(settings: Settings, own: Settings) -> Path:
    """Where the logs of a run are."""
    return settings.home / "replays" / database(own.clickhouse_url)


async def make(own: Settings) -> None:
    """Make the database and the topics of a run, empty. Raises aiokafka's and clickhouse-driver's errors."""
    await asyncio.to_thread(migrate, own)
    await ensure_topics(own)


async def remove(settings: Settings, name: str) -> None:
    """Take away all that is a run's own, as far as it is there. Raises aiokafka's and clickhouse-driver's errors."""
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
    """In a new process: be told to end when the run is killed. On Linux only; elsewhere it goes on until it is ended by hand."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
