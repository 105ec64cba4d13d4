"""Files of what the pages show: `/export/<page>.csv` and `.xlsx`, with the parameters of the page's address.

A file goes out in pieces as it is made, so that its length costs no memory. What fails before the first piece is answered in words;
what fails later breaks the answer off, so that a file that is not whole is not taken for one. A few files are made at a time, as
each has a question of its own open in ClickHouse: who asks for one more is told to ask again.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from threading import BoundedSemaphore
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from dashboard.connection import Unreachable
from dashboard.desk.ask import Ask
from dashboard.desk.asked import Asked
from dashboard.desk.index import sheet as index
from dashboard.desk.records import files as records
from dashboard.desk.sheet import FORMS, Sheet
from dashboard.desk.targets import sheet as targets

log = logging.getLogger(__name__)
SHEETS: Mapping[str, Callable[[Ask, Asked], Sheet]] = {
    "targets": targets.sheet,
    "index": index.sheet,
    "records/{kind}": records.sheet,
}
"""Page → its file."""
AT_A_TIME = 4
"""How many files are made at a time; ClickHouse sorts all rows of each."""


class BusyError(Exception):
    """As many files are being made as may be."""


def add_routes(server: FastAPI, ask: Ask, usual: str) -> None:
    """Add the routes; before Dash's own, which catch everything else. `usual` is the language of who asked for none."""
    places = BoundedSemaphore(AT_A_TIME)
    for page, sheet in SHEETS.items():
        for form in FORMS:
            _add(server, page, form, sheet, ask, usual, places)


def _add(
    server: FastAPI,
    page: str,
    form: str,
    sheet: Callable[[Ask, Asked], Sheet],
    ask: Ask,
    usual: str,
    places: BoundedSemaphore,
) -> None:
    media, written = FORMS[form]

    @server.get(f"/export/{page}.{form}")
    def export(request: Request) -> Response:
        path = "/" + page.format(**request.path_params)
        asked = Asked.of(path, request.url.query, request.cookies.get("ioc_language"), usual)
        try:
            found = sheet(ask.of(asked), asked)
            pieces = whole(written(found), places)
            first = next(pieces)
            # The second piece is the first with rows: by then ClickHouse has answered.
            second = next(pieces, b"")
        except Unreachable:
            return PlainTextResponse(asked.speech("store_away"), status_code=503)
        except BusyError:
            return PlainTextResponse(asked.speech("files_busy"), status_code=429, headers={"Retry-After": "10"})
        except LookupError as error:
            return PlainTextResponse(str(error.args[0]), status_code=404)
        except ValueError as error:
            return PlainTextResponse(f"{asked.speech('wrong_address')}: {error}", status_code=400)
        disposition = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}.{form}"
        body = chain([first, second], pieces)
        return StreamingResponse(body, media_type=media, headers={"Content-Disposition": disposition, "Cache-Control": "no-store"})


def whole(pieces: Iterator[bytes], places: BoundedSemaphore) -> Iterator[bytes]:
    """The pieces of a file, which holds one of the places from its first piece until its end, or until nobody takes any more.

    Raises `BusyError` when there is no place, `Unreachable` when ClickHouse does not give the rest.
    """
    if not places.acquire(blocking=False):
        raise BusyError
    try:
        yield from pieces
    except Unreachable as error:
        log.warning("a file is not made or broke off, ClickHouse does not answer: %s", error)
        raise
    finally:
        places.release()
