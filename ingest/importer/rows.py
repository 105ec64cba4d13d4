"""What every table has, whatever its format: rows, where they stand, and lines that must add up."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from schemas.events.envelope import RefusalError

MAX_LINE_BYTES = 1 << 20
"""Longest line (of CSV in characters), quoted field or JSON member; an event has a quarter of that at most. Longer ones are refused
without being kept in memory."""
MAX_COLUMNS = 2_000
KEPT_OF_OVERLONG = 1_000
"""Characters of an overlong line that are kept in the refused row."""
EXTRA_COLUMNS = ("row", "category", "reason")
"""What the file of refused rows has behind the columns of its table."""
OTHER_EXTRA_COLUMNS = ("refused row", "refused category", "refused reason")
"""The same where the table has such columns itself."""


class FileError(Exception):
    """A file that cannot be read any further, with a sentence that says why."""


class Row(NamedTuple):
    """A row as it stands in the file."""

    number: int
    """As a spreadsheet counts: the header is row 1. In NDJSON the line, in a JSON array the member."""
    columns: dict[str, str]
    """Its columns by name; for JSON without mapping the one column `record`. Empty for what cannot be read as a row."""
    refusal: RefusalError | None = None
    """Why it cannot even be split into columns."""
    sheet: str = ""
    """The sheet of a workbook."""
    line: int = 0
    """The line that it begins in; 0 where that is its number."""
    lines: int = 1
    """Lines that it stands in."""
    cells: list[str] | None = None
    """Its cells as they are, where they are not those of the columns."""

    @property
    def place(self) -> str:
        """Where it is, for a person."""
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
    """How the table of a file is laid out, so that refused rows can be written alike, and what its lines were.

    Filled while the file is read. All lines = `header` + `blank` + `skipped` + the lines of the rows.
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
    """Letters that stand for the content of the file, where the mapping asks for them."""
    lines: int = 0
    header: int = 0
    blank: int = 0
    skipped: int = 0
    """Lines of rows that a rule of the mapping skips."""
    first_skipped: str = ""


def extra_columns(titles: list[str]) -> tuple[str, str, str]:
    """What the file of refused rows of a table calls its own columns."""
    return OTHER_EXTRA_COLUMNS if set(titles) & set(EXTRA_COLUMNS) else EXTRA_COLUMNS


def open_binary(name: str) -> tuple[BinaryIO, int | None]:
    """A file, or the standard input for `-`, with its size in bytes if that is known. Raises `FileError`."""
    if name == "-":
        return sys.stdin.buffer, None
    try:
        return Path(name).open("rb"), Path(name).stat().st_size
    except OSError as error:
        raise FileError(f"{name}: {error.strerror}.") from None


def check_unique(names: list[str]) -> None:
    """Raise `FileError` for a column that is there twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise FileError(
                f"The column {name!r} is there twice; columns are known by their names."
            )
        seen.add(name)


def listed(names: list[str], most: int = 30) -> str:
    """Names for a sentence, not too many."""
    return ", ".join(names[:most]) + (f", … ({len(names)} in all)" if len(names) > most else "")
