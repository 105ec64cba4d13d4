"""Read rows from JSON: one object per line (NDJSON), or an array of objects.

Open311 and batches of CloudEvents are such arrays.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import msgspec

from ingest.importer.mapping import Mapping
from ingest.importer.rows import KEPT_CHARACTERS, MAX_LINE_BYTES, FileError, Layout, Row
from ingest.importer.values import format_number
from schemas.events.envelope import RefusalCategory, RefusalError

MAX_ARRAY_BYTES = 64 << 20
"""Largest JSON array: it is read whole."""
RECORD = "record"
"""The column that holds a whole JSON text: a CloudEvent, or text that is not JSON."""
_MARK = b"\xef\xbb\xbf"
Form = Literal["lines", "array"]


class _Number(str):
    """A number with a fraction as the file writes it: 1.010100 may be a code."""


class JsonDocument(NamedTuple):
    """One JSON text of a file, bounded in length, or why it is refused."""

    number: int
    text: bytes
    refusal: RefusalError | None = None


def json_form(name: str, head: bytes) -> Form | None:
    """Return how a file holds JSON, by name, else by first byte; None for another format."""
    suffix, first = Path(name).suffix.lower(), head.removeprefix(_MARK).lstrip()[:1]
    if suffix in (".ndjson", ".jsonl", ".json") or (suffix != ".csv" and first in (b"{", b"[")):
        return "array" if first == b"[" else "lines"
    return None


def documents(file: BinaryIO, form: Form, layout: Layout) -> Iterator[JsonDocument]:
    """Yield the JSON texts of a file.

    Raises:
        FileError: an array is too large or broken, or an object spans several lines.
    """
    return _members(file, layout) if form == "array" else _lines(file, layout)


def _lines(file: BinaryIO, layout: Layout) -> Iterator[JsonDocument]:
    while line := file.readline(MAX_LINE_BYTES + 1):
        layout.lines += 1
        if len(line) > MAX_LINE_BYTES:
            kept = line[:KEPT_CHARACTERS] + b"..."
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            yield JsonDocument(layout.lines, kept, _too_long("line"))
            continue
        text = (line.removeprefix(_MARK) if layout.lines == 1 else line).strip()
        # The line may have been cut out of an array, with its comma.
        text = text.removesuffix(b",").rstrip()
        if text == b"{" and layout.lines == 1 + layout.blank:
            raise FileError(
                "The file is a JSON object over several lines; give one object per line, "
                "or an array of objects."
            )
        if text:
            yield JsonDocument(layout.lines, text)
        else:
            layout.blank += 1


def _members(file: BinaryIO, layout: Layout) -> Iterator[JsonDocument]:
    layout.unit = "members"
    content = file.read(MAX_ARRAY_BYTES + 1)
    if len(content) > MAX_ARRAY_BYTES:
        raise FileError(
            f"The JSON array has more than {MAX_ARRAY_BYTES >> 20} MB; "
            "give one object per line (NDJSON)."
        )
    try:
        members = msgspec.json.decode(content.removeprefix(_MARK), type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FileError(
            f"The JSON array cannot be read, so none of it was taken: {error}."
        ) from None
    for number, member in enumerate(members, 1):
        layout.lines += 1
        text = bytes(member)
        if len(text) > MAX_LINE_BYTES:
            yield JsonDocument(number, text[:KEPT_CHARACTERS] + b"...", _too_long("member"))
        else:
            yield JsonDocument(number, text)


def _too_long(what: str) -> RefusalError:
    return RefusalError(
        RefusalCategory.TOO_LARGE, f"The {what} is longer than {MAX_LINE_BYTES:,} bytes."
    )


def json_rows(
    file: BinaryIO, form: Form, mapping: Mapping, layout: Layout | None = None
) -> Iterator[Row]:
    """Yield objects as rows: values as text, nested members as `outer.inner`, absent columns empty.

    Args:
        file: the file.
        form: how it holds JSON, by `json_form`.
        mapping: names the columns.
        layout: is filled while the file is read.
    """
    layout = layout if layout is not None else Layout()
    layout.encoding = mapping.encoding
    layout.delimiter = mapping.csv_delimiter
    layout.columns = [*sorted(mapping.columns()), RECORD]
    layout.titles = layout.columns
    wanted, numbers = (
        dict.fromkeys(mapping.columns(), ""),
        mapping.columns_read_as("number", "integer"),
    )
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=_Number)
    for number, text, refusal in documents(file, form, layout):
        try:
            if refusal is not None:
                raise refusal
            found = decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            yield Row(
                number,
                {},
                RefusalError(RefusalCategory.BAD_JSON, str(error)),
                cells=_only_record(layout, text),
            )
        except RefusalError as too_long:
            yield Row(number, {}, too_long, cells=_only_record(layout, text))
        else:
            yield Row(number, wanted | dict(_flat(found, mapping.decimal, numbers)))


def _only_record(layout: Layout, text: bytes) -> list[str]:
    return [*[""] * (len(layout.columns) - 1), text.decode(errors="replace")]


def _flat(
    members: dict[str, Any], decimal: str, numbers: frozenset[str], outer: str = ""
) -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        if isinstance(value, dict):
            yield from _flat(value, decimal, numbers, f"{outer}{name}.")
        elif isinstance(value, _Number):
            yield (
                outer + name,
                format_number(float(value), decimal) if outer + name in numbers else str(value),
            )
        elif isinstance(value, str):
            yield outer + name, value
        else:
            yield (
                outer + name,
                "" if value is None else msgspec.json.encode(value, enc_hook=float).decode(),
            )
