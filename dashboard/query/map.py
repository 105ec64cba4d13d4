"""Queries of the operators' map: a part of the province in a window of time.

Every query takes a `Scope`, the same for map, figures, chart and table, so that all show the same
records. Every method may raise `dashboard.query.connection.UnreachableError`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from dashboard.query.clock import Clock
from dashboard.query.lives import OVERDUE, LifeStore
from dashboard.query.records import FoundRecords, RecordStore
from dashboard.query.store import Row
from schemas.clickhouse.lives import BY_KIND, current_table
from schemas.clickhouse.query import Query
from schemas.clickhouse.sql import codes
from schemas.events.kinds import DOCUMENT, FEEDBACK, MEETING, Kind
from schemas.figures import Figure, FigurePiece, MeasureUnit, Reading
from schemas.figures.definition import count
from schemas.figures.questions import (
    Execute,
    QueryMoment,
    ask,
    key_sql,
    moment_sql,
    pieces_of,
    readings,
)
from schemas.figures.series import SeriesStep, series, series_readings
from schemas.moments import milliseconds
from schemas.places.restate import Units

Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees."""
REPORTS = current_table(FEEDBACK)
"""The table of the reports on the map."""
STATES = {"open": "standing != 'closed'", "overdue": OVERDUE.where, "closed": "standing = 'closed'"}
"""States that records may be filtered by, as conditions on their lives."""
STEPS = (
    (timedelta(hours=3), SeriesStep.MINUTES),
    (timedelta(days=3), SeriesStep.HOUR),
    (timedelta(days=100), SeriesStep.DAY),
)
"""Longest window for each step of a series; longer windows have months."""


