"""Commands: python -m streams dead-letters list | show | retry."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table

from schemas.settings import load
from streams.cli import console, run_or_exit

if TYPE_CHECKING:
    from schemas.seal import Sealer
    from streams.worker.table_rows import DeadLetter

cli = typer.Typer(
    no_args_is_help=True,
    help="List, show, correct and send again the records that could not be counted.",
)
Category = Annotated[
    str | None, typer.Option(help="Only letters of this category, such as missing-field.")
]


@cli.command("list")
def list_(
    category: Category = None,
    state: Annotated[
        str, typer.Option(help="Only letters in this state: open, resent or all.")
    ] = "open",
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many letters.")] = 50,
) -> None:
    """List the newest letters with their reasons, without payloads."""
    found = _find((), category, None if state == "all" else state, limit)
    table = Table(
        Column("letter", no_wrap=True),
        "received",
        Column("category", no_wrap=True),
        Column("reason", overflow="fold"),
    )
    for one in found:
        table.add_row(one.name, f"{one.received_at:%d/%m %H:%M}", one.category, one.reason)
    console().print(table if found else "No dead letters.")


@cli.command()
def show(
    name: Annotated[str, typer.Argument(help="topic/partition/offset")],
    unmask: Annotated[
        bool,
        typer.Option(
            "--unmask", help="Decrypt the reporter's identity; recorded in unmask.log first."
        ),
    ] = False,
    reason: Annotated[
        str, typer.Option(help="Why the identity is decrypted; recorded in unmask.log.")
    ] = "",
) -> None:
    """Show one letter with its payload, which may be saved, corrected and given to `retry --with`.

    The reporter's identity in it stays encrypted.
    """
    if unmask and not reason.strip():
        sys.exit("--unmask needs a --reason.")
    found = _find([name])
    if not found:
        sys.exit(f"There is no dead letter {name}.")
    console().print(
        f"{found[0].category}: {found[0].reason}",
        highlight=False,
        markup=False,
        style="yellow",
        soft_wrap=True,
    )
    sys.stdout.flush()
    sys.stdout.buffer.write(
        (_unmasked(name, found[0].payload, reason) if unmask else found[0].payload) + b"\n"
    )


def _unmasked(name: str, payload: bytes, reason: str) -> bytes:
    from schemas.seal import opened
    from schemas.seal.openings import note

    settings = load()
    try:
        return opened(
            payload, _sealer(), lambda text: note(settings, text, reason=reason, entity=name)
        )
    except OSError as error:
        sys.exit(f"not decrypted, because the reason cannot be recorded: {error}")


@cli.command()
def retry(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Names of the letters to send; or choose them with --category."),
    ] = None,
    category: Category = None,
    with_: Annotated[
        Path | None,
        typer.Option("--with", help="File with the corrected event to send for one letter."),
    ] = None,
) -> None:
    """Send letters again; those that still cannot be counted stay open (exit code 1)."""
    import asyncio

    from streams.admin.dead_letters import resend
    from streams.worker.store import WorkerStore

    if not names and category is None:
        sys.exit("Name letters, or choose them with --category.")
    if with_ is not None and len(names or ()) != 1:
        sys.exit("--with corrects exactly one letter: name it.")
    found = _find(names or (), category, limit=100_000)
    missing = len(names or ()) - len(found)
    if missing > 0:
        sys.exit(f"{missing} of the named letters do not exist.")
    settings = load()
    corrected = with_.read_bytes().strip() if with_ is not None else None
    store, sealer = WorkerStore(settings.clickhouse_url), _sealer()
    outcomes = run_or_exit(
        "Kafka",
        settings.kafka_servers,
        lambda: asyncio.run(resend(settings, store, sealer, found, corrected)),
    )
    for letter, problem in outcomes:
        if problem:
            console().print(f"{letter.name}: {problem}", highlight=False, markup=False)
    sent = sum(not problem for _, problem in outcomes)
    console().print(f"{sent} sent again, {len(outcomes) - sent} still open.", highlight=False)
    if sent < len(outcomes):
        sys.exit(1)


def _find(*arguments: Any, **options: Any) -> "list[DeadLetter]":
    """Call `streams.admin.dead_letters.find` with this installation's store and key."""
    from streams.admin.dead_letters import find
    from streams.worker.store import WorkerStore

    settings, sealer = load(), _sealer()
    return run_or_exit(
        "ClickHouse",
        settings.clickhouse_server,
        lambda: find(WorkerStore(settings.clickhouse_url), sealer, *arguments, **options),
    )


def _sealer() -> "Sealer":
    """Return this installation's sealer; exit with a one-line message if its key is missing."""
    from schemas.seal import SealError, sealer

    try:
        return sealer(load())
    except SealError as error:
        sys.exit(str(error))
