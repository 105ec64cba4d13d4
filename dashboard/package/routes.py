"""`/export/package.zip`: the package of the period of an address (`since`, `until`), with pictures of its moment."""

import tempfile
from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import IO
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from dashboard.access import COOKIE
from dashboard.connection import Unreachable
from dashboard.desk.answers import asked_by
from dashboard.desk.ask import Ask
from dashboard.desk.asked import written
from dashboard.desk.replay.bar import MOST_MARKS, line_period
from dashboard.package.build import Screen, build

PAGES = {"/wall": {"scene": "overview"}, "/map": {}}
PIECE = 1 << 20
IN_MEMORY = 32 << 20


def add_routes(server: FastAPI, ask: Ask, usual: str) -> None:
    """Add the route; before Dash's own, which catch everything else. `usual` is the language of who asked for none."""
    one_at_a_time = BoundedSemaphore(1)

    @server.get("/export/package.zip")
    def package(request: Request) -> Response:
        asked = asked_by(request, "/replay", usual)
        try:
            since, until = line_period(ask, asked)
            at, run = asked.moment("moment"), ask.run(asked)
            moments = asked.moments("marked") or ([at] if at else [])
            if len(moments) > MOST_MARKS:
                raise ValueError(asked.speech("marks_full", n=MOST_MARKS))
        except ValueError as error:
            return PlainTextResponse(f"{asked.speech('wrong_address')}: {error}", status_code=400)
        if not one_at_a_time.acquire(blocking=False):
            return PlainTextResponse(asked.speech("files_busy"), status_code=429, headers={"Retry-After": "10"})
        server_address = f"http://127.0.0.1:{request.scope['server'][1]}"
        screens = [
            Screen(one, server_address + asked.link(path, moment=written(one, "milliseconds"), marked=None, **parameters))
            for one in moments
            for path, parameters in PAGES.items()
        ]
        cookies = {COOKIE: request.cookies[COOKIE]} if COOKIE in request.cookies else {}
        file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 # closed when it was sent
        try:
            build(ask.base(asked).connection, ask.place.code, since, until, file, screens, cookies, run=run)
        except Unreachable:
            file.close()
            return PlainTextResponse(asked.speech("store_away"), status_code=503)
        finally:
            one_at_a_time.release()
        what = f"{run.mark}-{run.name}" if run else "incident"
        name = f"{what}-{ask.place.code}-{written(since)}-{written(until)}.zip".replace(":", "")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}", "Cache-Control": "no-store"}
        return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece
