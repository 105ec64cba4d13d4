"""Score a unit by a set of criteria: a tree of points that also says how many of them are known.

`score` computes from figures; `published` takes the points of the total and the groups as another
body published them. In both, an input that is missing, stale or impossible lowers the coverage by
its points, and nothing replaces them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from schemas.events.codes import WordedCode
from schemas.figures import UNKNOWN, Reading, Readings
from schemas.reference.criteria import CriteriaGroup, CriteriaSet, Criterion, Grade
from schemas.scores.rules import points, reported

Where = tuple[tuple[str, tuple[str, ...]], ...]
_NEAR = 1e-9
"""Tolerance for sums of points, which are floats."""


class InputState(WordedCode):
    """State of the input of an item."""

    KNOWN = "known", "Có số liệu", "Known"
    UNKNOWN = "unknown", "Chưa có số liệu", "No data"
    STALE = "stale", "Số liệu cũ", "Data too old"
    IMPOSSIBLE = "impossible", "Số liệu không hợp lệ", "Impossible value"


@dataclass(frozen=True)
class Question:
    """A link to the records behind an item: a figure's code and values to filter records by."""

    figure: str
    where: Where = ()

    @property
    def query(self) -> str:
        """Return the filter as a query string, such as `channel=1,3&commune=19753`.

        Codes need no escaping.
        """
        return "&".join(f"{name}={','.join(values)}" for name, values in self.where)


@dataclass(frozen=True)
class ScorePart:
    """An item, or a group whose points were published, with its points.

    `points` is None unless the state is known.
    """

    of: Criterion | CriteriaGroup
    reading: Reading
    state: InputState
    points: float | None
    question: Question | None = None

    @property
    def known(self) -> float:
        """Return how many of its points are known: all or none."""
        return self.of.points if self.state is InputState.KNOWN else 0.0

    @property
    def lost(self) -> float:
        """Return the points that are known to be lost; 0 if nothing is known."""
        return 0.0 if self.points is None else self.of.points - self.points


@dataclass(frozen=True)
class GroupScore:
    """A group with its parts: its items, or itself if its points were published."""

    group: CriteriaGroup
    parts: tuple[ScorePart, ...]

    @property
    def points(self) -> float | None:
        """Return the points of the known parts; None if none is known.

        They may be less than all parts are worth: see `coverage`.
        """
        found = [part.points for part in self.parts if part.points is not None]
        return sum(found) if found else None

    @property
    def known(self) -> float:
        """Return how many of its points are known, lost or not."""
        return sum(part.known for part in self.parts)

    @property
    def coverage(self) -> float:
        """Return the share of its points whose inputs are known and fresh, in percent."""
        return 100 * self.known / self.group.points

    @property
    def complete(self) -> bool:
        """Return whether all of it is known.

        Then its points may be shown without their coverage.
        """
        return self.known >= self.group.points - _NEAR


