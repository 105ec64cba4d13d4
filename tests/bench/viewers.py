"""What viewers cost the server, against a page with an interval.

And how soon a thousand of them have the news.
"""

import json
import subprocess
import sys
from dataclasses import dataclass

from tests.bench.ground import Ground
from tests.bench.machine import Processes, many_files
from tests.bench.province import Province, province
from tests.bench.results import Details, Report, Result, met
from tests.running import Running

VIEWERS, MANY = 200, 1000
RATIO = 20.0
SECONDS = 2.0


@dataclass(frozen=True)
class Round:
    """One measurement.

    Updates that viewers got, CPU seconds of the server and of ClickHouse, ms from news to viewer.
    """

    what: str
    viewers: int
    seconds: float
    updates: int
    failed: int
    bytes: int
    server: float
    clickhouse: float
    took: list[float]

    @property
    def cost(self) -> float:
        """Return milliseconds of the server's CPU per update of a viewer."""
        return 1000 * self.server / max(1, self.updates)

    def level(self, share: float) -> float:
        """Return seconds that so many of the updates took at most."""
        ordered = sorted(self.took) or [float("inf")]
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1000

    def row(self) -> tuple[str, ...]:
        """For the table of details."""
        return (
            self.what,
            f"{self.viewers:,}",
            f"{self.updates / self.viewers / self.seconds:.2f}",
            f"{self.cost:.2f}",
            f"{1000 * self.clickhouse / max(1, self.updates):.2f}",
            f"{self.bytes / max(1, self.updates) / 1024:.1f}",
            f"{self.level(0.5):.2f}",
            f"{self.level(0.95):.2f}",
            f"{self.failed}",
        )


def measure(bench: Ground, report: Report) -> None:
    """The same province and the same news for both.

    The server alone is counted, its viewers are another process.
    """
    many_files()
    seconds = 10.0 if bench.quick else 30.0
    with province(bench) as found, found.news():
        with found.serve(IOC_DASHBOARD_TICK_SECONDS="1") as server:
            ours = _round(bench, found, server, "push", VIEWERS, seconds)
            many = _round(bench, found, server, "push", MANY, seconds)
        with found.serve("tests.bench.interval_page") as server:
            stock = _round(bench, found, server, "poll", VIEWERS, 2 * seconds)
    ratio = stock.cost / ours.cost
    report.results += [
        Result(
            f"server CPU per update of a viewer, {VIEWERS} viewers of the wall by WebSocket",
            "the same content by `dcc.Interval`, asked for by each viewer",
            f"{ours.cost:.2f} ms against {stock.cost:.0f} ms: 1/{ratio:.0f}",
            f"≤ 1/{RATIO:.0f}",
            met(ratio, RATIO),
        ),
        Result(
            f"from the server's news to the viewer, {MANY:,} viewers of the wall at 1 update/s",
            "-",
            f"p50 {many.level(0.5):.2f} s, p95 {many.level(0.95):.2f} s",
            f"p95 ≤ {SECONDS:.0f} s",
            met(many.level(0.95), SECONDS, most=True) and not many.failed,
        ),
    ]
    columns = (
        "page",
        "viewers",
        "updates/s each",
        "CPU of the server, ms per update",
        "of ClickHouse, ms",
        "KB per update",
        "news to viewer p50, s",
        "p95, s",
        "failed",
    )
    note = (
        "Of the interval's page the time is that from the request to the answer. Its viewers ask "
        "anew when they are answered."
    )
    report.details.append(
        Details("Viewers", columns, (ours.row(), many.row(), stock.row()), (note,))
    )


def _round(
    bench: Ground, found: Province, server: Running, how: str, viewers: int, seconds: float
) -> Round:
    enough = viewers if how == "push" else 1
    task = bench.screen.add_task(f"{viewers:,} viewers, {how}", total=None)
    command = [
        sys.executable,
        "-m",
        "tests.bench.audience",
        how,
        found.dashboard,
        f"{viewers}",
        f"{seconds}",
        f"{enough}",
    ]
    log = found.home / f"audience-{how}-{viewers}.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdin=-1, stdout=-1, stderr=errors, text=True) as audience,
    ):
        assert audience.stdin and audience.stdout
        try:
            if not audience.stdout.readline().startswith("ready"):
                raise RuntimeError(f"The viewers did not come: {log.read_text()[-2000:]}")
            processes = Processes({"server": server.process.pid, **bench.servers})
            processes.start()
            audience.stdin.write("go\n")
            audience.stdin.flush()
            said = json.loads(audience.stdout.readline() or "null")
            used = processes.used()
        finally:
            audience.kill()
    if said is None:
        raise RuntimeError(f"The viewers did not end: {log.read_text()[-2000:]}")
    bench.screen.remove_task(task)
    what = "ours, pushed" if how == "push" else "dcc.Interval"
    clickhouse = sum(cpu for name, cpu in used.items() if "ickhouse" in name.lower())
    return Round(
        what,
        viewers,
        seconds,
        said["updates"],
        said["failed"],
        said["bytes"],
        used["server"],
        clickhouse,
        said["took"],
    )
