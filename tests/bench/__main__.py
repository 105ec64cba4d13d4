"""Command: python -m tests.bench [NAME …] [--quick]."""

import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from stack import StackError, control
from tests.bench import (
    backfill,
    figures,
    gateway,
    jump,
    latency,
    lists,
    long_tab,
    paint,
    points,
    replay,
    restart,
    scaling,
    transfer,
    viewers,
    weeks,
)
from tests.bench.ground import Ground, make_peers_python
from tests.bench.machine import describe
from tests.bench.results import Report, measure_each
from tests.bench.versions import versions

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "explanation" / "bench.md"
BENCHES: dict[str, Callable[[Ground, Report], None]] = {
    "transfer": transfer.measure,
    "scaling": scaling.measure,
    "gateway": gateway.measure,
    "restart": restart.measure,
    "latency": latency.measure,
    "viewers": viewers.measure,
    "paint": paint.measure,
    "long_tab": long_tab.measure,
    "figures": figures.measure,
    "jump": jump.measure,
    "replay": replay.measure,
    "weeks": weeks.measure,
    "points": points.measure,
    "lists": lists.measure,
    "backfill": backfill.measure,
}
STREAM = ("transfer", "scaling", "gateway", "restart", "backfill")
"""By default: the way from Kafka to ClickHouse. All of them take hours."""
cli = typer.Typer()


@cli.command()
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Which to run: {', '.join(BENCHES)}, or all; by default {', '.join(STREAM)}."
        ),
    ] = None,
    quick: Annotated[bool, typer.Option(help="Fewer events, for a first look.")] = False,
    document: Annotated[
        Path | None,
        typer.Option(
            help="Where to write the results; by default into the docs after a whole run."
        ),
    ] = None,
) -> None:
    """Measure on a stack of its own, which is gone afterwards.

    An aim that is not met, or cannot be measured here, is no error.
    """
    console = Console()
    chosen = list(BENCHES) if names == ["all"] else names or list(STREAM)
    if unknown := set(chosen) - BENCHES.keys():
        raise typer.BadParameter(
            f"There is no {', '.join(unknown)}; there are {', '.join(BENCHES)}, and all."
        )
    screen = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left running
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ioc-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        try:
            with console.status("making the environment of the peers"):
                python = make_peers_python(ROOT / ".bench" / "peers")
            with console.status("starting Kafka and ClickHouse"):
                stack = control.up(home, kafka_engine=True)
            report = Report(
                f"python -m tests.bench {' '.join(sys.argv[1:])}".strip(),
                describe(),
                versions(python, stack.clickhouse_url),
            )
            console.print(
                f"{report.machine}\n"
                + ", ".join(f"{name} {version}" for name, version in report.versions.items())
            )
            with screen:
                ground = Ground(stack, home, quick, screen, python)
                failed = measure_each(
                    {name: partial(BENCHES[name], ground) for name in chosen}, report, console.print
                )
        except (StackError, RuntimeError, AssertionError) as error:
            console.print(f"[red]{error}[/]")
            raise typer.Exit(1) from None
        finally:
            with console.status("stopping Kafka and ClickHouse"):
                control.wipe(home)
    report.seconds = time.monotonic() - began
    for table in report.tables():
        console.print(table)
    if failed:
        console.print(
            f"[red]Failed: {', '.join(failed)}.[/] What was measured stands above; no document is "
            "written."
        )
        raise typer.Exit(1)
    if document or not (names or quick):
        report.write(document or DOCUMENT)
        console.print(f"Written to {document or DOCUMENT}")


if __name__ == "__main__":
    cli()
