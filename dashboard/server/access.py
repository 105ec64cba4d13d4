"""Access control in front of every route: with `IOC_ACCESS=token`, requests need a token.

A token is typed into a form, which posts it; that of a wall may come once in the address
(`/wall?token=…`), as nobody types there. It is kept in a cookie that scripts cannot read.

Whatever no list below names needs a token for the desk. A token for the wall opens `/wall` and what
that page needs: Dash's own routes, too, which is why all that queries ClickHouse for a viewer
checks `dashboard.query.rights` again.
"""

import asyncio
from collections.abc import Mapping
from html import escape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.i18n.translator import Translator
from dashboard.query.rights import Right, current
from dashboard.request.view import choose_language
from dashboard.server import client_files
from dashboard.server.attempts import Attempts
from dashboard.server.tokens import Tokens

COOKIE, SECURE_COOKIE = "ioc_token", "__Host-ioc_token"
"""Name of the cookie, and of the one behind TLS: browsers accept that one over HTTPS from this very
host only.
"""
COOKIE_SECONDS = 400 * 86_400
ENTER = "/enter"
"""Path that the form posts a token to."""
MAX_FORM_BYTES = 4_096
PUBLIC, PUBLIC_FOLDERS = frozenset({"/healthz", "/readyz", "/metrics"}), ("/assets/",)
WALL = frozenset(
    {
        "/",
        "/wall",
        "/_favicon.ico",
        "/_dash-layout",
        "/_dash-dependencies",
        "/_dash-update-component",
        "/_dash-ws-callback",
    }
)
WALL_FOLDERS = ("/outlines/", "/_dash-component-suites/")
"""Folders that a wall needs besides the files of every page."""
REFUSED = 4403
"""Close code of a socket whose token is invalid, or has become so."""
INTERNAL = "ioc.internal"
"""Scope key that marks requests of the server to itself; no client can set one."""
POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)

