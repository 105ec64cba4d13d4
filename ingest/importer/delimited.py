"""Read the rows of a CSV file one at a time, so that none of its lines is lost.

An unclosed quotation mark would merge all rows behind it into one field. So quoted fields are read
strictly, and a line that does not end correctly is refused alone; the lines behind it are read on
their own. Where a field does end correctly but lines inside it look like rows, the meaning is
ambiguous: all of these lines are refused.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ingest.importer.mapping import AUTO, Mapping
from ingest.importer.rows import (
    EXTRA_COLUMNS,
    KEPT_CHARACTERS,
    MAX_COLUMNS,
    MAX_LINE_BYTES,
    OTHER_EXTRA_COLUMNS,
    FileError,
    Layout,
    Row,
    check_unique,
    join_names,
)
from ingest.importer.values import column_name
from schemas.events.envelope import RefusalCategory, RefusalError
from schemas.spreadsheet import unguard_formula

MAX_QUOTED_LINES = 1_000
"""Lines of one quoted field."""
_UNDECODED = re.compile("[\udc80-\udcff]")
_DIGITS_OF_A_TIME = 4

csv.field_size_limit(2 * MAX_LINE_BYTES)


class _Overlong(str):
    """The beginning of a line that is longer than the maximum."""


class _Record(NamedTuple):
    """One record of the file, in one line or more: its cells, and a problem if there is one."""

    line: int
    lines: int
    cells: list[str]
    problem: str = ""
    category: RefusalCategory = RefusalCategory.WRONG_VALUE


class _Lines:
    """The lines of a text, bounded in length; some may be given back."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        """Read the lines of `text`."""
        self._text = text
        self._back: deque[str] = deque()
        self.number = 0
        """The number of the line taken last, from 1."""

    def take(self) -> str | None:
        """Return the next line with its end, None behind the last."""
        line = self._back.popleft() if self._back else self._text.readline(MAX_LINE_BYTES + 2)
        if not line:
            return None
        self.number += 1
        if len(line) > MAX_LINE_BYTES and not isinstance(line, _Overlong):
            more = line
            while more and not more.endswith(("\n", "\r")):
                more = self._text.readline(MAX_LINE_BYTES)
            line = _Overlong(line[:KEPT_CHARACTERS])
        return line

    def give_back(self, lines: list[str]) -> None:
        """Return lines to the head of the queue."""
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)


class _Records:
    """The records of a CSV file.

    Whether lines inside a quoted field look like rows is checked once `expect` was called.
    """

    def __init__(self, lines: _Lines, delimiter: str) -> None:
        """Read records from `lines`, divided by `delimiter`."""
        self._lines = lines
        self._delimiter = delimiter
        self._refused: deque[_Record] = deque()
        self._columns = 0
        self._time_columns: list[int] = []

    def expect(self, columns: int, time_columns: list[int]) -> None:
        """Set what a row looks like: how many columns it has, and which of them hold times."""
        self._columns, self._time_columns = columns, time_columns

    def take(self) -> _Record | None:
        """Return the next record, None behind the last."""
        if self._refused:
            return self._refused.popleft()
        line = self._lines.take()
        if line is None:
            return None
        at = self._lines.number
        if isinstance(line, _Overlong):
            return _Record(
                at,
                1,
                [line + "…"],
                f"The line is longer than {MAX_LINE_BYTES:,} characters.",
                RefusalCategory.TOO_LARGE,
            )
        if line.count(self._delimiter) > 2 * MAX_COLUMNS:
            reason = f"The line has more than {2 * MAX_COLUMNS:,} cells."
            return _Record(at, 1, [line[:KEPT_CHARACTERS] + "…"], reason, RefusalCategory.TOO_LARGE)
        if not line.isascii() and _UNDECODED.search(line):
            return _Record(at, 1, self._split(line), "undecoded", RefusalCategory.BAD_UTF8)
        if '"' not in line:
            return _Record(at, 1, self._split(line))
        return self._quoted(at, line)

    def _quoted(self, at: int, line: str) -> _Record:
        taken = [line]
        try:
            cells = next(csv.reader(self._following(taken), delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            open_end = len(taken) > 1 or "end of data" in str(error)
            self._lines.give_back(taken[1:])
            reason = (
                f"Line {at} opens a quotation mark that is not closed as it should be, "
                "which would swallow the rows behind it"
                if open_end
                else f"Line {at} has text behind a closing quotation mark"
            )
            return _Record(
                at, 1, self._split(line), f"{reason}: write one inside a quoted text twice."
            )
        if not self._swallows(taken):
            return _Record(at, len(taken), cells)
        end = at + len(taken) - 1
        reason = (
            f"Line {at} opens a quotation mark that line {end} closes, and what is between "
            "looks like rows; close it in its line."
        )
        self._refused.extend(
            _Record(at + index, 1, self._split(one), reason) for index, one in enumerate(taken)
        )
        return self._refused.popleft()

    def _following(self, taken: list[str]) -> Iterator[str]:
        """Yield the line that was taken and those behind it, as far as one field may reach.

        Each is appended to `taken`.
        """
        yield taken[0]
        characters = len(taken[0])
        while len(taken) < MAX_QUOTED_LINES and characters <= MAX_LINE_BYTES:
            line = self._lines.take()
            if line is None:
                return
            taken.append(line)
            if isinstance(line, _Overlong) or _UNDECODED.search(line):
                return
            characters += len(line)
            yield line

    def _swallows(self, taken: list[str]) -> bool:
        """Return whether lines behind the first of a record look like rows."""
        if any(self._looks_like_a_row(line, int(self._columns > 3)) for line in taken[1:-1]):
            return True
        # The last line of a text in the first column has as many cells as a row.
        opened_in = len(next(csv.reader(taken[:1], delimiter=self._delimiter))) - 1
        return len(taken) > 1 and opened_in > 0 and self._looks_like_a_row(taken[-1], 0)

    def _looks_like_a_row(self, line: str, more_or_less: int) -> bool:
        """Return whether a line has a row's columns, and digits of a time where a row has one."""
        cells = self._split(line)
        if self._columns < 3 or abs(len(cells) - self._columns) > more_or_less:
            return False
        times = [cells[index].strip() for index in self._time_columns if index < len(cells)]
        digits = max((sum(map(str.isdigit, one)) for one in times), default=_DIGITS_OF_A_TIME)
        return digits >= _DIGITS_OF_A_TIME or (len(cells) == self._columns and not all(times))

    def _split(self, line: str) -> list[str]:
        return line.rstrip("\r\n").split(self._delimiter)


