"""How a figure is declared: pieces that are counted over the lives of entities, and how they make a value.

A figure is asked of `current_K` for now, of the rows of `life_K` that held at a moment for the past. Pieces name the columns of
these tables, and two expressions that are put in when it is asked: `{position}`, the moment on the entity's clock, and `{passed}`,
whether the deadline has passed.
"""

from dataclasses import dataclass
from enum import StrEnum

from schemas.events.kinds import Kind

HOURS = 3_600_000


class MeasureUnit(StrEnum):
    """What a figure is measured in."""

    COUNT = "count"
    PERCENT = "%"
    HOURS = "h"
    """Hours of the entity's clock: working hours, unless it runs round the clock."""


@dataclass(frozen=True)
class FigurePiece:
    """An aggregate over the entities that meet a condition; with `when`, a moment's column, over those of the period only."""

    where: str
    when: str = ""
    aggregate: str = "countIf({where})"

    @property
    def additive(self) -> bool:
        """Whether values of parts may be summed up."""
        return self.aggregate.startswith(("countIf", "sumIf"))


@dataclass(frozen=True)
class Figure:
    """A figure of the province or one of its units.

    With `whole`, it is a share in percent: the sum of the pieces of `part` of the sum of those of `whole`. Else `part` has the one
    piece that is the value, and `whole` is empty. `better` says which direction is the better one, empty for neither.
    """

    code: str
    kind: Kind
    vi: str
    en: str
    sentence: str
    unit: MeasureUnit
    part: tuple[FigurePiece, ...]
    whole: tuple[FigurePiece, ...] = ()
    better: str = ""

    @property
    def name(self) -> str:
        """The code without the kind."""
        return self.code.partition(".")[2]

    @property
    def pieces(self) -> tuple[FigurePiece, ...]:
        """All pieces."""
        return (*self.part, *self.whole)

    @property
    def of_period(self) -> bool:
        """Whether it tells of a period, not of a moment only."""
        return any(piece.when for piece in self.pieces)

    def label(self, language: str = "vi") -> str:
        """What a screen shows, in `vi` or `en`."""
        return self.vi if language == "vi" else self.en


def count(where: str, when: str = "") -> tuple[FigurePiece, ...]:
    """How many entities meet a condition."""
    return (FigurePiece(where, when),)


def quantile(
    level: float, milliseconds: str, where: str, when: str = ""
) -> tuple[FigurePiece, ...]:
    """A quantile of a span, in hours, interpolated between the nearest two (as numpy does by default)."""
    return (
        FigurePiece(
            where, when, f"quantileExactInclusiveIf({level})(({milliseconds}) / {HOURS}, {{where}})"
        ),
    )


def greatest(milliseconds: str, where: str) -> tuple[FigurePiece, ...]:
    """The greatest of a span, in hours."""
    return (FigurePiece(where, "", f"maxOrNullIf(({milliseconds}) / {HOURS}, {{where}})"),)


def total(number: str, where: str) -> tuple[FigurePiece, ...]:
    """The sum of a number."""
    return (FigurePiece(where, "", f"sumIf({number}, {{where}})"),)
