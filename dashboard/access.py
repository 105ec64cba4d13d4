"""Who may see what, before anything is answered: with `IOC_ACCESS=token` a page, a file of data or a socket takes a token.

A token comes once in the address (`/wall?token=…`), is kept in a cookie that scripts cannot read, and goes from the address. A
token for the wall opens `/wall` and what that page needs: Dash's own routes too, which is why whatever asks ClickHouse for a
visitor looks at `dashboard.rights` again.
"""

from collections.abc import Mapping, MutableMapping
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.rights import Right, current
from dashboard.speech import Speech
from dashboard.tokens import Tokens
from dashboard.wall.view import language

COOKIE = "ioc_token"
COOKIE_SECONDS = 400 * 86_400
PUBLIC = ("/healthz", "/readyz", "/metrics", "/assets/")
WALL = ("/wall", "/outlines/", "/_dash", "/_favicon.ico")
"""Beginnings of what a wall needs, beside the start page."""
REFUSED = 4403
"""Close code of a socket whose token is not valid, or not any more."""
INTERNAL = "ioc.internal"
"""A key of the scope of what the server asks of itself; no client can set one."""

PAGE = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>IOC</title><link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
<link rel="stylesheet" href="/assets/theme.css"><link rel="stylesheet" href="/assets/access.css"></head>
<body class="theme-light"><main class="access"><i class="shape hatch"></i><h1>{title}</h1><p>{hint}</p>
<form method="get" action="{path}"><label for="token">{label}</label>
<input id="token" name="token" type="password" autocomplete="off" required autofocus><button>{button}</button></form>
</main></body></html>"""


class Access:
    """Lets through what a token allows. `usual` is the language of who asked for none."""

    def __init__(self, app: ASGIApp, tokens: Tokens, usual: str) -> None:
        self.app, self.tokens, self.usual = app, tokens, usual

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope.get(INTERNAL) or scope["path"].startswith(PUBLIC):
            await self.app(scope, receive, send)
            return
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        cookies = _cookies(Headers(scope=scope).get("cookie", ""))
        said = query.pop("token", None)
        token = said or cookies.get(COOKIE)
        right = self.tokens.right(token)
        if right is None or not allowed(right, scope["path"]):
            await self._refuse(scope, receive, send, query, cookies, wrong=said is not None, right=right)
        elif said and scope["type"] == "http":
            await _remember(scope["path"], query, said)(scope, receive, send)
        else:
            reset = current.set(right)
            try:
                await self.app(scope, receive, self._watched(send, token) if scope["type"] == "websocket" else send)
            finally:
                current.reset(reset)

    def _watched(self, send: Send, token: str | None) -> Send:
        """Ends a socket when its token does."""

        async def sent(message: Message) -> None:
            if message["type"] == "websocket.send" and self.tokens.right(token) is None:
                message = {"type": "websocket.close", "code": REFUSED}
            await send(message)

        return sent

    async def _refuse(
        self,
        scope: MutableMapping[str, Any],
        receive: Receive,
        send: Send,
        query: Mapping[str, str],
        cookies: Mapping[str, str],
        *,
        wrong: bool,
        right: Right | None,
    ) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": REFUSED})
            return
        speech = Speech(language(query.get("lang"), cookies.get("ioc_language"), self.usual))
        why = "token_wrong" if wrong else "no_rights" if right else "token_needed"
        words = {"title": speech(why), "hint": speech(f"{why}_hint"), "label": speech("token"), "button": speech("token_enter")}
        told = {key: escape(text) for key, text in words.items()}
        page = PAGE.format(language=speech.language, path=escape(scope["path"]), **told)
        answer = HTMLResponse(page, 403 if right else 401, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
        await answer(scope, receive, send)


def allowed(right: Right, path: str) -> bool:
    """Whether who has a right may ask for a path at all."""
    return right == "desk" or path == "/" or path.startswith(WALL)


def _remember(path: str, query: Mapping[str, str], token: str) -> Response:
    answer = RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303, headers={"Referrer-Policy": "no-referrer"})
    answer.set_cookie(COOKIE, token, max_age=COOKIE_SECONDS, httponly=True, samesite="strict")
    return answer


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: one.value for name, one in SimpleCookie(header).items()}
    except CookieError:
        return {}
