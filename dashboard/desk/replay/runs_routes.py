"""Runs of the stream, by their forms: `POST /replay/runs` begins one, `POST /replay/runs/NAME/stop` and `…/remove` end it; each
leads back to the page, with what was wrong. `GET /replay/runs`: how they stand; `GET /replay/run?run=NAME`: how far one is."""

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from dashboard.connection import Unreachable
from dashboard.desk.answers import answer, asked_by, told
from dashboard.desk.ask import Ask
from dashboard.desk.asked import VIEWER
from dashboard.desk.replay.runs import standing
from dashboard.desk.replay.starting import Problem, Starter
from dashboard.rights import NoRightsError, must_see_all
from schemas.moments import milliseconds
from schemas.replays import State

PATH = "/replay/runs"
MOST_BYTES = 10_000


def add_routes(server: FastAPI, ask: Ask, starter: Starter, usual: str) -> None:
    """Add the routes; before Dash's own, which catch everything else. `usual` is the language of who asked for none."""

    @server.get(PATH)
    def runs(request: Request) -> Response:
        asked = asked_by(request, "/replay", usual)
        return answer(request, lambda: told({"children": [standing(ask, asked)]}))

    @server.get("/replay/run")
    def run(request: Request) -> Response:
        asked = asked_by(request, "/replay", usual)

        def found() -> str:
            one = ask.run(asked)
            if one is None:
                raise ValueError("run")
            return told({"moment": milliseconds(min(one.moment, ask.clock.now())), "goes_on": one.state is State.RUNNING})

        return answer(request, found)

    async def done(request: Request, form: dict[str, str], do: Callable[[], None]) -> Response:
        """Do what a form of this site asks for, and lead back to the page."""
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            return Response("This form is of another site.", 403)
        said = {name: form[name] for name in VIEWER if name in form}
        try:
            must_see_all()
            await asyncio.to_thread(do)
        except NoRightsError:
            return Response("", 403)
        except Problem as problem:
            said["run_problem"] = str(problem)
        except Unreachable:
            said["run_problem"] = "failed"
        await asyncio.to_thread(ask.forget_runs)
        return RedirectResponse(f"/replay{f'?{urlencode(said)}' if said else ''}#runs", 303)

    @server.post(PATH)
    async def start(request: Request) -> Response:
        form = await _form(request)
        return await done(request, form, lambda: starter.start(form))

    @server.post(PATH + "/{name}/stop")
    async def stop(request: Request, name: str) -> Response:
        return await done(request, await _form(request), lambda: starter.stop(name))

    @server.post(PATH + "/{name}/remove")
    async def remove(request: Request, name: str) -> Response:
        return await done(request, await _form(request), lambda: starter.remove(name))


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body())[:MOST_BYTES].decode(errors="replace")))
