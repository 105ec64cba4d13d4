"""What the player asks for, each with the parameters of the page's address: `/replay/line` (what the timeline shows),
`/replay/desk` (the content of a desk page, `path`) and `/replay/wall` (a frame of the wall), of the moment of the address."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard import alarms
from dashboard.connection import Unreachable
from dashboard.desk.ask import Ask
from dashboard.desk.asked import Asked
from dashboard.desk.pages import page_of
from dashboard.desk.replay.bar import period
from dashboard.desk.shell import drawn
from dashboard.rights import NoRightsError
from dashboard.snapshot import Snapshot, a_day_ago, take
from dashboard.store_past import PastStore
from dashboard.wall.alarms import sentence, where
from dashboard.wall.backdrop import ask_for
from dashboard.wall.drawings import Drawings
from dashboard.wall.frame import Painter
from dashboard.wall.rotation import turn
from dashboard.wall.view import View, language, measure, scenes
from schemas.moments import milliseconds
from schemas.partitions import Partitions

log = logging.getLogger(__name__)
PARTS = 240
"""Bars of the timeline."""
MOST_OUTAGES = 400
OUTAGE_HOURS = 1


def add_routes(server: FastAPI, ask: Ask, painter: Painter, partitions: Partitions, usual: str) -> None:
    """Add the routes; before Dash's own, which catch everything else. `usual` is the language of who asked for none."""

    @server.get("/replay/line")
    def timeline(request: Request) -> Response:
        asked = _asked(request, "/replay", usual)
        return _answer(lambda: line(ask, asked))

    @server.get("/replay/desk")
    def desk(request: Request) -> Response:
        asked = _asked(request, request.query_params.get("path", "/replay"), usual)
        return _answer(lambda: {"children": drawn(page_of(asked.path), ask, asked)})

    @server.get("/replay/wall")
    def wall(request: Request) -> Response:
        asked = _asked(request, "/wall", usual)
        return _answer(lambda: frame(ask.of(asked), asked, painter, partitions))


def line(ask: Ask, asked: Asked) -> dict[str, Any]:
    """What the timeline shows between `since` and `until`: `bars` (events that arrived in each part), `alarms` ([raised, cleared
    or None, priority, words]), `outages` ([from, to, agency, kind]: feeds that were silent). Times are ms since 1970."""
    replay, now, speech = asked.replay, ask.clock.now(), asked.speech
    since, until = period(asked, replay.at if replay else now, now)

    def found() -> dict[str, Any]:
        rows = ask.alarms.history(since, until, limit=2000)
        names = {one.code: one.words(asked.spoken) for one in ask.place.agencies}
        silent = ask.sources.silences(since, until, OUTAGE_HOURS)[:MOST_OUTAGES]
        return {
            "since": milliseconds(since),
            "until": milliseconds(until),
            "bars": PastStore(ask.connection).volume(since, until, PARTS),
            "alarms": [
                [
                    milliseconds(row["raised_at"]),
                    milliseconds(row["cleared_at"]) if row["cleared_at"] else None,
                    row["priority"],
                    f"{where(one, ask.place, speech)}: {sentence(one, speech)}",
                ]
                for row, one in zip(rows, alarms.read(rows), strict=True)
            ],
            "outages": [
                [milliseconds(span.start), milliseconds(span.end), names.get(agency, agency), speech(f"feed_{kind}")]
                for agency, kind, span in silent
            ],
        }

    return ask.once(("line", since, until, asked.spoken), found, seconds=30)


def frame(ask: Ask, asked: Asked, painter: Painter, partitions: Partitions) -> list[list[Any]]:
    """All that a wall shows of a moment: [component, property, value]."""
    snapshot: Snapshot = ask.once("snapshot", lambda: _taken(ask, partitions), seconds=30)
    chosen, rotate = scenes(asked.get("scene"), asked.get("rotate"), 30)
    view = View(asked.spoken, measure(asked.get("measure")), scenes=chosen, rotate=rotate)
    now = turn(view.scenes, view.rotate, datetime.now(UTC), snapshot.calls)
    texts = Drawings(painter).frame(snapshot, ask_for(ask, [now.scene]), view, now)
    return [[component, prop, json.loads(text)] for (component, prop), text in texts.items()]


def _taken(ask: Ask, partitions: Partitions) -> Snapshot:
    day_ago = ask.once("a day ago", lambda: a_day_ago(ask.figures, ask.clock))
    return take(ask.store, ask.clock, ask.place, partitions, ask.stale_after, day_ago)


def _asked(request: Request, path: str, usual: str) -> Asked:
    found = Asked.of(path, request.url.query, request.cookies.get("ioc_language"), usual)
    spoken = language(found.get("lang"), request.cookies.get("ioc_language"), usual)
    return Asked(path, tuple(one for one in found.parameters if one[0] != "path"), spoken)


def _answer(ask: Callable[[], Any]) -> Response:
    try:
        body, status = json.dumps(ask(), cls=PlotlyJSONEncoder, separators=(",", ":")), 200
    except Unreachable as error:
        log.warning("ClickHouse does not answer: %s", error)
        body, status = '{"problem":"store_away"}', 503
    except NoRightsError:
        body, status = '{"problem":"no_rights"}', 403
    except (ValueError, LookupError) as error:
        body, status = json.dumps({"problem": str(error)}), 422
    return Response(body, status, media_type="application/json", headers={"Cache-Control": "no-store"})
