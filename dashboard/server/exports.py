"""Files of the pages: `/export/<page>.csv` and `.xlsx`, with the parameters of the page's address.

A file is sent in pieces as it is made, so that its length costs no memory. A failure before the
first piece is answered with a message; a later one breaks the connection, so that no part passes
for the whole. Few files are made at a time, as each has a query open in ClickHouse: a client that
wants another one is told to try again.
"""

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from threading import BoundedSemaphore
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from dashboard.components.sheet import FORMS, Sheet
from dashboard.pages.index import sheet as index
from dashboard.pages.records import files as records
from dashboard.pages.targets import sheet as targets
from dashboard.query.connection import TimeLimitError, UnreachableError
from dashboard.request.address import PageRequest
from dashboard.request.answers import is_mistake, page_request
from dashboard.request.context import PageContext
from dashboard.request.streamed import FILE_SECONDS, Streamed
from dashboard.request.workers import BusyError, PageWorkers

log = logging.getLogger(__name__)
SHEETS: Mapping[str, Callable[[PageContext, PageRequest], Sheet]] = {
    "targets": targets.sheet,
    "index": index.sheet,
    "records/{kind}": records.sheet,
}
"""The file of each page."""
AT_A_TIME = 4
"""Files made at a time; ClickHouse sorts all rows of each."""


def add_routes(server: FastAPI, context: PageContext, workers: PageWorkers, usual: str) -> None:
    """Add the routes, before Dash's own ones, which match every path.

    Args:
        server: gets the routes.
        context: answers the requests.
        workers: make the files.
        usual: the language of a viewer who chose none.
    """
    places = BoundedSemaphore(AT_A_TIME)
    for page, sheet in SHEETS.items():
        for form in FORMS:
            _add(server, page, form, sheet, context, workers, usual, places)


def _add(
    server: FastAPI,
    page: str,
    form: str,
    sheet: Callable[[PageContext, PageRequest], Sheet],
    context: PageContext,
    workers: PageWorkers,
    usual: str,
    places: BoundedSemaphore,
) -> None:
    media, written = FORMS[form]

    @server.get(f"/export/{page}.{form}")
    async def export(http_request: Request) -> Response:
        path = "/" + page.format(**http_request.path_params)
        request = page_request(http_request, path, usual)
        if request.is_too_long:
            return _problem(
                400,
                f"{request.translator('wrong_address')}: {request.translator('address_too_long')}",
            )

        def begun() -> tuple[str, list[bytes], Generator[bytes, None, None]]:
            found = sheet(context.of(request), request)
            pieces = whole(written(found), places)
            try:
                # The second piece is the first with rows: by then ClickHouse has answered.
                return found.name, [next(pieces), next(pieces, b"")], pieces
            except BaseException:
                pieces.close()
                raise

        try:
            name, first, rest = await workers.run(begun, FILE_SECONDS)
        except TimeLimitError:
            return _problem(
                503, f"{request.translator('too_long')}. {request.translator('too_long_hint')}"
            )
        except UnreachableError:
            return _problem(503, request.translator("store_away"))
        except BusyError:
            return _problem(429, request.translator("files_busy"), {"Retry-After": "10"})
        except LookupError as error:
            if is_mistake(error):
                raise
            return _problem(404, str(error.args[0]))
        except ValueError as error:
            return _problem(400, f"{request.translator('wrong_address')}: {error}")
        disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}.{form}"
        return Streamed(
            workers, _after(first, rest), media, {"Content-Disposition": disposition}, FILE_SECONDS
        )


def _after(first: list[bytes], rest: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    try:
        yield from first
        yield from rest
    finally:
        rest.close()


def _problem(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(words, status, {"Cache-Control": "no-store", **(headers or {})})


def whole(pieces: Iterator[bytes], places: BoundedSemaphore) -> Generator[bytes, None, None]:
    """Yield the pieces of a file, which holds a place from its first piece to its end or abort.

    Raises:
        BusyError: no place is free.
        UnreachableError: ClickHouse does not return the rest.
    """
    if not places.acquire(blocking=False):
        raise BusyError
    try:
        yield from pieces
    except UnreachableError as error:
        log.warning("a file is not made or broke off, ClickHouse does not answer: %s", error)
        raise
    finally:
        places.release()
