"""The little language in which a measure of a window is declared: once, for Python and SQL alike.

A condition knows how to say itself in both. `python` speaks of a stored row (the very values that ClickHouse gets: times are
integer milliseconds, codes are their numbers or words), so that both languages compare the same values.
"""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol

from schemas.moments import SPAN_MS, last_sql


class Condition(Protocol):
    """A condition on one event."""

    def python(self, column: "Columns") -> str:
        """The condition as a Python expression over a stored row; `column(name)` is the expression of a column's value."""

    def sql(self) -> str:
        """The condition as a ClickHouse expression over the columns of the kind's events table."""


class Columns(Protocol):
    """Gives the Python expression that reads a column of a stored row."""

    def __call__(self, name: str) -> str: ...


def _literal(value: IntEnum | StrEnum | int | str) -> str:
    if isinstance(value, int):
        return str(int(value))
    return "'" + str(value).replace("'", "''") + "'"


@dataclass(frozen=True)
class Is:
    """The field has one of these codes."""

    name: str
    values: tuple[IntEnum | StrEnum | int, ...]

    def python(self, column: Columns) -> str:
        return f"{column(self.name)} in ({', '.join(map(_literal, self.values))},)"

    def sql(self) -> str:
        return f"{self.name} IN ({', '.join(map(_literal, self.values))})"


@dataclass(frozen=True)
class Yes:
    """The field is true."""

    name: str

    def python(self, column: Columns) -> str:
        return column(self.name)

    def sql(self) -> str:
        return self.name


@dataclass(frozen=True)
class AtLeast:
    """The field is given and not below a value."""

    name: str
    value: int

    def python(self, column: Columns) -> str:
        return f"({column(self.name)} or -1) >= {self.value}"

    def sql(self) -> str:
        return f"ifNull({self.name} >= {self.value}, 0)"


@dataclass(frozen=True)
class After:
    """Both times are given and the first is later: later than the end of the second's day, where that is known to the day only."""

    first: str
    second: str

    def python(self, column: Columns) -> str:
        one, two = column(self.first), column(self.second)
        known = column("precision")
        spans = " else ".join(
            f"{span - 1} if '{self.second}:{name}' in {known}" for name, span in SPAN_MS.items()
        )
        return f"({one} is not None and {two} is not None and {one} > {two} + ({spans} else 0))"

    def sql(self) -> str:
        return f"ifNull({self.first} > {last_sql(self.second)}, 0)"


@dataclass(frozen=True)
class Measure:
    """How many events of a window meet all the conditions; `vi` and `sentence` say it in Vietnamese and English."""

    name: str
    vi: str
    sentence: str
    where: tuple[Condition, ...] = field(default=())

    def label(self, language: str = "vi") -> str:
        """What a screen shows, in `vi` or `en`."""
        return self.vi if language == "vi" else self.sentence.removesuffix(".")

    def python(self, column: Columns) -> str:
        """A Python expression, true or false."""
        return " and ".join(condition.python(column) for condition in self.where) or "True"

    def condition(self) -> str:
        """A ClickHouse expression, true of the events that count."""
        return " AND ".join(condition.sql() for condition in self.where) or "true"

    def sql(self) -> str:
        """A ClickHouse aggregate."""
        return f"countIf({self.condition()})" if self.where else "count()"
