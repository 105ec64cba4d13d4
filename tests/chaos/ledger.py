"""What agencies were told was accepted, and what the screens must then say.

Counted here by rules of its own.

Nothing of the product is imported, so that a mistake of its vocabulary, fold or SQL cannot hide
itself: events are plain dictionaries as an outsider would write them from the data dictionary, and
the rules below are its sentences, said once more.
"""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

Data = dict[str, Any]
Window = tuple[str, int, tuple[tuple[str, str], ...]]
"""(kind, first millisecond of the minute, dimensions as sorted (name, value) pairs)."""


class Entry(NamedTuple):
    """An event as the ledger keeps it.

    `at` is in milliseconds since 1970, `line` is the event's JSON.
    """

    event_id: str
    kind: str
    entity: str
    at: int
    agency: str
    commune: str
    dimensions: tuple[tuple[str, str], ...]
    measures: tuple[str, ...]
    line: bytes


def entry(kind: str, id: str, source: str, at: int, data: Data) -> Entry:
    """Return an event of a kind that happened `at` milliseconds since 1970."""
    event = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": f"vn.ioc.{kind}.v1",
        "time": moment(at),
        "data": data,
    }
    key, dimensions, measures = RULES[kind]
    return Entry(
        f"{source}#{id}",
        kind,
        "/".join(data[name] for name in key),
        at,
        data["agency"],
        data["commune"],
        tuple(sorted((name, str(data[name])) for name in dimensions)),
        ("steps", *measures(data)),
        json.dumps(event).encode(),
    )


def moment(at: int) -> str:
    """Return milliseconds since 1970 in RFC 3339."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


def _late(data: Data) -> bool:
    return (
        data["due_at"] is not None
        and data["finished_at"] is not None
        and data["finished_at"] > data["due_at"]
    )


def _filing(data: Data) -> Iterator[str]:
    status = data["status"]
    words = {
        1: "registered",
        2: "accepted",
        3: "not_accepted",
        5: "suspended",
        6: "suspended",
        8: "suspended",
    }
    yield from [
        word
        for number, word in (words | {7: "withdrawn", 9: "finished", 10: "returned"}).items()
        if number == status
    ]
    if status == 1 and data["channel"] == 2:
        yield "registered_online"
    if status == 9 and _late(data):
        yield "finished_late"


def _feedback(data: Data) -> Iterator[str]:
    status = data["status"]
    if status in ("received", "verified", "rejected", "routed", "published", "reopened", "rated"):
        yield status
    if status == "published" and _late(data):
        yield "published_late"
    if status == "rated" and data["rating"] >= 4:
        yield "satisfied"


def _document(data: Data) -> Iterator[str]:
    status = data["status"]
    yield from [
        word
        for number, word in {
            1: "arrived",
            2: "refused",
            3: "received",
            6: "done",
            15: "recalled",
        }.items()
        if number == status
    ]
    if status == 1 and data["signed"]:
        yield "arrived_signed"
    if status == 6 and _late(data):
        yield "done_late"


def _meeting(data: Data) -> Iterator[str]:
    yield from {"live": ["started"], "ended": ["ended"], "cancelled": ["cancelled"]}.get(
        data["state"], []
    )


RULES: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[Data], Iterable[str]]]] = {
    "filing": (("filing_id",), ("agency", "commune", "procedure", "channel"), _filing),
    "feedback": (("report_id",), ("agency", "commune", "category"), _feedback),
    "document": (
        ("document_id", "to_organ"),
        ("agency", "commune", "from_organ", "to_organ", "priority"),
        _document,
    ),
    "meeting": (("meeting_id",), ("agency", "commune"), _meeting),
    "indicator": (
        ("indicator", "unit", "period"),
        ("agency", "commune", "indicator"),
        lambda data: (),
    ),
}
"""Kind → (fields of the key, dimensions of its windows, what an event counts as beside a step)."""


@dataclass
class Ledger:
    """Everything that was accepted, by whomever; safe to share between threads."""

    entries: dict[str, Entry] = field(default_factory=dict)
    letters: dict[bytes, str] = field(default_factory=dict)
    """Record → category of each record that must be kept as a dead letter."""
    resends: int = 0
    """Events that were sent again on purpose."""
    _ids: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, entries: Iterable[Entry]) -> None:
        """Note what a sender was told is accepted."""
        with self._lock:
            for one in entries:
                if one.event_id not in self.entries:
                    self._ids.append(one.event_id)
                    self.entries[one.event_id] = one

    def any(self, rng: random.Random, most: int) -> list[Entry]:
        """Return some accepted events, at most so many, of any age."""
        with self._lock:
            return [self.entries[rng.choice(self._ids)] for _ in range(most)] if self._ids else []

    def __len__(self) -> int:
        return len(self.entries)

    def windows(self) -> dict[Window, Counter[str]]:
        """Return every window with its counts; a measure that counts nothing is left out."""
        found: dict[Window, Counter[str]] = {}
        for one in self.entries.values():
            found.setdefault(
                (one.kind, one.at // 60_000 * 60_000, one.dimensions), Counter()
            ).update(one.measures)
        return found

    def states(self, received: dict[str, int]) -> dict[tuple[str, str], Entry]:
        """Return (kind, entity) → its newest step by its own time, which is taken to be no later
        than its arrival.

        `received` is event id → arrival in milliseconds, which only the gateway knows.
        """
        found: dict[tuple[str, str], tuple[int, int, Entry]] = {}
        for one in self.entries.values():
            order = (min(one.at, received[one.event_id]), one.at)
            known = found.get((one.kind, one.entity))
            if known is None or order > known[:2]:
                found[one.kind, one.entity] = (*order, one)
        return {key: one for key, (_, _, one) in found.items()}
