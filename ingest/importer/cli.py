"""Define `python -m ingest import`: options, progress and summary of a file import."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ingest import topics
from ingest.importer import mapping_file as mappings
from ingest.importer.job import KAFKA_TIMEOUT_SECONDS, ImportJob
from ingest.importer.mapping import MappingError
from ingest.importer.outcome import Outcomes
from ingest.importer.rows import FileError
from ingest.importer.summary import Summary, pluralise
from ingest.producer import KafkaUnavailableError, Producer
from schemas.events.kinds import BY_NAME
from schemas.seal import SealError
from schemas.settings import Settings

PROGRESS_INTERVAL_SECONDS = 5.0
ALL_ACCEPTED, FATAL, SOME_REFUSED = 0, 1, 3


@cache
def console() -> Console:
    """Return the console of progress: standard error."""
    return Console(stderr=True)


def import_files(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…", help="CSV, XLSX, NDJSON or JSON files; - is the standard input."
        ),
    ],
    mapping: Annotated[
        str | None,
        typer.Option(
            help="Mapping of columns to fields: a .toml file, or the name of a built-in one. "
            "CloudEvents need none."
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="CloudEvents source of the events, instead of the mapping's."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Accept only events of this kind; refuse others.")
    ] = None,
    refused: Annotated[
        Path | None,
        typer.Option(
            help="File for refused rows (one input only).  "
            "[default: NAME.refused.csv in this folder]"
        ),
    ] = None,
    sheet: Annotated[
        str | None,
        typer.Option(help="Sheet of an XLSX workbook.  [default: the first that is not hidden]"),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds to wait for a worker without progress: only it knows what is stored.",
        ),
    ] = 30.0,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait for the worker's results.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Read and validate everything, send nothing.")
    ] = False,
) -> None:
    """Import CSV, XLSX or JSON files.

    The summary accounts for every line of a file, and says of every row whether it was accepted,
    repeats one that was there before (in the files or by an earlier import), or was refused with a
    reason. It waits until the worker has counted the rows; those that no worker has counted by then
    are named.

    Refused rows go to a file of their own, which can be corrected and imported by the same mapping.
    Importing a file twice changes nothing. Exits with 0 when every row was accepted or a repeat, 3
    when some were refused, 1 when the import failed.
    """
    settings = Settings()
    try:
        if refused is not None and len(files) > 1:
            raise MappingError("--refused names one file; import one file at a time with it.")
        if kind is not None and kind not in BY_NAME:
            raise MappingError(f"--kind {kind} is not known; known are {', '.join(BY_NAME)}.")
        chosen = mappings.load(mapping) if mapping is not None else None
        if chosen is not None and source is not None:
            chosen = msgspec.structs.replace(chosen, source=source)
        job = ImportJob(settings, chosen, kind, refused, sheet)
        if check:
            failed = job.run(files, None, _progress)
        else:
            topics.ensure(settings)
            with (
                Outcomes(settings) as outcomes,
                Producer(settings, timeout_seconds=KAFKA_TIMEOUT_SECONDS) as producer,
            ):
                failed = job.run(files, producer, _progress)
                job.settle(outcomes, 0.0 if no_wait else wait, _waiting)
        job.report(sys.stdout, "valid" if check else "accepted")
        if failed is not None:
            raise failed
    except (MappingError, FileError, KafkaUnavailableError, SealError, OSError) as error:
        print(f"ingest import: {error}", file=sys.stderr)
        raise typer.Exit(FATAL) from None
    raise typer.Exit(SOME_REFUSED if job.refused_some else ALL_ACCEPTED)


@contextmanager
def _progress(name: str, file: BinaryIO, size: int | None) -> Iterator[Callable[[Summary], None]]:
    """Show progress: a bar on a terminal, a line every few seconds in a log."""
    if not console().is_terminal:
        yield _lines(name)
        return
    columns = (
        TextColumn(name),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("bytes"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, TextColumn("{task.fields[rows]}"), console=console()) as progress:
        task = progress.add_task(name, total=size, rows="")

        def show(summary: Summary) -> None:
            if summary.rows % 500 == 0 or summary.accepted + summary.refused == summary.rows:
                rows = f"{summary.accepted} accepted, {summary.refused} refused"
                progress.update(
                    task, completed=file.tell() if size is not None else None, rows=rows
                )

        yield show


def _lines(name: str) -> Callable[[Summary], None]:
    last = time.monotonic()

    def show(summary: Summary) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_INTERVAL_SECONDS:
            last = time.monotonic()
            console().print(
                f"{name}: {summary.rows} rows read, {summary.accepted} accepted, "
                f"{summary.refused} refused"
            )

    return show


def _waiting() -> Callable[[int], None]:
    """Return a function that reports the wait for the worker in a line every few seconds."""
    last = time.monotonic()

    def show(partitions: int) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_INTERVAL_SECONDS:
            last = time.monotonic()
            left = pluralise(partitions, "partition")
            console().print(f"waiting for the worker to count what was sent: {left} left")

    return show
