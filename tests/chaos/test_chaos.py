"""Everything is killed at random while an agency sends, and an independent ledger says what must be there in the end.

`make chaos` runs it for minutes, `IOC_CHAOS_ROUNDS` and `IOC_CHAOS_SEED` say how long and which; one short round is in `make test`.
"""

import json
import os
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clickhouse_driver import Client

from schemas.codes import FilingStatus
from schemas.envelope import write
from schemas.events import Filing
from schemas.kinds import FILING
from schemas.settings import Settings
from stack import control
from streams.migrate import migrate
from streams.verify import verify
from tests.conftest import isolated
from tests.running import Running, wait_for, worker

pytestmark = pytest.mark.stack
SEED = int(os.environ.get("IOC_CHAOS_SEED", "1"))
ROUNDS = int(os.environ.get("IOC_CHAOS_ROUNDS", "12"))


class Agency:
    """Sends batches to the gateway, each until it is answered; keeps the ledger of what was accepted."""

    def __init__(self, gateway: str, seed: int) -> None:
        self.accepted: dict[str, Filing] = {}
        self._rng, self._gateway, self._over = random.Random(seed), gateway, threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> "Agency":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _send(self) -> None:
        number = 0
        while not self._over.is_set():
            batch = {}
            for _ in range(50):
                number += 1
                time_ = datetime.now(UTC) - timedelta(seconds=self._rng.choice([0, 0, 0, 90, 7200, 86_400 * 40]))
                batch[str(number)] = Filing(
                    agency=f"H57.{number % 7}",
                    commune=str(number % 5),
                    filing_id=f"F{number % 500}",
                    procedure="1.1",
                    status=self._rng.choice(list(FilingStatus)),
                    channel=2,  # type: ignore[arg-type]
                    registered_at=time_,
                )
            lines = [write(FILING, event, id=id_, source="/chaos", time=event.registered_at) for id_, event in batch.items()]
            if number % 3 == 0:
                lines += lines[:10]
            while not self._answered(b"\n".join(lines)) and not self._over.is_set():
                time.sleep(0.2)
            else:
                if not self._over.is_set():
                    self.accepted |= batch

    def _answered(self, body: bytes) -> bool:
        request = urllib.request.Request(f"{self._gateway}/v1/events", body, {"Content-Type": "application/x-ndjson"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                said = json.load(answer)
                return bool(said["accepted"] + said["duplicates"] == body.count(b"\n") + 1)
        except (OSError, urllib.error.HTTPError):
            return False


def chaos(home: Path, rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    stack = control.up(home / "stack")
    environment = isolated(stack, home)
    settings = Settings(**{name.removeprefix("IOC_").lower(): value for name, value in environment.items()})  # type: ignore[arg-type]
    gateway_url = f"http://127.0.0.1:{environment['IOC_GATEWAY_PORT']}"

    def start_gateway() -> Running:
        return Running("ingest", "gateway", environment=environment, log=home / "gateway.log", ready=f"{gateway_url}/healthz")

    running: dict[str, Running] = {}
    try:
        migrate(settings)
        running = {"worker": worker(environment, home / "worker.log"), "gateway": start_gateway()}
        with Agency(gateway_url, seed) as agency:
            for _ in range(rounds):
                before = len(agency.accepted)
                wait_for(lambda before=before: len(agency.accepted) > before + 100, 120, "the agency's next batches")  # type: ignore[misc]
                victims = rng.sample(["worker", "gateway", "clickhouse", "kafka"], rng.choice([1, 1, 1, 2]))
                for victim in victims:
                    if victim in running:
                        running[victim].kill()
                    else:
                        control.Notes.read(home / "stack").processes[victim].signal(9)
                if {"clickhouse", "kafka"} & set(victims):
                    assert control.up(home / "stack").environment == stack.environment
                for victim in set(victims) & set(running):
                    running[victim] = worker(environment, home / "worker.log") if victim == "worker" else start_gateway()
        settle(settings, agency)
    finally:
        for process in running.values():
            process.stop()
        control.wipe(home / "stack")


def settle(settings: Settings, agency: Agency) -> None:
    """Wait until all that was accepted is there, then compare raw events, windows and states with the ledger."""

    def ask(sql: str) -> list[tuple[object, ...]]:
        client = Client.from_url(settings.clickhouse_url)
        try:
            return list(client.execute(sql))
        finally:
            client.disconnect()

    ids = "SELECT DISTINCT splitByChar('#', event_id)[2] FROM events"
    wait_for(lambda: set(agency.accepted) <= {str(found) for (found,) in ask(ids)}, 180, "every accepted event")
    wait_for(lambda: not any(report.pending for report in verify(settings)), 120, "the windows of every event")
    differences = [line for report in verify(settings) for line in report.differences]
    assert not differences
    # What was sent in the last moments may be there though its answer never came; what is there is there once.
    kept = Counter(str(found) for (found,) in ask("SELECT splitByChar('#', event_id)[2] FROM events"))
    assert max(kept.values()) == 1
    assert len(set(kept) - set(agency.accepted)) <= 50
    assert ask("SELECT sum(measures['steps']) FROM windows") == [(len(kept),)]
    newest: dict[str, datetime] = {}
    for event in agency.accepted.values():
        newest[event.filing_id] = max(newest.get(event.filing_id, event.registered_at), event.registered_at)
    states = dict(ask("SELECT entity_id, toUnixTimestamp64Milli(occurred_at) FROM filings"))
    late = [name for name, at in newest.items() if states[name] < round(at.timestamp() * 1000)]  # type: ignore[operator]
    assert not late


def test_a_short_round_of_chaos_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chaos(tmp_path, rounds=3, seed=SEED)


@pytest.mark.chaos
@pytest.mark.timeout(1200)
def test_chaos_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chaos(tmp_path, rounds=ROUNDS, seed=SEED + 1)
