"""The dashboard as an ASGI application: Dash on FastAPI, its pages, and the poller that lives as long as the server does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import dash
from fastapi import FastAPI

from dashboard.clock import Live
from dashboard.connection import Connection
from dashboard.health import add_routes
from dashboard.push import Board
from dashboard.snapshot import Place
from dashboard.store import Store
from dashboard.wall import callbacks
from dashboard.wall.frame import Painter
from dashboard.wall.layout import page
from schemas.settings import Settings

PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>IOC</title>
<link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">{{%css%}}</head>
<body>{{%app_entry%}}<footer class="scripts">{{%config%}}{{%scripts%}}{{%renderer%}}</footer></body>
</html>"""


def create(settings: Settings) -> FastAPI:
    """The application of an installation. It asks nothing before it is started."""
    painter = Painter(Place(settings.province))
    board = Board(
        Store(Connection(settings.clickhouse_url)), Live(), painter, settings.dashboard_tick_seconds, settings.stale_after_seconds
    )

    @asynccontextmanager
    async def living(_server: FastAPI) -> AsyncIterator[None]:
        poller = asyncio.create_task(board.run())
        yield
        poller.cancel()
        with suppress(asyncio.CancelledError):
            await poller

    server = FastAPI(title="IOC dashboard", lifespan=living, docs_url=None, redoc_url=None, openapi_url=None)
    add_routes(server, board)
    app = dash.Dash(
        "dashboard",
        server=server,
        backend="fastapi",
        assets_folder=str(Path(__file__).parent / "assets"),
        serve_locally=True,
        use_pages=True,
        pages_folder="",
        update_title="",
        index_string=PAGE.format(language=settings.language),
        websocket_inactivity_timeout=0,
    )

    def wall(**asked: str) -> dash.html.Div:
        return page(painter, settings.language, asked)

    dash.register_page("wall", path="/wall", title="IOC", layout=wall)
    callbacks.register(app, board)
    return server
