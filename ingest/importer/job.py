"""Import the files of one command, one by one, then settle them with the workers' reports."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

from ingest.importer import mapping_file as mappings
from ingest.importer.documents import json_form
from ingest.importer.mapping import FILE, Mapping, MappingError
from ingest.importer.outcome import Outcomes, apply_reports
from ingest.importer.refused import RefusedRows
from ingest.importer.rows import FileError, Layout, Row, open_binary
from ingest.importer.run import (
    ConvertedRow,
    convert,
    convert_file,
    is_refused_events,
    peek,
    refuse_expired,
    refuse_other_kinds,
    send_rows,
)
from ingest.importer.sent import KnownEvents, SentPartition, SentRows
from ingest.importer.sheets import is_xlsx, sheet_rows
from ingest.importer.summary import Summary
from ingest.producer import KafkaUnavailableError, Producer
from schemas.clickhouse.retention import RetentionCheck
from schemas.events.envelope import Reader, RefusalError
from schemas.seal import SealError, sealer
from schemas.settings import Settings

KAFKA_TIMEOUT_SECONDS = 120.0
Progress = Callable[[str, BinaryIO, int | None], AbstractContextManager[Callable[[Summary], None]]]


@dataclass
class _File:
    """A file of the command and the outcome of its rows."""

    name: str
    refused: RefusedRows
    layout: Layout
    summary: Summary = field(default_factory=Summary)
    sent: SentRows = field(default_factory=SentRows)
    whole: bool = False
    """Whether it was read to its end."""


class ImportJob:
    """The files of one command, imported by one mapping."""

    def __init__(
        self,
        settings: Settings,
        mapping: Mapping | None,
        kind: str | None = None,
        refused: Path | None = None,
        sheet: str | None = None,
    ) -> None:
        """Prepare an import.

        Args:
            settings: of the installation.
            mapping: the mapping; None for CloudEvents.
            kind: accept only events of this kind.
            refused: file for refused rows; by default `NAME.refused.csv`.
            sheet: sheet of a workbook; by default the first that is not hidden.

        Raises:
            schemas.seal.SealError: the key cannot be read.
        """
        self._mapping = mapping
        self._kind = kind
        self._refused = refused
        self._sheet = sheet
        self._reader = Reader(settings.event_max_bytes)
        self._sealer = sealer(settings)
        self._keeping = RetentionCheck.by(settings)
        self._seen = KnownEvents()
        self._files: list[_File] = []

    @property
    def refused_some(self) -> bool:
        """Return whether rows were refused, or are not accounted for."""
        return any(
            one.summary.refused or one.summary.unaccounted(one.layout) for one in self._files
        )

    def run(
        self, names: Sequence[str], producer: Producer | None, progress: Progress
    ) -> Exception | None:
        """Read and send the files, or only check them if there is no producer.

        Args:
            names: the files; `-` is the standard input.
            producer: sends the events.
            progress: shows the progress of a file.

        Returns:
            The error that kept it from reading the files to their end.
        """
        try:
            for name in names:
                self._run(name, producer, progress)
        except (MappingError, FileError, KafkaUnavailableError, SealError, OSError) as error:
            return error
        return None

    def _run(self, name: str, producer: Producer | None, progress: Progress) -> None:
        file, size = open_binary(name)
        layout = Layout()
        path = self._refused or Path(f"{'stdin' if name == '-' else Path(name).name}.refused.csv")
        with file, RefusedRows(path, layout) as refused:
            one = _File(name, refused, layout)
            self._files.append(one)
            layout.digest = self._digest(file, name)
            rows = refuse_expired(self._convert(name, file, layout), self._keeping)
            with progress(name, file, size) as show:
                chosen = rows if self._kind is None else refuse_other_kinds(rows, self._kind)
                send_rows(
                    chosen,
                    producer,
                    refused,
                    show,
                    KAFKA_TIMEOUT_SECONDS,
                    one.summary,
                    self._seen,
                    one.sent,
                )
            one.whole = True

    def _digest(self, file: BinaryIO, name: str) -> str:
        if self._mapping is None or not self._mapping.numbered:
            return ""
        if not file.seekable():
            raise FileError(
                f"The mapping names rows by {{{FILE}}}: give a file in place of {name}."
            )
        digest = hashlib.sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
        file.seek(0)
        return digest.hexdigest()[:16]

    def _convert(self, name: str, file: BinaryIO, layout: Layout) -> Iterator[ConvertedRow]:
        head = peek(file)
        xlsx = is_xlsx(name, head)
        form = None if xlsx else json_form(name, head)
        if self._mapping is None and form is None and not is_refused_events(head):
            what = "XLSX" if xlsx else "CSV"
            raise MappingError(
                f"{name} is {what}: "
                f"give a --mapping ({', '.join(mappings.names())}, or a .toml file)."
            )
        if self._sheet is not None and not xlsx:
            raise MappingError(f"{name} is no workbook; --sheet is for XLSX files.")
        if xlsx and self._mapping is not None:
            rows = sheet_rows(file, self._mapping, self._sheet, layout)
            return convert(rows, self._mapping, self._reader, self._sealer, layout)
        return convert_file(file, self._mapping, self._reader, self._sealer, form, layout)

    def settle(
        self, outcomes: Outcomes, seconds: float, waiting: Callable[[], Callable[[int], None]]
    ) -> None:
        """Ask the workers what is stored, what is a repeat and what was refused after all."""
        ends: dict[SentPartition, int] = {}
        for one in self._files:
            for partition, last in one.sent.ends().items():
                ends[partition] = max(last, ends.get(partition, -1))
        if not ends:
            return
        committed, because = outcomes.wait(ends, seconds, waiting())
        try:
            reports = [one for one in outcomes.reports() if one.partition in ends]
        except KafkaUnavailableError as error:  # What was sent is in Kafka all the same.
            committed, because, reports = {}, str(error), []
        for one in self._files:
            dead = apply_reports(one.summary, one.sent, reports, committed, because)
            if dead:
                self._refuse(one, dead)

    def _refuse(self, one: _File, dead: dict[int, RefusalError]) -> None:
        """Write the rows that workers refused to the file of refused rows, reading them again."""
        with one.refused:
            for row in self._again(one, dead):
                one.summary.refuse(row, dead[row.number])
                one.refused.add(row, dead[row.number])

    def _again(self, one: _File, dead: dict[int, RefusalError]) -> Iterator[Row]:
        left = set(dead)
        if one.name != "-":
            file, _ = open_binary(one.name)
            with file:
                for converted in self._convert(one.name, file, Layout(digest=one.layout.digest)):
                    if converted.row.number in left:
                        left.discard(converted.row.number)
                        yield converted.row
                    if not left:
                        return
        for number in sorted(left):  # The standard input is gone.
            yield Row(number, {})

    def report(self, out: TextIO, verb: str) -> None:
        """Print the outcome of the files; `verb` is the word for rows without a problem."""
        for one in self._files:
            if not one.whole and not one.summary.rows:
                continue  # The error that kept it from being read is reported instead.
            for number, sentence in enumerate(
                one.summary.sentences(one.layout, verb, whole=one.whole)
            ):
                print(sentence if number else f"{one.name}: {sentence}", file=out)
            if not one.whole:
                print(
                    "  it was not read to its end; "
                    "importing it again repeats what was sent without harm",
                    file=out,
                )
            if one.summary.refused:
                print(f"  refused rows: {one.refused.path}", file=out)
