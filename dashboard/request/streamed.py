"""Files that go out in pieces as they are made, by threads, within a time limit for the making and the taking."""

import asyncio
import logging
from collections.abc import Generator, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from dashboard.query.errors import UnreachableError
from dashboard.request.workers import PageWorkers

log = logging.getLogger(__name__)
FILE_SECONDS = 600.0
"""How long a file may take, whoever is slow: one that nobody takes any more would keep its place for good."""


class Streamed(StreamingResponse):
    """The pieces of a file. Breaks off when it fails or takes too long, so that a part is not taken for the whole."""

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
        try:
            async with asyncio.timeout(self.seconds):
                await super().__call__(scope, receive, send)
        except (UnreachableError, TimeoutError) as error:
            # The server closes a connection whose answer is not whole.
            log.warning(
                "the file %s broke off: %s", scope["path"], str(error) or "nobody took it in time"
            )
