"""Writes heartbeats ahead of the events that wait: a screen must not take a busy worker for a dead one.

A heartbeat says that the way through its partition is alive, so it is let through only while batches are written. Were it written
with them, it would be as late as they are while a worker catches up; were it written whatever happens, it would vouch for a worker
that stands still.
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
"""Chunks of heartbeats that may wait, of a few heartbeats each: what comes in half an hour, about."""
HELD_SECONDS = 0.2
"""Seconds until heartbeats that are held back, or could not be written, are tried again."""


class HeartbeatWriter:
    """Chunks of heartbeats come in by `put`, are written by `run` as long as `moves` says that events are, and acknowledged."""

    def __init__(self, app: faust.App, settings: Settings, moves: Callable[[], bool]) -> None:
        self._app = app
        self._moves = moves
        # A connection and a thread of its own: the others are busy with a batch.
        self._store = WorkerStore(settings.clickhouse_url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pulse")
        self._chunks: list[Any] = []
        self._news = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether so many wait that no more are to be fetched."""
        return len(self._chunks) >= MAX_CHUNKS

    def put(self, event: Any) -> None:
        """Queue a chunk of heartbeats."""
        self._chunks.append(event)
        self._news.set()

    async def run(self) -> None:
        """Write what comes until the app stops. Never raises: what could not be written is written later."""
        while not self._app.should_stop:
            self._news.clear()
            if self._chunks and not (self._moves() and await self._write()):
                await asyncio.sleep(HELD_SECONDS)
            elif not self._chunks:
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._news.wait()

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
                "heartbeats are not written: %s", str(error).partition("Stack trace")[0].strip()
            )
            return False
        del self._chunks[: len(events)]
        mine = self._app.consumer.assignment()
        for event in events:
            if event.message.tp in mine:  # Otherwise its new owner acknowledges.
                event.message.ack(self._app.consumer)
        return True
