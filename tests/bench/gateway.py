"""Events per second that the gateway accepts in batches, validated and acknowledged by the broker,
against a bare producer loop.
"""

import http.client
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.ground import Ground
from tests.bench.load import FRAME, last_hour
from tests.bench.machine import cpu_seconds
from tests.bench.results import Details, Report, Result, met
from tests.running import Running

BATCH = 1_000
CLIENTS = (1, 4)
AIM = 0.7


class Speed(NamedTuple):
    """Events per second, and CPU seconds per 100,000 events of the process that was measured."""

    rate: float
    cpu: float


def measure(bench: Ground, report: Report) -> None:
    """The loop and the gateway in turn, twice, each time with processes and a topic of their own.

    Medians.
    """
    count = 20_000 if bench.quick else 100_000
    records = list(last_hour(count, repeated=0).records())
    frames = bench.folder("frames") / "frames"
    frames.write_bytes(
        b"".join(FRAME.pack(len(r.key), len(r.value), r.arrival) + r.key + r.value for r in records)
    )
    batches = [
        b"[" + b",".join(r.value for r in records[at : at + BATCH]) + b"]"
        for at in range(0, count, BATCH)
    ]
    loop: list[Speed] = []
    gateway: dict[int, list[Speed]] = {clients: [] for clients in CLIENTS}
    task = bench.screen.add_task("gateway and producer loop", total=2 * (1 + len(CLIENTS)))
    for _ in range(2):
        loop.append(_loop(bench, frames))
        bench.screen.advance(task)
        for clients in CLIENTS:
            gateway[clients].append(_gateway(bench, batches, clients))
            bench.screen.advance(task)
    bench.screen.remove_task(task)
    most = max(CLIENTS)
    ratios = {clients: _rate(speeds) / _rate(loop) for clients, speeds in gateway.items()}
    others = ", ".join(
        f"{clients} client: {ratio:.2f}x" for clients, ratio in ratios.items() if clients != most
    )
    report.results.append(
        Result(
            f"gateway: accepted events/s in batches from {most} clients, acknowledged by the "
            "broker, all validated",
            "bare kafka-python producer loop on the same events",
            f"{ratios[most]:.2f}x ({others})",
            f"≥ {AIM}x",
            met(ratios[most], AIM),
        )
    )
    rows = {"bare loop": loop} | {
        f"gateway, {clients} client{'s' * (clients > 1)}": speeds
        for clients, speeds in gateway.items()
    }
    shown = [
        (
            name,
            f"{_rate(runs):,.0f}",
            " / ".join(f"{one.rate:,.0f}" for one in runs),
            f"{median(one.cpu for one in runs):.2f}",
        )
        for name, runs in rows.items()
    ]
    note = (
        f"{count:,} filings in batches of {BATCH:,}, the first batch left out. The clients run on "
        "the same cores as the gateway."
    )
    report.details.append(
        Details(
            "Gateway", ("what", "events/s", "each run", "CPU s per 100,000"), tuple(shown), (note,)
        )
    )


def _rate(speeds: Sequence[Speed]) -> float:
    return median(one.rate for one in speeds)


def _loop(bench: Ground, frames: Path) -> Speed:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "tests.bench.peers.producer_loop",
        bench.stack.kafka_servers,
        bench.installation().topic,
        frames,
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"The producer loop failed:\n{ran.stderr[-2000:]}")
    count, seconds, cpu = map(float, ran.stdout.split())
    return Speed(count / seconds, cpu / count * 100_000)


def _gateway(bench: Ground, batches: list[bytes], clients: int) -> Speed:
    environment = bench.installation().environment
    port = int(environment["IOC_GATEWAY_PORT"])
    log = bench.folder("gateway") / "log"
    with Running(
        "ingest",
        "gateway",
        environment=environment,
        log=log,
        ready=f"http://127.0.0.1:{port}/readyz",
    ) as running:
        _push(port, batches[:1])
        cpu, began = cpu_seconds(running.process.pid), time.monotonic()
        with ThreadPoolExecutor(clients) as pool:
            for done in [
                pool.submit(_push, port, batches[1 + number :: clients])
                for number in range(clients)
            ]:
                done.result()
        seconds, used = time.monotonic() - began, cpu_seconds(running.process.pid) - cpu
    count = (len(batches) - 1) * BATCH
    return Speed(count / seconds, used / count * 100_000)


def _push(port: int, batches: Sequence[bytes]) -> None:
    """One client: batch after batch on one connection, each answered before the next.

    All must be accepted.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    accepted = b'{"accepted":%d,' % BATCH
    for body in batches:
        connection.request(
            "POST", "/v1/events", body, {"Content-Type": "application/cloudevents-batch+json"}
        )
        answer = connection.getresponse().read()
        if not answer.startswith(accepted):
            raise RuntimeError(f"The gateway did not accept a whole batch: {answer[:300]!r}")
    connection.close()
