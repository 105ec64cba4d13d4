"""Routes of the map's script: `/map/parts`, `/map/feedback`, `/map/find`.

Each takes the parameters of the page's address. Answers are JSON, made once per tick for all equal
requests, with a tag, so that what did not change is not sent again.
"""

from typing import Any

from fastapi import FastAPI, Request, Response

from dashboard.pages.map import layer_data, page
from dashboard.pages.map.find import hits
from dashboard.pages.map.spots import spots
from dashboard.pages.map.view import EXTENT, PATH, box_of
from dashboard.request.address import PageRequest
from dashboard.request.answers import answer, page_request, to_json
from dashboard.request.context import PageContext
from dashboard.request.workers import PageWorkers

MAX_POINTS = 2_000
"""Most reports that a browser draws one by one; more of them are sent as cells."""
CELLS = {"clusters": 72, "points": 72, "heat": 18}
"""Width of a cell on the map in px."""
DEEPEST = 18
CELL, EDGES = ("lat", "lon", "n", "overdue"), ("south", "west", "north", "east")
"""Columns of a cell; its edges where the map cannot zoom in any further."""


def add_routes(server: FastAPI, context: PageContext, workers: PageWorkers, usual: str) -> None:
    """Add the routes, before Dash's own ones, which match every path.

    Args:
        server: gets the routes.
        context: answers the requests.
        workers: run the queries.
        usual: the language of a viewer who chose none.
    """

    @server.get(f"{PATH}/parts")
    async def parts(http_request: Request) -> Response:
        request = _asked(http_request, usual)
        return await answer(
            http_request,
            workers,
            lambda: context.cached(
                ("map parts", request),
                lambda: to_json(page.parts(context.of(request), request)),
                seconds=2.0,
            ),
        )

    @server.get(f"{PATH}/feedback")
    async def feedback(http_request: Request) -> Response:
        request = _asked(http_request, usual)
        return await answer(
            http_request,
            workers,
            lambda: context.cached(
                ("map feedback", request), lambda: to_json(reports(context.of(request), request))
            ),
        )

    @server.get(f"{PATH}/find")
    async def find(http_request: Request) -> Response:
        request, text = _asked(http_request, usual), http_request.query_params.get("q", "")
        return await answer(
            http_request,
            workers,
            lambda: to_json({"hits": hits(context.of(request), request, text)}),
        )


def reports(context: PageContext, request: PageRequest) -> dict[str, Any]:
    """Return the reports of a view (`bbox`: west, south, east, north; `zoom`).

    Returns:
        `total`: how many lie in the view; few as points, else as cells.
        A point is [lat, lon, category, state, number].
        A cell is [lat, lon, reports, overdue]; at the last zoom followed by the south, west, north
        and east of its reports.

    Raises:
        ValueError: the view cannot be understood.
    """
    view, bbox, zoom = (
        layer_data.viewed(context, request),
        box_of(request.get("bbox")),
        request.get("zoom"),
    )
    if bbox is None or not zoom.isdecimal() or int(zoom) > DEEPEST:
        raise ValueError("bbox, zoom")
    scope, store = view.scope(context.place, spots(context.place)), layer_data.store(context)
    cells = store.grid(scope, bbox, int(zoom), CELLS[view.style])
    total = sum(row["n"] for row in cells)
    if view.style == "points" and total <= MAX_POINTS:
        rows = store.points(scope, bbox, MAX_POINTS)
        points = [
            [
                row["y"],
                row["x"],
                row["category"],
                "late" if row["overdue"] else row["standing"],
                row["entity_id"],
            ]
            for row in rows
        ]
        return {"as": "points", "total": len(points), "points": points}
    return {
        "as": "heat" if view.style == "heat" else "clusters",
        "total": total,
        "cells": [
            [row[name] for name in (CELL if int(zoom) < DEEPEST else (*CELL, *EDGES))]
            for row in cells
        ],
    }


def _asked(http_request: Request, usual: str) -> PageRequest:
    """Return the request that parts are cached by: only reports depend on the map's extent."""
    found = page_request(http_request, PATH, usual)
    path = http_request.url.path
    left_out = () if path.endswith("/feedback") else EXTENT
    return found.without(*left_out, *(("q",) if path == f"{PATH}/find" else ()))