PAGE = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>IOC</title><link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
<link rel="stylesheet" href="{sheet}"></head>
<body class="theme-light"><main class="access"><i class="shape hatch"></i>
<h1>{title}</h1><p>{hint}</p>
<form method="post" action="{enter}"><input type="hidden" name="to" value="{to}">
<label for="token">{label}</label>
<input id="token" name="token" type="password" autocomplete="off" required autofocus>
<button>{button}</button></form>
</main></body></html>"""


class Access:
    """ASGI middleware that lets through what the client's token allows.

    `usual` is the language of a viewer who chose none; `tls` says that browsers connect by HTTPS.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens, usual: str, *, tls: bool = False) -> None:
        self.app, self.tokens, self.usual, self.tls = app, tokens, usual, tls
        self.cookie = SECURE_COOKIE if tls else COOKIE
        self.attempts = Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what the token of the client allows, and refuse the rest."""
        if scope["type"] not in ("http", "websocket") or scope.get(INTERNAL):
            await self.app(scope, receive, send)
        elif is_public(path := scope["path"]):
            await self._with("none", scope, receive, send)
        elif scope["type"] == "http" and path == ENTER and scope["method"] == "POST":
            await self._enter(scope, receive, send)
        else:
            await self._ask(scope, receive, send)

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        cookies = _cookies(Headers(scope=scope).get("cookie", ""))
        in_address, path = query.pop("token", None), scope["path"]
        to = f"{path}?{urlencode(query)}" if query else path
        if in_address is not None and scope["type"] == "http":
            right = self.tokens.right(in_address)
            if right == "wall" and path == "/wall":
                await self._remember(in_address, to)(scope, receive, send)
            else:
                why = "token_wrong" if right is None else "token_in_address"
                await self._refuse(scope, receive, send, to, cookies, why, is_guess=right is None)
            return
        token = cookies.get(self.cookie)
        right = self.tokens.right(token)
        if right is None:
            await self._refuse(
                scope, receive, send, to, cookies, "token_needed", is_guess=bool(token)
            )
        elif not allowed(right, path):
            await self._refuse(scope, receive, send, to, cookies, "no_rights", is_guess=False)
        else:
            await self._with(
                right,
                scope,
                receive,
                self._watched(send, token) if scope["type"] == "websocket" else send,
            )

    async def _with(self, right: Right, scope: Scope, receive: Receive, send: Send) -> None:
        reset = current.set(right)
        try:
            await self.app(scope, receive, send)
        finally:
            current.reset(reset)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept a token from the form, and lead on to the page that was requested."""
        headers = Headers(scope=scope)
        if (origin := headers.get("origin")) is not None and urlsplit(origin).netloc != headers.get(
            "host"
        ):
            await Response("This form is of another site.", 403)(scope, receive, send)
            return
        if self.attempts.is_crowded:
            # Check this before the token: else a client that sends many at once learns whether each
            # is right.
            await _too_many()(scope, receive, send)
            return
        form = await _form(receive)
        to = local(form.get("to", "/"))
        if self.tokens.right(form.get("token")) is None:
            await self._refuse(
                scope,
                receive,
                send,
                to,
                _cookies(headers.get("cookie", "")),
                "token_wrong",
                is_guess=True,
            )
        else:
            await self._remember(form["token"], to)(scope, receive, send)

    def _remember(self, token: str, to: str) -> Response:
        answer = RedirectResponse(
            local(to), 303, headers={"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        )
        answer.set_cookie(
            self.cookie,
            token,
            max_age=COOKIE_SECONDS,
            secure=self.tls,
            httponly=True,
            samesite="strict",
            path="/",
        )
        return answer

    def _watched(self, send: Send, token: str | None) -> Send:
        """Wrap `send` so that a socket ends when its token does."""

        async def sent(message: Message) -> None:
            if message["type"] == "websocket.send" and self.tokens.right(token) is None:
                message = {"type": "websocket.close", "code": REFUSED}
            await send(message)

        return sent

    async def _refuse(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        to: str,
        cookies: Mapping[str, str],
        why: str,
        *,
        is_guess: bool,
    ) -> None:
        """Say why access is refused, with the form; the answer to a guess is delayed."""
        if is_guess:
            client, now = (scope.get("client") or ("?",))[0], asyncio.get_running_loop().time()
            if (
                not await self.attempts.hold(self.attempts.wrong(client, scope["path"][:100], now))
                and scope["type"] == "http"
            ):
                await _too_many()(scope, receive, send)
                return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": REFUSED})
            return
        asked = dict(parse_qsl(urlsplit(to).query))
        translator = Translator(
            choose_language(asked.get("lang"), cookies.get("ioc_language"), self.usual)
        )
        words = {
            "title": translator(why),
            "hint": translator(f"{why}_hint"),
            "label": translator("token"),
            "button": translator("token_enter"),
        }
        escaped = {key: escape(text) for key, text in (words | {"enter": ENTER, "to": to}).items()}
        headers = {
            "Cache-Control": "no-store",
            "Referrer-Policy": "same-origin",
            "Content-Security-Policy": POLICY,
        }
        page = PAGE.format(
            language=translator.language, sheet=client_files.client().sheet, **escaped
        )
        await HTMLResponse(page, 403 if why in ("no_rights", "token_in_address") else 401, headers)(
            scope, receive, send
        )


def _too_many() -> Response:
    return Response("Too many wrong tokens.", 429, {"Retry-After": "10"})


def is_public(path: str) -> bool:
    """Tell whether a path needs no token: probes, and files that every page loads."""
    return path in PUBLIC or path.startswith(PUBLIC_FOLDERS)


def allowed(right: Right, path: str) -> bool:
    """Tell whether a right covers a path."""
    return right == "desk" or (right == "wall" and (path in WALL or path.startswith(WALL_FOLDERS)))


def local(to: str) -> str:
    """Return an address of this site, or `/` for another site's.

    `//evil.example` is one of another site, as is anything that a browser would read as such.
    """
    is_ours = (
        to.startswith("/")
        and not to.startswith(("//", "/\\"))
        and to.isprintable()
        and len(to) <= MAX_FORM_BYTES
    )
    return to if is_ours else "/"


async def _form(receive: Receive) -> dict[str, str]:
    """Read the fields of a form; none of one that is too long, whose rest is not read."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
        if len(body) > MAX_FORM_BYTES:
            return {}
    return dict(parse_qsl(body.decode(errors="replace")))


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: one.value for name, one in SimpleCookie(header).items()}
    except CookieError:
        return {}
