"""Send the rows of a file to Kafka, each accounted for: accepted, or refused with a reason."""

import codecs
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, NamedTuple

from kafka.errors import KafkaError

from ingest.importer.convert import Encoded, is_skipped, row_events
from ingest.importer.delimited import csv_rows
from ingest.importer.documents import RECORD, Form, documents, json_rows
from ingest.importer.mapping import FILE, ROW, Mapping, MappingStep
from ingest.importer.refused import RefusedRows
from ingest.importer.rows import EXTRA_COLUMNS, Layout, Row
from ingest.importer.sent import KnownEvents, SentPartition, SentRows
from ingest.importer.summary import Summary
from ingest.producer import KafkaUnavailableError, Producer
from schemas.clickhouse.retention import RetentionCheck
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
"""Rows that may await their acknowledgement, which bounds memory whatever the size of the file."""


class ConvertedRow(NamedTuple):
    """A row before it is sent: with its events, or with the reason why there are none."""

    row: Row
    events: list[Encoded]
    refusal: RefusalError | None


def convert_file(
    file: BinaryIO,
    mapping: Mapping | None,
    reader: Reader,
    sealer: Sealer,
    form: Form | None = None,
    layout: Layout | None = None,
) -> Iterator[ConvertedRow]:
    """Yield every row of a CSV or JSON file with its valid events, their reporters encrypted.

    Args:
        file: the file.
        mapping: its mapping; None for CloudEvents.
        reader: validates events.
        sealer: encrypts reporters.
        form: how the file holds JSON; None for CSV.
        layout: is filled while the file is read.
    """
    layout = layout if layout is not None else Layout()
    if mapping is None:
        for row in _events(file, form, layout):
            text = row.columns.get(RECORD, "").encode(errors="surrogateescape")
            hidden = (
                row._replace(
                    columns={RECORD: sealed_remains(text, sealer).decode(errors="replace")}
                )
                if row.cells is None
                # Pieces of a record, in which no member can be found.
                else _encrypt_reporter(row, {RECORD}, sealer)
            )
            try:
                if row.refusal is not None:
                    raise row.refusal
                yield ConvertedRow(hidden, [Encoded(*read_sealed(text, reader, sealer))], None)
            except RefusalError as refused:
                yield ConvertedRow(hidden, [], refused)
        return
    rows = json_rows(file, form, mapping, layout) if form else csv_rows(file, mapping, layout)
    yield from convert(rows, mapping, reader, sealer, layout)


def _events(file: BinaryIO, form: Form | None, layout: Layout) -> Iterator[Row]:
    """Yield CloudEvents as rows of the column `record`: from JSON, or a file of refused ones."""
    if form is None:
        yield from csv_rows(file, _REFUSED_EVENTS, layout)
        return
    layout.columns = layout.titles = [RECORD]
    for number, text, refusal in documents(file, form, layout):
        yield Row(number, {RECORD: text.decode(errors="surrogateescape")}, refusal)


def is_refused_events(head: bytes) -> bool:
    """Return whether a file contains refused CloudEvents, by its first bytes."""
    return head.removeprefix(codecs.BOM_UTF8).startswith(
        ",".join((RECORD, *EXTRA_COLUMNS)).encode()
    )


def convert(
    rows: Iterable[Row],
    mapping: Mapping,
    reader: Reader,
    sealer: Sealer,
    layout: Layout | None = None,
) -> Iterator[ConvertedRow]:
    """Yield every row that is not skipped with its valid events, their reporters encrypted.

    Args:
        rows: the rows.
        mapping: converts them.
        reader: validates events.
        sealer: encrypts reporters.
        layout: counts the skipped rows.
    """
    layout = layout if layout is not None else Layout()
    reporter, columns, numbered = mapping.reporter_columns(), mapping.columns(), mapping.numbered
    for row in rows:
        if (
            mapping.skip
            and row.columns
            and is_skipped({name: normalise(text) for name, text in row.columns.items()}, mapping)
        ):
            layout.skipped += row.lines
            layout.first_skipped = layout.first_skipped or row.position
            continue
        try:
            if row.refusal is not None:
                raise row.refusal
            read = (
                row.columns | {ROW: str(row.number), FILE: layout.digest}
                if numbered
                else row.columns
            )
            found = [
                _sealed(one, reader, sealer) for one in row_events(read, mapping, reader, columns)
            ]
            yield ConvertedRow(_encrypt_reporter(row, reporter, sealer), found, None)
        except RefusalError as refusal:
            yield ConvertedRow(_encrypt_reporter(row, reporter, sealer), [], refusal)


