"""Commands: python -m tests.bench [latency | stream] [--quick]."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stack import control
from tests.bench import latency, stream

BENCHES = {"latency": latency.measure, "stream": stream.measure}
cli = typer.Typer()


@cli.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help=f"Which to run: {', '.join(BENCHES)}; all by default.")] = None,
    quick: Annotated[bool, typer.Option(help="Fewer events, for a first look.")] = False,
) -> None:
    """Measure on a stack of its own, which is gone afterwards."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="ioc-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        try:
            with console.status("starting Kafka and ClickHouse"):
                stack = control.up(home)
            for name in names or BENCHES:
                console.print(BENCHES[name](stack, home / name, quick))
        finally:
            control.wipe(home)


if __name__ == "__main__":
    cli()
