"""Push to the walls by a persistent WebSocket callback, or by an interval without WebSockets."""

import asyncio
import json
from typing import Any

import dash
from dash import Input, Output, State

from dashboard.pages.wall.drawings import Texts
from dashboard.request.view import WallView, view
from dashboard.server import dash_internals
from dashboard.server.dispatch import on_loop
from dashboard.server.push import PULSE, Board

ASK_SECONDS = 20.0
"""Interval at which a page is asked whether it is still there: a browser has one WebSocket for all
its tabs, so a closed tab does not end it.
"""
WAITING = 8
"""Messages that may be queued for a page."""


def register(app: dash.Dash, board: Board) -> None:
    """Add the wall's callbacks to an app."""

    @app.callback(websocket=True, persistent=True)
    async def push() -> None:
        """Send a page its changes until it is gone."""
        ws = dash.ctx.websocket
        if ws is None:
            return
        viewer = await _ask(ws)
        if viewer is None:
            return
        asked = asyncio.get_running_loop().time()
        async for changes in board.follow(_view(viewer)):
            if ws.is_shutdown:
                return
            await _send(ws, changes)
            if asyncio.get_running_loop().time() - asked > ASK_SECONDS:
                if await _ask(ws) is None:
                    return
                asked = asyncio.get_running_loop().time()

    app.clientside_callback(
        dash.ClientsideFunction("live", "heard"), Input("pulse", "data"), Input("viewer", "data")
    )  # type: ignore[no-untyped-call]
    app.clientside_callback(
        dash.ClientsideFunction("outlines", "paint"), Input("map-communes", "hideout")
    )  # type: ignore[no-untyped-call]
    app.clientside_callback(  # type: ignore[no-untyped-call]
        dash.ClientsideFunction("outlines", "dots"),
        Output("map-points", "data"),
        Input("map-dots", "data"),
    )

    @app.callback(
        Output("pulse", "data", allow_duplicate=True),
        Input("fallback", "n_intervals"),
        State("viewer", "data"),
        prevent_initial_call=True,
    )
    @on_loop
    async def poll(_count: int, viewer: Any) -> Any:
        """Return the whole newest frame, for a page without a WebSocket."""
        async for changes in board.follow(_view(viewer)):
            for (component, prop), text in changes.items():
                if (component, prop) != PULSE:
                    dash.set_props(component, {prop: json.loads(text)})
            return json.loads(changes[PULSE])
        return dash.no_update


def _view(viewer: Any) -> WallView:
    """Return the view that a page describes; the default view if it describes none."""
    try:
        return view(viewer)
    except (TypeError, ValueError):
        return view(None)


async def _send(ws: Any, changes: Texts) -> None:
    """Send all changes as one message.

    Their texts are ready: Dash would encode them again for each viewer and property. A slow viewer
    blocks here; its next changes lead to the newest state, so there is no backlog.
    """
    renderer = json.dumps(dash_internals.renderer_id(ws))
    while dash_internals.queued(ws) > WAITING and not ws.is_shutdown:
        await asyncio.sleep(0.05)
    messages = (
        f'{{"type":"set_props","rendererId":{renderer},'
        f'"payload":{{"componentId":"{component}","props":{{"{prop}":{text}}}}}}}'
        for (component, prop), text in changes.items()
    )
    dash_internals.send(ws, messages)


async def _ask(ws: Any) -> Any:
    """Return the data of the page's `viewer` store; None if the page is gone.

    The page may still be opening, so it is asked for a while.
    """
    for _ in range(50):
        try:
            viewer = await ws.get_prop("viewer", "data", timeout=10.0)
        except TimeoutError:
            return None
        if viewer is not None or ws.is_shutdown:
            return viewer
        await asyncio.sleep(0.1)
    return None
