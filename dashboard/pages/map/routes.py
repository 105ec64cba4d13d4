"""What the map's script asks for: `/map/parts`, `/map/feedback`, `/map/find`, each with the parameters of the page's address.

Answers are JSON, made once per tick for all who ask the same, with a tag: what did not change is not sent again.
"""

from typing import Any

from fastapi import FastAPI, Request, Response

from dashboard.pages.map import gathered, page
from dashboard.pages.map.find import hits
from dashboard.pages.map.spots import spots
from dashboard.pages.map.view import PATH, box_of, without_extent
from dashboard.request.address import PageRequest
from dashboard.request.answers import answer, asked_by, told
from dashboard.request.context import PageContext
from dashboard.request.workers import PageWorkers

MAX_POINTS = 2_000
"""Reports that a browser draws one by one; of more it is given cells."""
CELLS = {"clusters": 72, "points": 72, "heat": 18}
"""px of the map that a cell is wide."""
DEEPEST = 18
CELL, EDGES = ("lat", "lon", "n", "overdue"), ("south", "west", "north", "east")
"""What of a cell is told; its edges where nobody can zoom in any more."""


def add_routes(server: FastAPI, ask: PageContext, workers: PageWorkers, usual: str) -> None:
    """Add the routes; before Dash's own, which catch everything else. `usual` is the language of who asked for none."""

    @server.get(f"{PATH}/parts")
    async def parts(request: Request) -> Response:
        asked = _asked(request, usual)
        return await answer(
            request,
            workers,
            lambda: ask.once(
                ("map parts", asked), lambda: told(page.parts(ask.of(asked), asked)), seconds=2.0
            ),
        )

    @server.get(f"{PATH}/feedback")
    async def feedback(request: Request) -> Response:
        asked = _asked(request, usual)
        return await answer(
            request,
            workers,
            lambda: ask.once(("map feedback", asked), lambda: told(reports(ask.of(asked), asked))),
        )

    @server.get(f"{PATH}/find")
    async def find(request: Request) -> Response:
        asked, text = _asked(request, usual), request.query_params.get("q", "")
        return await answer(
            request, workers, lambda: told({"hits": hits(ask.of(asked), asked, text)})
        )


def reports(ask: PageContext, asked: PageRequest) -> dict[str, Any]:
    """The reports of a view (`bbox`: west, south, east, north; `zoom`), few as points, else as cells.

    `total` is how many lie in it; a cell is [lat, lon, reports, overdue], where no zoom goes further followed by the south, west,
    north and east of its reports; a point is [lat, lon, category, state, number].
    Raises `ValueError` for a view that cannot be understood.
    """
    view, bbox, zoom = gathered.viewed(ask, asked), box_of(asked.get("bbox")), asked.get("zoom")
    if bbox is None or not zoom.isdecimal() or int(zoom) > DEEPEST:
        raise ValueError("bbox, zoom")
    scope, store = view.scope(ask.place, spots(ask.place)), gathered.store(ask)
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


def _asked(request: Request, usual: str) -> PageRequest:
    found = asked_by(request, PATH, usual)
    kept = found if request.url.path.endswith("/feedback") else without_extent(found)
    return kept if request.url.path != f"{PATH}/find" else _without_text(kept)


def _without_text(asked: PageRequest) -> PageRequest:
    return PageRequest(
        asked.path, tuple(one for one in asked.parameters if one[0] != "q"), asked.spoken
    )
