"""What the desk's scripts are answered: JSON, with a tag, so that what did not change is not sent again; or why there is none."""

import hashlib
import json
import logging
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard.i18n.bidi import without_controls_json
from dashboard.query.connection import TimeLimitError, UnreachableError
from dashboard.query.rights import NoRightsError
from dashboard.request.address import MAX_ADDRESS_BYTES, PageRequest
from dashboard.request.workers import BusyError, PageWorkers
from schemas.places import UnknownPlaceError

log = logging.getLogger(__name__)


def told(found: Any) -> str:
    """What is found, components among it, as a browser is told it: as JSON, its texts without controls of direction."""
    return without_controls_json(json.dumps(found, cls=PlotlyJSONEncoder, separators=(",", ":")))


def mark(text: str) -> str:
    """What tells whether a content is another one."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def is_mistake(error: LookupError) -> bool:
    """Tell whether an error is a mistake of ours, rather than of who looks for what is not there.

    Pages raise `LookupError` with a text to show, and places an error of their own; any other
    `KeyError` or `IndexError` comes from code that took something for granted.
    """
    return isinstance(error, (KeyError, IndexError)) and not isinstance(error, UnknownPlaceError)


def asked_by(http_request: Request, path: str, usual: str) -> PageRequest:
    """What a script asks for the page of a path; `usual` is the language of who asked for none."""
    return PageRequest.of(
        path, http_request.url.query, http_request.cookies.get("ioc_language"), usual
    )


async def answer(http_request: Request, workers: PageWorkers, ask: Callable[[], str]) -> Response:
    """The answer to a script: what `ask` finds, as JSON, in a thread; 503 when ClickHouse is away or does not answer in time, 403,
    or 422 for what cannot be asked."""
    if len(http_request.url.path) + len(http_request.url.query) > MAX_ADDRESS_BYTES:
        return _problem(400, "address_too_long")
    try:
        body = await workers.run(lambda: ask().encode())
    except BusyError:
        return _problem(503, "too_busy")
    except TimeLimitError:
        log.warning("an answer took too long: %s", http_request.url.path)
        return _problem(503, "too_long")
    except UnreachableError as error:
        log.warning("ClickHouse does not answer: %s", error)
        return _problem(503, "store_away")
    except NoRightsError:
        return _problem(403, "no_rights")
    except (KeyError, IndexError):
        raise  # a mistake of ours, not of who asks
    except (ValueError, LookupError) as error:
        return _problem(422, str(error))
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def _problem(status: int, why: str) -> Response:
    return Response(
        json.dumps({"problem": why}),
        status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