def csv_rows(file: BinaryIO, mapping: Mapping, layout: Layout | None = None) -> Iterator[Row]:
    """Yield the rows of a CSV file.

    Args:
        file: the file.
        mapping: names the columns, the delimiter and the encoding.
        layout: is filled while the file is read.

    Raises:
        FileError: the encoding is wrong, or the header lacks a column of the mapping.
    """
    layout = layout if layout is not None else Layout()
    layout.encoding = mapping.encoding
    text = open_text(file, mapping.encoding)
    lines = _Lines(text)
    try:
        yield from _rows(lines, mapping, layout)
    except UnicodeError as error:  # Of encodings that cannot mark undecodable bytes.
        raise FileError(
            _not_decoded(
                f"Near line {lines.number + 1} the file",
                mapping,
                getattr(error, "reason", str(error)),
            )
        ) from None
    finally:
        layout.lines = lines.number
        text.detach()


def open_text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """Return the text of a file, with marks for bytes that are not of the encoding.

    Raises:
        FileError: the encoding is unknown.
    """
    try:
        return io.TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline="")
    except (LookupError, ValueError):
        raise FileError(f"The encoding {encoding!r} of the mapping is not known.") from None


def _rows(lines: _Lines, mapping: Mapping, layout: Layout) -> Iterator[Row]:
    records, full, refused_before = _header(lines, mapping, layout)
    number = layout.blank + 1
    while (record := records.take()) is not None:
        number += 1
        cells = record.cells
        if refused_before:
            cells = [unguard_formula(cell) for cell in cells[: -len(EXTRA_COLUMNS)]]
        line, lines_of_it = record.line, record.lines
        if record.problem:
            reason = (
                _not_decoded("The row", mapping)
                if record.category is RefusalCategory.BAD_UTF8
                else record.problem
            )
            yield Row(
                number, {}, RefusalError(record.category, reason), "", line, lines_of_it, cells
            )
        elif not any(map(str.strip, cells)):
            layout.blank += record.lines
        elif len(record.cells) != full:
            columns = dict.fromkeys(layout.columns, "") | dict(
                zip(layout.columns, cells, strict=False)
            )
            reason = f"The row has {len(record.cells)} columns, the header {full}."
            yield Row(
                number,
                columns,
                RefusalError(RefusalCategory.WRONG_VALUE, reason),
                "",
                line,
                lines_of_it,
                cells,
            )
        else:
            yield Row(
                number, dict(zip(layout.columns, cells, strict=True)), None, "", line, lines_of_it
            )


def _header(lines: _Lines, mapping: Mapping, layout: Layout) -> tuple[_Records, int, bool]:
    """Return the records behind the header, the column count, whether it is of refused rows."""
    while (first := lines.take()) is not None and not first.strip("\r\n"):
        layout.blank += 1
    if first is None:
        raise FileError("The file is empty; a CSV file begins with its column names.")
    layout.delimiter = (
        max(",;\t", key=first.count) if mapping.delimiter == AUTO else mapping.delimiter
    )
    if isinstance(first, _Overlong) or first.count(layout.delimiter) >= MAX_COLUMNS:
        raise FileError(
            f"The first line has more than {MAX_COLUMNS:,} columns or "
            f"{MAX_LINE_BYTES:,} characters: it is no header."
        )
    lines.give_back([first])
    records = _Records(lines, layout.delimiter)
    header = records.take()
    if header is None or header.problem:
        undecoded = header is not None and header.category is RefusalCategory.BAD_UTF8
        raise FileError(
            _not_decoded("The header", mapping)
            if undecoded or header is None
            else f"The header: {header.problem}"
        )
    layout.header = header.lines
    titles = header.cells
    last = tuple(titles[-len(EXTRA_COLUMNS) :])
    refused_before = last == OTHER_EXTRA_COLUMNS or (
        last == EXTRA_COLUMNS and not mapping.columns() & set(EXTRA_COLUMNS)
    )
    if refused_before:
        titles = [unguard_formula(title) for title in titles[: -len(EXTRA_COLUMNS)]]
    wanted = mapping.columns()
    layout.titles, layout.columns = titles, [column_name(name, wanted) for name in titles]
    check_unique(layout.columns)
    missing = sorted(wanted - set(layout.columns))
    if missing:
        names = join_names([repr(one) for one in missing])
        raise FileError(
            f"The columns {names} of the mapping are not in the file; "
            f"it has {join_names(layout.columns)}."
        )
    times = mapping.columns_read_as("time")
    records.expect(
        len(titles), [index for index, name in enumerate(layout.columns) if name in times]
    )
    return records, len(header.cells), refused_before


def _not_decoded(what: str, mapping: Mapping, why: str = "") -> str:
    because = f" ({why})" if why else ""
    return (
        f"{what} is not {mapping.encoding}{because}; convert it to UTF-8, "
        "or name its encoding in the mapping (encoding = …)."
    )
