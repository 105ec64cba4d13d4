"""Data of the layers, queried once per tick and period for all viewers and languages."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from dashboard.components.source_states import GRAVITY
from dashboard.pages.map.shades import Shades, shades
from dashboard.pages.map.spots import Spot, Spots, spots
from dashboard.pages.map.view import MapView
from dashboard.query import alarm_groups as alarms
from dashboard.query.alarm_groups import StoredAlarm, Watched
from dashboard.query.clock import At
from dashboard.query.lives import FLOW_FIGURES
from dashboard.query.map import MapStore, Scope
from dashboard.query.store import Row
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.figures import BY_CODE, Figure, MeasureUnit, Readings
from schemas.figures.aging import aged, of_units
from schemas.reference import agency
from schemas.sources.freshness import Source, SourceState

T = TypeVar("T")
KEEP_SECONDS = 60.0
"""Time for which answers about a moment are cached: a page is made from the same answers."""
DRAWN_FLOWS = 80
"""Most lines drawn, those of most documents; more would be a knot that nobody can read."""
SOON = timedelta(hours=24)
"""Meetings that begin within this time are shown as upcoming."""
SLOW_HOURS = 4.0
"""A line whose median time until receipt is longer than this is slow."""
OVERDUE = BY_CODE["filing.overdue"]


@dataclass(frozen=True)
class Amount:
    """The amount at one spot: in all, and by agency."""

    code: str
    spot: Spot
    count: float
    of: Mapping[str, float]


@dataclass(frozen=True)
class Edge:
    """Documents from one spot to another in the period."""

    sender: str
    receiver: str
    ends: tuple[Spot, Spot]
    readings: Readings

    def value(self, name: str) -> float | None:
        """Return the value of a figure of documents for it."""
        return self.readings[f"document.{name}"].value

    @property
    def sent(self) -> int:
        """The number of documents."""
        return int(self.value("sent") or 0)

    @property
    def slow(self) -> bool:
        """Whether its documents take long to be received."""
        return (self.value("receive_p50") or 0.0) > SLOW_HOURS


@dataclass(frozen=True)
class MeetingSite:
    """Numbers of meeting sites at a spot: connected, missing, invited to upcoming meetings."""

    code: str
    spot: Spot
    connected: int = 0
    missing: int = 0
    invited: int = 0
    hosts: bool = False


@dataclass(frozen=True)
class Meetings:
    """Current meetings, upcoming ones, and their sites."""

    live: Sequence[Row]
    coming: Sequence[Row]
    sites: Sequence[MeetingSite]

    @property
    def count(self) -> int:
        """The number of meetings."""
        return len(self.live) + len(self.coming)


@dataclass(frozen=True)
class Feeds:
    """The feeds at a spot, most severe state first."""

    code: str
    spot: Spot
    sources: Sequence[Source]

    @property
    def state(self) -> SourceState:
        """The most severe state of its feeds: one silent feed makes a whole commune silent."""
        return self.sources[0].state


@dataclass(frozen=True)
class Calls:
    """Alarms at a spot, most severe first; `code` is empty for a position that is not a unit's."""

    code: str
    spot: Spot
    alarms: Sequence[StoredAlarm]


def store(context: PageContext) -> MapStore:
    """Return the store of the map's queries."""
    return MapStore(context.lives)


def viewed(context: PageContext, request: PageRequest) -> MapView:
    """Parse an address; all requests of a tick get the same moment, so that their numbers agree."""
    return MapView.of(request, context.place, context.cached("map now", context.clock.now))


def cached(context: PageContext, view: MapView, what: Hashable, question: Callable[[], T]) -> T:
    """Return the answer to a query about the period of a view, cached for `KEEP_SECONDS`."""
    return context.cached(("map", what, view.since, view.until), question, seconds=KEEP_SECONDS)


def categories(context: PageContext, view: MapView, scope: Scope) -> dict[str, int]:
    """Count the reports in a scope by category, whatever category it is filtered by."""
    return cached(
        context,
        view,
        ("categories", replace(scope, category="")),
        lambda: store(context).categories(scope),
    )


def reports(context: PageContext, view: MapView) -> int:
    """Return how many reports the map shows in all."""
    found = categories(context, view, view.scope(context.place, spots(context.place)))
    return found.get(view.category, 0) if view.category else sum(found.values())


def communes(context: PageContext, view: MapView) -> tuple[Readings, Shades]:
    """Return the measure by commune, and its classes over communes with current data."""

    def load() -> tuple[Readings, Shades]:
        found = store(context).by_unit(
            view.scope(context.place, spots(context.place)), view.measure, "commune"
        )
        sources, code = context.current_sources(), view.measure.code
        its = of_units(sources)
        values = {
            unit: aged({code: one}, its.get(("commune", unit), ()))[code]
            for unit, one in found.items()
        }
        here = {
            unit: one
            for unit, one in values.items()
            if not one.stale and (unit in context.place.names or not context.place.names)
        }
        return values, shades(view.measure, here)

    return cached(context, view, ("communes", view.measure.code), load)


