"""A file to Kafka, with every row accounted for: accepted, or refused with a reason."""

import codecs
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, NamedTuple

from kafka.errors import KafkaError

from ingest.importer.convert import Encoded, events, skips
from ingest.importer.delimited import csv_rows
from ingest.importer.documents import RECORD, Form, documents, json_rows
from ingest.importer.mapping import FILE, ROW, Mapping, MappingStep
from ingest.importer.refused import RefusedRows
from ingest.importer.rows import EXTRA_COLUMNS, Layout, Row
from ingest.importer.sent import KnownEvents, SentPartition, SentRows
from ingest.importer.summary import Summary
from ingest.producer import KafkaUnavailableError, Producer
from schemas.clickhouse.retention import Keeping
from schemas.events.envelope import Reader, RefusalCategory, RefusalError
from schemas.events.kinds import FEEDBACK
from schemas.moments import milliseconds
from schemas.seal import Sealer, read_sealed, sealed, sealed_remains
from schemas.text import normalise

_REFUSED_EVENTS = Mapping(
    kind="", source="", fields={}, step=[MappingStep(id=f"{{{RECORD}}}", time=RECORD)]
)
"""Reads a file of refused CloudEvents."""
WAITING_ROWS = 5_000
"""Rows that may wait for their acknowledgement, which bounds memory whatever the size of the file."""


class Taken(NamedTuple):
    """A row and what became of it before it was sent: its events, or why there are none."""

    row: Row
    events: list[Encoded]
    refusal: RefusalError | None


def take(
    file: BinaryIO,
    mapping: Mapping | None,
    reader: Reader,
    sealer: Sealer,
    form: Form | None = None,
    layout: Layout | None = None,
) -> Iterator[Taken]:
    """Every row of a CSV or JSON file with its valid events, who reported sealed. Without mapping, they are CloudEvents."""
    layout = layout if layout is not None else Layout()
    if mapping is None:
        for row in _events(file, form, layout):
            text = row.columns.get(RECORD, "").encode(errors="surrogateescape")
            hidden = (
                row._replace(
                    columns={RECORD: sealed_remains(text, sealer).decode(errors="replace")}
                )
                if row.cells is None
                else _hidden(
                    row, {RECORD}, sealer
                )  # Pieces of a record, in which no member can be found.
            )
            try:
                if row.refusal is not None:
                    raise row.refusal
                yield Taken(hidden, [Encoded(*read_sealed(text, reader, sealer))], None)
            except RefusalError as refused:
                yield Taken(hidden, [], refused)
        return
    rows = json_rows(file, form, mapping, layout) if form else csv_rows(file, mapping, layout)
    yield from convert(rows, mapping, reader, sealer, layout)


def _events(file: BinaryIO, form: Form | None, layout: Layout) -> Iterator[Row]:
    """CloudEvents as rows of the one column `record`: of JSON, or of a file of refused ones."""
    if form is None:
        yield from csv_rows(file, _REFUSED_EVENTS, layout)
        return
    layout.columns = layout.titles = [RECORD]
    for number, text, refusal in documents(file, form, layout):
        yield Row(number, {RECORD: text.decode(errors="surrogateescape")}, refusal)


def is_refused_events(head: bytes) -> bool:
    """Whether a file is one of refused CloudEvents, by its first bytes."""
    return head.removeprefix(codecs.BOM_UTF8).startswith(
        ",".join((RECORD, *EXTRA_COLUMNS)).encode()
    )


def convert(
    rows: Iterable[Row],
    mapping: Mapping,
    reader: Reader,
    sealer: Sealer,
    layout: Layout | None = None,
) -> Iterator[Taken]:
    """Every row of a table that is not skipped with its valid events, who reported sealed."""
    layout = layout if layout is not None else Layout()
    reporter, columns, numbered = mapping.reporter_columns(), mapping.columns(), mapping.numbered
    for row in rows:
        if (
            mapping.skip
            and row.columns
            and skips({name: normalise(text) for name, text in row.columns.items()}, mapping)
        ):
            layout.skipped += row.lines
            layout.first_skipped = layout.first_skipped or row.place
            continue
        try:
            if row.refusal is not None:
                raise row.refusal
            read = (
                row.columns | {ROW: str(row.number), FILE: layout.digest}
                if numbered
                else row.columns
            )
            found = [_sealed(one, reader, sealer) for one in events(read, mapping, reader, columns)]
            yield Taken(_hidden(row, reporter, sealer), found, None)
        except RefusalError as refusal:
            yield Taken(_hidden(row, reporter, sealer), [], refusal)


