"""Read tables of reference data: a CSV file of `data/` as frozen structs, one per row."""

import csv
from datetime import date
from pathlib import Path
from typing import TypeVar

import msgspec

DATA = Path(__file__).parent / "data"


class Dated(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that every row has: its validity (up to but not including `valid_to`) and its source.

    `verified` means that the source was seen. A note says what was assumed or taken from elsewhere;
    screens that show the row show the note.
    """

    valid_from: date = date.min
    valid_to: date | None = None
    source: str = ""
    verified: bool = False
    note_vi: str = ""
    note: str = ""

    def noted(self, language: str = "vi") -> str:
        """Return the note in `vi` or `en`; empty if there is none."""
        return self.note_vi if language == "vi" else self.note

    def valid(self, on: date | None) -> bool:
        """Return whether the row is valid on a day; None is the newest known state."""
        if on is None:
            return self.valid_to is None
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


class Named(Dated, frozen=True, kw_only=True):
    """A row with labels for the screens."""

    code: str
    vi: str
    en: str

    def label(self, language: str = "vi") -> str:
        """Return the label for screens, in `vi` or `en`."""
        return self.vi if language == "vi" else self.en


Row = TypeVar("Row", bound=Dated)


def rows(name: str, row: type[Row]) -> tuple[Row, ...]:
    """Return the rows of `data/{name}.csv`, in the file's order.

    An empty cell is a field left out, so that it takes its default; texts without a default must be
    filled.

    Args:
        name: The name of the table.
        row: The struct of a row.

    Raises:
        ValueError: A row is wrong; the message names its file and line.
    """
    path = DATA / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        found = []
        for cells in reader:
            try:
                found.append(
                    msgspec.convert(
                        {key: cell for key, cell in cells.items() if cell}, row, strict=False
                    )
                )
            except msgspec.ValidationError as error:
                raise ValueError(f"{path.name}, line {reader.line_num}: {error}") from None
    return tuple(found)
