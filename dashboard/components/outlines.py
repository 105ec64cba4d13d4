"""Map of the communes: five steps of a measure, alarms in colour, hatching for missing data.

A browser fetches the outlines once; after that only small properties change: the steps (`hideout`),
labels and points. The breaks between steps are fixed per measure, so that a shade always means the
same. On the wall the steps are greys: colour is kept for what is abnormal.
"""

from collections.abc import Mapping
from typing import Any

import dash_leaflet as dl
from dash import html

from dashboard.components.rotation import KINDS, scene_of
from dashboard.i18n.translator import Translator
from dashboard.query.alarm_causes import cause_of
from dashboard.query.snapshot import ProvinceContext, Snapshot
from dashboard.request.view import Measure
from schemas import places
from schemas.figures import UNKNOWN
from schemas.places.geojson import centre

BREAKS: dict[Measure, tuple[float, float, float, float]] = {
    "overdue_rate": (2, 5, 10, 20),
    "overdue": (5, 20, 50, 100),
    "feedback": (5, 10, 20, 40),
    "filings": (20, 50, 100, 200),
    "on_time": (90, 95, 98, 99.5),
    "documents": (2, 5, 10, 20),
}
DOT = 10_000
LABELS = 6
"""Most communes that are named on the map."""
Bounds = list[list[float]]
COUNTRY = [(102.1, 8.2), (109.5, 23.4)]
"""(lon, lat) of two corners of Viet Nam."""


def values(snapshot: Snapshot, measure: Measure) -> dict[str, float]:
    """Return the measure by commune, without communes where it is unknown."""
    if measure == "overdue_rate":
        whole, overdue = (
            {
                code: readings.get(figure, UNKNOWN).value or 0
                for code, readings in snapshot.communes.items()
            }
            for figure in ("filing.registered", "filing.overdue")
        )
        return {code: 1000 * overdue[code] / count for code, count in whole.items() if count}
    units = snapshot.communes_today if measure == "filings" else snapshot.communes
    found = {
        code: readings.get(FIGURES[measure], UNKNOWN).value for code, readings in units.items()
    }
    return {code: value for code, value in found.items() if value is not None}


FIGURES = {
    "overdue": "filing.overdue",
    "feedback": "feedback.open",
    "filings": "filing.registered",
    "on_time": "filing.on_time",
    "documents": "document.waiting",
}
"""The figure of each measure."""


def steps(snapshot: Snapshot, measure: Measure) -> dict[str, int]:
    """Return the step by commune, from 0 (least) to 4 (most)."""
    breaks = BREAKS[measure]
    return {
        code: sum(value >= limit for limit in breaks)
        for code, value in values(snapshot, measure).items()
    }


def calls(snapshot: Snapshot, kind: str = "") -> dict[str, int]:
    """Return the priority of the most severe alarm by commune, of one kind or of any.

    Silent sources are shown by hatching, not as alarms.
    """
    found: dict[str, int] = {}
    for alarm in snapshot.calls:
        if cause_of(alarm.cause).marks_communes and (not kind or scene_of(alarm) == KINDS[kind]):
            for code in alarm.communes:
                found[code] = min(alarm.priority, found.get(code, alarm.priority))
    return found


def hideout(snapshot: Snapshot, measure: Measure, kind: str = "") -> dict[str, Any]:
    """Return all that the style of the outlines depends on, for a map of one kind or of all.

    On a map of all kinds, communes whose filings are silent are unknown.
    """
    unknown = sorted(snapshot.unknown(kind or "filing"))
    return {"step": steps(snapshot, measure), "call": calls(snapshot, kind), "unknown": unknown}


def labels(
    snapshot: Snapshot,
    place: ProvinceContext,
    centres: Mapping[str, tuple[float, float]],
    kind: str = "",
) -> dict[str, Any]:
    """Return the names of communes with alarms or missing data as GeoJSON points, worst first."""
    marks = {
        code: f"p{priority}"
        for code, priority in sorted(calls(snapshot, kind).items(), key=lambda item: item[1])
    }
    marks |= {
        code: "hatch" for code in sorted(snapshot.unknown(kind or "filing")) if code not in marks
    }
    shown = [(code, mark) for code, mark in marks.items() if code in centres][:LABELS]
    return _points(
        (*centres[code], {"name": place.names.get(code, code), "mark": mark})
        for code, mark in shown
    )


def dots(snapshot: Snapshot) -> list[int]:
    """Return open field reports: latitude and longitude in turn, each minus the one before it.

    The unit is 1/10,000 of a degree (11 m).
    """
    flat: list[int] = []
    lat = lon = 0
    for row in snapshot.points.itertuples():
        at = round(float(row.lat) * DOT), round(float(row.lon) * DOT)  # type: ignore[arg-type]
        flat += [at[0] - lat, at[1] - lon]
        lat, lon = at
    return flat


