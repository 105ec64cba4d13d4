"""Wrong tokens: each client waits longer after several of them, and the log says so."""

import asyncio
import logging
from dataclasses import dataclass

from cachetools import LRUCache

FREE_ATTEMPTS = 3
"""Wrong tokens without a delay: people mistype."""
FIRST_SECONDS, MAX_SECONDS = 0.5, 8.0
FORGET_SECONDS = 600.0
MAX_CLIENTS = 1_000
"""Clients that are remembered; beyond, the one with the oldest attempt is forgotten."""
MAX_WAITING = 50
"""Delayed answers at a time, as each holds a connection; further guesses get 429 at once."""

log = logging.getLogger(__name__)


@dataclass
class _Client:
    wrong: int = 0
    at: float = 0.0


class Attempts:
    """Counts wrong tokens by client. Used from one event loop."""

    def __init__(self) -> None:
        self._clients: LRUCache[str, _Client] = LRUCache(MAX_CLIENTS)
        self._waiting = 0

    def wrong(self, client: str, what: str, now: float) -> float:
        """Count a wrong token and return the delay of its answer in seconds.

        Args:
            client: who sent it.
            what: where it was shown, for the log.
            now: seconds of a monotonic clock.
        """
        one = self._clients.get(client)
        if one is None or now - one.at > FORGET_SECONDS:
            one = _Client()
        one.wrong, one.at = one.wrong + 1, now
        self._clients[client] = one
        # The 1st, 2nd, 4th, 8th, …: thousands of guesses do not fill the log.
        if one.wrong & (one.wrong - 1) == 0:
            log.warning("a wrong token from %s, %d in a row: %s", client, one.wrong, what)
        return (
            min(FIRST_SECONDS * 2.0 ** (one.wrong - FREE_ATTEMPTS - 1), MAX_SECONDS)
            if one.wrong > FREE_ATTEMPTS
            else 0.0
        )

    @property
    def is_crowded(self) -> bool:
        """Tell whether too many answers are delayed already for another one."""
        return self._waiting >= MAX_WAITING

    async def hold(self, seconds: float) -> bool:
        """Wait for `seconds`; return False at once if too many answers are delayed already."""
        if seconds <= 0:
            return True
        if self.is_crowded:
            return False
        self._waiting += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._waiting -= 1
        return True
