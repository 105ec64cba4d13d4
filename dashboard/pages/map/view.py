"""Address of the map: layers, measure, filters, period, selection. The extent is the browser's."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

from dashboard.components.unit_refs import resolve_unit
from dashboard.pages.map.spots import Spots
from dashboard.query.map import STATES, Box, Scope
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.store import HERE
from dashboard.request.address import PageRequest, moment_of
from schemas import places
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind
from schemas.figures import BY_CODE, FIGURES, Figure
from schemas.figures.questions import dimensions
from schemas.places import restate

PATH = "/map"
Style = Literal["clusters", "heat", "points"]
NONE = "none"
"""Stands in place of layers when all are off."""
EXTENT = ("at", "zoom")
"""Parameters of the extent: `at=lat,lon` is the centre of the map.

Panels are made and cached without them.
"""
WINDOWS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
USUAL_WINDOW = "7d"
MAX_WINDOW = timedelta(days=366 * 5)
TABS = (FEEDBACK, FILING, DOCUMENT, MEETING)
MEASURES = tuple(
    one for one in FIGURES if "commune" in dimensions(one.kind) and one.kind is not MEETING
)
"""Figures that communes can be coloured by; meetings belong to no commune."""
JUST_NOW = timedelta(minutes=1)


@dataclass(frozen=True)
class MapView:
    """A parsed address, with defaults for invalid values; `problem` is a message key."""

    layers: tuple[str, ...] | None = None
    """The names of the layers; None for the usual ones."""
    measure: Figure = BY_CODE["filing.overdue"]
    style: Style = "clusters"
    kind: Kind = FEEDBACK
    category: str = ""
    state: str = ""
    window: str = USUAL_WINDOW
    """A key of `WINDOWS`, or `custom`."""
    since: datetime = datetime.min
    until: datetime = datetime.max
    past: bool = False
    communes: tuple[str, ...] = ()
    agency: str = ""
    unknown: tuple[str, ...] = ()
    """Requested codes that are unknown here."""
    box: Box | None = None
    record: tuple[Kind, str] | None = None
    problem: str = ""

    @classmethod
    def of(cls, request: PageRequest, place: ProvinceContext, now: datetime) -> "MapView":
        """Parse an address at a moment."""
        found = cls(
            layers=tuple(request.get("layers").split(",")) if request.get("layers") else None,
            measure=next(
                (one for one in MEASURES if one.code == request.get("measure")),
                BY_CODE["filing.overdue"],
            ),
            style=next((one for one in get_args(Style) if one == request.get("as")), "clusters"),
            kind=next((one for one in TABS if one.name == request.get("kind")), FEEDBACK),
            category=request.get("category"),
            state=request.get("state") if request.get("state") in STATES else "",
            box=box_of(request.get("box")),
            record=_record(request.get("record")),
        )
        found = _in_window(found, request, now)
        return found if found.box else _of_units(found, request.get("unit"), place)

    @property
    def chosen(self) -> bool:
        """Whether a part of the province is selected."""
        return bool(self.communes or self.agency or self.box)

    def scope(self, place: ProvinceContext, spots: Spots) -> Scope:
        """Return the scope of its queries."""
        communes = self.inside(spots) if self.box else self.communes or None
        bodies = tuple(
            one.code for one in place.agencies if communes is not None and one.commune in communes
        )
        return Scope(
            self.since,
            self.until,
            self.past,
            communes=communes,
            agency=self.agency,
            bodies=(self.agency,) if self.agency else bodies,
            box=self.box,
            category=self.category,
            state=self.state,
        )

    def inside(self, spots: Spots) -> tuple[str, ...]:
        """Return the communes whose centre lies in the box."""
        if self.box is None:
            return ()
        west, south, east, north = self.box
        return tuple(
            code
            for code, (lat, lon) in spots.communes.items()
            if west <= lon <= east and south <= lat <= north
        )


def written(at: datetime) -> str:
    """Format a moment for an address and a form: to the minute, in Viet Nam time."""
    return f"{at.astimezone(HERE):%Y-%m-%dT%H:%M}"


def _numbers(text: str, count: int) -> tuple[float, ...] | None:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        return None
    return found if len(found) == count and all(abs(one) <= 180 for one in found) else None


def box_of(text: str) -> Box | None:
    """Parse a box, as `west,south,east,north`; None if it is malformed."""
    found = _numbers(text, 4)
    if found is None:
        return None
    west, south, east, north = found
    return (west, south, east, north) if west < east and south < north else None


def _record(text: str) -> tuple[Kind, str] | None:
    name, _, entity = text.partition("/")
    kind = next((one for one in TABS if one.name == name), None)
    return (kind, entity) if kind and entity else None


def _moment(text: str) -> datetime | None:
    try:
        return moment_of(text)
    except ValueError:
        return None


def _in_window(view: MapView, request: PageRequest, now: datetime) -> MapView:
    name = request.get("window", USUAL_WINDOW)
    usual = WINDOWS.get(name, WINDOWS[USUAL_WINDOW])
    as_usual = replace(
        view, window=name if name in WINDOWS else USUAL_WINDOW, since=now - usual, until=now
    )
    if not (request.get("from") or request.get("to")):
        return as_usual
    since, until = (
        _moment(request.get("from")),
        _moment(request.get("to")) if request.get("to") else now,
    )
    if (
        since is None
        or until is None
        or since >= (until := min(until, now))
        or until - since > MAX_WINDOW
    ):
        return replace(as_usual, problem="map_wrong_window")
    return replace(view, window="custom", since=since, until=until, past=now - until > JUST_NOW)


def _instead(code: str, place: ProvinceContext) -> list[str]:
    """Return the communes in force on the day for one of the other side of the reform."""
    if place.units == "today":
        return [restate.today(code)]
    return [one.former for one in places.predecessors(code) if one.default]


def _of_units(view: MapView, text: str, place: ProvinceContext) -> MapView:
    communes, unknown, agency = list[str](), list[str](), ""
    for code in filter(None, text.split(",")):
        found = resolve_unit(place, code)
        if found is None:
            unknown.append(code)
        elif found.what == "commune":
            communes += [code] if code in place.names else _instead(code, place)
        elif found.what == "agency":
            agency = code
    # A selected agency excludes communes.
    return replace(
        view,
        communes=() if agency else tuple(dict.fromkeys(communes)),
        agency=agency,
        unknown=tuple(unknown),
    )
