"""The score of one unit by a set of criteria: a tree of points that knows what it does not know.

`score` computes from figures; `published` takes the points of total and groups as someone else published them. In both, an input
that is missing, stale or impossible takes its points out of the coverage, and nothing is put in their place.
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
"""Sums of points are floats."""


class InputState(WordedCode):
    """What is known of the input of an item."""

    KNOWN = "known", "Có số liệu", "Known"
    UNKNOWN = "unknown", "Chưa có số liệu", "No data"
    STALE = "stale", "Số liệu cũ", "Data too old"
    IMPOSSIBLE = "impossible", "Số liệu không hợp lệ", "Impossible value"


@dataclass(frozen=True)
class Question:
    """What leads to the records behind an item: the code of a figure, and fields with the values to filter its records by."""

    figure: str
    where: Where = ()

    @property
    def query(self) -> str:
        """The filter as a query string, such as `channel=1,3&commune=19753`; codes need no escaping."""
        return "&".join(f"{name}={','.join(values)}" for name, values in self.where)


@dataclass(frozen=True)
class ScorePart:
    """An item, or a group whose points were published, with what it got. `points` is None unless its state is known."""

    of: Criterion | CriteriaGroup
    reading: Reading
    state: InputState
    points: float | None
    question: Question | None = None

    @property
    def known(self) -> float:
        """How many of its points are known: all or none."""
        return self.of.points if self.state is InputState.KNOWN else 0.0

    @property
    def lost(self) -> float:
        """Points that are known to be lost; 0 where nothing is known."""
        return 0.0 if self.points is None else self.of.points - self.points


@dataclass(frozen=True)
class GroupScore:
    """A group with its parts: its items, or itself where its points were published."""

    group: CriteriaGroup
    parts: tuple[ScorePart, ...]

    @property
    def points(self) -> float | None:
        """Points of the parts that are known; None where none is. Less than all parts are worth: see `coverage`."""
        found = [part.points for part in self.parts if part.points is not None]
        return sum(found) if found else None

    @property
    def known(self) -> float:
        """How many of its points are known, lost or not."""
        return sum(part.known for part in self.parts)

    @property
    def coverage(self) -> float:
        """The share of its points whose inputs are known and fresh, in percent."""
        return 100 * self.known / self.group.points

    @property
    def complete(self) -> bool:
        """Whether all of it is known, so that its points may stand without their coverage."""
        return self.known >= self.group.points - _NEAR


@dataclass(frozen=True)
class Score:
    """The score of a unit. A screen shows `total`, or where it is None "not enough data" with `coverage`."""

    criteria: CriteriaSet
    groups: tuple[GroupScore, ...]
    reported: Reading | None = None
    """Of published points: the total as it was published, whatever is known of the groups."""

    @cached_property
    def parts(self) -> tuple[ScorePart, ...]:
        """All parts in order."""
        return tuple(part for group in self.groups for part in group.parts)

    @cached_property
    def points(self) -> float:
        """Points of what is known: the least that the unit has."""
        return sum(part.points for part in self.parts if part.points is not None)

    @cached_property
    def known(self) -> float:
        """How many points are known, lost or not."""
        return sum(part.known for part in self.parts)

    @property
    def most(self) -> float:
        """Points if all that is unknown were full."""
        return self.points + self.criteria.points - self.known

    @property
    def coverage(self) -> float:
        """The share of all points whose inputs are known and fresh, in percent."""
        return 100 * self.known / self.criteria.points

    @property
    def complete(self) -> bool:
        """Whether enough is known for a total, by the set's own rule."""
        return self.known > 0 and self.coverage >= self.criteria.coverage - _NEAR

    @property
    def total(self) -> float | None:
        """The points, of all that can be had; None for "not enough data".

        Where the set is content with less than all, what is unknown is left out of both sides: the share of what is known.
        """
        return self.criteria.points * self.points / self.known if self.complete else None

    @property
    def grade(self) -> Grade | None:
        """The grade of the total, None without one."""
        total = self.total
        if total is None:
            return None
        return next((grade for grade in self.criteria.grades if total >= grade.least - _NEAR), None)

    @property
    def unknown(self) -> tuple[ScorePart, ...]:
        """The parts of which nothing current is known, in order; each says why in its `state`."""
        return tuple(part for part in self.parts if part.state is not InputState.KNOWN)

    @property
    def losses(self) -> tuple[ScorePart, ...]:
        """What would raise the score most: the parts that lose points, most first; each has its question."""
        lost = [part for part in self.parts if part.lost > _NEAR]
        return tuple(sorted(lost, key=lambda part: -part.lost))

    @property
    def unverified(self) -> tuple[ScorePart, ...]:
        """The parts whose points or rule were not seen in a source; a screen that shows them says so."""
        return tuple(part for part in self.parts if not part.of.verified)


def score(criteria: CriteriaSet, readings: Readings, where: Where = ()) -> Score:
    """The score of a unit by its readings. `where` filters records to the unit (`(("commune", ("19753",)),)`), for the questions.

    A figure that the readings lack is unknown.
    """
    groups = []
    for group in criteria.groups:
        parts = [_part(item, readings, question=_question(item, where)) for item in group.items]
        groups.append(GroupScore(group, tuple(parts)))
    return Score(criteria, tuple(groups))


def published(criteria: CriteriaSet, readings: Readings) -> Score:
    """The score of a unit as it was published: total and groups from the indicators that carry them.

    What was not published stays unknown: the rest of a total says nothing of how it falls upon the other groups.
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
    """A unit in a league table: its place, equal totals share one; None where there is not enough data to compare it."""

    unit: str
    score: Score
    place: int | None


def league(scores: Mapping[str, Score]) -> tuple[Rank, ...]:
    """Units by their totals, best first; those without one at the end, by code."""
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
