"""`python -m ingest import`: options, progress and summary of a file import."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ingest import topics
from ingest.importer import mapping as mappings
from ingest.importer.documents import json_form
from ingest.importer.mapping import Mapping, MappingError
from ingest.importer.refused import Refused
from ingest.importer.rows import FileError, Layout, open_binary
from ingest.importer.run import convert, kept, only, peek, run, take
from ingest.importer.sheets import is_xlsx, sheet_rows
from ingest.importer.summary import Summary
from ingest.producer import KafkaUnavailable, Producer
from schemas.envelope import Reader
from schemas.kinds import BY_NAME
from schemas.retention import Keeping
from schemas.seal import Sealer, SealError, sealer
from schemas.settings import Settings

PATIENCE_SECONDS = 120.0
SAY_EVERY_SECONDS = 5.0
ALL_ACCEPTED, FATAL, SOME_REFUSED = 0, 1, 3

console = Console(stderr=True)


def import_files(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="CSV, XLSX or NDJSON files; - is the standard input.")],
    mapping: Annotated[
        str | None,
        typer.Option(
            help="Mapping of columns to fields: a .toml file, or the name of one that comes along. CloudEvents need none."
        ),
    ] = None,
    source: Annotated[str | None, typer.Option(help="CloudEvents source of the events, in place of the mapping's.")] = None,
    kind: Annotated[str | None, typer.Option(help="Take only events of this kind; others are refused.")] = None,
    refused: Annotated[
        Path | None, typer.Option(help="File of the refused rows (one input only).  [default: NAME.refused.csv in this folder]")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of an XLSX workbook.  [default: the first that is not hidden]")] = None,
    check: Annotated[bool, typer.Option("--check", help="Read and validate everything, send nothing.")] = False,
) -> None:
    """Import CSV, XLSX or NDJSON files.

    Every row is accepted, once Kafka has acknowledged its events, or refused with a reason. Refused rows go to a file of their own,
    which can be mended and imported. Importing a file twice changes nothing. Ends with 0 when every row was accepted, 3 when some
    were refused, 1 when it could not be done.
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
        if not check:
            topics.ensure(settings)
        reader, seals, keeping = Reader(settings.event_max_bytes), sealer(settings), Keeping.by(settings)
        with nullcontext() if check else Producer(settings, patience=PATIENCE_SECONDS) as producer:
            summaries = [_one(name, chosen, kind, refused, sheet, producer, reader, seals, keeping) for name in files]
    except (MappingError, FileError, KafkaUnavailable, SealError, OSError) as error:
        print(f"ingest import: {error}", file=sys.stderr)
        raise typer.Exit(FATAL) from None
    raise typer.Exit(SOME_REFUSED if any(summaries) else ALL_ACCEPTED)


def _one(
    name: str,
    mapping: Mapping | None,
    kind: str | None,
    path: Path | None,
    sheet: str | None,
    producer: Producer | None,
    reader: Reader,
    seals: Sealer,
    keeping: Keeping,
) -> bool:
    """Import a file and say what became of it; whether some of it was refused."""
    file, size = open_binary(name)
    refused_path, layout = path or Path(f"{'stdin' if name == '-' else Path(name).name}.refused.csv"), Layout()
    with file, Refused(refused_path, layout) as refused:
        xlsx = is_xlsx(name, peek(file))
        form = None if xlsx else json_form(name, peek(file))
        if mapping is None and form is None:
            raise MappingError(
                f"{name} is {'XLSX' if xlsx else 'CSV'}: give a --mapping ({', '.join(mappings.names())}, or a .toml file)."
            )
        if sheet is not None and not xlsx:
            raise MappingError(f"{name} is no workbook; --sheet is for XLSX files.")
        if xlsx and mapping is not None:
            taken = convert(sheet_rows(file, mapping, sheet, layout), mapping, reader, seals, layout)
        else:
            taken = take(file, mapping, reader, seals, form, layout)
        taken = kept(taken, keeping)
        with _progress(name, file, size) as progress:
            summary = run(taken if kind is None else only(taken, kind), producer, refused, progress, PATIENCE_SECONDS)
    verb = "valid" if producer is None else "accepted"
    for number, sentence in enumerate(summary.sentences(layout, verb)):
        print(sentence if number else f"{name}: {sentence}")
    if summary.refused:
        print(f"  refused rows: {refused.path}")
    return summary.refused > 0 or summary.unaccounted(layout) > 0


@contextmanager
def _progress(name: str, file: BinaryIO, size: int | None) -> Iterator[Callable[[Summary], None]]:
    """What shows how far it is: a bar for a person, a line every few seconds for a log."""
    if not console.is_terminal:
        yield _lines(name)
        return
    columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TextColumn("bytes"), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[rows]}"), console=console) as progress:
        task = progress.add_task(name, total=size, rows="")

        def show(summary: Summary) -> None:
            if summary.rows % 500 == 0 or summary.accepted + summary.refused == summary.rows:
                rows = f"{summary.accepted} accepted, {summary.refused} refused"
                progress.update(task, completed=file.tell() if size is not None else None, rows=rows)

        yield show


def _lines(name: str) -> Callable[[Summary], None]:
    last = time.monotonic()

    def show(summary: Summary) -> None:
        nonlocal last
        if time.monotonic() - last >= SAY_EVERY_SECONDS:
            last = time.monotonic()
            console.print(f"{name}: {summary.rows} rows read, {summary.accepted} accepted, {summary.refused} refused")

    return show
