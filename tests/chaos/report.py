"""The results of a run as a page of the docs."""

import json
import os
import platform
import re
from datetime import date
from importlib.metadata import version
from pathlib import Path

from stack.parts import HERE
from tests.chaos.scenarios import SCENARIOS, Result

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "chaos.md"
PACKAGES = ("faust-streaming", "aiokafka", "kafka-python", "clickhouse-driver")

HEADER = (
    *(
        "scenario",
        "what was done",
        "events accepted",
        "records in Kafka",
        "windows",
        "states",
        "dead letters",
    ),
    *("lost", "doubled", "seconds"),
)


def figures(result: Result) -> str:
    """Return what was compared, in a sentence."""
    settled = result.settled
    assert settled is not None
    return (
        f"{settled.accepted:,} events accepted in {settled.records:,} records; {settled.windows:,} "
        "windows, "
        f"{settled.entities:,} states and {settled.letters:,} dead letters compared: 0 lost, 0 "
        f"doubled, {result.seconds:.0f} s"
    )


def write(results: list[Result], seed: int, seconds: float) -> Path:
    """Write the page; returns its path."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(results, seed, seconds))
    return PAGE


def page(results: list[Result], seed: int, seconds: float) -> str:
    """Return the page in Markdown."""
    lines = [
        "# Chaos",
        "",
        "Agencies send while parts are killed, stopped and removed; an independent ledger "
        "(`tests/chaos/ledger.py`, which",
        "imports nothing of the product) computes what must be stored in the end. After each "
        "scenario every raw event, every count",
        "of every window and every entity's state is compared with it, and `verify` compares them "
        "once more. An agency sends a",
        "batch until each event is answered, and resends old ones; events are of now, of minutes, "
        "weeks and years ago, and of",
        "the near future.",
        "",
        f"`make chaos IOC_CHAOS_SEED={seed}`, {date.today()}, {seconds / 60:.0f} minutes on "
        f"{os.cpu_count()} cores; {_versions()}.",
        "",
        f"| {' | '.join(HEADER)} |",
        f"|{'---|' * len(HEADER)}",
        *(_row(result) for result in results),
        "",
        "Kafka holds more records than there are events: repeats, bad records, aborted ones, and "
        "transaction markers.",
        "`make chaos QUICK=1` is a run of a few minutes; `python -m tests.chaos NAME --seed N` "
        "runs one scenario again under the",
        "seed that a failure names.",
        "",
    ]
    return "\n".join(lines)


def _row(result: Result) -> str:
    title = f"**{result.name}**: {SCENARIOS[result.name].title}"
    if (settled := result.settled) is None:
        return (
            f"| {title} | FAILED: {result.failure.splitlines()[0]} | | | | | | | | "
            f"{result.seconds:.0f} |"
        )
    numbers = (
        settled.accepted,
        settled.records,
        settled.windows,
        settled.entities,
        settled.letters,
        0,
        0,
        round(result.seconds),
    )
    return f"| {title} | {result.done} | {' | '.join(f'{number:,}' for number in numbers)} |"


def _versions() -> str:
    kafka = re.search(
        r"kafka.*?<version>([\d.]+)</version>", (HERE / "pom.xml").read_text(), re.DOTALL
    )
    clickhouse = next(
        iter(json.loads((HERE / "package.json").read_text())["optionalDependencies"].values())
    )
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    servers = f"Kafka {kafka[1] if kafka else '?'}, ClickHouse {clickhouse} (chDB)"
    return f"{servers}, Python {platform.python_version()}, {packages}"
