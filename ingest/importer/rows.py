"""From a file to its rows, one at a time, whatever its size."""

import csv
import io
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec

from ingest.importer.mapping import AUTO, Mapping
from ingest.importer.values import column_name, written
from schemas.envelope import Category, Refusal

csv.field_size_limit(16 << 20)


class FileError(Exception):
    """A file that cannot be read any further, with a sentence that says why."""


class Row(NamedTuple):
    """A row as it stands in the file."""

    number: int
    """As a spreadsheet counts: the header is row 1. In NDJSON the line."""
    columns: dict[str, str]
    """Its columns by name; for an NDJSON line without mapping the one column `record`."""
    refusal: Refusal | None = None
    """Why it cannot even be split into columns."""
    sheet: str = ""
    """The sheet of a workbook."""

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return f"sheet {self.sheet!r}, row {self.number}" if self.sheet else f"row {self.number}"


def open_binary(name: str) -> tuple[BinaryIO, int | None]:
    """A file, or the standard input for `-`, with its size in bytes if that is known. Raises `FileError`."""
    if name == "-":
        return sys.stdin.buffer, None
    try:
        return Path(name).open("rb"), Path(name).stat().st_size
    except OSError as error:
        raise FileError(f"{name}: {error.strerror}.") from None


def csv_rows(file: BinaryIO, mapping: Mapping) -> Iterator[Row]:
    """The rows of a CSV file. Raises `FileError` for a wrong encoding, and when the header lacks a column of the mapping."""
    text = io.TextIOWrapper(file, encoding=mapping.encoding, newline="")
    number = 1
    try:
        first = text.readline()
        delimiter = _delimiter(first) if mapping.delimiter == AUTO else mapping.delimiter
        reader = csv.reader(chain([first] if first else [], text), delimiter=delimiter)
        header = [column_name(name, mapping.columns()) for name in next(reader, [])]
        _check(header, mapping)
        while True:
            number += 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield Row(number, dict.fromkeys(header, ""), Refusal(Category.WRONG_VALUE, f"Not CSV: {error}."))
                continue
            if cells is None:
                return
            if not any(cells):
                continue
            columns = dict(zip(header, cells, strict=False))
            if len(cells) != len(header):
                refusal = Refusal(Category.WRONG_VALUE, f"The row has {len(cells)} columns, the header {len(header)}.")
                yield Row(number, dict.fromkeys(header, "") | columns, refusal)
            else:
                yield Row(number, columns)
    except UnicodeDecodeError as error:
        raise FileError(
            f"Near row {number} the file is not {mapping.encoding} ({error.reason}); "
            "convert it to UTF-8, or name its encoding in the mapping (encoding = …)."
        ) from None
    except LookupError:
        raise FileError(f"The encoding {mapping.encoding!r} of the mapping is not known.") from None
    finally:
        text.detach()


def _check(header: list[str], mapping: Mapping) -> None:
    if not header:
        raise FileError("The file is empty; a CSV file begins with its column names.")
    unique(header)
    lacking = sorted(mapping.columns() - set(header))
    if lacking:
        raise FileError(
            f"The columns {', '.join(map(repr, lacking))} of the mapping are not in the file; it has {', '.join(header)}."
        )


def unique(names: list[str]) -> None:
    """Raise `FileError` for a column that is there twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FileError(f"The column {twice[0]!r} is there twice; columns are known by their names.")


def _delimiter(first: str) -> str:
    """What divides the names of the columns."""
    return max(",;\t", key=first.count)


def lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines of an NDJSON file that hold something, with their numbers."""
    for number, line in enumerate(file, 1):
        text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
        if text:
            yield number, text


def ndjson_rows(file: BinaryIO, mapping: Mapping) -> Iterator[Row]:
    """The objects of an NDJSON file as rows: values as text, members of members as `outer.inner`, absent columns empty."""
    wanted = dict.fromkeys(mapping.columns(), "")
    decoder = msgspec.json.Decoder(dict[str, Any])
    for number, line in lines(file):
        try:
            found = decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            yield Row(number, {"record": line.decode(errors="replace")}, Refusal(Category.BAD_JSON, str(error)))
            continue
        yield Row(number, wanted | dict(_flat(found, mapping.decimal)))


def _flat(members: dict[str, Any], decimal: str, outer: str = "") -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        if isinstance(value, dict):
            yield from _flat(value, decimal, f"{outer}{name}.")
        elif isinstance(value, str):
            yield outer + name, value
        elif isinstance(value, float):
            yield outer + name, written(value, decimal)
        else:
            yield outer + name, "" if value is None else msgspec.json.encode(value).decode()
