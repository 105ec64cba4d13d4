"""Who asks for a page: what their browser remembers, and whether anybody asks at all."""

import dash
from dash.exceptions import MissingCallbackContextException


def remembered() -> str | None:
    """The language that this browser was last shown; None outside of a request."""
    cookies = _cookies()
    return str((cookies or {}).get("ioc_language") or "") or None


def asked_for() -> bool:
    """Whether somebody asks: Dash calls each layout once when it starts, and nothing must be asked of ClickHouse then."""
    return _cookies() is not None


def _cookies() -> dict[str, str] | None:
    try:
        return dict(dash.ctx.cookies)
    except (MissingCallbackContextException, LookupError):
        return None
