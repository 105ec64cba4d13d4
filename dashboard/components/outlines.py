"""The map: communes in five steps of a chosen measure, alarms in their colour, hatch where nothing current is known.

Outlines are fetched once by the browser; after that only small props change: the steps (`hideout`), the labels and the points.
Breaks between steps are fixed per measure, so that a shade means the same at any time. On the wall the steps are greys:
colour is kept for what is abnormal.
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
"""Communes that are named on the map."""
Bounds = list[list[float]]
COUNTRY = [(102.1, 8.2), (109.5, 23.4)]
"""(lon, lat) of two corners of Viet Nam."""


def values(snapshot: Snapshot, measure: Measure) -> dict[str, float]:
    """The measure per commune; communes of which it cannot be said are left out."""
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
"""Measure → the figure that it is."""


def steps(snapshot: Snapshot, measure: Measure) -> dict[str, int]:
    """Commune code → step, 0 (least) to 4 (most)."""
    breaks = BREAKS[measure]
    return {
        code: sum(value >= limit for limit in breaks)
        for code, value in values(snapshot, measure).items()
    }


def calls(snapshot: Snapshot, kind: str = "") -> dict[str, int]:
    """Commune code → priority of its gravest alarm, of those about a kind or about any. Silent sources are not calls but hatch."""
    found: dict[str, int] = {}
    for alarm in snapshot.calls:
        if cause_of(alarm.cause).marks_communes and (not kind or scene_of(alarm) == KINDS[kind]):
            for code in alarm.communes:
                found[code] = min(alarm.priority, found.get(code, alarm.priority))
    return found


def hideout(snapshot: Snapshot, measure: Measure, kind: str = "") -> dict[str, Any]:
    """What the outlines' style depends on, of a map about a kind or about all (then silent filings are what is unknown)."""
    unknown = sorted(snapshot.unknown(kind or "filing"))
    return {"step": steps(snapshot, measure), "call": calls(snapshot, kind), "unknown": unknown}


def labels(
    snapshot: Snapshot,
    place: ProvinceContext,
    centres: Mapping[str, tuple[float, float]],
    kind: str = "",
) -> dict[str, Any]:
    """Names of the communes that call or are unknown, the gravest first, as GeoJSON points."""
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
    """Open field reports: latitude and longitude in turns, in 1/10,000 of a degree (11 m), each as far from the one before."""
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
    """Commune code → (lat, lon) of the middle of its outline, or of the commune where it has none."""
    found = {
        one.code: (one.lat, one.lon)
        for one in place.communes
        if one.lat is not None and one.lon is not None
    }
    for feature in outlines(place)["features"]:
        found[feature["properties"]["code"]] = centre(feature["geometry"])
    return found


def outlines(place: ProvinceContext) -> dict[str, Any]:
    """The outlines of the communes of a place; an empty collection where none are known."""
    try:
        return places.commune_outlines(place.code, place.on)
    except KeyError:
        return {"type": "FeatureCollection", "schematic": False, "features": []}


def outlines_address(place: ProvinceContext) -> str:
    """Where a browser gets them: those of today, or those of before the reform."""
    return f"/outlines/{place.code}{'' if place.units == 'today' else '-former'}.json"


def bounds(found: Mapping[str, tuple[float, float]], collection: Mapping[str, Any]) -> Bounds:
    """South-west and north-east of all outlines, or of the centres; of the country where nothing is known."""
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
    """What the shades and shapes mean."""
    breaks = [
        translator.number(limit, 0 if limit == round(limit) else 1) for limit in BREAKS[measure]
    ]
    said = ["0", *breaks] if measure != "on_time" else ["", *breaks]
    return [
        html.Span(translator(f"measure_{measure}"), className="measure"),
        html.Span(
            [html.Span(text, className=f"step s{step}") for step, text in enumerate(said)],
            className="ramp",
        ),
        html.Span([html.I(className="shape hatch"), translator("source_lost")], className="key"),
        html.Span([html.I(className="shape dot"), translator("report_dot")], className="key")
        if dotted
        else None,
        html.Span(translator("schematic"), className="key schematic") if schematic else None,
    ]


def _script(name: str) -> dict[str, str]:
    """A function of assets/map.js."""
    return {"variable": f"ioc.map.{name}"}


def country(**scripts: Mapping[str, str]) -> dl.Pane:
    """The outlines of the country, below all else of a map; `scripts` are functions of its page that draw them."""
    outlined = dl.GeoJSON(url="/outlines/country.json", interactive=False, pane="ground", **scripts)
    return dl.Pane(outlined, name="ground", style={"zIndex": 200})


def component(place: ProvinceContext, box: Bounds, *, outlined: bool) -> dl.Map:
    """The map without a tile: local outlines only, nothing to drag or zoom. The page fits the outlines into the
    room there is; where there are none (`outlined`), the reports."""
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
                name="dots",  # above the outlines, which are drawn anew more often
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
