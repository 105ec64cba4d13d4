"""Kafka → validated, deduplicated raw rows + windows in ClickHouse by one worker, against three
peers; and the worker's memory.
"""

from contextlib import AbstractContextManager
from statistics import median
from typing import NamedTuple, Protocol

from tests.bench.ground import Course, Going, Ground, follow
from tests.bench.peers import starts
from tests.bench.results import Details, Report, Result, met

MEMORY_MB = 400
FLAT_MB = 20
"""Growth over the second half of the events that still counts as flat."""
OURS, FAUST, QUIX, ENGINE = "ours", "Faust", "Quix Streams", "Kafka engine"


class Start(Protocol):
    """Starts a peer on the topics of a prefix."""

    def __call__(self, bench: Ground, prefix: str) -> AbstractContextManager[Going]: ...


class Peer(NamedTuple):
    """A peer, and for how many seconds it is watched at most."""

    start: Start
    seconds: float = 300


PEERS = {
    OURS: Peer(starts.ours),
    ENGINE: Peer(starts.engine),
    FAUST: Peer(starts.faust, 20),
    QUIX: Peer(starts.quix, 20),
}


def measure(bench: Ground, report: Report) -> None:
    """Measure each peer in turn on the same topic, all of it twice; medians."""
    prefix, count = bench.hour()
    courses: dict[str, list[Course]] = {name: [] for name in PEERS}
    for turn in (1, 2):
        for name, peer in PEERS.items():
            seconds = peer.seconds / 2 if bench.quick else peer.seconds
            with peer.start(bench, prefix) as going:
                courses[name].append(
                    follow(bench, f"{name} ({turn} of 2)", going, count, seconds=seconds)
                )
    report.details.append(_details(courses, count))
    report.results += _ratios(courses)
    report.results.append(_memory(courses[OURS][-1], count))


def _rate(courses: list[Course]) -> float:
    return median(course.rate for course in courses)


def _cpu(courses: list[Course], *names: str) -> float:
    return median(course.cpu_per_100k(*names) for course in courses)


def _ratios(courses: dict[str, list[Course]]) -> list[Result]:
    what = "Kafka → validated, deduplicated raw rows + windows in ClickHouse, one worker"
    found = []
    for name, against, aim in (
        (FAUST, "Faust as its documentation shows it (agent + tumbling table): windows only", 25),
        (QUIX, "Quix Streams tumbling count: windows only", 5),
        (
            ENGINE,
            "ClickHouse Kafka engine + materialized views in the same server, no validation, no "
            "exactness",
            1,
        ),
    ):
        ratio = _rate(courses[OURS]) / _rate(courses[name])
        found.append(Result(what, against, f"{ratio:.2f}x events/s", f"≥ {aim}x", met(ratio, aim)))
    ratio = _cpu(courses[ENGINE], "clickhouse") / _cpu(courses[OURS], "worker", "clickhouse")
    found.append(
        Result(
            "the same per CPU second of worker and ClickHouse",
            "the same engine",
            f"{ratio:.2f}x",
            "≥ 0.7x",
            met(ratio, 0.7),
        )
    )
    return found


def _memory(course: Course, count: int) -> Result:
    half = [sample for sample in course.samples if sample.done >= count / 2]
    peak = max(sample.memory for sample in course.samples)
    growth = half[-1].memory - half[0].memory
    return Result(
        "memory of a worker at full load, an hour's worth of events",
        "-",
        f"{peak:.0f} MB, {growth:+.0f} MB over the second half",
        f"≤ {MEMORY_MB} MB, flat",
        peak <= MEMORY_MB and growth <= FLAT_MB,
    )


def _details(courses: dict[str, list[Course]], count: int) -> Details:
    rows = []
    for name, runs in courses.items():
        own = [process for process in runs[0].cpu if process not in ("clickhouse", "kafka")]
        rows.append(
            (
                name,
                f"{_rate(runs):,.0f}",
                " / ".join(f"{run.rate:,.0f}" for run in runs),
                f"{runs[-1].events:,}",
                f"{_cpu(runs, *own):.2f}" if own else "-",
                f"{_cpu(runs, 'clickhouse'):.2f}",
                f"{_cpu(runs, 'kafka'):.2f}",
                f"{max(sample.memory for run in runs for sample in run.samples):.0f} MB"
                if own
                else "-",
            )
        )
    columns = (
        "peer",
        "events/s",
        "each run",
        "events watched",
        "CPU s per 100,000: itself",
        "ClickHouse",
        "Kafka",
        "peak memory",
    )
    return Details(
        "Kafka to ClickHouse",
        columns,
        tuple(rows),
        (
            f"{count:,} filings of an hour as the simulator deals them out (agencies, communes, "
            "procedures, channels), 4 "
            "partitions, 1 % repeats, the same topic for all; from the first events done until "
            "nine tenths are done, start-up "
            "left out; medians of two runs in turn. Faust and Quix are watched for 20 s.",
            "Faust and Quix count windows only. The Kafka engine writes raw rows and counts of the "
            "same dimensions and measures, "
            "by two consumers with threads of their own. Ours validates, drops repeats, writes raw "
            "rows, windows, entity states "
            "and freshness.",
            "CPU of ClickHouse includes the merges until it has come to rest. The ratio per CPU "
            "second leaves Kafka out for both.",
        ),
    )
