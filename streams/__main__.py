"""Commands of `python -m streams`.

migrate, worker, watch, verify, rebuild, retain, replay, dead-letters.
"""

import logging
import sys
from typing import Annotated

import typer

from schemas.logs import configure
from schemas.settings import load
from streams.cli import console, dead_letters, replays, run_or_exit, windows

cli = typer.Typer(no_args_is_help=True)


@cli.callback()
def start(context: typer.Context) -> None:
    """Count events from Kafka in windows, store them in ClickHouse, and watch over them."""
    configure(f"streams.{context.invoked_subcommand}")


@cli.command()
def migrate() -> None:
    """Create or update the ClickHouse database and the Kafka topics. Safe to run at any time."""
    import asyncio

    from streams.admin.migrate import migrate as run
    from streams.worker.topics import ensure_topics

    settings = load()
    done = run_or_exit("ClickHouse", settings.clickhouse_server, lambda: run(settings))
    done += run_or_exit(
        "Kafka",
        settings.kafka_servers,
        lambda: [f"topic {name}" for name in asyncio.run(ensure_topics(settings))],
    )
    for line in done:
        console().print(f"done: {line}", highlight=False)
    console().print("The database and the topics are up to date.", highlight=False)


@cli.command()
def worker(
    loglevel: Annotated[
        str, typer.Option(help="Log level: debug, info, warning or error.")
    ] = "info",
) -> None:
    """Run a stream worker until it is stopped. Start at most as many as there are partitions."""
    from faust import Worker

    from schemas.seal import SealError
    from streams.worker.app import create

    configure("streams.worker", logging.getLevelName(loglevel.upper()))
    try:
        app = create(load())
    except SealError as error:
        sys.exit(str(error))

    # Faust's own set-up would replace our log configuration and its line format.
    running = Worker(app, quiet=True, override_logging=False, redirect_stdouts=False)
    running.spinner = None
    running.execute_from_commandline()


@cli.command()
def watch(
    once: Annotated[
        bool,
        typer.Option("--once", help="Run every job once and exit; exit code 1 if one failed."),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Only check that a watch is running; exit code 1 if a job is overdue.",
        ),
    ] = False,
) -> None:
    """Raise and clear alarms until it is stopped. Several may run at once."""
    from streams.watch import run

    settings = load()
    if check:
        if overdue := run_or_exit(
            "ClickHouse", settings.clickhouse_server, lambda: run.overdue(settings)
        ):
            console().print(f"overdue jobs: {', '.join(overdue)}", highlight=False)
            raise typer.Exit(1)
        return
    if once:
        if run.once(settings):  # It has logged why.
            raise typer.Exit(1)
        return
    run.run(settings)


cli.command()(windows.verify)
cli.command()(windows.rebuild)
cli.command()(windows.retain)
cli.add_typer(replays.cli, name="replay")
cli.add_typer(dead_letters.cli, name="dead-letters")


if __name__ == "__main__":
    cli()
