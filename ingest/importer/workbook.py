"""Open an XLSX workbook within bounds: a file of some kilobytes may unpack to any size.

Only the sheet that is read is streamed; openpyxl keeps everything else of a workbook in memory, so
sizes are checked before it opens the file.
"""

import re
import warnings
import zipfile
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple
from xml.etree.ElementTree import iterparse

import openpyxl
from openpyxl.utils import range_boundaries
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

from ingest.importer.rows import FileError

MAX_FILE_BYTES = 256 << 20
"""Largest workbook from the standard input, which is kept in memory."""
MAX_STRINGS_BYTES = 256 << 20
"""Shared strings, unpacked; they are kept in memory."""
MAX_SHEET_BYTES = 2 << 30
"""A sheet, unpacked; it is streamed. A full one of a million rows and ten columns has a quarter."""
MAX_PART_BYTES = 16 << 20
"""Any other part, unpacked: styles, names, relations.

It is kept in memory, as a tree of many times its size.
"""
MAX_PARTS = 10_000
MAX_AREAS = 20_000
"""Merged areas of a sheet, and cells of formulas without a result, that are examined."""
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_STRINGS = re.compile(r"xl/sharedStrings\.xml", re.IGNORECASE)
_NOT_READ = re.compile(
    r"xl/(media|drawings|charts|embeddings|printerSettings|pivotCache|externalLinks)/.*|"
    r".*\.(bin|png|jpe?g|emf|vml)",
    re.IGNORECASE,
)


class Workbook:
    """The sheets of cells of an XLSX file."""

    def __init__(self, file: BinaryIO) -> None:
        """Open a workbook.

        Raises:
            FileError: it is no workbook, or exceeds a bound.
        """
        self._content = file if file.seekable() else _spooled(file)
        try:
            _check_parts(self._content)
            with warnings.catch_warnings():
                # Of styles and extensions, which do not matter here.
                warnings.simplefilter("ignore")
                self._content.seek(0)
                self._book: Any = openpyxl.load_workbook(
                    self._content, read_only=True, data_only=True, keep_links=False
                )
        except FileError:
            raise
        except Exception as error:  # A damaged file fails in as many ways as there are parts in it.
            raise FileError(
                f"The file is no XLSX workbook that can be read ({type(error).__name__}: {error})."
            ) from None
        self.sheets: dict[str, Any] = {one.title: one for one in self._book.worksheets}

    def hidden(self, sheet: str) -> "Hidden":
        """Return what cells of a sheet without a value may hide."""
        return Hidden(self.sheets[sheet], sheet)

    def close(self) -> None:
        """Close the file."""
        self._book.close()


def _spooled(file: BinaryIO) -> BinaryIO:
    content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise FileError(
            f"The workbook has more than {MAX_FILE_BYTES >> 20} MB; "
            "give it as a file, not by the standard input."
        )
    return BytesIO(content)


def _check_parts(content: BinaryIO) -> None:
    """Check the declared sizes of the parts: zipfile never unpacks more than that."""
    with zipfile.ZipFile(content) as archive:
        parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        raise FileError(
            f"The workbook has {len(parts):,} parts; more than {MAX_PARTS:,} are not read."
        )
    for part in parts:
        limit = MAX_PART_BYTES
        if _SHEET.fullmatch(part.filename):
            limit = MAX_SHEET_BYTES
        elif _STRINGS.fullmatch(part.filename):
            limit = MAX_STRINGS_BYTES
        elif _NOT_READ.fullmatch(part.filename):
            continue
        if part.file_size > limit:
            raise FileError(
                f"The workbook is not read: its part {part.filename[:80]} unpacks to "
                f"{part.file_size >> 20:,} MB, {limit >> 20:,} MB are allowed."
            )


class _Area(NamedTuple):
    """A merged area: its first and last columns and rows, from 1."""

    name: str
    left: Any
    top: Any
    right: Any
    low: Any


def _covering(column: int, areas: list[_Area]) -> tuple[list[int], list[_Area]]:
    """Return the first rows of the areas over a column, and the lowest area up to each."""
    tops: list[int] = []
    lowest: list[_Area] = []
    for area in sorted(
        (one for one in areas if one.left <= column <= one.right), key=lambda one: one.top
    ):
        tops.append(area.top)
        lowest.append(area if not lowest or area.low > lowest[-1].low else lowest[-1])
    return tops, lowest


@dataclass
class Hidden:
    """Explains why a cell without a value may have one that is not stored in it.

    The sheet is searched once, when the first such cell is met.
    """

    worksheet: Any
    sheet: str
    _formulas: set[str] | None = None
    _merged: list[_Area] = field(default_factory=list)
    _columns: dict[int, tuple[list[int], list[_Area]]] = field(default_factory=dict)

    def why(self, reference: str) -> str:
        """Return a sentence for the cell; empty where it is simply empty."""
        if self._formulas is None:
            self._formulas = set()
            self._look()
        if reference in self._formulas:
            return (
                f"Cell {reference} holds a formula whose result is not stored; "
                "open the file in a spreadsheet program and save it."
            )
        letters, row = coordinate_from_string(reference)
        column = column_index_from_string(letters)
        if column not in self._columns:
            self._columns[column] = _covering(column, self._merged)
        tops, lowest = self._columns[column]
        index = bisect_right(tops, row) - 1
        if index < 0 or lowest[index].low < row:
            return ""
        area = lowest[index].name
        return f"Cell {reference} is merged ({area}); write the value into every row."

    def _look(self) -> None:
        formulas: set[str] = self._formulas if self._formulas is not None else set()
        for name, reference in _hints(self.worksheet):
            if name == "f":
                formulas.add(reference)
            else:
                self._merged.append(_Area(reference, *range_boundaries(reference)))
            if len(self._merged) > MAX_AREAS or len(formulas) > MAX_AREAS:
                raise FileError(
                    f"Sheet {self.sheet!r} has more than {MAX_AREAS:,} merged areas or formulas "
                    "without a result; open it in a spreadsheet program, take the merging away "
                    "and save it."
                )


def _hints(worksheet: Any) -> Iterator[tuple[str, str]]:
    """Yield ("f", cell) of formulas without result, ("merged", area), streaming the sheet."""
    with worksheet._get_source() as source:
        path: list[Any] = []
        for event, element in iterparse(source, ("start", "end")):
            if event == "start":
                path.append(element)
                continue
            path.pop()
            tag = element.tag.rpartition("}")[2]
            if tag == "mergeCell":
                yield "merged", element.get("ref", "")
            elif tag == "c":
                children = {child.tag.rpartition("}")[2]: child.text for child in element}
                if "f" in children and not children.get("v"):
                    yield "f", element.get("r", "")
            if tag in ("c", "row", "mergeCell") and path:
                path[-1].remove(element)  # Otherwise the tree would grow as the sheet does.
