"""Declare figures: pieces that are counted over histories of states, and how they make a value.

For now, a figure is queried from `current_K`; for a past moment, from the rows of `life_K` that
held then. Pieces name the columns of these tables, and two placeholders that the query fills in:
`{position}`, the moment on the entity's clock, and `{passed}`, whether the deadline has passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from schemas.declared import whole
from schemas.events.kinds import Kind

HOURS = 3_600_000


class MeasureUnit(StrEnum):
    """Unit of measure of a figure."""

    COUNT = "count"
    PERCENT = "%"
    HOURS = "h"
    """Hours of the entity's clock: working hours, unless it runs round the clock."""


@dataclass(frozen=True)
class FigurePiece:
    """An aggregate over the entities that meet a condition.

    With `when`, the name of a column of moments, only entities with that moment in the period
    count.
    """

    where: str
    when: str = ""
    aggregate: str = "countIf({where})"

    @property
    def additive(self) -> bool:
        """Return whether the values of parts add up to the value of the whole."""
        return self.aggregate.startswith(("countIf", "sumIf"))


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of the province or one of its units.

    With `whole`, the figure is a share in percent: the sum of the pieces of `part`, divided by the
    sum of the pieces of `whole`. Otherwise `part` has a single piece, the value. `better` is the
    direction in which the figure improves, empty for neither.
    """

    code: str
    kind: Kind
    vi: str
    en: str
    sentence: str
    unit: MeasureUnit
    part: tuple[FigurePiece, ...]
    whole: tuple[FigurePiece, ...] = ()
    better: Literal["up", "down", ""] = ""

    def __post_init__(self) -> None:
        whole(
            f"figure {self.code or '?'}",
            (
                self.code.startswith(f"{self.kind.name}."),
                f"a code that begins with {self.kind.name}.",
            ),
            (bool(self.part), "part"),
            (
                bool(self.whole) == (self.unit is MeasureUnit.PERCENT),
                "either whole or another unit",
            ),
        )

    @property
    def name(self) -> str:
        """Return the code without the kind."""
        return self.code.partition(".")[2]

    @property
    def pieces(self) -> tuple[FigurePiece, ...]:
        """Return all pieces."""
        return (*self.part, *self.whole)

    @property
    def of_period(self) -> bool:
        """Return whether it covers a period, not only a moment."""
        return any(piece.when for piece in self.pieces)

    def label(self, language: str = "vi") -> str:
        """Return the label for screens, in `vi` or `en`."""
        return self.vi if language == "vi" else self.en


def check_figures(figures: Sequence[Figure]) -> None:
    """Check that every figure has a unique code, labels in both languages, and a sentence.

    Raises:
        IncompleteDeclarationError: A figure lacks one of them; the message names each such figure.
    """
    codes = [one.code for one in figures]
    whole(
        "the figures",
        *((codes.count(code) == 1, f"one figure alone of the code {code}") for code in codes),
        *(
            (bool(getattr(one, name).strip()), f"{name} of {one.code}")
            for one in figures
            for name in ("vi", "en", "sentence")
        ),
    )


def count(where: str, when: str = "") -> tuple[FigurePiece, ...]:
    """Return the piece that counts the entities that meet a condition."""
    return (FigurePiece(where, when),)


def quantile(
    level: float, milliseconds: str, where: str, when: str = ""
) -> tuple[FigurePiece, ...]:
    """Return the piece for a quantile of a duration, in hours.

    It is interpolated between the nearest two values (as numpy does by default).
    """
    return (
        FigurePiece(
            where, when, f"quantileExactInclusiveIf({level})(({milliseconds}) / {HOURS}, {{where}})"
        ),
    )


def greatest(milliseconds: str, where: str) -> tuple[FigurePiece, ...]:
    """Return the piece for the maximum of a duration, in hours."""
    return (FigurePiece(where, "", f"maxOrNullIf(({milliseconds}) / {HOURS}, {{where}})"),)


def total(number: str, where: str) -> tuple[FigurePiece, ...]:
    """Return the piece for the sum of a number."""
    return (FigurePiece(where, "", f"sumIf({number}, {{where}})"),)
