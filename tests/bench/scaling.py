"""Two workers on two partition sets against one.

Two cores that Kafka and ClickHouse share leave no core for a second worker, so it is measured in
two ways: each worker pinned to a core of its own and the servers where they find room, which tells
what this machine gives; and each worker held to a share of a core, so that cores last, which tells
whether anything but cores keeps two workers from being twice as fast.
"""

import os
import signal
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from stack.ports import choose_port
from tests.bench.ground import Ground
from tests.bench.machine import Processes, cpu_seconds
from tests.bench.results import NOT_MEASURED, Details, NotMeasuredError, Report, Result, met
from tests.running import Running, wait_for, worker

AIM = 1.7
SHARE = 0.3
"""Of a core for each worker where cores shall last.

Two workers and the servers stay well within two cores.
"""
SHORTEST = 1.0
"""Seconds that a rate is taken over at least."""
SETTLE = 3.0
"""Seconds after the second worker's first events, for the group to come to rest."""


class Speed(NamedTuple):
    """Events per second of all workers, and CPU seconds per 100,000 events of the workers and of
    the servers.
    """

    rate: float
    workers: float
    servers: float


def measure(bench: Ground, report: Report) -> None:
    """Measure one and two workers in turn, pinned and held to a share; medians of two rounds."""
    prefix, count = bench.hour()
    ways: dict[str, float | None] = {
        "each pinned to a core of its own": None,
        f"each held to {SHARE:.0%} of a core": SHARE,
    }
    found: dict[tuple[str, int], list[Speed]] = {}
    missing: dict[str, str] = {}
    task = bench.screen.add_task("one worker and two", total=2 * 2 * len(ways))
    for _ in range(2):
        for way, share in ways.items():
            for workers in (1, 2):
                try:
                    found.setdefault((way, workers), []).append(
                        _run(bench, prefix, count, workers, share)
                    )
                except NotMeasuredError as error:
                    missing[way] = str(error)
                bench.screen.advance(task)
    bench.screen.remove_task(task)
    report.results.append(_result(ways, found, missing))
    report.details.append(
        Details(
            "One worker and two",
            (
                "workers",
                "events/s",
                "each run",
                "CPU s per 100,000: workers",
                "Kafka and ClickHouse",
            ),
            tuple(
                (
                    f"{workers}, {way}",
                    f"{_rate(runs):,.0f}",
                    " / ".join(f"{run.rate:,.0f}" for run in runs),
                    f"{median(run.workers for run in runs):.2f}",
                    f"{median(run.servers for run in runs):.2f}",
                )
                for (way, workers), runs in found.items()
                if runs
            ),
            ("From when both workers count until nine tenths are done, at most 15 s.",),
        )
    )


def _result(
    ways: Iterable[str], found: Mapping[tuple[str, int], list[Speed]], missing: Mapping[str, str]
) -> Result:
    """Return how many times as fast two workers are, each way.

    Where that could not be measured in any round, why.
    """
    ratios = {
        way: _rate(found[way, 2]) / _rate(found[way, 1])
        for way in ways
        if found[way, 1] and found[way, 2]
    }
    alone, shared = ways
    pinned = f"{ratios[alone]:.2f}x" if alone in ratios else NOT_MEASURED + missing[alone]
    also = f"({alone}, Kafka and ClickHouse on the same {os.cpu_count()}: {pinned})"
    held = (
        f"{ratios[shared]:.2f}x {also}"
        if shared in ratios
        else f"{NOT_MEASURED}{missing[shared]} {also}"
    )
    reached = met(ratios[shared], AIM) if shared in ratios else None
    return Result(
        f"two workers on two partition sets, while cores last: {shared}",
        "one worker",
        held,
        f"≥ {AIM}x",
        reached,
    )


@contextmanager
def _on(core: int, cores: list[int]) -> Iterator[None]:
    """Run what is started meanwhile on one core only."""
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _rate(runs: list[Speed]) -> float:
    return median(run.rate for run in runs)


def _run(bench: Ground, prefix: str, count: int, workers: int, share: float | None) -> Speed:
    installation = bench.installation(prefix)
    cores = sorted(os.sched_getaffinity(0))
    ports: list[int] = []
    running: list[Running] = []
    with ExitStack() as stack:
        for number in range(workers):
            ports.append(choose_port(taken=ports))
            home = bench.folder("worker")
            environment = installation.environment | {
                "IOC_WORKER_PORT": str(ports[-1]),
                "IOC_HOME": str(home),
            }
            with _on(cores[number % len(cores)], cores):
                running.append(stack.enter_context(worker(environment, home / "log")))
        wait_for(lambda: all(_done(port) for port in ports), 60, "the first events of every worker")
        if share is not None:
            for one in running:
                stack.enter_context(_held(one.process.pid, share))
        time.sleep(SETTLE)
        names = [f"worker {number}" for number in range(workers)]
        processes = Processes(
            dict(zip(names, (one.process.pid for one in running), strict=True)) | bench.servers
        )
        processes.start()
        before, began = sum(map(_done, ports)), time.monotonic()
        now = before
        while now < 0.9 * count and time.monotonic() - began < (8 if bench.quick else 15):
            time.sleep(0.1)
            now = sum(map(_done, ports))
        used, events, seconds = processes.used(), now - before, time.monotonic() - began
    if not events or seconds < SHORTEST:
        raise NotMeasuredError(
            f"{before:,} of {count:,} events were done before all workers counted"
        )
    own = sum(used.pop(name) for name in names)
    return Speed(events / seconds, own / events * 100_000, sum(used.values()) / events * 100_000)


def _done(port: int) -> int:
    """Return events that a worker has written, repeats included."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        families = {
            family.name: family for family in text_string_to_metric_families(answer.read().decode())
        }
    samples = [
        sample
        for name in ("ioc_worker_events", "ioc_worker_repeats")
        for sample in families[name].samples
    ]
    return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))


@contextmanager
def _held(pid: int, share: float) -> Iterator[None]:
    """Hold a process to a share of a core.

    It is stopped whenever it has used more, and goes on when it is owed time again.
    """
    ending = threading.Event()

    def hold() -> None:
        used, began = cpu_seconds(pid), time.monotonic()
        while not ending.wait(0.02):
            over = cpu_seconds(pid) - used > share * (time.monotonic() - began)
            os.kill(pid, signal.SIGSTOP if over else signal.SIGCONT)
        os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=hold, name="hold")
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
