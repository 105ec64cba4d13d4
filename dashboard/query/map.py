"""Queries of the operators' map: what a part of the province did in a window of time.

Also where its reports lie, and who meets whom. What is looked at is a `Scope`: the same for the
map, the figures, the chart and the table, so that they are about the same records. Every method may
raise `dashboard.query.connection.UnreachableError`.
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
    AskedMoment,
    Execute,
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
"""The table of the reports that lie on the map."""
STATES = {"open": "standing != 'closed'", "overdue": OVERDUE.where, "closed": "standing = 'closed'"}
"""What records may be narrowed to, as a condition on their lives."""
STEPS = (
    (timedelta(hours=3), SeriesStep.MINUTES),
    (timedelta(days=3), SeriesStep.HOUR),
    (timedelta(days=100), SeriesStep.DAY),
)
"""Longest window whose series has which parts; those of longer ones are months."""


@dataclass(frozen=True)
class Scope:
    """What is looked at: a window, a part of the province, and what its records are narrowed to.

    `communes` is None for the whole province; `bodies` are the agencies of those communes, or the
    one that is looked at. Reports are in a `box` by where they lie, all else by its commune.
    """

    since: datetime
    until: datetime
    past: bool = False
    """Whether the window ended before now: then figures of a moment are those of its end."""
    communes: tuple[str, ...] | None = None
    agency: str = ""
    bodies: tuple[str, ...] = ()
    box: Box | None = None
    category: str = ""
    state: str = ""

    @property
    def step(self) -> SeriesStep:
        """How long the parts of its series are."""
        return next(
            (step for most, step in STEPS if self.until - self.since <= most), SeriesStep.MONTH
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that its queries name."""
        return {"category": self.category}


class Pair(NamedTuple):
    """How many records began and were closed in a part of a window; `at` is its end."""

    at: datetime
    begun: int
    closed: int


def in_scope(kind: Kind) -> str:
    """Return the code under which the records of a kind in a scope are counted."""
    return f"{kind.name}.in_scope"


def begun(kind: Kind) -> Figure:
    """Return the figure: how many records of a kind began in a period."""
    return Figure(
        code=f"{kind.name}.begun",
        kind=kind,
        vi="",
        en="",
        sentence="",
        unit=MeasureUnit.COUNT,
        part=count("true", "started_at"),
    )


def closed(kind: Kind) -> Figure:
    """Return the figure: how many records of a kind were closed in a period."""
    return Figure(
        code=f"{kind.name}.closed_in",
        kind=kind,
        vi="",
        en="",
        sentence="",
        unit=MeasureUnit.COUNT,
        part=count("standing = 'closed'", "closed_at"),
    )


@dataclass(frozen=True)
class MapStore:
    """Asks for the map; `lives` gives the connection and the calendar."""

    lives: LifeStore

    def _moment(self, scope: Scope) -> AskedMoment:
        return AskedMoment.of(scope.until, self.lives.calendar, scope.until - scope.since)

    def _where(self, kind: Kind, scope: Scope, *, category: bool = True) -> str:
        """Return SQL: whether an entity is in a scope, its window aside.

        It names the parameters of `Scope.parameters`.
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
        """Return SQL: whether an entity began in the window.

        What is planned may still be to come, unless the window is of the past.
        """
        after = f"started_at > {moment_sql(milliseconds(scope.since))}"
        if BY_KIND[kind].planned and not scope.past:
            return after
        return f"{after} AND started_at <= {moment_sql(milliseconds(scope.until))}"

    def overview(
        self, scope: Scope, figures: Iterable[Figure], kinds: Iterable[Kind]
    ) -> dict[str, Reading]:
        """Return what figures read in a scope, by their codes.

        Under `in_scope` also how many records of some kinds it has.
        """
        counted = [
            Figure(
                code=in_scope(kind),
                kind=kind,
                vi="",
                en="",
                sentence="",
                unit=MeasureUnit.COUNT,
                part=(FigurePiece(self._window(kind, scope)),),
            )
            for kind in kinds
        ]
        found: dict[str, Reading] = {}
        for kind, ones in _by_kind((*figures, *counted)):
            where = self._where(kind, scope)
            found |= ask(
                self._execute(scope), ones, self._moment(scope), past=scope.past, where=where
            ).get((), {})
        return found

    def by_unit(self, scope: Scope, figure: Figure, by: str) -> dict[str, Reading]:
        """Return what a figure reads in the window for each `commune` or `agency`.

        Whatever part of the province is looked at.
        """
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
        """Return what began and what was closed in each part of the window."""
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
        figure = Figure(
            code=in_scope(kind),
            kind=kind,
            vi="",
            en="",
            sentence="",
            unit=MeasureUnit.COUNT,
            part=(FigurePiece(where),),
        )
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
        """Return the categories of the reports that began in the window and are in the scope.

        Whatever category it is narrowed to: category → reports.
        """
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
        """Return the reports of a scope in a view, by cells of so many pixels at a zoom.

        Lat, lon (the middle of the cell's reports), n, overdue, and between which south, north,
        west and east they lie. The cells are those of the whole world, so that they stay where they
        are when the view moves.
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
        """Return single reports of a scope in a view, the newest first.

        Entity_id, y, x (in degrees), category, standing, overdue.
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
        """Return documents between spots in the window.

        Args:
            scope: Of one agency only what it sent or was sent.
            spots: Organisation → where it lies; what lies nowhere is left out.
            figures: What is read of them.

        Returns:
            (Spot of the sender, of the receiver) → code → reading.
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
        """Return south-west and north-east of all reports, a few strays left out.

        None where none lies anywhere.
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
        """Return a record by its exact number, None for none.

        Who holds it, its commune, and where it lies if that is known.
        """
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
        """Return part of a template: the rows of the reports of a scope that lie in a view."""
        return (
            f"FROM {REPORTS.final} WHERE {self._window(FEEDBACK, scope)} "
            f"AND {inside(view)} AND {self._where(FEEDBACK, scope)}"
        )

    def _execute(self, scope: Scope) -> Execute:
        return lambda query: self.lives.connection.tuples(query, **scope.parameters)


def inside(box: Box) -> str:
    """Return SQL: whether a report lies in a box, its edges counted in."""
    west, south, east, north = box
    return f"lat BETWEEN {south:.6f} AND {north:.6f} AND lon BETWEEN {west:.6f} AND {east:.6f}"


def _part(kind: Kind, scope: Scope, units: Units) -> str:
    """Return SQL: whether an entity is of the part that is looked at; empty for the whole."""
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
