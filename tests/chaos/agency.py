"""Who sends.

Agencies through the gateways, a sender of records that cannot be counted, and a file that is
imported.
"""

import csv
import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.chaos.ledger import Entry, Ledger, entry, moment

BATCH, RESENT = 60, 12
"""Events in a batch; those of it that were accepted before, in every third batch."""
COMMUNE = "19753"
"""Codes of five digits: shorter ones would be mended on their way."""
DAY = 86_400_000
AGES = (0, 0, 0, 0, 0, 0, 95_000, 7_200_000, 40 * DAY, 3 * 365 * DAY)
"""How long before now an event happened, in milliseconds."""
AHEAD = -1_800_000
"""The age of what comes from a clock that is ahead."""


class Events:
    """Makes events of all kinds.

    No two steps of an entity are of one moment, so that its newest step is certain.
    """

    def __init__(
        self, name: str, rng: random.Random, ages: tuple[int, ...], clock: Callable[[], int]
    ) -> None:
        self._name, self._rng, self._ages, self._clock = name, rng, ages, clock
        self._taken: set[tuple[str, int]] = set()
        self._number = 0

    def make(self) -> Entry:
        """Return the next event."""
        rng = self._rng
        self._number += 1
        kind = rng.choices(
            ("filing", "feedback", "document", "meeting", "indicator"), (4, 2, 2, 1, 1)
        )[0]
        entity = f"{self._name}-{kind}-{rng.randrange(150)}"
        age = rng.choice(self._ages)
        at = self._clock() - age - (rng.randrange(900_000) if age else 0)
        while (entity, at) in self._taken:
            at += 1
        self._taken.add((entity, at))
        data = {
            "agency": f"H57.{rng.randrange(7)}",
            "commune": rng.choice(("", COMMUNE, "19774", "19777")),
        } | self._data(kind, entity, at)
        return entry(kind, str(self._number), f"https://chaos.example/{self._name}", at, data)

    def _data(self, kind: str, entity: str, at: int) -> dict[str, Any]:
        rng = self._rng
        due = {
            "due_at": rng.choice((None, moment(at))),
            "finished_at": rng.choice((None, moment(at - 5_000), moment(at + 5_000))),
        }
        match kind:
            case "filing":
                words = {
                    "procedure": f"1.{rng.randrange(3)}",
                    "status": rng.randint(1, 10),
                    "channel": rng.randint(1, 3),
                }
                return words | {"filing_id": entity, "registered_at": moment(at)} | due
            case "feedback":
                steps = (
                    "received",
                    "verified",
                    "rejected",
                    "routed",
                    "processing",
                    "published",
                    "rated",
                    "reopened",
                )
                words = {
                    "category": f"c{rng.randrange(4)}",
                    "status": rng.choice(steps),
                    "rating": rng.randint(1, 5),
                }
                return words | {"report_id": entity, "reported_at": moment(at)} | due
            case "document":
                words = {
                    "status": rng.choice((1, 2, 3, 4, 5, 6, 13, 15, 16)),
                    "signed": rng.random() < 0.5,
                    "priority": rng.randint(0, 3),
                }
                organs = {"from_organ": f"O{rng.randrange(3)}", "to_organ": "O9"}
                return words | organs | {"document_id": entity, "sent_at": moment(at)} | due
            case "meeting":
                states = ("scheduled", "live", "ended", "cancelled")
                return {
                    "meeting_id": entity,
                    "state": rng.choice(states),
                    "starts_at": moment(at),
                    "connected": ["a"],
                }
            case _:
                return {
                    "indicator": entity,
                    "unit": "46",
                    "period": "2026",
                    "value": rng.random(),
                    "reported_at": moment(at),
                }


