"""Commands: python -m streams migrate | worker | watch | verify | rebuild | retain | replay | dead-letters."""

import logging
import sys
from typing import Annotated

import typer

from schemas.logs import configure
from schemas.settings import load
from streams.cli import console, explained, letters, replays, windows

cli = typer.Typer(no_args_is_help=True)


@cli.callback()
def start(context: typer.Context) -> None:
    """Kafka to windows to ClickHouse."""
    configure(f"streams.{context.invoked_subcommand}")


@cli.command()
def migrate() -> None:
    """Bring the ClickHouse database and the Kafka topics to what the vocabulary says. Safe to run at any time."""
    import asyncio

    from streams.admin.migrate import migrate as run
    from streams.worker.topics import ensure_topics

    settings = load()
    done = explained("ClickHouse", settings.clickhouse_server, lambda: run(settings))
    done += explained(
        "Kafka",
        settings.kafka_servers,
        lambda: [f"topic {name}" for name in asyncio.run(ensure_topics(settings))],
    )
    for line in done:
        console.print(f"made {line}", highlight=False)
    console.print("All is as the vocabulary says.", highlight=False)


@cli.command()
def worker(
    loglevel: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Run a stream worker until it is stopped. Start as many as there are partitions at most."""
    from faust import Worker

    from schemas.seal import SealError

    configure("streams.worker", logging.getLevelName(loglevel.upper()))
    try:
        from streams.worker.app import app
    except SealError as error:
        sys.exit(str(error))

    # Faust's own set-up would take the log over, with lines in a form of its own.
    running = Worker(app, quiet=True, override_logging=False, redirect_stdouts=False)
    running.spinner = None
    running.execute_from_commandline()


@cli.command()
def watch(
    once: Annotated[
        bool, typer.Option("--once", help="Do every job a single time and end; 1 if one failed.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Only say whether a watch runs; 1 if a job was not done lately."
        ),
    ] = False,
) -> None:
    """Raise and clear alarms until it is stopped. Several at once do no harm."""
    from streams.watch import run

    settings = load()
    if check:
        if late := explained("ClickHouse", settings.clickhouse_server, lambda: run.late(settings)):
            console.print(f"not done lately: {', '.join(late)}", highlight=False)
            raise typer.Exit(1)
        return
    if once:
        if run.once(settings):  # It has said why.
            raise typer.Exit(1)
        return
    run.run(settings)


cli.command()(windows.verify)
cli.command()(windows.rebuild)
cli.command()(windows.retain)
cli.add_typer(replays.cli, name="replay")
cli.add_typer(letters.cli, name="dead-letters")


if __name__ == "__main__":
    cli()
