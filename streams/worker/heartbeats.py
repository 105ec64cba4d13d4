"""Write heartbeats ahead of waiting events, so that a busy worker does not look dead on screens.

A heartbeat says that the path through its partition works, so it is written only while batches are
written. If it were written with them, it would be as late as they are while a worker catches up; if
it were always written, it would hide that a worker stalls.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import faust

from schemas.settings import Settings
from streams.worker.batch import heartbeat_rows
from streams.worker.store import WorkerStore

log = logging.getLogger(__name__)
MAX_CHUNKS = 1_000
"""Maximum number of waiting chunks, of a few heartbeats each: about half an hour of heartbeats."""
RETRY_SECONDS = 0.2
"""Seconds until heartbeats that are held back or could not be written are tried again."""


class HeartbeatWriter:
    """Queues chunks of heartbeats, writes them while events are written, and acknowledges them."""

    def __init__(self, app: faust.App, settings: Settings, is_writing: Callable[[], bool]) -> None:
        """Prepare a queue, a connection and a thread.

        Args:
            app: The worker's app.
            settings: The installation's settings.
            is_writing: Tells whether batches of events are being written.
        """
        self._app = app
        self._is_writing = is_writing
        # A connection and a thread of its own: the others are busy with a batch.
        self._store = WorkerStore(settings.clickhouse_url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="heartbeats")
        self._chunks: list[Any] = []
        self._arrived = asyncio.Event()

    @property
    def full(self) -> bool:
        """Return whether so many chunks wait that no more should be fetched."""
        return len(self._chunks) >= MAX_CHUNKS

    def put(self, event: Any) -> None:
        """Queue a chunk of heartbeats."""
        self._chunks.append(event)
        self._arrived.set()

    async def run(self) -> None:
        """Write queued heartbeats until the app stops.

        Never raises: what could not be written is tried again.
        """
        while not self._app.should_stop:
            self._arrived.clear()
            if self._chunks and not (self._is_writing() and await self._write()):
                await asyncio.sleep(RETRY_SECONDS)
            elif not self._chunks:
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._arrived.wait()

    async def _write(self) -> bool:
        events = list(self._chunks)
        rows = heartbeat_rows((event.message.partition, event.value) for event in events)
        try:
            if rows:
                await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._store.write_heartbeats, rows
                )
        except Exception as error:
            log.info(
                "heartbeats could not be written, trying again: %s",
                str(error).partition("Stack trace")[0].strip(),
            )
            return False
        del self._chunks[: len(events)]
        mine = self._app.consumer.assignment()
        for event in events:
            if event.message.tp in mine:  # Otherwise its new owner acknowledges.
                event.message.ack(self._app.consumer)
        return True
