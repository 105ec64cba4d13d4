"""What the desk's scripts are answered: JSON, with a tag, so that what did not change is not sent again; or why there is none."""

import hashlib
import json
import logging
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard.bidi import without_controls_json
from dashboard.connection import Unreachable
from dashboard.desk.asked import Asked
from dashboard.rights import NoRightsError

log = logging.getLogger(__name__)


def told(found: Any) -> str:
    """What is found, components among it, as a browser is told it: as JSON, its texts without controls of direction."""
    return without_controls_json(json.dumps(found, cls=PlotlyJSONEncoder, separators=(",", ":")))


def mark(text: str) -> str:
    """What tells whether a content is another one."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def asked_by(request: Request, path: str, usual: str) -> Asked:
    """What a script asks for the page of a path; `usual` is the language of who asked for none."""
    return Asked.of(path, request.url.query, request.cookies.get("ioc_language"), usual)


def answer(request: Request, ask: Callable[[], str]) -> Response:
    """The answer to a script: what `ask` finds, as JSON; 503 when ClickHouse is away, 403, or 422 for what cannot be asked."""
    try:
        body = ask()
    except Unreachable as error:
        log.warning("ClickHouse does not answer: %s", error)
        return _problem(503, "store_away")
    except NoRightsError:
        return _problem(403, "no_rights")
    except (KeyError, IndexError):
        raise  # a mistake of ours, not of who asks
    except (ValueError, LookupError) as error:
        return _problem(422, str(error))
    tag = f'"{mark(body)}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Cookie"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _problem(status: int, why: str) -> Response:
    return Response(json.dumps({"problem": why}), status, media_type="application/json", headers={"Cache-Control": "no-store"})
