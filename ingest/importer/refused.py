"""Write the file of refused rows, which can be corrected and imported again by the same mapping."""

import csv
import io
import os
import unicodedata
from pathlib import Path
from typing import IO, Any, Self

from ingest.importer.rows import Layout, Row, extra_columns
from schemas.events.envelope import RefusalError
from schemas.spreadsheet import guard_formula

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
"""The marks that Windows-1258 writes behind a letter."""


class RefusedRows:
    """Writes refused rows: their columns, the reporter encrypted; row, category and reason.

    The file has the encoding and the delimiter of its table. It is created when the first row is
    refused, readable by its owner only, and never replaces a file: then `NAME-2.csv` is created.
    Formulas are escaped; reading a file of refused rows removes the escape.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        """Prepare the file at `path` with the columns of `layout`; nothing is written yet."""
        self.path = path
        self._layout = layout
        self._file: IO[str] | None = None
        self._writer: Any = None

    def add(self, row: Row, refusal: RefusalError) -> None:
        """Write a row. Raises `OSError`."""
        if self._file is not None and self._file.closed:
            self._file = self._text(os.open(self.path, os.O_WRONLY | os.O_APPEND))
            self._writer = csv.writer(self._file, delimiter=self._layout.delimiter)
        if self._file is None:
            self._file = self._open()
            self._writer = csv.writer(self._file, delimiter=self._layout.delimiter)
            self._write([*self._layout.titles, *extra_columns(self._layout.titles)])
        cells = (
            row.cells
            if row.cells is not None
            else [row.columns.get(name, "") for name in self._layout.columns]
        )
        reason = (
            f"{row.position}: {refusal.reason}"
            if row.sheet or row.line not in (0, row.number)
            else refusal.reason
        )
        self._write([*cells, str(row.number), refusal.category.value, reason])

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file; a later `add` opens it again."""
        if self._file is not None and not self._file.closed:
            self._file.close()

    def _open(self) -> IO[str]:
        number, first = 1, self.path
        while True:
            try:
                made = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
                return self._text(made)
            except FileExistsError:
                number += 1
                self.path = first.with_name(f"{first.stem}-{number}{first.suffix}")

    def _text(self, descriptor: int) -> IO[str]:
        # A file opened for appending is at its end, where text gets no second byte order mark.
        binary = os.fdopen(descriptor, "ab")
        return io.TextIOWrapper(binary, self._layout.encoding, "surrogateescape", newline="")

    def _write(self, cells: list[str]) -> None:
        self._writer.writerow(
            [encodable(guard_formula(cell), self._layout.encoding) for cell in cells]
        )


def encodable(text: str, encoding: str) -> str:
    """Return the text as an encoding can hold it.

    Vietnamese tones become separate marks if need be; other characters become escapes.
    """
    if encoding.startswith("utf") or text.isascii():
        return text
    try:
        text.encode(encoding, "surrogateescape")
        return text
    except UnicodeEncodeError:
        apart = "".join(map(_tone_apart, unicodedata.normalize("NFC", text)))
        return apart.encode(encoding, "backslashreplace").decode(encoding)


def _tone_apart(letter: str) -> str:
    marks = unicodedata.normalize("NFD", letter)
    tone = "".join(mark for mark in marks if mark in _TONES)
    return (
        unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in _TONES)) + tone
        if tone
        else letter
    )
