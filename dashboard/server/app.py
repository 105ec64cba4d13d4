"""The dashboard as an ASGI application: Dash on FastAPI, its pages, and the poller of the walls."""

import asyncio
import gc
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import dash
from fastapi import FastAPI

from dashboard.components.parts import Part
from dashboard.components.replay_bar import bar
from dashboard.i18n.translator import Translator
from dashboard.pages.map import routes as map_routes
from dashboard.pages.replay import runs_routes
from dashboard.pages.replay.starting import Starter
from dashboard.pages.wall.backdrop import query_backdrop
from dashboard.pages.wall.frame import Painter
from dashboard.pages.wall.layout import page
from dashboard.query.alarm_causes import check_causes
from dashboard.query.clock import Clock, Live
from dashboard.query.connection import Connection
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.store import ScreenStore
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from dashboard.request.streamed import FILE_SECONDS
from dashboard.request.view import choose_language
from dashboard.request.viewing_distance import ViewingDistance
from dashboard.request.workers import FILE_THREADS, PageWorkers, share_fairly
from dashboard.server import client_files, dispatch, exports, index, pages
from dashboard.server import package_routes as package_routes
from dashboard.server import replay_routes as replay_routes
from dashboard.server import wall_callbacks as callbacks
from dashboard.server.access import INTERNAL, Access
from dashboard.server.frames import Frames
from dashboard.server.health import add_routes
from dashboard.server.push import Board
from dashboard.server.tokens import Tokens
from schemas.clickhouse.retention import RetentionDays
from schemas.http.hosts import AllowedHosts
from schemas.http.middleware import ASGI, protect
from schemas.settings import Settings

CACHEABLE = ("/assets/", "/_dash-component-suites/", "/outlines/", "/_favicon.ico")
"""Prefixes of paths that browsers may cache: their content is the same for everybody."""
CLOSE_SECONDS = 4.0
"""Time limit of the shutdown: temporary tables that remain are dropped by the next dashboard, too.
"""
PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>IOC</title>
<link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
<link rel="preload" href="/assets/fonts/noto-sans-latin.woff2" as="font" type="font/woff2"
 crossorigin>
<link rel="preload" href="/assets/fonts/noto-sans-vietnamese.woff2" as="font" type="font/woff2"
 crossorigin>{{%css%}}{client}</head>
<body data-opening="{opening}">{{%app_entry%}}
<footer class="scripts">{{%config%}}{{%scripts%}}{{%renderer%}}</footer></body>
</html>"""


def create(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """Return the application of an installation; it queries nothing before it is started.

    Args:
        settings: of the installation.
        clock: gives the time; the present if None.

    Raises:
        IncompleteDeclarationError: an alarm rule has a cause without texts.
    """
    check_causes()
    painter = Painter(ProvinceContext(settings.province))
    connection, clock = Connection(settings.clickhouse_url), clock or Live()
    context = PageContext(
        connection,
        clock,
        painter.place,
        settings.stale_after_seconds,
        kept=RetentionDays.by(settings),
    )
    board = Board(
        ScreenStore(connection),
        clock,
        painter,
        settings.dashboard_tick_seconds,
        settings.stale_after_seconds,
        settings.partitions,
        lambda scenes: query_backdrop(context, scenes),
    )

    workers, files = (
        PageWorkers(settings.page_seconds),
        PageWorkers(FILE_SECONDS, FILE_THREADS, "file"),
    )

    @asynccontextmanager
    async def living(_server: FastAPI) -> AsyncIterator[None]:
        await _prepare(server)
        freeze_gc()
        share_fairly()
        poller = asyncio.create_task(board.run())
        yield
        poller.cancel()
        workers.close()
        files.close()
        with suppress(asyncio.CancelledError):
            await poller
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await board.close()
                await asyncio.to_thread(context.close)

    server = FastAPI(
        title="IOC dashboard", lifespan=living, docs_url=None, redoc_url=None, openapi_url=None
    )
    add_routes(server, board)
    client_files.add_routes(server)
    exports.add_routes(server, context, files, settings.language)
    package_routes.add_routes(server, context, files, settings.language)
    map_routes.add_routes(server, context, workers, settings.language)
    replay_routes.add_routes(
        server, context, workers, settings.partitions, settings.language, settings.wall_rotate
    )
    runs_routes.add_routes(
        server, context, workers, Starter(context.replays, settings.home), settings.language
    )
    dispatch.add_route(
        server,
        workers,
        lambda: app,
        lambda http_request, body, why: pages.late(http_request, body, why, settings.language),
    )
    if settings.access == "token":
        server.add_middleware(
            Access, tokens=Tokens.of(settings.home), usual=settings.language, tls=settings.tls
        )
    app = dash.Dash(
        "dashboard",
        server=server,  # type: ignore[arg-type] # its annotation knows only its first backend
        backend="fastapi",
        assets_folder=str(client_files.FOLDER),
        include_assets_files=False,
        serve_locally=True,
        use_pages=True,
        pages_folder="",
        update_title="",
        index_string=PAGE.format(
            client=client_files.client().head,
            language=settings.language,
            opening=Translator(choose_language(None, None, settings.language))("opening"),
        ),
        websocket_inactivity_timeout=0,
    )

    app.renderer = ""  # client/main.js starts Dash, when all is there

    def past(request: PageRequest) -> tuple[Part, ProvinceContext] | None:
        shown = bar(context, request)
        return None if shown is None else (shown, context.of(request).place)

    def wall(**parameters: str) -> dash.html.Div:
        distance = ViewingDistance(settings.wall_distance, settings.wall_pitch)
        return page(painter, settings.language, distance, settings.wall_rotate, parameters, past)

    dash.register_page(  # type: ignore[no-untyped-call]
        "wall", path="/wall", title="IOC", layout=wall
    )
    callbacks.register(app, board)
    pages.register(app, context, settings.language)
    index.add_route(
        server, app, lambda path: path == "/wall" or pages.is_page(path), settings.language
    )
    server.add_middleware(
        Frames, is_push=lambda output: bool(app.callback_map.get(output, {}).get("websocket"))
    )
    return server


def protected(server: FastAPI, settings: Settings, host: str) -> ASGI:
    """Return the application as it is served: for the known host names, with security headers."""
    return protect(server, AllowedHosts(settings.hosts, host), cacheable=CACHEABLE)


def freeze_gc() -> None:
    """Exempt the objects loaded so far from garbage collection.

    Otherwise places and pages would be searched again and again, for a tenth of a second while a
    viewer waits.
    """
    gc.collect()
    gc.freeze()
    # Collect seldom, and few objects at a time: a pass over 100,000 held the interpreter, and so
    # every probe, for 40 to 80 ms.
    gc.set_threshold(5_000, 3, 1_000)


async def _prepare(server: FastAPI) -> None:
    """Request an address of Dash's own.

    Only then does it collect pages and assets, which a first viewer of /wall would miss.
    """
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/_dash-dependencies",
        "query_string": b"",
        "headers": [],
        INTERNAL: True,
    }

    async def receive() -> dict[str, str]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message.get("status", 200) != 200:
            raise RuntimeError(f"Dash is not ready: {message}")

    await server(scope, receive, send)
