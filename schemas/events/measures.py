"""Define conditions that declare what a window's measure counts, once for both Python and SQL.

A condition renders itself in both languages. `python` reads a stored row (the very values that
ClickHouse gets: times are integer milliseconds, codes are their numbers or words), so that both
languages compare the same values.
"""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol

from schemas.moments import SPAN_MS, last_sql


class Condition(Protocol):
    """A condition on one event."""

    def python(self, column: "Columns") -> str:
        """Return the condition as a Python expression over a stored row.

        Args:
            column: Returns the Python expression of a column's value.
        """

    def sql(self) -> str:
        """Return the condition as a ClickHouse expression over the columns of the events table."""


class Columns(Protocol):
    """A function that gives the Python expression of a column."""

    def __call__(self, name: str) -> str:
        """Return the Python expression that reads a column from a stored row."""


def _literal(value: IntEnum | StrEnum | int | str) -> str:
    if isinstance(value, int):
        return str(int(value))
    return "'" + str(value).replace("'", "''") + "'"


@dataclass(frozen=True)
class Is:
    """True if the field has one of these codes."""

    name: str
    values: tuple[IntEnum | StrEnum | int, ...]

    def python(self, column: Columns) -> str:
        """Return the condition as a Python expression."""
        return f"{column(self.name)} in ({', '.join(map(_literal, self.values))},)"

    def sql(self) -> str:
        """Return the condition as a ClickHouse expression."""
        return f"{self.name} IN ({', '.join(map(_literal, self.values))})"


@dataclass(frozen=True)
class Yes:
    """True if the field is true."""

    name: str

    def python(self, column: Columns) -> str:
        """Return the condition as a Python expression."""
        return column(self.name)

    def sql(self) -> str:
        """Return the condition as a ClickHouse expression."""
        return self.name


@dataclass(frozen=True)
class AtLeast:
    """True if the field is present and not below a value."""

    name: str
    value: int

    def python(self, column: Columns) -> str:
        """Return the condition as a Python expression."""
        return f"({column(self.name)} or -1) >= {self.value}"

    def sql(self) -> str:
        """Return the condition as a ClickHouse expression."""
        return f"ifNull({self.name} >= {self.value}, 0)"


@dataclass(frozen=True)
class After:
    """True if both times are present and the first is later than the second.

    If the second is known only to the day, it stands for the end of that day.
    """

    first: str
    second: str

    def python(self, column: Columns) -> str:
        """Return the condition as a Python expression."""
        one, two = column(self.first), column(self.second)
        known = column("precision")
        spans = " else ".join(
            f"{span - 1} if '{self.second}:{name}' in {known}" for name, span in SPAN_MS.items()
        )
        return f"({one} is not None and {two} is not None and {one} > {two} + ({spans} else 0))"

    def sql(self) -> str:
        """Return the condition as a ClickHouse expression."""
        return f"ifNull({self.first} > {last_sql(self.second)}, 0)"


@dataclass(frozen=True)
class Measure:
    """A count of the events of a window that meet all conditions.

    `vi` and `sentence` describe it in Vietnamese and English.
    """

    name: str
    vi: str
    sentence: str
    where: tuple[Condition, ...] = field(default=())

    def label(self, language: str = "vi") -> str:
        """Return the label for screens, in `vi` or `en`."""
        return self.vi if language == "vi" else self.sentence.removesuffix(".")

    def python(self, column: Columns) -> str:
        """Return a Python expression, true or false."""
        return " and ".join(condition.python(column) for condition in self.where) or "True"

    def condition(self) -> str:
        """Return a ClickHouse expression, true for the events that count."""
        return " AND ".join(condition.sql() for condition in self.where) or "true"

    def sql(self) -> str:
        """Return a ClickHouse aggregate."""
        return f"countIf({self.condition()})" if self.where else "count()"
