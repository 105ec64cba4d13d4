"""What the gateway refused, counted: of which source and agency, why, how many. Sent into Kafka every few seconds, so that screens
can tell an agency that sends what is refused from one that is silent. Never the event, and nothing that an event says.

It is best effort: a gateway that is killed takes the counts of its last seconds with it, the senders were answered all the same.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.events.payloads import Refused
from schemas.events.refusals import StatedSender, redacted

MAX_KEYS = 500
"""Sources and reasons that are told apart in one window; what is beyond is counted together, so that nobody can fill our memory."""
MAX_REASON_LETTERS = 300
Key = tuple[str, str, str, str]
"""Source, agency, kind, category."""


@dataclass
class _Count:
    count: int
    reason: str


class Refusals:
    """Counts what is refused from any thread; `taken` gives the counts and begins anew."""

    def __init__(
        self, gateway: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._gateway, self._now = gateway, now
        self._lock = threading.Lock()
        self._counts: dict[Key, _Count] = {}
        self._since: datetime | None = None

    def note(self, said: StatedSender, category: str, reason: str) -> None:
        """One event was refused, or (of an empty `said`) a request of which no event could be had."""
        self._add((said.source or "", said.agency, said.kind, category), 1, reason)

    def _add(self, key: Key, count: int, reason: str) -> None:
        with self._lock:
            self._since = self._since or self._now()
            if key not in self._counts and len(self._counts) >= MAX_KEYS:
                key, reason = ("", "", "", key[3]), ""
            found = self._counts.get(key)
            if found is None:
                self._counts[key] = _Count(count, redacted(reason)[:MAX_REASON_LETTERS])
            else:
                found.count += count

    def taken(self) -> list[Refused]:
        """What was refused since it was last asked. No two windows begin at one time, so that none replaces another."""
        with self._lock:
            counts, self._counts = self._counts, {}
            since, self._since = self._since, None
        until = self._now()
        return [
            Refused(
                gateway=self._gateway,
                since=since or until,
                until=max(until, since or until),
                source=source,
                agency=agency,
                kind=kind,
                category=category,
                count=one.count,
                reason=one.reason,
            )
            for (source, agency, kind, category), one in counts.items()
        ]

    def back(self, refused: list[Refused]) -> None:
        """Count again what could not be sent."""
        for one in refused:
            self._add((one.source, one.agency, one.kind, one.category), one.count, one.reason)