def _points(found: Any) -> dict[str, Any]:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [float(lon), float(lat)]},
            "properties": properties,
        }
        for lat, lon, properties in found
    ]
    return {"type": "FeatureCollection", "features": features}


def centres(place: ProvinceContext) -> dict[str, tuple[float, float]]:
    """Return (lat, lon) by commune: the centre of its outline, or of the commune without one."""
    found = {
        one.code: (one.lat, one.lon)
        for one in place.communes
        if one.lat is not None and one.lon is not None
    }
    for feature in outlines(place)["features"]:
        found[feature["properties"]["code"]] = centre(feature["geometry"])
    return found


def outlines(place: ProvinceContext) -> dict[str, Any]:
    """Return the outlines of a province's communes; an empty collection if there are none."""
    try:
        return places.commune_outlines(place.code, place.on)
    except KeyError:
        return {"type": "FeatureCollection", "schematic": False, "features": []}


def outlines_address(place: ProvinceContext) -> str:
    """Return the address of the outlines: those of today, or those of before the reform."""
    return f"/outlines/{place.code}{'' if place.units == 'today' else '-former'}.json"


def bounds(found: Mapping[str, tuple[float, float]], collection: Mapping[str, Any]) -> Bounds:
    """Return the south-west and north-east corners of all outlines, else centres, else country."""
    corners = [
        corner
        for feature in collection["features"]
        for corner in _corners(feature["geometry"]["coordinates"])
    ]
    corners = corners or [(lon, lat) for lat, lon in found.values()]
    corners = corners or COUNTRY
    lons, lats = zip(*corners, strict=True)
    return [[min(lats), min(lons)], [max(lats), max(lons)]]


def _corners(coordinates: Any) -> Any:
    if isinstance(coordinates[0], (int, float)):
        yield coordinates[:2]
    else:
        for inner in coordinates:
            yield from _corners(inner)


def legend(
    measure: Measure, schematic: bool, translator: Translator, *, dotted: bool = True
) -> list[Any]:
    """Explain the shades and shapes."""
    breaks = [
        translator.number(limit, 0 if limit == round(limit) else 1) for limit in BREAKS[measure]
    ]
    lower_ends = ["0", *breaks] if measure != "on_time" else ["", *breaks]
    return [
        html.Span(translator(f"measure_{measure}"), className="measure"),
        html.Span(
            [html.Span(text, className=f"step s{step}") for step, text in enumerate(lower_ends)],
            className="ramp",
        ),
        html.Span([html.I(className="shape hatch"), translator("source_lost")], className="key"),
        html.Span([html.I(className="shape dot"), translator("report_dot")], className="key")
        if dotted
        else None,
        html.Span(translator("schematic"), className="key schematic") if schematic else None,
    ]


def _script(name: str) -> dict[str, str]:
    """Name a function of client/map/outlines.js."""
    return {"variable": f"ioc.outlines.{name}"}


def country(**scripts: Mapping[str, str]) -> dl.Pane:
    """Draw the outline of the country below the rest of a map.

    Args:
        scripts: functions of the page's scripts that style it.
    """
    outlined = dl.GeoJSON(url="/outlines/country.json", interactive=False, pane="ground", **scripts)
    return dl.Pane(outlined, name="ground", style={"zIndex": 200})


def component(place: ProvinceContext, box: Bounds, *, outlined: bool) -> dl.Map:
    """Build the map without tiles: local outlines only, no dragging or zooming.

    The page fits the outlines into its space, or the reports if there are none (`outlined`).
    """
    return dl.Map(
        [
            country(style=_script("ground")),
            dl.GeoJSON(
                id="map-communes",
                url=outlines_address(place),
                style=_script("commune"),
                onEachFeature=_script("opened"),
                hideout={},
                options={"interactive": False},
            ),
            dl.Pane(
                dl.GeoJSON(
                    id="map-points",
                    data=_points(()),
                    pointToLayer=_script("dot"),
                    hideout={"fit": not outlined},
                ),
                name="dots",  # above the outlines, which are redrawn more often
                style={"zIndex": 450},
            ),
            dl.GeoJSON(id="map-labels", data=_points(()), pointToLayer=_script("label")),
        ],
        id="map",
        center=[(box[0][0] + box[1][0]) / 2, (box[0][1] + box[1][1]) / 2],
        zoom=9,
        zoomSnap=0,
        zoomControl=False,
        attributionControl=False,
        dragging=False,
        scrollWheelZoom=False,
        doubleClickZoom=False,
        boxZoom=False,
        keyboard=False,
        touchZoom=False,
        trackResize=True,
        zoomAnimation=False,
        className="map",
    )
