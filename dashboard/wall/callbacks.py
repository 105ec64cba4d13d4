"""The push to the walls: a persistent WebSocket callback, and an interval for a browser that cannot have a WebSocket."""

import asyncio
from typing import Any

import dash
from dash import Input, Output, State

from dashboard.push import Board
from dashboard.wall.view import view

ASK_SECONDS = 20.0
"""How often a page is asked whether it is still there: a browser keeps one WebSocket for all its tabs, so that a closed tab does
not end it."""


def register(app: dash.Dash, board: Board) -> None:
    """Add the wall's callbacks to an app."""

    @app.callback(websocket=True, persistent=True)
    async def push() -> None:
        """Send a page its changes until it is gone."""
        ws = dash.ctx.websocket
        if ws is None:
            return
        said = await _ask(ws)
        if said is None:
            return
        asked = asyncio.get_running_loop().time()
        async for changes in board.follow(view(said)):
            if ws.is_shutdown:
                return
            for (component, prop), value in changes.items():
                ws.set_prop_sync(component, prop, value)
            if asyncio.get_running_loop().time() - asked > ASK_SECONDS:
                if await _ask(ws) is None:
                    return
                asked = asyncio.get_running_loop().time()

    app.clientside_callback(dash.ClientsideFunction("live", "heard"), Input("pulse", "data"), Input("viewer", "data"))  # type: ignore[no-untyped-call]
    app.clientside_callback(dash.ClientsideFunction("map", "paint"), Input("map-communes", "hideout"))  # type: ignore[no-untyped-call]
    app.clientside_callback(  # type: ignore[no-untyped-call]
        dash.ClientsideFunction("map", "dots"), Output("map-points", "data"), Input("map-dots", "data")
    )

    @app.callback(
        Output("pulse", "data", allow_duplicate=True),
        Input("fallback", "n_intervals"),
        State("viewer", "data"),
        prevent_initial_call=True,
    )
    async def poll(_count: int, said: Any) -> Any:
        """The whole newest frame, for a page without a WebSocket."""
        async for changes in board.follow(view(said)):
            beat = changes.pop(("pulse", "data"))
            for (component, prop), value in changes.items():
                dash.set_props(component, {prop: value})
            return beat
        return dash.no_update


async def _ask(ws: Any) -> Any:
    """The data of the page's `viewer` store, None when the page is gone. The page may still be opening: it is asked for a while."""
    for _ in range(50):
        try:
            said = await ws.get_prop("viewer", "data", timeout=10.0)
        except TimeoutError:
            return None
        if said is not None or ws.is_shutdown:
            return said
        await asyncio.sleep(0.1)
    return None
