"""Commands: python -m streams migrate | worker | verify."""

import sys
from collections.abc import Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from schemas.settings import load

cli = typer.Typer(no_args_is_help=True, help="Kafka to windows to ClickHouse.")
console = Console()
T = TypeVar("T")


@cli.command()
def migrate() -> None:
    """Bring the ClickHouse database and the Kafka topics to what the vocabulary says. Safe to run at any time."""
    import asyncio

    from streams.migrate import migrate as run
    from streams.topics import ensure_topics

    settings = load()
    done = _explained("ClickHouse", settings.clickhouse_url, lambda: run(settings))
    done += _explained("Kafka", settings.kafka_servers, lambda: [f"topic {name}" for name in asyncio.run(ensure_topics(settings))])
    for line in done:
        console.print(f"made {line}", highlight=False)
    console.print("All is as the vocabulary says.", highlight=False)


@cli.command()
def worker(
    loglevel: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Run a stream worker until it is stopped. Start as many as there are partitions at most."""
    from faust import Worker

    from streams.app import app

    Worker(app, loglevel=loglevel).execute_from_commandline()


@cli.command()
def verify() -> None:
    """Recompute every window and state from the raw events and compare; exits with 1 if anything differs."""
    from streams.verify import verify as run

    settings = load()
    with console.status("comparing windows and states with the raw events"):
        reports = _explained("ClickHouse", settings.clickhouse_url, lambda: run(settings))
    table = Table("kind", "events", "pending", "windows", "entities", "differences")
    for report in reports:
        numbers = (report.events, report.pending, report.windows, report.entities, len(report.differences))
        table.add_row(report.kind.name, *(f"{number:,}" for number in numbers))
    console.print(table)
    differences = [line for report in reports for line in report.differences]
    for line in differences:
        console.print(line, highlight=False, markup=False)
    if differences:
        sys.exit(1)
    console.print("No difference: every window and state equals what the raw events give.", highlight=False)


def _explained(what: str, address: str, run: Callable[[], T]) -> T:
    """Run; a part that cannot be reached is one sentence, not a traceback."""
    try:
        return run()
    except Exception as error:
        reason = str(error).partition("Stack trace")[0].strip() or type(error).__name__
        sys.exit(f"{what} at {address}: {reason}")


if __name__ == "__main__":
    cli()
