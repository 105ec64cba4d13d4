"""Senders that write to Kafka itself, in transactions.

Some are committed, some aborted, some hang open for a while.
"""

import random
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from kafka import KafkaProducer
from kafka.partitioner.default import murmur2

from schemas.events.kinds import BY_NAME
from tests.chaos.agency import AGES, Events
from tests.chaos.ledger import Entry
from tests.chaos.system import System
from tests.running import wait_for

BATCH = 40
"""Events in a transaction, at most."""
HANGING_SECONDS = 20.0
"""Longer than a partition may stand still unsaid (`IOC_STALE_AFTER_SECONDS`)."""


class Transactional:
    """Sends transactions until it is told to finish; only what it committed is in the ledger."""

    def __init__(self, system: System, number: int) -> None:
        seed = f"{system.seed}/transactional {number}"
        self.committed = self.aborted = 0
        """Transactions."""
        self._system, self._rng = system, random.Random(seed)
        self._events = Events(
            f"t{number}", random.Random(seed), AGES, lambda: time.time_ns() // 1_000_000
        )
        self._producer = KafkaProducer(
            bootstrap_servers=system.settings.kafka_servers,
            transactional_id=seed,
            acks="all",
            linger_ms=5,
        )
        self._producer.init_transactions()
        self._over = threading.Event()
        self._trouble: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, name=seed, daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def finish(self) -> None:
        """Send no more; returns when the transaction in hand has ended. Raises what went wrong."""
        self._over.set()
        self._thread.join(120)
        self._producer.close()
        assert not self._thread.is_alive()
        if self._trouble:
            raise self._trouble[0]

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                self.transact(commit=self._rng.random() < 0.6)
                time.sleep(0.05)
        except BaseException as error:  # told by `finish`
            self._trouble.append(error)

    def transact(self, *, commit: bool, open_seconds: float = 0.0) -> None:
        """Write events in one transaction, leave it open for a while, then commit or abort it."""
        batch = [self._events.make() for _ in range(self._rng.randint(1, BATCH))]
        self._producer.begin_transaction()
        for future in [self._put(one) for one in batch]:
            future.get(30)
        time.sleep(open_seconds)
        if commit:
            self._producer.commit_transaction()
            self._system.ledger.accept(batch)
            self.committed += 1
        else:
            self._producer.abort_transaction()
            self.aborted += 1

    def _put(self, one: Entry) -> Any:
        settings, key = self._system.settings, one.entity.encode()
        partition = settings.partitions.of(murmur2(key), one.line)
        return self._producer.send(
            BY_NAME[one.kind].topic(settings.topic_prefix), one.line, key, partition=partition
        )


def transactions(system: System, seconds: float) -> str:
    """Two senders commit and abort beside agencies, a worker is killed meanwhile, and one
    transaction hangs open.
    """
    system.start_worker()
    system.send(vandal=True)
    senders = [Transactional(system, number) for number in range(2)]
    for sender in senders:
        sender.start()
    time.sleep(seconds / 2)
    system.workers[0].kill()
    worker = system.start_worker()
    time.sleep(seconds / 2)
    hanging = Transactional(system, len(senders))
    held_open = threading.Thread(
        target=hanging.transact, kwargs={"commit": False, "open_seconds": HANGING_SECONDS}
    )
    held_open.start()
    wait_for(
        lambda: "until a sender ends its transaction" in _readiness(system),
        HANGING_SECONDS,
        "the hanging transaction to be told",
    )
    held_open.join()
    for sender in senders:
        sender.finish()
    system.caught_up()
    wait_for(
        lambda: '"ok"' in _readiness(system),
        60,
        "the worker to be ready once all transactions have ended",
    )
    said = worker.text()
    assert "no longer has" not in said, "what was aborted was taken for lost"
    committed, aborted = sum(one.committed for one in senders), sum(one.aborted for one in senders)
    assert committed and aborted
    return (
        f"{committed:,} transactions committed, {aborted:,} aborted, one open for "
        f"{HANGING_SECONDS:.0f} s and told; a worker killed"
    )


def _readiness(system: System) -> str:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{system.worker_port(0)}/readyz", timeout=5
        ) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()
