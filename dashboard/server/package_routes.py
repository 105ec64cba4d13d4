"""`/export/package.zip`: the incident package of a period (`since`, `until`), with pictures."""

import tempfile
from collections.abc import Generator
from threading import BoundedSemaphore
from typing import IO
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from dashboard.components.replay_bar import MAX_MARKS, line_period
from dashboard.pages.package.build import PicturedPage, build
from dashboard.query.connection import TimeLimitError, UnreachableError
from dashboard.request.address import PageRequest, format_moment
from dashboard.request.answers import page_request
from dashboard.request.context import PageContext
from dashboard.request.streamed import FILE_SECONDS, Streamed
from dashboard.request.workers import BusyError, PageWorkers
from dashboard.server.access import COOKIE, SECURE_COOKIE

PAGES = {"/wall": {"scene": "overview"}, "/map": {}}
PIECE = 1 << 20
IN_MEMORY = 32 << 20


def add_routes(server: FastAPI, context: PageContext, workers: PageWorkers, usual: str) -> None:
    """Add the route, before Dash's own ones, which match every path.

    Args:
        server: gets the route.
        context: answers the requests.
        workers: make the files.
        usual: the language of a viewer who chose none.
    """
    one_at_a_time = BoundedSemaphore(1)

    @server.get("/export/package.zip")
    async def package(http_request: Request) -> Response:
        request = page_request(http_request, "/replay", usual)
        translator = request.translator
        if request.is_too_long:
            return PlainTextResponse(
                f"{translator('wrong_address')}: {translator('address_too_long')}", status_code=400
            )

        def made() -> tuple[str, IO[bytes]]:
            if not one_at_a_time.acquire(blocking=False):
                raise BusyError
            try:
                return _made(context, request, http_request)
            finally:
                one_at_a_time.release()

        try:
            name, file = await workers.run(made, FILE_SECONDS, in_turn=False)
        except BusyError:
            return PlainTextResponse(
                translator("files_busy"), status_code=429, headers={"Retry-After": "10"}
            )
        except ValueError as error:
            return PlainTextResponse(f"{translator('wrong_address')}: {error}", status_code=400)
        except TimeLimitError:
            return PlainTextResponse(
                f"{translator('too_long')}. {translator('too_long_hint')}", status_code=503
            )
        except UnreachableError:
            return PlainTextResponse(translator("store_away"), status_code=503)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
        return Streamed(workers, _pieces(file), "application/zip", headers, FILE_SECONDS)


def _made(
    context: PageContext, request: PageRequest, http_request: Request
) -> tuple[str, IO[bytes]]:
    """Make a package; return its name and its file, which lies in memory or in a private folder."""
    since, until = line_period(context, request)
    at, run = request.moment("moment"), context.run(request)
    moments = request.moments("marked") or ([at] if at else [])
    if len(moments) > MAX_MARKS:
        raise ValueError(request.translator("marks_full", n=MAX_MARKS))
    server_address = f"http://127.0.0.1:{http_request.scope['server'][1]}"
    screens = [
        PicturedPage(
            one,
            server_address
            + request.link(
                path, moment=format_moment(one, "milliseconds"), marked=None, **parameters
            ),
        )
        for one in moments
        for path, parameters in PAGES.items()
    ]
    cookies = {
        name: http_request.cookies[name]
        for name in (COOKIE, SECURE_COOKIE)
        if name in http_request.cookies
    }
    # Closed once it is sent.
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
    try:
        build(
            context.base(request).connection,
            context.place.code,
            since,
            until,
            file,
            screens,
            cookies,
            run=run,
        )
    except BaseException:
        file.close()
        raise
    what = f"{run.mark}-{run.name}" if run else "incident"
    return f"{what}-{context.place.code}-{format_moment(since)}-{format_moment(until)}.zip".replace(
        ":", ""
    ), file


def _pieces(file: IO[bytes]) -> Generator[bytes, None, None]:
    with file:
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece
