"""What is known of the browser behind the current Dash callback."""

import dash
from dash.exceptions import MissingCallbackContextException


def remembered() -> str | None:
    """Return the language this browser was shown last; None outside a request."""
    cookies = _cookies()
    return str((cookies or {}).get("ioc_language") or "") or None


def in_request() -> bool:
    """Tell whether a request is being answered.

    Dash calls each layout once when it starts; ClickHouse must not be queried then.
    """
    return _cookies() is not None


def _cookies() -> dict[str, str] | None:
    try:
        return dict(dash.ctx.cookies)
    except (MissingCallbackContextException, LookupError):
        return None
