"""Build the queries for figures, and turn their rows into readings.

One statement gives all figures of a kind, for a moment and its period. The module is pure: the
caller runs the SQL. Moments are literals in it, as milliseconds and as positions on the working
clock (`schemas.clickhouse.working_time`), so that no query computes working time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schemas.clickhouse.lives import BY_KIND, current_table, life_table
from schemas.clickhouse.query import Query
from schemas.events.kinds import Kind
from schemas.figures.definition import Figure, FigurePiece
from schemas.figures.reading import Reading
from schemas.moments import from_milliseconds, milliseconds
from schemas.places import restate
from schemas.reference import WorkingCalendar

MILLISECOND = timedelta(milliseconds=1)
Key = tuple[str, ...]
"""Values of the dimensions that a row is grouped by; empty for the total."""
Execute = Callable[[Query], Iterable[Sequence[Any]]]
"""Runs a query, on the live tables or on those of a past moment, and returns its rows."""


@dataclass(frozen=True)
class Instant:
    """A moment as SQL expressions.

    `at` is in milliseconds since 1970, `position` on the working clock; `before` is the position of
    the millisecond before.
    """

    at: str
    position: str
    before: str


OF_POINT = Instant("point.2", "point.3", "point.4")
"""The moment `point` that a row is joined with, one of a list."""


@dataclass(frozen=True)
class QueryMoment:
    """A moment for which figures are queried, and the start of the period that ends with it."""

    at: int
    position: int
    before: int
    """Position of the millisecond before `at`: a deadline up to this position has passed."""
    since: int = 0

    @classmethod
    def of(
        cls, at: datetime, calendar: WorkingCalendar, period: timedelta = timedelta(days=30)
    ) -> "QueryMoment":
        """Return a moment with the period that ends with it."""
        return cls(
            milliseconds(at),
            calendar.position(at),
            calendar.position(at - MILLISECOND),
            milliseconds(at - period),
        )

    @property
    def instant(self) -> Instant:
        """Return the moment as SQL."""
        return Instant(str(self.at), str(self.position), str(self.before))

    def within(self, when: str) -> str:
        """Return SQL for whether the moment in a column lies in the period that ends at `at`."""
        return f"{when} > {moment_sql(self.since)} AND {when} <= {moment_sql(self.at)}"

    def sql(self, piece: FigurePiece) -> str:
        """Return a piece as SQL, at this moment and over the period that ends with it."""
        return _piece_sql(piece, clocks(self.instant), self.within(piece.when))


ENTITY = "entity_id"
"""Dimension of every kind; grouped by it, a query returns what each entity adds to a figure."""


def dimensions(kind: Kind) -> tuple[str, ...]:
    """Return the dimensions by which figures of a kind can be grouped."""
    return tuple(
        column.name
        for column in BY_KIND[kind].columns
        if column.type.startswith("LowCardinality") or column.name in _CODES
    )


_CODES = ("channel", "priority", "status", "applicant", "action")


def question(
    figures: Sequence[Figure],
    moment: QueryMoment,
    by: Sequence[str] = (),
    *,
    past: bool = False,
    where: str = "",
    units: restate.Units = "day",
    each: bool = False,
) -> Query:
    """Return a SELECT of the dimensions `by`, as texts, and then all pieces of the figures.

    Args:
        figures: Figures of one kind.
        moment: The moment and its period.
        by: The dimensions to group by.
        past: Query the states that held at the moment, according to what is known now; otherwise
            the newest states.
        where: A further condition on the rows.
        units: With "today", communes are those of today, whatever they were called on the day of a
            step (`schemas.places.restate`).
        each: Query the total and the groups of each single dimension, in one pass over the rows. A
            list between dimensions and pieces then has 0 for the dimension that a row is grouped
            by, and 1 for the others.

    Raises:
        ValueError: The kind does not have a dimension.
    """
    kind = kind_of(figures, by)
    shared, pieces = named(pieces_of(figures), moment.instant, moment.within)
    keys = [f"{key_sql(name, units)} AS key_{number}" for number, name in enumerate(by)]
    names = [f"key_{number}" for number in range(len(by))]
    grouping = f" GROUP BY {', '.join(names)}" if by else ""
    if each:
        keys.append(f"[{', '.join(f'grouping({name})' for name in names)}]")
        grouping = f" GROUP BY GROUPING SETS ((), {', '.join(f'({name})' for name in names)})"
    source = life_table(kind) if past else current_table(kind)
    held = (
        f" AND since <= {moment_sql(moment.at)} AND until > {moment_sql(moment.at)}" if past else ""
    )
    condition = f" AND ({where})" if where else ""
    # A slice of the past that leaves out closed records still has a row for each of their communes
    # and agencies, but not for other groups.
    is_near = set(by) <= {"commune", "agency"}
    return Query(
        f"SELECT {', '.join([*keys, *pieces])} FROM {source.final} "
        f"WHERE {begun(kind)} <= {moment_sql(moment.at)}{held}{condition}{grouping}",
        (source,),
        since=from_milliseconds(moment.since) if is_near else None,
        held=from_milliseconds(moment.at) if past and is_near else None,
        shared=shared,
    )


def key_sql(name: str, units: restate.Units) -> str:
    """Return SQL for a dimension of an entity as a text.

    For a commune, it is the one at the entity's newest step, or with "today" the one of today.
    """
    return "toString(unit)" if (name, units) == ("commune", "today") else f"toString({name})"


def ask(
    execute: Execute,
    figures: Iterable[Figure],
    moment: QueryMoment,
    by: Sequence[str] = (),
    *,
    past: bool = False,
    where: str = "",
    units: restate.Units = "day",
) -> dict[Key, dict[str, Reading]]:
    """Query figures of any kinds that have the dimensions `by`.

    There is one statement per kind, run by `execute`.
    """
    found: dict[Key, dict[str, Reading]] = {}
    for of_kind in by_kind(figures):
        for key, of_key in readings(
            of_kind,
            execute(question(of_kind, moment, by, past=past, where=where, units=units)),
            len(by),
        ).items():
            found.setdefault(key, {}).update(of_key)
    return found


def ask_each(
    execute: Execute,
    figures: Iterable[Figure],
    moment: QueryMoment,
    by: Sequence[str],
    *,
    units: restate.Units = "day",
) -> dict[Key, dict[str, Reading]]:
    """Query the total of figures, and their groups by each single dimension.

    The keys are () for the total and (dimension, value). It takes one pass over the rows of a kind
    instead of one for each dimension.
    """
    found: dict[Key, dict[str, Reading]] = {}
    for of_kind in by_kind(figures):
        known, read = [name for name in by if name in dimensions(of_kind[0].kind)], reader(of_kind)
        answers: dict[Key, dict[str, Reading]] = {}
        for row in (
            execute(question(of_kind, moment, known, units=units, each=True)) if known else ()
        ):
            which = [
                (name, row[number])
                for number, name in enumerate(known)
                if not row[len(known)][number]
            ]
            answers[which[0] if which else ()] = read(row[len(known) + 1 :])
        if (
            () not in answers
        ):  # Without rows, or without a dimension to group by, the answer has no total.
            answers |= ask(execute, of_kind, moment, units=units)
        for key, of_key in answers.items():
            found.setdefault(key, {}).update(of_key)
    return found


def ask_at(
    execute: Execute,
    figures: Iterable[Figure],
    moments: Sequence[QueryMoment],
    *,
    where: str = "",
) -> list[dict[str, Reading]]:
    """Query figures at several moments of the past, in one pass over the rows of a kind."""
    found: list[dict[str, Reading]] = [{} for _ in moments]
    for of_kind in by_kind(figures):
        rows = {number: row for number, *row in execute(_question_at(of_kind, moments, where))}
        nothing, read = (
            [0 if piece.additive else None for piece in pieces_of(of_kind)],
            reader(of_kind),
        )
        for number, of_moment in enumerate(found):
            of_moment |= read(rows.get(number, nothing))
    return found


def _question_at(figures: Sequence[Figure], moments: Sequence[QueryMoment], where: str) -> Query:
    """Return a SELECT of the number of each moment and all pieces of the figures at it.

    There is no row for a moment at which no entity counts.
    """
    kind, pieces = kind_of(figures, ()), pieces_of(figures)
    points = ", ".join(
        f"({number}, {one.at}, {one.position}, {one.before}, {one.since})"
        for number, one in enumerate(moments)
    )
    within = (
        "toUnixTimestamp64Milli({when}) > point.5 AND toUnixTimestamp64Milli({when}) <= point.2"
    )
    shared, selected = named(pieces, OF_POINT, lambda when: within.format(when=when))
    held = (
        f"p.2 >= toUnixTimestamp64Milli(greatest(since, {begun(kind)})) AND p.2 < "
        "toUnixTimestamp64Milli(until)"
    )
    first, last = (moment_sql(of(one.at for one in moments)) for of in (min, max))
    # Of closed entities, only those of the periods count: a closed row holds for ever.
    earliest = moment_sql(min(one.since for one in moments))
    periods = dict.fromkeys(f"{piece.when} > {earliest}" for piece in pieces if piece.when)
    counts = " OR ".join(["standing != 'closed'", *periods])
    return Query(
        f"SELECT point.1, {', '.join(selected)} FROM (SELECT * FROM {life_table(kind).final} "
        f"WHERE since <= {last} AND until > {first} AND ({counts}) AND ({where or 'true'})) "
        f"ARRAY JOIN arrayFilter(p -> {held}, [{points}]) AS point GROUP BY point.1",
        (life_table(kind),),
        since=from_milliseconds(min(one.since for one in moments)),
        held=from_milliseconds(min(one.at for one in moments)),
        shared=shared,
    )


def by_kind(figures: Iterable[Figure]) -> list[list[Figure]]:
    """Group figures by their kind; the order is kept."""
    kinds: dict[Kind, list[Figure]] = {}
    for figure in figures:
        kinds.setdefault(figure.kind, []).append(figure)
    return list(kinds.values())


def readings(
    figures: Sequence[Figure], rows: Iterable[Sequence[Any]], by: int = 0
) -> dict[Key, dict[str, Reading]]:
    """Return the rows of a query as {values of its dimensions: {code: reading}}.

    Args:
        figures: The figures that were queried.
        rows: The rows of the answer.
        by: The number of dimensions.
    """
    read = reader(figures)
    return {tuple(row[:by]): read(row[by:]) for row in rows}


def reader(figures: Sequence[Figure]) -> Callable[[Sequence[float | None]], dict[str, Reading]]:
    """Return a function that turns a row of piece values into readings keyed by figure code."""
    at = {piece: number for number, piece in enumerate(pieces_of(figures))}
    # Pieces are looked up by number, as there are hundreds of units with dozens of figures.
    parts = [
        (one.code, [at[piece] for piece in one.part], [at[piece] for piece in one.whole])
        for one in figures
    ]

    def read(values: Sequence[float | None]) -> dict[str, Reading]:
        """Return the readings of a row."""
        return {
            code: _reading([values[n] for n in part], [values[n] for n in whole])
            for code, part, whole in parts
        }

    return read


def _reading(part: Sequence[float | None], whole: Sequence[float | None]) -> Reading:
    if not whole:
        (value,) = part
        return Reading(None if value is None or value != value else float(value))
    of_part, of_whole = sum(float(one or 0) for one in part), sum(float(one or 0) for one in whole)
    return Reading(100 * of_part / of_whole if of_whole else None, of_part, of_whole)


def begun(kind: Kind) -> str:
    """Return the column with the moment from which on an entity counts."""
    return "since" if BY_KIND[kind].planned else "started_at"


def kind_of(figures: Sequence[Figure], by: Sequence[str]) -> Kind:
    """Return the kind that all the figures have.

    Raises:
        ValueError: The kind lacks one of the dimensions `by`.
    """
    (kind,) = {figure.kind for figure in figures}
    if unknown := set(by) - {ENTITY, *dimensions(kind)}:
        raise ValueError(
            f"{kind.name} figures cannot be grouped by {', '.join(sorted(unknown))}: "
            f"{', '.join(dimensions(kind))}"
        )
    return kind


def pieces_of(figures: Sequence[Figure]) -> list[FigurePiece]:
    """Return the pieces of some figures, each once."""
    return list(dict.fromkeys(piece for figure in figures for piece in figure.pieces))


def clocks(instant: Instant) -> dict[str, str]:
    """Return the SQL for the placeholders `{passed}` and `{position}` of pieces."""
    return {
        "{passed}": "ifNull(if(due_at IS NOT NULL, "
        f"toUnixTimestamp64Milli(assumeNotNull(due_at)) < {instant.at}, "
        f"due <= if(around, {instant.at} - 1, {instant.before})), false)",
        "{position}": f"if(around, {instant.at}, {instant.position})",
    }


def named(
    pieces: Sequence[FigurePiece], instant: Instant, within: Callable[[str], str]
) -> tuple[tuple[str, ...], list[str]]:
    """Return named expressions for the WITH clause of one SELECT, and pieces as SQL that use them.

    Named are the expressions that several pieces share: whether a column lies in the period
    (`within`), and the placeholders of the clock. ClickHouse would plan each mention anew, which
    takes longer than counting the rows.
    """
    placeholders = clocks(instant)
    aliases = {name: f"{name[1:-1]}_" for name in placeholders}
    names = {aliases[name]: sql for name, sql in placeholders.items()} | {
        f"in_{piece.when}": within(piece.when) for piece in pieces if piece.when
    }
    selected = [_piece_sql(piece, aliases, f"in_{piece.when}") for piece in pieces]
    used = (
        f"({sql}) AS {name}" for name, sql in names.items() if any(name in one for one in selected)
    )
    return tuple(used), selected


def _piece_sql(piece: FigurePiece, clock: Mapping[str, str], in_period: str) -> str:
    condition = piece.where + (f" AND {in_period}" if piece.when else "")
    found, counts = (
        piece.aggregate,
        piece.aggregate.startswith("countIf"),
    )  # countIf treats NULL as false by itself
    for name, sql in {
        "{where}": condition if counts else f"ifNull({condition}, false)",
        **clock,
    }.items():
        found = found.replace(name, sql)
    return found


def moment_sql(at: int) -> str:
    """Return milliseconds since 1970 as a moment in SQL."""
    return f"fromUnixTimestamp64Milli({at})"
