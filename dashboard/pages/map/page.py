"""`/map`: the map in the middle, layers on its left, the selection on its right."""

import json
from functools import partial
from typing import Any

import dash_leaflet as dl
from dash import dcc, html

from dashboard.components.outlines import country, outlines_address
from dashboard.components.parts import Part, labelled, nothing, stated
from dashboard.components.shell import RENEW_MS
from dashboard.pages.map.bar import bar
from dashboard.pages.map.layer_data import viewed
from dashboard.pages.map.layers import section, shown
from dashboard.pages.map.marks import map_data, words
from dashboard.pages.map.panel import panel
from dashboard.pages.map.spots import spots
from dashboard.pages.map.view import EXTENT
from dashboard.query.concurrent import run_concurrently
from dashboard.query.connection import TimeLimitError, UnreachableError
from dashboard.request.address import PageRequest
from dashboard.request.answers import to_json
from dashboard.request.context import PageContext


def content(context: PageContext, request: PageRequest) -> Part:
    """Build the page; its own script fills and refreshes it part by part (`data-parts`)."""
    data: dict[str, Any] = {
        "data-words": json.dumps(words(request.language)),
        "data-renew": str(RENEW_MS),
        "data-parts": to_json(parts(context, request.without(*EXTENT))),
    }
    return html.Div(
        [
            html.Div([_find(request), html.Div([], id="map-side")], className="side"),
            html.Div([html.Div([], id="map-bar"), _ground(context, request)], className="middle"),
            html.Div([], id="map-panel", className="panel"),
        ],
        id="opsmap",
        **data,
    )


def parts(context: PageContext, request: PageRequest) -> dict[str, Any]:
    """Return all that an address shows around and on the map.

    Returns:
        `bar`, `side`, `panel` (components) and `drawn` (data). When ClickHouse does not answer,
        `panel` says so and the rest is None: what the page shows may stay.
    """
    translator = request.translator
    try:
        view = viewed(context, request)
        drawing = (("bar", bar), ("side", section), ("panel", panel))
        around = {
            name: run_concurrently(partial(part, context, request, view)) for name, part in drawing
        }
        return {
            "drawn": map_data(context, request, view, shown(view)),
            **{name: part() for name, part in around.items()},
        }
    except UnreachableError as error:
        why = "too_long" if isinstance(error, TimeLimitError) else "store_away"
        away = [
            html.H1(context.place.full_name(request.language)),
            nothing(translator(why), translator(f"{why}_hint")),
        ]
        return {"bar": None, "side": None, "panel": away, "drawn": None}


def _find(request: PageRequest) -> html.Form:
    translator = request.translator
    box = dcc.Input(
        id="map-find", type="search", placeholder=translator("map_find_hint"), autoComplete="off"
    )
    label = html.Label(translator("map_find"), htmlFor="map-find", className="hidden")
    return html.Form(
        [label, box, html.Div([], id="map-hits")],
        id="find-form",
        className="part find",
        role="search",
        **labelled(translator("map_find")),
    )


def _ground(context: PageContext, request: PageRequest) -> html.Div:
    """Build the map: outlines that the browser caches, and a canvas of its script above them."""
    place, translator = spots(context.place), request.translator
    (south, west), (north, east) = place.bounds
    return html.Div(
        [
            dl.Map(
                [
                    country(style=_script("ground"), onEachFeature=_script("opened")),
                    dl.GeoJSON(
                        id="map-outlines",
                        url=outlines_address(context.place),
                        style=_script("commune"),
                        onEachFeature=_script("outlined"),
                    ),
                    dl.ScaleControl(position="bottomleft", imperial=False),
                ],
                id="map-of",
                center=[(south + north) / 2, (west + east) / 2],
                zoom=9,
                minZoom=5,
                maxZoom=18,
                zoomSnap=0.25,
                zoomControl=False,
                attributionControl=False,
                boxZoom=False,
                doubleClickZoom=True,
                keyboard=True,
                className="map-of",
                trackViewport=False,
            ),
            html.Div(
                [
                    html.Button(sign, id=id, type="button", title=words, **labelled(words))
                    for sign, id, words in (
                        ("+", "map-in", translator("map_zoom_in")),
                        ("\N{MINUS SIGN}", "map-out", translator("map_zoom_out")),
                        ("⛶", "map-whole", translator("map_all_of_it")),
                    )
                ],
                className="zoom",
            ),
            html.Div(
                [
                    html.Button(
                        translator("map_draw"),
                        id="draw-box",
                        type="button",
                        title=translator("map_draw_hint"),
                        **stated("pressed", False),
                    ),
                    html.Button(translator("map_in_view"), id="choose-view", type="button"),
                ],
                className="tools",
            ),
            html.Div([], id="map-tip"),
            html.Div(translator("loading"), id="map-note", role="status"),
        ],
        id="map-ground",
        role="region",
        **labelled(translator("map_title")),
    )


def _script(name: str) -> dict[str, str]:
    """Name a function of client/map/page.js."""
    return {"variable": f"ioc.map.{name}"}