@dataclass(frozen=True)
class Score:
    """The score of a unit.

    A screen shows `total`, or if it is None "not enough data" with `coverage`.
    """

    criteria: CriteriaSet
    groups: tuple[GroupScore, ...]
    reported: Reading | None = None
    """The published total of published points, whatever is known of the groups."""

    @cached_property
    def parts(self) -> tuple[ScorePart, ...]:
        """Return all parts in order."""
        return tuple(part for group in self.groups for part in group.parts)

    @cached_property
    def points(self) -> float:
        """Return the points of the known parts, the minimum that the unit has."""
        return sum(part.points for part in self.parts if part.points is not None)

    @cached_property
    def known(self) -> float:
        """Return how many points are known, lost or not."""
        return sum(part.known for part in self.parts)

    @property
    def max_points(self) -> float:
        """Return the maximum that the unit can have: every unknown part gives all its points."""
        return self.points + self.criteria.points - self.known

    @property
    def coverage(self) -> float:
        """Return the share of all points whose inputs are known and fresh, in percent."""
        return 100 * self.known / self.criteria.points

    @property
    def complete(self) -> bool:
        """Return whether enough is known for a total, by the set's own rule."""
        return self.known > 0 and self.coverage >= self.criteria.coverage - _NEAR

    @property
    def total(self) -> float | None:
        """Return the total out of all points; None for "not enough data".

        If the set accepts partial coverage, the total is the share of the known points that the
        unit has, as if it had the same share of the unknown ones.
        """
        return self.criteria.points * self.points / self.known if self.complete else None

    @property
    def grade(self) -> Grade | None:
        """Return the grade of the total, None without one."""
        total = self.total
        if total is None:
            return None
        return next((grade for grade in self.criteria.grades if total >= grade.least - _NEAR), None)

    @property
    def unknown(self) -> tuple[ScorePart, ...]:
        """Return the parts whose input is missing, stale or impossible, in order.

        Each has its reason in `state`.
        """
        return tuple(part for part in self.parts if part.state is not InputState.KNOWN)

    @property
    def losses(self) -> tuple[ScorePart, ...]:
        """Return the parts that lose points, the largest loss first; each has its question.

        They are what would raise the score most.
        """
        lost = [part for part in self.parts if part.lost > _NEAR]
        return tuple(sorted(lost, key=lambda part: -part.lost))

    @property
    def unverified(self) -> tuple[ScorePart, ...]:
        """Return the parts whose points or rule were not seen in a source.

        Screens that show them say so.
        """
        return tuple(part for part in self.parts if not part.of.verified)


def score(criteria: CriteriaSet, readings: Readings, where: Where = ()) -> Score:
    """Return the score of a unit by its readings.

    A figure that the readings lack is unknown.

    Args:
        criteria: The set of criteria.
        readings: The readings by figure code.
        where: Filters records to the unit (`(("commune", ("19753",)),)`), for the questions.
    """
    groups = []
    for group in criteria.groups:
        parts = [_part(item, readings, question=_question(item, where)) for item in group.items]
        groups.append(GroupScore(group, tuple(parts)))
    return Score(criteria, tuple(groups))


def published(criteria: CriteriaSet, readings: Readings) -> Score:
    """Return the score of a unit as published.

    The total and the groups are those of the indicators that carry them. A group that was not
    published stays unknown: the total does not show how the rest is divided among such groups.
    """
    groups = tuple(GroupScore(group, (_part(group, readings),)) for group in criteria.groups)
    return Score(criteria, groups, readings.get(criteria.reported, UNKNOWN))


def _part(
    of: Criterion | CriteriaGroup, readings: Readings, question: Question | None = None
) -> ScorePart:
    reading = readings.get(of.reads if isinstance(of, Criterion) else of.reported, UNKNOWN)
    if reading.value is None:
        return ScorePart(of, reading, InputState.UNKNOWN, None, question)
    if reading.stale:
        return ScorePart(of, reading, InputState.STALE, None, question)
    got = (
        points(of, reading.value)
        if isinstance(of, Criterion)
        else reported(of.points, reading.value)
    )
    return ScorePart(
        of, reading, InputState.IMPOSSIBLE if got is None else InputState.KNOWN, got, question
    )


def _question(item: Criterion, where: Where) -> Question:
    return Question(item.question or item.reads, (*item.narrowed, *where))


@dataclass(frozen=True)
class Rank:
    """A unit in a league table with its rank; equal totals share one, None without enough data."""

    unit: str
    score: Score
    place: int | None


def league(scores: Mapping[str, Score]) -> tuple[Rank, ...]:
    """Return units by their totals, best first; those without one at the end, by code."""
    compared = sorted(_totals(scores), key=lambda one: (-one[1], one[0]))
    ranks, place = [], 1
    for _, tied in groupby(compared, key=lambda one: round(one[1], 6)):
        units = [unit for unit, _ in tied]
        ranks += [Rank(unit, scores[unit], place) for unit in units]
        place += len(units)
    without = sorted(scores.keys() - {unit for unit, _ in compared})
    return (*ranks, *(Rank(unit, scores[unit], None) for unit in without))


def _totals(scores: Mapping[str, Score]) -> Iterable[tuple[str, float]]:
    for unit, one in scores.items():
        if one.total is not None:
            yield unit, one.total
