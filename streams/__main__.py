"""Commands: python -m streams migrate | worker | verify | dead-letters."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from schemas.settings import load

if TYPE_CHECKING:
    from streams.dead_letters import Letter

cli = typer.Typer(no_args_is_help=True, help="Kafka to windows to ClickHouse.")
console = Console()
SHOWN = 50
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
    for line in differences[:SHOWN]:
        console.print(line, highlight=False, markup=False)
    if len(differences) > SHOWN:
        console.print(f"… and {len(differences) - SHOWN} more", highlight=False)
    if differences:
        sys.exit(1)
    console.print("No difference: every window and state equals what the raw events give.", highlight=False)


letters = typer.Typer(no_args_is_help=True, help="Records that could not be counted: list, show, mend and send again.")
cli.add_typer(letters, name="dead-letters")
Category = Annotated[str | None, typer.Option(help="Only this category, such as missing-field.")]


@letters.command("list")
def list_(
    category: Category = None,
    state: Annotated[str, typer.Option(help="open, resent or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """The newest letters with their reasons; payloads are not shown."""
    found = _letters((), category, None if state == "all" else state, limit)
    table = Table(Column("letter", no_wrap=True), "received", Column("category", no_wrap=True), Column("reason", overflow="fold"))
    for one in found:
        table.add_row(one.name, f"{one.received_at:%d/%m %H:%M}", one.category, one.reason)
    console.print(table if found else "No dead letters.")


@letters.command()
def show(name: Annotated[str, typer.Argument(help="topic/partition/offset")]) -> None:
    """One letter with its payload, which may be saved, mended and given to `retry --with`."""
    found = _letters([name])
    if not found:
        sys.exit(f"There is no dead letter {name}.")
    console.print(f"{found[0].category}: {found[0].reason}", highlight=False, markup=False, style="yellow", soft_wrap=True)
    sys.stdout.flush()
    sys.stdout.buffer.write(found[0].payload + b"\n")


@letters.command()
def retry(
    names: Annotated[list[str] | None, typer.Argument(help="Letters by name; or choose with --category.")] = None,
    category: Category = None,
    with_: Annotated[Path | None, typer.Option("--with", help="The mended event, in place of one letter's payload.")] = None,
) -> None:
    """Send letters again; those that still cannot be counted stay open. Exits with 1 if any does."""
    import asyncio

    from streams.dead_letters import resend
    from streams.store import Store

    if not names and category is None:
        sys.exit("Name letters, or choose them with --category.")
    if with_ is not None and len(names or ()) != 1:
        sys.exit("--with mends one letter: name it.")
    found = _letters(names or (), category, limit=100_000)
    missing = len(names or ()) - len(found)
    if missing > 0:
        sys.exit(f"{missing} of the named letters are not known.")
    settings = load()
    mended = with_.read_bytes().strip() if with_ is not None else None
    outcomes = _explained(
        "Kafka", settings.kafka_servers, lambda: asyncio.run(resend(settings, Store(settings.clickhouse_url), found, mended))
    )
    for letter, problem in outcomes:
        if problem:
            console.print(f"{letter.name}: {problem}", highlight=False, markup=False)
    sent = sum(not problem for _, problem in outcomes)
    console.print(f"{sent} sent again, {len(outcomes) - sent} still open.", highlight=False)
    if sent < len(outcomes):
        sys.exit(1)


def _letters(*arguments: Any, **options: Any) -> "list[Letter]":
    """What `streams.dead_letters.find` finds."""
    from streams.dead_letters import find
    from streams.store import Store

    settings = load()
    return _explained("ClickHouse", settings.clickhouse_url, lambda: find(Store(settings.clickhouse_url), *arguments, **options))


def _explained(what: str, address: str, run: Callable[[], T]) -> T:
    """Run; a part that cannot be reached is one sentence, not a traceback."""
    try:
        return run()
    except ValueError as error:
        sys.exit(str(error))
    except Exception as error:
        reason = str(error).partition("Stack trace")[0].strip() or type(error).__name__
        sys.exit(f"{what} at {address}: {reason}")


if __name__ == "__main__":
    cli()
