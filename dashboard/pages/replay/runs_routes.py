"""Routes for replay runs.

`POST /replay/runs` starts one, `POST /replay/runs/NAME/stop` and `…/remove` end it; each leads back
to the page, which says what was wrong. `GET /replay/runs` returns their states, `GET
/replay/run?run=NAME` the progress of one.
"""

import logging
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from dashboard.pages.replay.runs import standing
from dashboard.pages.replay.starting import RunRequestError, Starter
from dashboard.query.connection import UnreachableError
from dashboard.query.rights import NoRightsError, must_see_all
from dashboard.request.address import VIEWER
from dashboard.request.answers import answer, page_request, to_json
from dashboard.request.context import PageContext
from dashboard.request.workers import BusyError, PageWorkers
from schemas.clickhouse.replays import RunState
from schemas.moments import milliseconds

log = logging.getLogger(__name__)
PATH = "/replay/runs"
MAX_BYTES = 10_000
BEGUN_SECONDS, BEGUN_THREADS = 150.0, 2
"""Time limit for a run to report itself or to be removed, and how many are handled at a time."""


def add_routes(
    server: FastAPI, context: PageContext, workers: PageWorkers, starter: Starter, usual: str
) -> None:
    """Add the routes, before Dash's own ones, which match every path.

    Args:
        server: gets the routes.
        context: starts and reads the runs.
        workers: answer the requests.
        starter: starts the processes.
        usual: the language of a viewer who chose none.
    """
    begun = PageWorkers(BEGUN_SECONDS, BEGUN_THREADS, "runs")

    @server.get(PATH)
    async def runs(http_request: Request) -> Response:
        request = page_request(http_request, "/replay", usual)
        return await answer(
            http_request, workers, lambda: to_json({"children": [standing(context, request)]})
        )

    @server.get("/replay/run")
    async def run(http_request: Request) -> Response:
        request = page_request(http_request, "/replay", usual)

        def found() -> str:
            one = context.run(request)
            if one is None:
                raise ValueError("run")
            return to_json(
                {
                    "moment": milliseconds(min(one.moment, context.clock.now())),
                    "goes_on": one.state is RunState.RUNNING,
                }
            )

        return await answer(http_request, workers, found)

    async def done(http_request: Request, do: Callable[[dict[str, str]], None]) -> Response:
        """Do what a form of this site requests, and lead back to the page."""
        origin = http_request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != http_request.headers.get("host"):
            return Response("This form is of another site.", 403)
        try:
            must_see_all()
        except NoRightsError:
            return Response("", 403)
        form = await _form(http_request)
        if form is None:
            return Response("A form of this page is not that long.", 413, {"Connection": "close"})
        viewer = {name: form[name] for name in VIEWER if name in form}
        try:
            await begun.run(lambda: do(form), in_turn=False)
        except RunRequestError as problem:
            viewer["run_problem"] = str(problem)
        except (UnreachableError, BusyError) as error:
            log.warning(
                "what was asked of the runs was not done: %s %s", type(error).__name__, error
            )
            viewer["run_problem"] = "failed"
        await workers.run(context.forget_runs)
        return RedirectResponse(f"/replay{f'?{urlencode(viewer)}' if viewer else ''}#runs", 303)

    @server.post(PATH)
    async def start(http_request: Request) -> Response:
        return await done(http_request, starter.start)

    @server.post(PATH + "/{name}/stop")
    async def stop(http_request: Request, name: str) -> Response:
        return await done(http_request, lambda _form: starter.stop(name))

    @server.post(PATH + "/{name}/remove")
    async def remove(http_request: Request, name: str) -> Response:
        return await done(http_request, lambda _form: starter.remove(name))


async def _form(http_request: Request) -> dict[str, str] | None:
    """Read the fields of a form; None if it is too long, in which case the rest is not read."""
    body = bytearray()
    async for piece in http_request.stream():
        body += piece
        if len(body) > MAX_BYTES:
            return None
    return dict(parse_qsl(body.decode(errors="replace")))