@dataclass(frozen=True)
class Scope:
    """The subject of a query: a window, a part of the province, and filters of its records.

    `communes` is None for the whole province; `bodies` are the agencies of those communes, or the
    selected one. In a `box`, reports count by their position, all other records by their commune.
    """

    since: datetime
    until: datetime
    past: bool = False
    """Whether the window ended before now: figures of a moment then hold at its end."""
    communes: tuple[str, ...] | None = None
    agency: str = ""
    bodies: tuple[str, ...] = ()
    box: Box | None = None
    category: str = ""
    state: str = ""

    @property
    def step(self) -> SeriesStep:
        """The length of the steps of its series."""
        return next(
            (step for most, step in STEPS if self.until - self.since <= most), SeriesStep.MONTH
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of its queries."""
        return {"category": self.category}


class Pair(NamedTuple):
    """Numbers of records that began and were closed in a part of a window; `at` is its end."""

    at: datetime
    begun: int
    closed: int


def in_scope(kind: Kind) -> str:
    """Return the code under which the records of a kind in a scope are counted."""
    return f"{kind.name}.in_scope"


def begun(kind: Kind) -> Figure:
    """Return a figure that counts the records of a kind that began in a period."""
    return _count(kind, f"{kind.name}.begun", count("true", "started_at"))


def closed(kind: Kind) -> Figure:
    """Return a figure that counts the records of a kind that were closed in a period."""
    return _count(kind, f"{kind.name}.closed_in", count("standing = 'closed'", "closed_at"))


def _count(kind: Kind, code: str, part: tuple[FigurePiece, ...]) -> Figure:
    """Return a figure that only the map queries, and labels itself."""
    return Figure(
        code=code, kind=kind, vi="", en="", sentence="", unit=MeasureUnit.COUNT, part=part
    )


@dataclass(frozen=True)
class MapStore:
    """Queries for the map; `lives` holds the connection and the calendar."""

    lives: LifeStore

    def _moment(self, scope: Scope) -> QueryMoment:
        return QueryMoment.of(scope.until, self.lives.calendar, scope.until - scope.since)

    def _where(self, kind: Kind, scope: Scope, *, category: bool = True) -> str:
        """Return an SQL condition: an entity is in a scope, apart from its window.

        It uses the parameters of `Scope.parameters`.
        """
        conditions = [_part(kind, scope, self.lives.commune_units)]
        if scope.state:
            conditions.append(
                self._moment(scope).sql(FigurePiece(STATES[scope.state], aggregate="{where}"))
            )
        if category and scope.category and kind is FEEDBACK:
            conditions.append("category = %(category)s")
        return " AND ".join(f"({one})" for one in conditions if one) or "true"

    def _window(self, kind: Kind, scope: Scope) -> str:
        """Return an SQL condition: an entity began in the window.

        Planned ones may begin later, unless the window is in the past.
        """
        after = f"started_at > {moment_sql(milliseconds(scope.since))}"
        if BY_KIND[kind].planned and not scope.past:
            return after
        return f"{after} AND started_at <= {moment_sql(milliseconds(scope.until))}"

    def overview(
        self, scope: Scope, figures: Iterable[Figure], kinds: Iterable[Kind]
    ) -> dict[str, Reading]:
        """Return the readings of figures in a scope, by code.

        Under `in_scope(kind)` also the number of its records of each kind.
        """
        counted = [_count(kind, in_scope(kind), count(self._window(kind, scope))) for kind in kinds]
        found: dict[str, Reading] = {}
        for kind, ones in _by_kind((*figures, *counted)):
            where = self._where(kind, scope)
            found |= ask(
                self._execute(scope), ones, self._moment(scope), past=scope.past, where=where
            ).get((), {})
        return found

    def by_unit(self, scope: Scope, figure: Figure, by: str) -> dict[str, Reading]:
        """Return a figure's readings by `commune` or `agency`, for the whole province."""
        whole = replace(scope, communes=None, agency="", box=None, state="", category="")
        found = ask(
            self._execute(whole),
            [figure],
            self._moment(whole),
            (by,),
            past=scope.past,
            units=self.lives.commune_units,
        )
        return {unit: readings[figure.code] for (unit,), readings in found.items() if unit}

    def course(self, scope: Scope, kind: Kind) -> list[Pair]:
        """Count the records that began and were closed in each part of the window."""
        ones, where = [begun(kind), closed(kind)], self._where(kind, scope)
        ends, queries = series(
            ones, scope.step, scope.since, scope.until, self.lives.calendar, where=where
        )
        found = series_readings(ones, ends, map(self._execute(scope), queries))[()]
        pairs = zip(*(found[one.code] for one in ones), strict=True)
        return [
            Pair(at, int(first.value or 0), int(last.value or 0))
            for (at, first), (_, last) in pairs
        ]

    def records(
        self,
        clock: Clock,
        scope: Scope,
        kind: Kind,
        *,
        order: str = "started",
        down: bool = True,
        limit: int = 20,
        skip: int = 0,
    ) -> FoundRecords:
        """Return the records of a kind that began in the window and are in the scope.

        `order` is one of the `ORDERS` of records.
        """
        where = f"{self._window(kind, scope)} AND {self._where(kind, scope, category=False)}"
        figure = _count(kind, in_scope(kind), count(where))
        only = {"category": (scope.category,)} if scope.category and kind is FEEDBACK else None
        store = RecordStore(self.lives)
        return store.behind(
            clock,
            figure,
            "province",
            "",
            only=only,
            order=order,
            down=down,
            limit=limit,
            skip=skip,
            since=scope.since,
        )

    def categories(self, scope: Scope) -> dict[str, int]:
        """Count the reports that began in the window by category, whatever category is selected."""
        query = Query(
            f"SELECT category, count() FROM {REPORTS.final} "
            f"WHERE {self._window(FEEDBACK, scope)} "
            f"AND {self._where(FEEDBACK, scope, category=False)} "
            "GROUP BY category ORDER BY count() DESC, category",
            (REPORTS,),
            since=scope.since,
        )
        rows = self.lives.connection.tuples(query)
        return {str(category): int(reports) for category, reports in rows}

    def grid(self, scope: Scope, view: Box, zoom: int, pixels: int) -> list[Row]:
        """Return the reports of a scope in a view, grouped into cells of some pixels at a zoom.

        lat, lon (the mean position of the cell's reports), n, overdue, and the south, north, west
        and east of its reports. Cells are aligned to the whole world, so that they do not shift
        when the view moves.
        """
        scale = 256 * 2**zoom / pixels
        mercator = "(1 - log(tan(radians(y)) + 1 / cos(radians(y))) / pi()) / 2"
        query = Query(
            f"""SELECT round(avg(y), 5) AS lat, round(avg(x), 5) AS lon, count() AS n,
                countIf(passed) AS overdue, min(y) AS south, max(y) AS north, min(x) AS west,
                max(x) AS east
            FROM (
                SELECT assumeNotNull(lat) AS y, assumeNotNull(lon) AS x,
                    {self._moment(scope).sql(OVERDUE)} AS passed
                {self._reports(scope, view)})
            GROUP BY toInt32(floor((x + 180) / 360 * {scale})),
                toInt32(floor({mercator} * {scale}))
            ORDER BY n DESC, lat, lon""",
            (REPORTS,),
            since=scope.since,
        )
        return list(self.lives.connection.rows(query, **scope.parameters))

    def points(self, scope: Scope, view: Box, limit: int) -> list[Row]:
        """Return single reports of a scope in a view, newest first.

        entity_id, y, x (degrees), category, standing, overdue.
        """
        query = Query(
            f"""SELECT entity_id, round(assumeNotNull(lat), 5) AS y,
                round(assumeNotNull(lon), 5) AS x, category, standing,
                {self._moment(scope).sql(OVERDUE)} AS overdue
            {self._reports(scope, view)}
            ORDER BY started_at DESC, entity_id LIMIT {limit:d}""",
            (REPORTS,),
            since=scope.since,
        )
        return list(self.lives.connection.rows(query, **scope.parameters))

    def flows(
        self, scope: Scope, spots: Mapping[str, str], figures: Sequence[Figure]
    ) -> dict[tuple[str, str], dict[str, Reading]]:
        """Return readings about documents between spots in the window.

        Args:
            scope: for an agency, only documents that it sent or received.
            spots: organisation → spot; organisations without one are left out.
            figures: the figures to read.

        Returns:
            (spot of the sender, spot of the receiver) → code → reading.
        """
        documents, moment = current_table(DOCUMENT), self._moment(scope)
        organs, at = codes(*spots), codes(*spots.values())
        sender, receiver = (
            f"transform(toString({name}), [{organs}], [{at}], '')"
            for name in ("from_organ", "to_organ")
        )
        own = f" AND {codes(scope.agency)} IN (from_organ, to_organ)" if scope.agency else ""
        pieces = ", ".join(moment.sql(one) for one in pieces_of(figures))
        query = Query(
            f"SELECT {sender} AS sender, {receiver} AS receiver, {pieces} "
            f"FROM {documents.final} WHERE {self._window(DOCUMENT, scope)}{own} "
            "GROUP BY sender, receiver HAVING sender != '' AND receiver != ''",
            (documents,),
            since=scope.since,
        )
        rows = self.lives.connection.tuples(query)
        return {(key[0], key[1]): found for key, found in readings(figures, rows, 2).items()}

    def extent(self) -> list[list[float]] | None:
        """Return the south-west and north-east corners of all reports, without a few outliers.

        None if no report has a position.
        """
        ends = ", ".join(
            f"quantileExact({level})({name})" for level in (0.01, 0.99) for name in ("lat", "lon")
        )
        query = Query(
            f"SELECT count(), {ends} FROM {REPORTS.final} "
            "WHERE lat IS NOT NULL AND lon IS NOT NULL",
            (REPORTS,),
        )
        ((count, *corners),) = self.lives.connection.tuples(query)
        return [corners[:2], corners[2:]] if count else None

    def record(self, kind: Kind, entity: str) -> Row | None:
        """Return a record by its exact number, or None: holder, commune, and position if known."""
        place = "lat, lon" if kind is FEEDBACK else "NULL AS lat, NULL AS lon"
        commune = key_sql("commune", self.lives.commune_units)
        records = current_table(kind)
        query = Query(
            f"SELECT entity_id, agency, {commune} AS commune, {place} FROM {records.final} "
            "WHERE entity_id = %(entity)s",
            (records,),
        )
        rows = self.lives.connection.rows(query, entity=entity)
        return rows[0] if rows else None

    def _reports(self, scope: Scope, view: Box) -> str:
        """Return the part of a template that selects the reports of a scope in a view."""
        return (
            f"FROM {REPORTS.final} WHERE {self._window(FEEDBACK, scope)} "
            f"AND {inside(view)} AND {self._where(FEEDBACK, scope)}"
        )

    def _execute(self, scope: Scope) -> Execute:
        return lambda query: self.lives.connection.tuples(query, **scope.parameters)


def inside(box: Box) -> str:
    """Return an SQL condition: a report lies in a box, edges included."""
    west, south, east, north = box
    return f"lat BETWEEN {south:.6f} AND {north:.6f} AND lon BETWEEN {west:.6f} AND {east:.6f}"


def _part(kind: Kind, scope: Scope, units: Units) -> str:
    """Return an SQL condition: an entity is in the scope's part; empty for the whole province."""
    bodies = codes(*scope.bodies)
    if kind is MEETING and (scope.agency or scope.communes is not None):
        return f"agency IN ({bodies}) OR hasAny(invited, [{bodies}])" if bodies else "false"
    if scope.box is not None and kind is FEEDBACK:
        return inside(scope.box)
    if scope.agency:
        return f"agency = {codes(scope.agency)}"
    if scope.communes is None:
        return ""
    return (
        f"{key_sql('commune', units)} IN ({codes(*scope.communes)})" if scope.communes else "false"
    )


def _by_kind(figures: Iterable[Figure]) -> list[tuple[Kind, Sequence[Figure]]]:
    ones = list(figures)
    return [
        (kind, [one for one in ones if one.kind is kind])
        for kind in dict.fromkeys(one.kind for one in ones)
    ]
