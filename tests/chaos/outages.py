"""Kafka or ClickHouse away for longer than anybody's patience."""

import time
from collections import Counter

from tests.chaos.system import System
from tests.running import Running, answers, wait_for

MOST_MEGABYTES = 400.0
"""What a worker may take at most, whatever is away."""
ASSIGNED = "_on_partitions_assigned"
"""What Faust's log says once per rebalance."""


def without_clickhouse(system: System, seconds: float, frozen_seconds: float) -> str:
    """ClickHouse is killed and stays away, then frozen.

    Nothing is committed meanwhile, memory is bounded, nobody rebalances.
    """
    worker = system.start_worker()
    system.send(agencies=3, vandal=True, pause=0.02)
    system.more(2_000)
    said = []
    for away, frozen in ((seconds, False), (frozen_seconds, True)):
        if not away:
            continue
        word = "frozen" if frozen else "killed"
        before, (resident, _) = len(system.ledger), worker.megabytes()
        with system.away("clickhouse", frozen):
            began = time.monotonic()
            time.sleep(3)  # What was written before is committed within a second or two.
            committed, rebalances = system.broker.committed(), worker.text().count(ASSIGNED)
            ready, told = True, 0.0
            while (gone := time.monotonic() - began) < away:
                time.sleep(2)
                if ready and not _ready(system, worker):
                    ready, told = False, gone
                system.say(
                    f"ClickHouse {word} for {gone:.0f} s of {away:.0f}; worker "
                    f"{worker.megabytes()[0]:.0f} MB, ready: {ready}"
                )
            assert worker.process.poll() is None, f"the worker ended: {worker.text()[-2000:]}"
            assert system.broker.committed() == committed, (
                "something was committed that could not be written"
            )
            again = worker.text().count(ASSIGNED) - rebalances
            assert not again, f"{again} rebalances although only ClickHouse was away"
            assert not ready or away < 45, (
                "the worker said that it is ready while it could not write"
            )
        waiting = len(system.ledger) - before
        began = time.monotonic()
        system.caught_up(300)
        wait_for(lambda: _ready(system, worker), 60, "the worker to be ready again")
        took = time.monotonic() - began
        now, most = worker.megabytes()
        assert most < MOST_MEGABYTES, f"the worker took {most:.0f} MB"
        told_after = f"not ready after {told:.0f} s" if not ready else "too short for /readyz"
        said.append(
            f"{word} for {away:.0f} s ({told_after}), {waiting:,} events waited and were counted "
            f"in {took:.0f} s, "
            f"worker {resident:.0f} → {now:.0f} MB, at most {most:.0f}"
        )
    return "; ".join(said)


def _ready(system: System, worker: Running) -> bool:
    assert worker is system.workers[0]
    try:
        return answers(f"http://127.0.0.1:{system.worker_port(0)}/readyz")
    except OSError:
        return False


def without_kafka(system: System, seconds: tuple[float, ...]) -> str:
    """Kafka is killed, then frozen: the gateway says 503 and comes back by itself.

    Whatever it accepted is there.
    """
    system.start_worker()
    system.send(vandal=True)
    said = []
    for number, away in enumerate(seconds):
        frozen = number % 2 == 1
        word = "frozen" if frozen else "killed"
        system.more(1_000)
        for agency in system.agencies:
            agency.answers.clear()
            agency.held.clear()
        with system.away("kafka", frozen):
            if not frozen:
                system.start_worker(1, wait=False)  # It waits until Kafka is there.
            time.sleep(1)
            before = len(system.ledger)
            while (began := time.monotonic()) and away > 0:
                time.sleep(min(away, 3))
                away -= time.monotonic() - began
                system.say(
                    f"Kafka {word}, {max(away, 0):.0f} s to go; answers {dict(_answers(system))}"
                )
            assert len(system.ledger) <= before + 200, (
                "the gateway accepted events although Kafka was away"
            )
            assert _answers(system)["503"], f"the gateway never said 503: {_answers(system)}"
        began = time.monotonic()
        system.more(500)
        back = time.monotonic() - began
        assert not set(_answers(system)) - {"200", "503"}, (
            f"other answers than 200 and 503: {_answers(system)}"
        )
        held = max(agency.held.get("503", 0.0) for agency in system.agencies)
        said.append(
            f"{word} for {seconds[number]:.0f} s: {_answers(system)['503']} answers 503, "
            f"held {held:.1f} s at most, accepting again {back:.1f} s after it came back"
        )
    return "; ".join(said)


def _answers(system: System) -> Counter[str]:
    return sum((agency.answers for agency in system.agencies), Counter())
