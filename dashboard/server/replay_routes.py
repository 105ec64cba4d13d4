"""Routes of the player, with the parameters of the page's address.

`/replay/line` (the timeline), `/replay/desk` (the content of the desk page `path`) and
`/replay/wall` (a frame of the wall), each at the moment of the address.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response

from dashboard.components.alarm_texts import sentence, where
from dashboard.components.outlines import outlines_address
from dashboard.components.replay_bar import line_period
from dashboard.components.rotation import turn
from dashboard.components.shell import drawn
from dashboard.history.arrivals import PastStore
from dashboard.pages.wall.backdrop import day_ago, query_backdrop
from dashboard.pages.wall.drawings import Drawings
from dashboard.pages.wall.frame import Painter
from dashboard.query import alarm_groups as alarms
from dashboard.query.clock import Picture, Replay
from dashboard.query.concurrent import run_concurrently
from dashboard.query.snapshot import Snapshot, take
from dashboard.query.sources import SourceStore
from dashboard.request.address import PageRequest
from dashboard.request.answers import answer, page_request, to_json
from dashboard.request.context import PageContext
from dashboard.request.view import WallView, measure, scenes
from dashboard.request.workers import PageWorkers
from dashboard.server.pages import page_of
from schemas.events.partitions import Partitions
from schemas.moments import milliseconds

PARTS = 240
"""Bars of the timeline."""
MAX_ALARMS, MAX_OUTAGES = 2_000, 400
OUTAGE_HOURS = 1


def add_routes(
    server: FastAPI,
    context: PageContext,
    workers: PageWorkers,
    partitions: Partitions,
    usual: str,
    rotation: int,
) -> None:
    """Add the routes, before Dash's own ones, which match every path.

    Args:
        server: gets the routes.
        context: answers the requests.
        workers: run the queries.
        partitions: number of partitions of each kind.
        usual: the language of a viewer who chose none.
        rotation: seconds that each of several scenes stays.
    """

    @server.get("/replay/line")
    async def timeline(http_request: Request) -> Response:
        request = _asked(http_request, "/replay", usual)
        return await answer(http_request, workers, lambda: to_json(line(context, request)))

    @server.get("/replay/desk")
    async def desk(http_request: Request) -> Response:
        request = _asked(http_request, http_request.query_params.get("path", "/replay"), usual)
        return await answer(
            http_request,
            workers,
            lambda: to_json({"children": drawn(page_of(request.path), context, request)}),
        )

    @server.get("/replay/wall")
    async def wall(http_request: Request) -> Response:
        request = _asked(http_request, "/wall", usual)
        return await answer(
            http_request,
            workers,
            lambda: to_json(frame(context.of(request), request, partitions, rotation)),
        )


def line(context: PageContext, request: PageRequest) -> dict[str, Any]:
    """Return the timeline between `since` and `until`; times are ms since 1970.

    Returns:
        `bars`: events that arrived in each part (that happened, if `picture` is corrected).
        `alarms`: [raised, cleared or None, priority, text].
        `alarms_from`: before this there are too many alarms to show; else null.
        `outages`: [from, to, agency, kind] of feeds that were silent.
        `whole_from`: before this only counts are kept; null if everything is.
    """
    translator, (since, until) = request.translator, line_period(context, request)
    picture = replay.picture if (replay := context.replay(request)) else Picture.KNOWN
    context = context.base(request)

    def found() -> dict[str, Any]:
        rows = context.alarms.history(since, until, limit=MAX_ALARMS)
        place = context.place.then(Replay(until, picture))  # dissolved agencies were silent, too
        names = {one.code: one.label(request.language) for one in place.agencies}
        sources = SourceStore(context.connection, place.agencies, place.calendar)
        silent = sources.silences(since, until, OUTAGE_HOURS)[:MAX_OUTAGES]
        return {
            "since": milliseconds(since),
            "until": milliseconds(until),
            "picture": picture,
            "whole_from": milliseconds(known.whole_from) if (known := context.horizon()) else None,
            "bars": PastStore(context.connection).volume(since, until, PARTS, picture),
            "alarms_from": milliseconds(rows[-1]["raised_at"]) if len(rows) == MAX_ALARMS else None,
            "alarms": [
                [
                    milliseconds(row["raised_at"]),
                    milliseconds(row["cleared_at"]) if row["cleared_at"] else None,
                    row["priority"],
                    f"{where(one, context.place, translator)}: {sentence(one, translator)}",
                ]
                for row, one in zip(rows, alarms.read(rows), strict=True)
            ],
            "outages": [
                [
                    milliseconds(span.start),
                    milliseconds(span.end),
                    names.get(agency, agency),
                    translator(f"feed_{kind}"),
                ]
                for agency, kind, span in silent
            ],
        }

    return context.cached(("line", since, until, picture, request.language), found, seconds=30)


def frame(
    context: PageContext, request: PageRequest, partitions: Partitions, rotation: int
) -> list[list[Any]]:
    """Return all that a wall shows at a moment: [component, property, value]."""
    snapshot: Snapshot = context.cached("snapshot", lambda: _taken(context, partitions), seconds=30)
    chosen, rotate = scenes(request.get("scene"), request.get("rotate"), rotation)
    view = WallView(request.language, measure(request.get("measure")), scenes=chosen, rotate=rotate)
    now = turn(view.scenes, view.rotate, datetime.now(UTC), snapshot.calls)
    texts = Drawings(Painter(context.place)).frame(
        snapshot, query_backdrop(context, [now.scene]), view, now
    )
    outlines = [
        "map-communes",
        "url",
        outlines_address(context.place),
    ]  # others where a replay crosses the reform of the units
    return [
        outlines,
        *([component, prop, json.loads(text)] for (component, prop), text in texts.items()),
    ]


def _taken(context: PageContext, partitions: Partitions) -> Snapshot:
    before = run_concurrently(lambda: day_ago(context))
    found = take(context.store, context.clock, context.place, partitions, context.stale_after)
    return replace(found, day_ago=before())


def _asked(http_request: Request, path: str, usual: str) -> PageRequest:
    return page_request(http_request, path, usual).without("path")
