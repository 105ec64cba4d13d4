"""The comparison at the end.

What is stored against what the ledger says, event by event, window by window, entity by entity.
"""

from collections import Counter
from dataclasses import dataclass

from streams.admin.verify import verify
from tests.chaos.ledger import Ledger, Window
from tests.chaos.system import System
from tests.running import wait_for

KINDS = {
    "filing": "filings",
    "feedback": "feedback",
    "document": "documents",
    "meeting": "meetings",
    "indicator": "indicators",
}
"""Kind → the read view of its entities."""


@dataclass
class Settled:
    """What was compared, all of it equal."""

    accepted: int
    records: int
    windows: int
    entities: int
    letters: int


def settle(system: System, seconds: float = 240) -> Settled:
    """End the senders, wait until all is counted, end the workers in good order, and compare.

    Raises `AssertionError`.
    """
    system.finish()
    ledger = system.ledger
    system.say(f"{len(ledger):,} events accepted; waiting until all are counted")
    count = "SELECT count(), uniqExact(event_id) FROM events"

    def all_there() -> bool:
        counted, distinct = system.ask(count)[0]
        assert distinct >= len(ledger), (
            f"{distinct:,} of {len(ledger):,} events are there ({counted:,} rows)"
        )
        return True

    wait_for(all_there, seconds, "every accepted event")
    wait_for(
        lambda: not any(report.pending for report in verify(system.settings)),
        seconds,
        "the windows of every event",
    )
    wait_for(
        lambda: set(ledger.letters) <= {_bytes(row[0]) for row in system.ask(LETTERS)},
        seconds,
        "every dead letter",
    )
    codes = {
        number: worker.stop(30)
        for number, worker in system.workers.items()
        if worker.process.poll() is None
    }
    assert codes and not any(codes.values()), f"workers did not end in good order: {codes}"
    return compare(system)


LETTERS = "SELECT payload, category, topic, partition, offset FROM dead_letters"


def compare(system: System) -> Settled:
    """Compare everything with the ledger, and the windows and states once more by the product's own
    `verify`.
    """
    ledger = system.ledger
    received = _events(system, ledger)
    windows, entities = _windows(system, ledger), _states(system, ledger, received)
    letters = _letters(system, ledger)
    differences = [line for report in verify(system.settings) for line in report.differences]
    assert not differences, f"verify finds {len(differences)} differences: {differences[:5]}"
    return Settled(len(ledger), system.broker.records(), windows, entities, letters)


def _events(system: System, ledger: Ledger) -> dict[str, int]:
    """Compare the raw events; returns when each was received, in milliseconds since 1970."""
    rows = system.ask(
        "SELECT event_id, kind, entity_id, toUnixTimestamp64Milli(occurred_at), agency, commune, "
        "toUnixTimestamp64Milli(received_at) FROM events"
    )
    kept = Counter(row[0] for row in rows)
    lost, doubled = (
        set(ledger.entries) - set(kept),
        {name: times for name, times in kept.items() if times > 1},
    )
    unknown = set(kept) - set(ledger.entries)
    assert not lost, (
        f"{len(lost)} events lost, such as {[ledger.entries[name] for name in list(lost)[:3]]}"
    )
    assert not doubled, f"{len(doubled)} events doubled, such as {list(doubled.items())[:5]}"
    assert not unknown, f"{len(unknown)} events that nobody sent, such as {list(unknown)[:5]}"
    differ = [row for row in rows if row[1:6] != ledger.entries[row[0]][1:6]]
    assert not differ, (
        f"{len(differ)} events differ, such as {differ[0]}, not {ledger.entries[differ[0][0]]}"
    )
    return {row[0]: row[6] for row in rows}


def _windows(system: System, ledger: Ledger) -> int:
    found: dict[Window, Counter[str]] = {}
    for kind, start, dimensions, measures in system.ask(
        "SELECT kind, toUnixTimestamp(window_start) * 1000, dimensions, measures FROM windows"
    ):
        found.setdefault((kind, start, tuple(sorted(dimensions.items()))), Counter()).update(
            measures
        )
    expected = ledger.windows()
    # A window that counts nothing may stand; unary plus drops zeros, which the ledger leaves out.
    found = {key: +counts for key, counts in found.items() if +counts}
    differ = [key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)]
    assert not differ, (
        f"{len(differ)} windows differ, such as {differ[0]}: {found.get(differ[0])}, not "
        f"{expected.get(differ[0])}"
    )
    return len(expected)


def _states(system: System, ledger: Ledger, received: dict[str, int]) -> int:
    found = {
        (kind, entity): (event_id, at)
        for kind, view in KINDS.items()
        for entity, event_id, at in system.ask(
            f"SELECT entity_id, event_id, toUnixTimestamp64Milli(occurred_at) FROM {view}"
        )
    }
    expected = {key: (one.event_id, one.at) for key, one in ledger.states(received).items()}
    differ = [key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)]
    assert not differ, (
        f"{len(differ)} states differ, such as {differ[0]}: {found.get(differ[0])}, not "
        f"{expected.get(differ[0])}"
    )
    return len(expected)


def _letters(system: System, ledger: Ledger) -> int:
    rows = system.ask(LETTERS)
    kept = {_bytes(row[0]): row[1] for row in rows}
    assert kept == ledger.letters, (
        f"dead letters differ: {list(set(kept.items()) ^ set(ledger.letters.items()))[:3]}"
    )
    names = {f"{topic}/{partition}/{offset}" for _, _, topic, partition, offset in rows}
    assert len(names) == len(rows), "a dead letter is kept twice"
    missing = names - system.broker.copies() if names else set()
    assert not missing, (
        f"{len(missing)} dead letters have no copy in their topic, such as {sorted(missing)[:3]}"
    )
    return len(rows)


def _bytes(value: str | bytes) -> bytes:
    """Return bytes; the driver returns text where they are valid UTF-8."""
    return value.encode() if isinstance(value, str) else value
