"""Define what tables of every format share: rows, their positions, and lines that must add up."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from schemas.events.envelope import RefusalError

MAX_LINE_BYTES = 1 << 20
"""Longest line (of CSV in characters), quoted field or JSON member.

An event has at most a quarter of that. Longer ones are refused without being kept in memory.
"""
MAX_COLUMNS = 2_000
KEPT_CHARACTERS = 1_000
"""Characters of an overlong line that are kept in the refused row."""
EXTRA_COLUMNS = ("row", "category", "reason")
"""The columns that the file of refused rows has behind those of its table."""
OTHER_EXTRA_COLUMNS = ("refused row", "refused category", "refused reason")
"""The same where the table has such columns itself."""


class FileError(Exception):
    """A file that cannot be read any further, with a sentence that says why."""


class Row(NamedTuple):
    """A row of a file, before it is converted."""

    number: int
    """As a spreadsheet counts: the header is row 1.

    In NDJSON the line, in a JSON array the member.
    """
    columns: dict[str, str]
    """Its texts by column; for JSON without mapping the one column `record`.

    Empty for what cannot be read as a row.
    """
    refusal: RefusalError | None = None
    """Why it cannot even be split into columns."""
    sheet: str = ""
    """The sheet of a workbook."""
    line: int = 0
    """The line in which it begins; 0 where that is its number."""
    lines: int = 1
    """The number of lines that it spans."""
    cells: list[str] | None = None
    """Its cells as they are, where they differ from those of the columns."""

    @property
    def position(self) -> str:
        """Return where it is, for a person."""
        if self.sheet:
            return f"sheet {self.sheet!r}, row {self.number}"
        if self.lines > 1:
            return f"row {self.number} (lines {self.line}-{self.line + self.lines - 1})"
        return (
            f"row {self.number} (line {self.line})"
            if self.line not in (0, self.number)
            else f"row {self.number}"
        )


@dataclass
class Layout:
    """The layout of a file's table, to write refused rows alike, and counts of its lines.

    Filled while the file is read. All lines = `header` + `blank` + `skipped` + the lines of the
    rows.
    """

    unit: str = "lines"
    """What is counted: lines, rows of a sheet, members of an array."""
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    columns: list[str] = field(default_factory=list)
    """Names of the columns as the mapping has them."""
    titles: list[str] = field(default_factory=list)
    """The same as the file writes them."""
    digest: str = ""
    """A digest of the file's content, where the mapping uses it."""
    lines: int = 0
    header: int = 0
    blank: int = 0
    skipped: int = 0
    """Lines of rows that a rule of the mapping skips."""
    first_skipped: str = ""


def extra_columns(titles: list[str]) -> tuple[str, str, str]:
    """Return the titles of the additional columns in a table's file of refused rows."""
    return OTHER_EXTRA_COLUMNS if set(titles) & set(EXTRA_COLUMNS) else EXTRA_COLUMNS


def open_binary(name: str) -> tuple[BinaryIO, int | None]:
    """Open a file, or the standard input for `-`; return it with its size in bytes, if known.

    Raises:
        FileError: it cannot be opened.
    """
    if name == "-":
        return sys.stdin.buffer, None
    try:
        return Path(name).open("rb"), Path(name).stat().st_size
    except OSError as error:
        raise FileError(f"{name}: {error.strerror}.") from None


def check_unique(names: list[str]) -> None:
    """Raise `FileError` for a column that appears twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise FileError(
                f"The column {name!r} is there twice; columns are known by their names."
            )
        seen.add(name)


def join_names(names: list[str], most: int = 30) -> str:
    """Join names for a sentence, at most `most` of them."""
    return ", ".join(names[:most]) + (f", … ({len(names)} in all)" if len(names) > most else "")
