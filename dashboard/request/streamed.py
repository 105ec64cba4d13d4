"""Files that are sent piece by piece while worker threads make them, within a time limit."""

import asyncio
import logging
from collections.abc import Generator, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from dashboard.query.errors import UnreachableError
from dashboard.request.workers import PageWorkers

log = logging.getLogger(__name__)
FILE_SECONDS = 600.0
"""Limit for making and sending a file: one whose reader is gone would hold its place for good."""


class Streamed(StreamingResponse):
    """A file in pieces; the connection breaks on failure, so that no part passes for the whole."""

    def __init__(
        self,
        workers: PageWorkers,
        pieces: Generator[bytes, None, None],
        media: str,
        headers: Mapping[str, str],
        seconds: float,
    ) -> None:
        super().__init__(
            workers.pieces(pieces, seconds),
            media_type=media,
            headers={**headers, "Cache-Control": "no-store"},
        )
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces; log what broke the download off."""
        try:
            async with asyncio.timeout(self.seconds):
                await super().__call__(scope, receive, send)
        except (UnreachableError, TimeoutError) as error:
            # The server closes a connection whose response is incomplete.
            log.warning(
                "download of %s aborted: %s", scope["path"], str(error) or "the reader was too slow"
            )