def _sealed(event: Encoded, reader: Reader, sealer: Sealer) -> Encoded:
    """The event with who reported sealed: what is kept is what was read."""
    if event.read.kind is not FEEDBACK or (closed := sealed(event.record, sealer)) is event.record:
        return event
    return Encoded(reader.read(closed), closed)


def _hidden(row: Row, reporter: set[str], sealer: Sealer) -> Row:
    """The row with the columns that say who reported sealed, so that it can still be mended and imported.

    In a row that could not be split into columns they may be anywhere: then all of it is sealed, and its number tells which it was.
    """
    if not reporter:
        return row
    anywhere = row.refusal is not None

    def hidden(text: str) -> str:
        return sealer.seal(text.encode(errors="replace").decode())

    columns = {
        name: hidden(text) if anywhere or name in reporter else text
        for name, text in row.columns.items()
    }
    return row._replace(
        columns=columns, cells=None if row.cells is None else list(map(hidden, row.cells))
    )


def run(
    taken: Iterator[Taken],
    producer: Producer | None,
    refused: RefusedRows,
    progress: Callable[[Summary], None],
    patience: float,
    summary: Summary | None = None,
    seen: KnownEvents | None = None,
    sent: SentRows | None = None,
) -> Summary:
    """Send what was taken (or only check it, without producer); a row is accepted when Kafka has acknowledged all its events.

    A row that says again what was `seen` is a repeat, one that contradicts it is refused; neither is sent. What was sent is noted
    in `sent`. Raises `KafkaUnavailableError` when Kafka does not acknowledge for `patience` seconds, and lets `FileError` pass;
    what was sent by then counts, and importing the file again repeats it without harm.
    """
    summary = summary if summary is not None else Summary()
    seen = seen if seen is not None else KnownEvents()
    sent = sent if sent is not None else SentRows()
    waiting: deque[tuple[int, list[Any]]] = deque()

    def settle() -> None:
        try:
            number, futures = waiting.popleft()
            places = [future.get(patience + 10) for future in futures]
        except KafkaError as error:
            raise KafkaUnavailableError(
                f"Kafka did not acknowledge after {summary.accepted} accepted rows ({error}). "
                "Import the file again: what was sent already counts once."
            ) from None
        summary.accepted += 1
        sent.add(number, [(SentPartition(one.topic, one.partition), one.offset) for one in places])

    try:
        for row, found, refusal in taken:
            summary.rows += 1
            summary.lines += row.lines
            try:
                if refusal is not None:
                    raise refusal
                fresh = seen.fresh(found)
            except RefusalError as why:
                summary.refuse(row, why)
                refused.add(row, why)
            else:
                summary.events += len(fresh)
                if fresh:
                    waiting.append(
                        (
                            row.number,
                            [_send(producer, event) for event in fresh]
                            if producer is not None
                            else [],
                        )
                    )
                else:
                    summary.repeats += 1
                while waiting and (
                    len(waiting) > WAITING_ROWS or all(future.is_done for future in waiting[0][1])
                ):
                    settle()
            progress(summary)
    finally:  # What was sent is known, whatever the file does.
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
        other = next(
            (event.read.kind.name for event in one.events if event.read.kind.name != kind), None
        )
        if other is None:
            yield one
        else:
            yield Taken(
                one.row,
                [],
                RefusalError(
                    RefusalCategory.UNKNOWN_KIND, f"It is a {other}; only {kind} is imported here."
                ),
            )


def kept(taken: Iterator[Taken], keeping: Keeping) -> Iterator[Taken]:
    """The rows, with those refused that happened before what is kept."""
    for one in taken:
        arrival = milliseconds(datetime.now(UTC))
        try:
            for event in one.events:
                keeping.check(event.read, arrival)
            yield one
        except RefusalError as refusal:
            yield Taken(one.row, [], refusal)


def peek(file: BinaryIO) -> bytes:
    """The first bytes of a file, without taking them."""
    return file.peek(64) if isinstance(file, io.BufferedReader) else b""
