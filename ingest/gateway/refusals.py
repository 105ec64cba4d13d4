"""Count refused events by source, agency and reason, and report the counts to Kafka.

They are sent every few seconds, so that screens can tell an agency whose events are refused from
one that is silent. Never the event itself, and no value of it. This is best effort: a gateway that
is killed loses the counts of its last seconds; the senders have their answers all the same.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.events.payloads import Refused
from schemas.events.refusals import StatedSender, redacted

MAX_KEYS = 500
"""Combinations of source and reason that are counted apart in one window.

The rest is counted together, so that no sender can fill the memory.
"""
MAX_REASON_LETTERS = 300
Key = tuple[str, str, str, str]
"""Source, agency, kind, category."""


@dataclass
class _Count:
    count: int
    reason: str


class RefusalCounter:
    """Counts refused events from any thread; `drain` returns the counts and resets them."""

    def __init__(
        self, gateway: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Start counting for a gateway; `now` is the clock."""
        self._gateway, self._now = gateway, now
        self._lock = threading.Lock()
        self._counts: dict[Key, _Count] = {}
        self._since: datetime | None = None

    def note(self, said: StatedSender, category: str, reason: str) -> None:
        """Count one refused event, or (with an empty `said`) a request without readable events."""
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

    def drain(self) -> list[Refused]:
        """Return the counts since the last call.

        No two windows begin at one time, so that none replaces another.
        """
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

    def restore(self, refused: list[Refused]) -> None:
        """Add counts back that could not be sent."""
        for one in refused:
            self._add((one.source, one.agency, one.kind, one.category), one.count, one.reason)
