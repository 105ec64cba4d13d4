"""Wrong tokens: whoever enters several waits longer each time, and the log says so."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass

FREE_ATTEMPTS = 3
"""Wrong tokens after which a client begins to wait: people mistype."""
FIRST_SECONDS, MAX_SECONDS = 0.5, 8.0
FORGET_SECONDS = 600.0
MAX_CLIENTS = 1_000
"""Clients that are remembered; beyond, the one whose last attempt is oldest is forgotten."""
MAX_WAITING = 50
"""Answers that wait at a time, as each holds a connection; beyond, they are given at once, and are 429."""

log = logging.getLogger(__name__)


@dataclass
class _Client:
    wrong: int = 0
    at: float = 0.0


class Attempts:
    """Counts wrong tokens by client. Lives on one event loop."""

    def __init__(self) -> None:
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._waiting = 0

    def wrong(self, client: str, what: str, now: float) -> float:
        """Note a wrong token, and return the seconds that its answer is to wait. `what` says for the log where it was shown."""
        one = self._clients.pop(client, None)
        if one is None or now - one.at > FORGET_SECONDS:
            one = _Client()
        one.wrong, one.at = one.wrong + 1, now
        self._clients[client] = one
        while len(self._clients) > MAX_CLIENTS:
            self._clients.popitem(last=False)
        if (
            one.wrong & (one.wrong - 1) == 0
        ):  # the 1st, 2nd, 4th, 8th …: who tries thousands does not fill the log
            log.warning("a wrong token from %s, %d in a row: %s", client, one.wrong, what)
        return (
            min(FIRST_SECONDS * 2.0 ** (one.wrong - FREE_ATTEMPTS - 1), MAX_SECONDS)
            if one.wrong > FREE_ATTEMPTS
            else 0.0
        )

    @property
    def is_crowded(self) -> bool:
        """Whether so many wait already that no further guess would be slowed."""
        return self._waiting >= MAX_WAITING

    async def hold(self, seconds: float) -> bool:
        """Wait; False, at once, where too many wait already."""
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