def _sealed(event: Encoded, reader: Reader, sealer: Sealer) -> Encoded:
    """Return the event with its reporter encrypted, read again, so that both parts agree."""
    if event.read.kind is not FEEDBACK:
        return event
    if (encrypted := sealed(event.record, sealer)) is event.record:
        return event
    return Encoded(reader.read(encrypted), encrypted)


def _encrypt_reporter(row: Row, reporter: set[str], sealer: Sealer) -> Row:
    """Encrypt a row's columns that identify the reporter, so that it can still be corrected.

    In a row that could not be split into columns they may be anywhere: then all of it is encrypted,
    and its number tells which row it was.
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


def send_rows(
    rows: Iterator[ConvertedRow],
    producer: Producer | None,
    refused: RefusedRows,
    progress: Callable[[Summary], None],
    timeout_seconds: float,
    summary: Summary | None = None,
    seen: KnownEvents | None = None,
    sent: SentRows | None = None,
) -> Summary:
    """Send rows (or only check them, without a producer), and account for each.

    A row is accepted when Kafka has acknowledged all its events. A row whose events were `seen`
    with the same content is a repeat, one that contradicts them is refused; neither is sent.

    Args:
        rows: the rows.
        producer: sends the events; None only checks them.
        refused: is given the refused rows.
        progress: is called after each row.
        timeout_seconds: how long Kafka may take to acknowledge.
        summary: is updated.
        seen: the events of this command so far.
        sent: records what was sent.

    Returns:
        The summary.

    Raises:
        KafkaUnavailableError: Kafka did not acknowledge in time. What was sent by then counts, and
            importing the file again repeats it without harm.
        FileError: the file cannot be read any further.
    """
    summary = summary if summary is not None else Summary()
    seen = seen if seen is not None else KnownEvents()
    sent = sent if sent is not None else SentRows()
    waiting: deque[tuple[int, list[Any]]] = deque()

    def settle() -> None:
        try:
            number, futures = waiting.popleft()
            acknowledged = [future.get(timeout_seconds + 10) for future in futures]
        except KafkaError as error:
            raise KafkaUnavailableError(
                f"Kafka did not acknowledge after {summary.accepted} accepted rows ({error}). "
                "Import the file again: what was sent already counts once."
            ) from None
        summary.accepted += 1
        positions = [(SentPartition(one.topic, one.partition), one.offset) for one in acknowledged]
        sent.add(number, positions)

    try:
        for row, found, refusal in rows:
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
    finally:  # The outcome of what was sent is recorded, even if the file fails.
        while waiting:
            settle()
            progress(summary)
    return summary


def _send(producer: Producer, event: Encoded) -> Any:
    kind = event.read.kind
    return producer.send_record(kind, kind.entity_id(event.read.data).encode(), event.record)


def refuse_other_kinds(rows: Iterator[ConvertedRow], kind: str) -> Iterator[ConvertedRow]:
    """Refuse the rows with an event of another kind."""
    for one in rows:
        other = next(
            (event.read.kind.name for event in one.events if event.read.kind.name != kind), None
        )
        if other is None:
            yield one
        else:
            yield ConvertedRow(
                one.row,
                [],
                RefusalError(
                    RefusalCategory.UNKNOWN_KIND, f"It is a {other}; only {kind} is imported here."
                ),
            )


def refuse_expired(rows: Iterator[ConvertedRow], keeping: RetentionCheck) -> Iterator[ConvertedRow]:
    """Refuse the rows with an event from before the retention horizon."""
    for one in rows:
        arrival = milliseconds(datetime.now(UTC))
        try:
            for event in one.events:
                keeping.check(event.read, arrival)
            yield one
        except RefusalError as refusal:
            yield ConvertedRow(one.row, [], refusal)


def peek(file: BinaryIO) -> bytes:
    """Return the first bytes of a file without consuming them."""
    return file.peek(64) if isinstance(file, io.BufferedReader) else b""
