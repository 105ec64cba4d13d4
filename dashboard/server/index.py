"""The HTML of every page: Dash's, for known addresses only, with a policy for scripts."""

import base64
import hashlib
import re
from collections.abc import Callable
from html import escape

import dash
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from dashboard.i18n.translator import Translator
from dashboard.request.view import choose_language
from dashboard.server import client_files, dash_internals

INLINE = re.compile(
    r"<script(?![^>]*\b(?:src=|type=\"application/json\"))[^>]*>(.*?)</script>", re.DOTALL
)
"""Scripts inside the page: Dash has two or three of its own."""
HOST = re.compile(r"[\w.\-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?")
NOT_FOUND = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>IOC</title><link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
<link rel="stylesheet" href="{sheet}"></head>
<body class="theme-light"><main class="access"><i class="shape hatch"></i>
<h1>{title}</h1><p><a href="/">{home}</a></p></main>
</body></html>"""
NOT_FOUND_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; frame-ancestors 'none'"
)


def add_route(server: FastAPI, app: dash.Dash, is_page: Callable[[str], bool], usual: str) -> None:
    """Add the fallback route: after Dash's own, before the one that serves every address."""

    @server.get("/{path:path}", include_in_schema=False)
    def index(request: Request) -> Response:
        if not is_page(request.url.path):
            language = choose_language(
                request.query_params.get("lang"), request.cookies.get("ioc_language"), usual
            )
            translator = Translator(language)
            page = NOT_FOUND.format(
                sheet=client_files.client().sheet,
                language=language,
                title=escape(translator("not_found")),
                home=escape(translator("to_start")),
            )
            return HTMLResponse(page, 404, {"Content-Security-Policy": NOT_FOUND_POLICY})
        html = dash_internals.index_html(app, request)
        return HTMLResponse(
            html, headers={"Content-Security-Policy": policy(html, request.headers.get("host", ""))}
        )


def policy(html: str, host: str) -> str:
    """Return the Content-Security-Policy of a page: this server's scripts, and inline ones by hash.

    Inline styles are allowed: dash-leaflet and Dash's fields set them, as components do by `style`.
    A browser may not include WebSockets in 'self', so they are named.
    """
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in INLINE.findall(html))
    sockets = f" ws://{host} wss://{host}" if HOST.fullmatch(host) else ""
    return (
        f"default-src 'self'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; "
        f"font-src 'self' data:; connect-src 'self'{sockets}; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
