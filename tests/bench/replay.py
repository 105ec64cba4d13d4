"""How fast the stream is run again.

An hour of filings, counted once, sent again as fast as possible and counted by a worker of its own;
against kcat, which reads the same topic and does nothing with it.
"""

import shutil
import subprocess
import time
from statistics import median

from streams.replay import run_store
from tests.bench.ground import Course, Going, Ground, Installation, follow
from tests.bench.peers.starts import worker_of
from tests.bench.results import Details, NotMeasuredError, Report, Result, met
from tests.running import Running, command

AIM = 0.5
RUNS = 2


def measure(bench: Ground, report: Report) -> None:
    """Count the hour by one worker, drain its topic with kcat, then run it again, from Kafka and
    from ClickHouse.
    """
    if not shutil.which("kcat"):
        raise NotMeasuredError("This bench needs kcat: install it (Debian: apt install kcat).")
    prefix, count = bench.hour()
    installation = bench.installation(prefix)
    with worker_of(bench, installation) as going:
        follow(bench, "counting it once", going, count)
    drained = [_drain(bench, installation, count) for _ in range(RUNS)]
    courses = {
        source: [_again(bench, installation, source, turn) for turn in range(RUNS)]
        for source in ("kafka", "clickhouse")
    }
    installation.drop()
    against = median(drained)
    for source, runs in courses.items():
        ratio = median(one.rate for one in runs) / against
        report.results.append(
            Result(
                f"the stream run again from {source}: read, sent, validated and counted, one "
                "worker",
                "kcat draining the same topic",
                f"{ratio:.2f}x rows/s",
                f"≥ {AIM}x",
                met(ratio, AIM),
            )
        )
    rows = [("kcat", f"{against:,.0f}", " / ".join(f"{one:,.0f}" for one in drained))]
    rows += [
        (
            f"run again from {source}",
            f"{median(one.rate for one in runs):,.0f}",
            " / ".join(f"{one.rate:,.0f}" for one in runs),
        )
        for source, runs in courses.items()
    ]
    report.details.append(
        Details(
            "The stream run again",
            ("what", "rows/s", "each run"),
            tuple(rows),
            (
                f"{count:,} filings of an hour, 4 partitions; start-up left out, and the "
                "comparison with the live windows.",
            ),
        )
    )


def _drain(bench: Ground, installation: Installation, count: int) -> float:
    line = [
        "kcat",
        "-C",
        "-q",
        "-b",
        bench.stack.kafka_servers,
        "-t",
        installation.topic,
        "-o",
        "beginning",
        "-e",
    ]
    began = time.perf_counter()
    subprocess.run(line, stdout=subprocess.DEVNULL, check=True, timeout=300)
    return count / (time.perf_counter() - began)


def _again(bench: Ground, installation: Installation, source: str, turn: int) -> Course:
    name, client = f"{source}_{turn}", installation.client()

    def counted() -> int:
        return sum(one.counted for one in run_store.read(client, name))

    ((total,),) = client.execute("SELECT count() FROM events_filing FINAL")
    log = bench.folder("replay") / "log"
    with Running(
        "streams",
        "replay",
        "--into",
        name,
        "--source",
        source,
        environment=installation.environment,
        log=log,
    ) as running:
        course = follow(
            bench, f"again from {source}", Going(counted, {"replay": running.process.pid}), total
        )
        running.process.wait(120)
    client.disconnect()
    done = command(installation.environment, "streams", "replay", "remove", name)
    if running.process.returncode or done.returncode:
        raise RuntimeError(f"The run again failed: {log.read_text()[-2000:]}")
    return course