class Agency:
    """Sends batches to the gateways in turn, each batch until every event of it is answered.

    Then it is in the ledger.
    """

    def __init__(
        self, events: Events, gateways: list[int], ledger: Ledger, seed: str, pause: float
    ) -> None:
        self.answers: Counter[str] = Counter()
        """HTTP status, or why there was none → requests."""
        self.held: dict[str, float] = {}
        """The same → longest time until the answer, in seconds."""
        self.refused: list[Any] = []
        """Answers that must not be: a valid event was refused."""
        self._rng = random.Random(seed)
        self._events, self._gateways, self._ledger, self._pause = events, gateways, ledger, pause
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=seed, daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def finish(self, seconds: float = 120) -> None:
        """Send no more; returns when the batch in hand was answered."""
        self._over.set()
        self._thread.join(seconds)
        assert not self._thread.is_alive(), (
            f"{self._thread.name} has waited {seconds} s for an answer: {self.answers}"
        )
        assert not self.refused, (
            f"{self._thread.name} sent valid events that were refused: {self.refused[:3]}"
        )

    def _run(self) -> None:
        turn = number = 0
        while not self._over.is_set():
            number += 1
            batch = [self._events.make() for _ in range(BATCH)]
            again = self._ledger.any(self._rng, RESENT) if number % 3 == 0 else []
            if again:
                again += batch[:2]  # Twice in one request, too.
                self._ledger.resends += len(again)
            body = b"\n".join(one.line for one in (*batch, *again))
            while not self._answered(
                self._gateways[turn % len(self._gateways)], body, len(batch) + len(again)
            ):
                turn += 1
                time.sleep(0.2)
                if self.refused:
                    return
            turn += self._rng.random() < 0.1
            self._ledger.accept(batch)
            time.sleep(self._pause)

    def _answered(self, port: int, body: bytes, events: int) -> bool:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", "/v1/events", body, {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            said, status = json.loads(answer.read()), str(answer.status)
            if said["refused"]:
                self.refused.append(said)
            complete = bool(said["accepted"] + said["duplicates"] == events)
        except (OSError, http.client.HTTPException, ValueError) as error:
            complete, status = False, type(error).__name__
        finally:
            connection.close()
        self.answers[status] += 1
        self.held[status] = max(self.held.get(status, 0.0), time.monotonic() - began)
        return complete


class Vandal:
    """Puts records into Kafka that cannot be counted.

    Each must be kept as a dead letter with its reason.
    """

    def __init__(
        self,
        send: Callable[[str, bytes, bytes], None],
        ledger: Ledger,
        seed: str,
        pause: float = 0.1,
    ) -> None:
        self._send, self._ledger, self._rng, self._pause = send, ledger, random.Random(seed), pause
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vandal", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def finish(self) -> None:
        """Send no more."""
        self._over.set()
        self._thread.join(120)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            kind, key, record, category = self._bad(number)
            self._send(kind, key, record)
            self._ledger.letters[record] = category
            time.sleep(self._pause)

    def _bad(self, number: int) -> tuple[str, bytes, bytes, str]:
        """Return (kind, key, record, category) of the next record."""
        known = self._ledger.any(self._rng, 1)
        if not known:
            return "filing", b"x", f'{{"number": {number}'.encode(), "bad-json"
        one = known[0]
        match self._rng.randrange(4):
            case 0:
                return one.kind, b"x", one.line[:-2] + f', "torn": {number}'.encode(), "bad-json"
            case 1:
                return (
                    one.kind,
                    b"x",
                    one.line.replace(b'"id": "', b'"id": "\xff%d' % number),
                    "bad-utf8",
                )
            case 2:
                return (
                    one.kind,
                    b"x",
                    one.line.replace(b'"agency"', b'"agency%d"' % number),
                    "missing-field",
                )
            case _:
                # The same identity and time, in the partition of the original, says something else.
                changed = one.line.replace(b'"agency": "', b'"agency": "other-%d-' % number)
                return one.kind, one.entity.encode(), changed, "conflict"


MAPPING = """\
kind = "filing"
source = "https://chaos.example/import"

[fields]
filing_id = { column = "number" }
agency = { column = "agency" }
commune = { column = "commune" }
procedure = { column = "procedure" }
channel = { column = "channel", as = "integer" }
registered_at = { column = "at", as = "time" }

[[step]]
id = "{number}/{at}"
time = "at"
fields = { status = 1 }
"""


def write_csv(
    folder: Path, number: int, rows: int, rng: random.Random
) -> tuple[Path, Path, list[Entry]]:
    """Return a file to import and its mapping, with the entries that the ledger gets when all of it
    was accepted.
    """
    mapping, file = folder / "chaos.toml", folder / f"import-{number}.csv"
    mapping.write_text(MAPPING)
    entries = []
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("number", "at", "agency", "commune", "procedure", "channel"))
        began = time.time_ns() // 1_000_000 - 60 * DAY
        for row in range(rows):
            name, at = f"I{number}-{rng.randrange(rows // 3)}", began + number * DAY + row * 40
            given = (
                f"H57.{rng.randrange(7)}",
                rng.choice(("", COMMUNE, "19774")),
                f"1.{rng.randrange(3)}",
                rng.randint(1, 3),
            )
            writer.writerow((name, moment(at), *given))
            data = dict(zip(("agency", "commune", "procedure", "channel"), given, strict=True))
            data |= {
                "filing_id": name,
                "status": 1,
                "registered_at": moment(at),
                "due_at": None,
                "finished_at": None,
            }
            entries.append(
                entry("filing", f"{name}/{moment(at)}", "https://chaos.example/import", at, data)
            )
    return mapping, file, entries
