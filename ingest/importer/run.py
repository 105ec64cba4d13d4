"""A file to Kafka, with every row accounted for: accepted, or refused with a reason."""

import csv
import io
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self, TextIO

from kafka.errors import KafkaError

from ingest.importer.convert import Encoded, events
from ingest.importer.mapping import Mapping
from ingest.importer.rows import Row, csv_rows, lines, ndjson_rows
from ingest.producer import KafkaUnavailable, Producer
from schemas.envelope import Category, Reader, Refusal
from schemas.moments import milliseconds
from schemas.retention import Keeping
from schemas.seal import Sealer, read_sealed, sealed_remains

WAITING_ROWS = 5_000
"""Rows that may wait for their acknowledgement, which bounds memory whatever the size of the file."""


@dataclass
class Summary:
    """What became of the rows of a file."""

    rows: int = 0
    accepted: int = 0
    refused: int = 0
    events: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Category → refused rows."""
    examples: dict[str, str] = field(default_factory=dict)
    """Category → the first refusal of it, with its row."""


class Taken(NamedTuple):
    """A row and what became of it before it was sent: its events, or why there are none."""

    row: Row
    events: list[Encoded]
    refusal: Refusal | None


def take(file: BinaryIO, mapping: Mapping | None, reader: Reader, sealer: Sealer, *, ndjson: bool) -> Iterator[Taken]:
    """Every row of a file with its valid events, who reported sealed. Without mapping, the lines are CloudEvents already."""
    if mapping is None:
        for number, line in lines(file):
            row = Row(number, {"record": sealed_remains(line, sealer).decode(errors="replace")})
            try:
                yield Taken(row, [Encoded(*read_sealed(line, reader, sealer))], None)
            except Refusal as refusal:
                yield Taken(row, [], refusal)
        return
    yield from convert(ndjson_rows(file, mapping) if ndjson else csv_rows(file, mapping), mapping, reader, sealer)


def convert(rows: Iterable[Row], mapping: Mapping, reader: Reader, sealer: Sealer) -> Iterator[Taken]:
    """Every row of a table with its valid events, who reported sealed."""
    reporter = mapping.reporter_columns()
    for row in rows:
        try:
            if row.refusal is not None:
                raise row.refusal
            found = [Encoded(*read_sealed(one.record, reader, sealer)) for one in events(row.columns, mapping, reader)]
            yield Taken(_hidden(row, reporter, sealer), found, None)
        except Refusal as refusal:
            yield Taken(_hidden(row, reporter, sealer), [], refusal)


def _hidden(row: Row, reporter: set[str], sealer: Sealer) -> Row:
    """The row with the columns that say who reported sealed, so that it can still be mended and imported.

    In a row that could not be split into columns they may be anywhere: then all of it is sealed, and its number tells which it was.
    """
    if not reporter:
        return row
    anywhere = row.refusal is not None
    columns = {name: sealer.seal(text) if anywhere or name in reporter else text for name, text in row.columns.items()}
    return row._replace(columns=columns)


class Refused:
    """The file of refused rows: their columns as they were but for who reported, which is sealed; then row, category and reason.

    Made when the first row is refused. Mended, it can be imported again with the same mapping.
    """

    def __init__(self, path: Path, delimiter: str = ",") -> None:
        self.path = path
        self._delimiter = delimiter
        self._file: TextIO | None = None
        self._writer: Any = None
        self._columns: list[str] = []

    def add(self, row: Row, refusal: Refusal) -> None:
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8", newline="")
            self._columns = list(row.columns)
            self._writer = csv.writer(self._file, delimiter=self._delimiter)
            self._writer.writerow([*self._columns, "row", "category", "reason"])
        cells = [row.columns.get(name, "") for name in self._columns]
        reason = f"{row.place}: {refusal.reason}" if row.sheet else refusal.reason
        self._writer.writerow([*cells, row.number, refusal.category.value, reason])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def run(
    taken: Iterator[Taken], producer: Producer | None, refused: Refused, progress: Callable[[Summary], None], patience: float
) -> Summary:
    """Send what was taken (or only check it, without producer); a row is accepted when Kafka has acknowledged all its events.

    Raises `KafkaUnavailable` when it does not for `patience` seconds, and lets `FileError` pass; what was sent by then counts, and
    importing the file again repeats it without harm.
    """
    summary = Summary()
    waiting: deque[list[Any]] = deque()

    def settle() -> None:
        try:
            for future in waiting.popleft():
                future.get(patience + 10)
        except KafkaError as error:
            raise KafkaUnavailable(
                f"Kafka did not acknowledge after {summary.accepted} accepted rows ({error}). "
                "Import the file again: what was sent already counts once."
            ) from None
        summary.accepted += 1

    for row, found, refusal in taken:
        summary.rows += 1
        if refusal is not None:
            summary.refused += 1
            summary.reasons[refusal.category.value] += 1
            summary.examples.setdefault(refusal.category.value, f"{row.place}: {refusal.reason}")
            refused.add(row, refusal)
        else:
            summary.events += len(found)
            waiting.append([_send(producer, event) for event in found] if producer is not None else [])
            while waiting and (len(waiting) > WAITING_ROWS or all(future.is_done for future in waiting[0])):
                settle()
        progress(summary)
    while waiting:
        settle()
        progress(summary)
    return summary


def _send(producer: Producer, event: Encoded) -> Any:
    kind = event.read.kind
    return producer.send_record(kind, kind.entity_id(event.read.data).encode(), event.record)


def only(taken: Iterator[Taken], kind: str) -> Iterator[Taken]:
    """The rows, with those of another kind refused."""
    for one in taken:
        other = next((event.read.kind.name for event in one.events if event.read.kind.name != kind), None)
        if other is None:
            yield one
        else:
            yield Taken(one.row, [], Refusal(Category.UNKNOWN_KIND, f"It is a {other}; only {kind} is imported here."))


def kept(taken: Iterator[Taken], keeping: Keeping) -> Iterator[Taken]:
    """The rows, with those refused that happened before what is kept."""
    for one in taken:
        arrival = milliseconds(datetime.now(UTC))
        try:
            for event in one.events:
                keeping.check(event.read, arrival)
            yield one
        except Refusal as refusal:
            yield Taken(one.row, [], refusal)


def is_ndjson(name: str, head: bytes) -> bool:
    """Whether a file holds JSON lines, by its name, else by its first byte."""
    suffix = Path(name).suffix.lower()
    if suffix in (".ndjson", ".jsonl", ".json"):
        return True
    return suffix != ".csv" and head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")


def peek(file: BinaryIO) -> bytes:
    """The first bytes of a file, without taking them."""
    return file.peek(64) if isinstance(file, io.BufferedReader) else b""
