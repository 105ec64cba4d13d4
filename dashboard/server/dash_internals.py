"""All that the product uses of Dash beyond its documented API.

Dash runs callbacks on its event loop, renders a page for its own routes only, and serialises each
property that a WebSocket callback sets. The server does these three itself, so it calls what Dash
calls. `tests/unit/test_dash_internals.py` fails when an upgrade changes any of it.
"""

from collections.abc import Iterable
from contextvars import copy_context
from typing import Any

from dash.backends import _fastapi
from dash.backends.ws import FLUSH_SIGNAL
from fastapi import Request


def call(app: Any, body: dict[str, Any]) -> Any:
    """Run the callback that a request body names, as Dash's own route does.

    Returns:
        The response as JSON, or a coroutine that returns it.
    """
    context = app._initialize_context(body)
    callback = app._prepare_callback(context, body)
    arguments = app._inputs_to_vals(context.inputs_list + context.states_list)
    return copy_context().run(
        app._execute_callback(callback, arguments, context.outputs_list, context)
    )


def index_html(app: Any, request: Request) -> str:
    """Return the HTML that Dash answers `request` with, for a route of our own."""
    reset = _fastapi.set_current_request(request)  # type: ignore[no-untyped-call]
    try:
        return str(app.index())
    finally:
        _fastapi.reset_current_request(reset)  # type: ignore[no-untyped-call]


def renderer_id(socket: Any) -> str:
    """Return the id by which messages name the page behind a socket."""
    return str(socket._renderer_id)


def queued(socket: Any) -> int:
    """Return how many messages wait to be sent to a page."""
    return int(socket._outbound_queue.sync_q.qsize())


def send(socket: Any, messages: Iterable[str]) -> None:
    """Queue messages (JSON) for a page, to be sent at once as one frame."""
    queue = socket._outbound_queue.sync_q
    for message in (FLUSH_SIGNAL, f"[{','.join(messages)}]", FLUSH_SIGNAL):
        queue.put_nowait(message)
