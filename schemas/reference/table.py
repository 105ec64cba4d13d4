"""How a table of reference data is read: a CSV file of `data/` as frozen structs, one per row."""

import csv
from datetime import date
from pathlib import Path
from typing import TypeVar

import msgspec

DATA = Path(__file__).parent / "data"


class Dated(msgspec.Struct, frozen=True, kw_only=True):
    """What every row has: when it is valid (up to but not including `valid_to`), where it is from, and whether that was seen.

    A note says what of it was assumed or taken from elsewhere; screens that show the row show the note.
    """

    valid_from: date = date.min
    valid_to: date | None = None
    source: str = ""
    verified: bool = False
    note_vi: str = ""
    note: str = ""

    def noted(self, language: str = "vi") -> str:
        """The note in `vi` or `en`; empty where there is nothing to say."""
        return self.note_vi if language == "vi" else self.note

    def valid(self, on: date | None) -> bool:
        """Whether the row is valid on a day; `None` asks for the newest known state."""
        if on is None:
            return self.valid_to is None
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


class Named(Dated, frozen=True, kw_only=True):
    """A row with words for the screens."""

    code: str
    vi: str
    en: str

    def label(self, language: str = "vi") -> str:
        """What a screen shows, in `vi` or `en`."""
        return self.vi if language == "vi" else self.en


Row = TypeVar("Row", bound=Dated)


def rows(name: str, row: type[Row]) -> tuple[Row, ...]:
    """The rows of `data/{name}.csv`, in the file's order. Raises `ValueError` that names the file and line of a wrong one.

    An empty cell is a field left out, so that it takes its default; texts that have none must be filled.
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
