"""Files of what the pages show: `/export/targets.csv` and `/export/index.csv`, with the parameters of the page's address."""

import logging
from collections.abc import Callable, Mapping
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from dashboard.connection import Unreachable
from dashboard.desk.ask import Ask
from dashboard.desk.asked import Asked
from dashboard.desk.index import sheet as index
from dashboard.desk.sheet import Sheet, written
from dashboard.desk.targets import sheet as targets

log = logging.getLogger(__name__)
SHEETS: Mapping[str, Callable[[Ask, Asked], Sheet]] = {"targets": targets.sheet, "index": index.sheet}
"""Page → its file."""


def add_routes(server: FastAPI, ask: Ask, usual: str) -> None:
    """Add the routes; before Dash's own, which catch everything else. `usual` is the language of who asked for none."""
    for page, sheet in SHEETS.items():
        _add(server, page, sheet, ask, usual)


def _add(server: FastAPI, page: str, sheet: Callable[[Ask, Asked], Sheet], ask: Ask, usual: str) -> None:
    @server.get(f"/export/{page}.csv")
    def export(request: Request) -> Response:
        asked = Asked.of(f"/{page}", request.url.query, request.cookies.get("ioc_language"), usual)
        try:
            found = sheet(ask, asked)
            body = written(found)
        except Unreachable as error:
            log.warning("ClickHouse does not answer: %s", error)
            return PlainTextResponse(asked.speech("store_away"), status_code=503)
        except LookupError as error:
            return PlainTextResponse(str(error.args[0]), status_code=404)
        disposition = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}.csv"
        return Response(body, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})