def outside(context: PageContext, view: MapView) -> tuple[float, list[str]]:
    """Return the sum and the codes of communes outside the province; zero unless it is a count."""
    found = {
        unit: one.value
        for unit, one in communes(context, view)[0].items()
        if unit not in context.place.names and one.value
    }
    is_count = view.measure.unit is MeasureUnit.COUNT and bool(context.place.names)
    return (sum(found.values()), sorted(found)) if is_count else (0, [])


def overdue(context: PageContext, view: MapView) -> list[Amount]:
    """Return overdue filings by the spot of the agency that holds them, most first."""
    return amounts(context, view, OVERDUE)


def amounts(context: PageContext, view: MapView, figure: Figure) -> list[Amount]:
    """Return the counts of a figure by the spot of each agency, largest first."""

    def load() -> list[Amount]:
        where = spots(context.place)
        found = store(context).by_unit(view.scope(context.place, where), figure, "agency")
        return _amounts(where, {code: one.value for code, one in found.items() if one.value})

    return cached(context, view, ("amounts", figure.code), load)


def _amounts(where: Spots, values: Mapping[str, float]) -> list[Amount]:
    at: dict[tuple[str, Spot], dict[str, float]] = defaultdict(dict)
    for code, value in values.items():
        if (found := where.of(code)) is not None:
            at[found][code] = value
    found_at = [Amount(code, spot, sum(of.values()), of) for (code, spot), of in at.items()]
    return sorted(found_at, key=lambda one: (-one.count, one.code))


def flows(context: PageContext, view: MapView) -> list[Edge]:
    """Return documents between spots, most first; with a selection, only those from or to it."""

    def load() -> list[Edge]:
        where = spots(context.place)
        lying = {
            one.code: spot
            for one in context.place.agencies
            if (spot := where.of(one.code)) is not None
        }
        if not lying:
            return []
        at, figures = dict(lying.values()), [BY_CODE[code] for code in FLOW_FIGURES]
        scope = view.scope(context.place, where)
        found = store(context).flows(
            scope, {code: spot for code, (spot, _) in lying.items()}, figures
        )
        edges = [
            Edge(*key, (at[key[0]], at[key[1]]), values)
            for key, values in found.items()
            if key[0] != key[1]
        ]
        if scope.communes is not None:
            edges = [
                one
                for one in edges
                if one.sender in scope.communes or one.receiver in scope.communes
            ]
        return sorted(
            (one for one in edges if one.sent),
            key=lambda one: (-one.sent, one.sender, one.receiver),
        )

    return cached(context, view, ("flows", view.agency, view.communes, view.box), load)


def meetings(context: PageContext, view: MapView) -> Meetings:
    """Return the current and the upcoming meetings, with their sites."""

    def load() -> Meetings:
        clock = At(view.until) if view.past else context.clock
        live, coming = context.lives.meetings(clock), context.lives.coming(clock, SOON)
        counts: dict[tuple[str, Spot], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        where = spots(context.place)
        states = [(live, "connected"), (live, "missing"), (coming, "invited")]
        for number, (rows, field) in enumerate(states):
            for code in (code for row in rows for code in row[field]):
                if (found := where.of(code)) is not None:
                    counts[found][number] += 1
        for row in (*live, *coming):
            if (found := where.of(row["host"])) is not None:
                counts[found][3] = 1
        sites = [
            MeetingSite(code, spot, some[0], some[1], some[2], bool(some[3]))
            for (code, spot), some in sorted(counts.items())
        ]
        return Meetings(live, coming, sites)

    return cached(context, view, "meetings", load)


def sources(context: PageContext, view: MapView) -> list[Feeds]:
    """Return the feeds by the spots of their agencies."""

    def load() -> list[Feeds]:
        where, at = spots(context.place), defaultdict[tuple[str, Spot], list[Source]](list)
        for one in context.current_sources():
            if (found := where.of(one.agency)) is not None:
                at[found].append(one)
        return [
            Feeds(
                code,
                spot,
                sorted(some, key=lambda one: (GRAVITY.index(one.state), one.agency, one.kind)),
            )
            for (code, spot), some in sorted(at.items())
        ]

    return cached(context, view, "sources", load)


def calls(context: PageContext, view: MapView) -> tuple[list[Calls], Watched]:
    """Return the open alarms by spot (provincial ones at the seat), and whether the watch runs."""

    def load() -> tuple[list[Calls], Watched]:
        clock = At(view.until) if view.past else context.clock
        found = alarms.merged(alarms.read(context.alarms.open(clock)))
        watched = alarms.watched(context.alarms.jobs(), context.clock.now(), context.stale_after)
        at, where = defaultdict[tuple[str, Spot], list[StoredAlarm]](list), spots(context.place)
        for alarm in found:
            for spot in _spots_of(alarm, where):
                at[spot].append(alarm)
        return [
            Calls(code, spot, sorted(some, key=lambda one: (one.priority, one.id)))
            for (code, spot), some in sorted(at.items())
        ], watched

    return cached(context, view, "alarms", load)


def _spots_of(alarm: StoredAlarm, where: Spots) -> list[tuple[str, Spot]]:
    if alarm.lat is not None and alarm.lon is not None:
        return [("", (alarm.lat, alarm.lon))]
    codes = (
        alarm.communes
        or tuple(agency(code).commune or code for code in alarm.agencies)
        or (where.province,)
    )
    return [found for code in dict.fromkeys(codes) if (found := where.of(code)) is not None]
