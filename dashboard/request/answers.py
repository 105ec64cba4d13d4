"""Answers to the scripts of the desk: JSON, or the reason why there is none."""

import hashlib
import json
import logging
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

from dashboard.i18n.bidi import without_controls_json
from dashboard.query.connection import TimeLimitError, UnreachableError
from dashboard.query.rights import NoRightsError
from dashboard.request.address import MAX_ADDRESS_BYTES, PageRequest
from dashboard.request.page_contract import PageEncoder
from dashboard.request.workers import BusyError, PageWorkers
from schemas.places import UnknownUnitError

log = logging.getLogger(__name__)


def to_json(found: Any) -> str:
    """Serialise values and Dash components to JSON, without bidirectional control characters.

    Raises:
        UndrawnComponentError: a component is none that the page contract has.
    """
    return without_controls_json(json.dumps(found, cls=PageEncoder, separators=(",", ":")))


def content_tag(text: str) -> str:
    """Return a tag that differs whenever `text` differs."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def is_mistake(error: LookupError) -> bool:
    """Tell whether an error is a defect of the program rather than a request for what is missing.

    Pages raise `LookupError` with a text to show, and `schemas.places` an error of its own; any
    other `KeyError` or `IndexError` comes from code that took something for granted.
    """
    return isinstance(error, (KeyError, IndexError)) and not isinstance(error, UnknownUnitError)


def page_request(http_request: Request, path: str, default_language: str) -> PageRequest:
    """Return the page request that a script makes for `path`.

    Args:
        http_request: its query holds the parameters, its cookies the language shown last.
        path: the page's path, which need not be the script's own.
        default_language: used where neither address nor cookie names one.
    """
    return PageRequest.of(
        path, http_request.url.query, http_request.cookies.get("ioc_language"), default_language
    )


async def answer(http_request: Request, workers: PageWorkers, make: Callable[[], str]) -> Response:
    """Run `make` in a worker thread and return the JSON that it returns.

    Returns:
        200 with the JSON; 400 for an address that is too long, 403 without the right, 422 for
        parameters that make no sense, 503 when ClickHouse is away, slow or too busy.
    """
    if len(http_request.url.path) + len(http_request.url.query) > MAX_ADDRESS_BYTES:
        return problem(400, "address_too_long")
    try:
        body = await workers.run(lambda: make().encode())
    except BusyError:
        return problem(503, "too_busy")
    except TimeLimitError:
        log.warning("an answer took too long: %s", http_request.url.path)
        return problem(503, "too_long")
    except UnreachableError as error:
        log.warning("ClickHouse does not answer: %s", error)
        return problem(503, "store_away")
    except NoRightsError:
        return problem(403, "no_rights")
    except LookupError as error:
        if is_mistake(error):
            raise
        return problem(422, str(error))
    except ValueError as error:
        return problem(422, str(error))
    return json_answer(body)


def json_answer(body: str | bytes, status: int = 200) -> Response:
    """Return JSON as an answer that nobody may cache."""
    return Response(
        body, status, media_type="application/json", headers={"Cache-Control": "no-store"}
    )


def problem(status: int, why: str) -> Response:
    """Return the answer of a request that is not served: a status, and the reason as JSON."""
    return json_answer(json.dumps({"problem": why}), status)
