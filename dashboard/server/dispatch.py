"""`POST /_dash-update-component`: callbacks, run in threads instead of on the event loop.

Dash adds a route of its own that runs them on the loop; this one comes before it. A page is a
callback, too: Dash calls its layout and turns the answer into JSON, which takes seconds for a long
page. Only callbacks that wait for the board of the walls stay on the loop.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import dash
from dash.exceptions import DependencyException, InvalidResourceError, PreventUpdate
from fastapi import FastAPI, Request, Response

from dashboard.query.errors import TimeLimitError
from dashboard.request.answers import json_answer, problem, to_json
from dashboard.request.workers import BusyError, PageWorkers
from dashboard.server import dash_internals

log = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])
PATH, SUITES = "/_dash-update-component", "/_dash-component-suites"
PAGE = "_pages_content"
"""The component that Dash puts a page into."""
ON_LOOP = "runs_on_loop"
Body = dict[str, Any]


def on_loop(callback: F) -> F:
    """Mark a callback that only waits for the board: it stays on the event loop."""
    setattr(callback, ON_LOOP, True)
    return callback


def add_route(
    server: FastAPI,
    workers: PageWorkers,
    app: Callable[[], dash.Dash],
    late: Callable[[Request, Body, str], Any],
) -> None:
    """Add the routes, before Dash adds its own.

    Args:
        server: gets the routes.
        workers: run the callbacks.
        app: returns the Dash application.
        late: makes the page shown when one was not made in time, from the request, its body and the
            reason (`too_long`, `too_busy`).
    """

    @server.get(f"{SUITES}/{{package}}/{{path:path}}", include_in_schema=False)
    def suite(request: Request, package: str, path: str) -> Response:
        """Serve a file of a component library; Dash answers 500 for a missing one."""
        try:
            backend: Any = app().backend
            found: Response = backend.serve_component_suites(app(), package, path, request)
            return found
        except (DependencyException, InvalidResourceError, OSError):
            return Response(status_code=404)

    @server.post(PATH, include_in_schema=False)
    async def update(request: Request) -> Response:
        found = getattr(request.state, "json_body", None)
        body: Body = found if isinstance(found, dict) else {}
        callback = app().callback_map.get(str(body.get("output")))
        if callback is None or not _is_of(body, callback):
            return problem(400, "not the body of a callback")
        try:
            if hasattr(callback["callback"], ON_LOOP):
                made = dash_internals.call(app(), body)
                return json_answer(await made if inspect.isawaitable(made) else made)
            return json_answer(
                await workers.run(lambda: _finished(dash_internals.call(app(), body)))
            )
        except PreventUpdate:
            return Response(status_code=204)
        except (TimeLimitError, BusyError) as error:
            why = "too_busy" if isinstance(error, BusyError) else "too_long"
            log.warning("callback %s is not answered: %s", body["output"], why)
            if PAGE not in body["output"]:
                return problem(503, why)
            shown = {
                PAGE: {"children": late(request, body, why)},
                "_pages_store": {"data": {"title": "IOC"}},
            }
            return json_answer(to_json({"multi": True, "response": shown}))
        except Exception:
            log.exception("callback %s failed", body["output"])
            return problem(500, "failed")


def _is_of(body: Body, callback: Mapping[str, Any]) -> bool:
    """Tell whether a body names the inputs of its callback."""
    return all(_named(body.get(part, [])) == _named(callback[part]) for part in ("inputs", "state"))


def _named(given: Any) -> list[tuple[str, str]] | None:
    try:
        return [(str(one["id"]), str(one["property"])) for one in given]
    except (KeyError, TypeError):
        return None


def _finished(made: Any) -> str:
    found: str = asyncio.run(made) if inspect.iscoroutine(made) else made
    return found
