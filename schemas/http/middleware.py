"""Wrap an ASGI application with allowed hosts, response headers and an access log."""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from schemas.http.hosts import AllowedHosts

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]

WRONG_HOST = (
    "Máy chủ không trả lời cho tên này; quản trị viên có thể thêm tên vào IOC_HOSTS.\n"
    "This server does not answer to this name; an administrator can add it to IOC_HOSTS.\n"
)
FAILED = "Máy chủ gặp lỗi; xin thử lại sau.\nThe server met an error; please try again later.\n"
FIXED_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    # Not no-referrer: with it a browser sends `Origin: null` with forms of our own pages.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
MAX_PATH = 200
"""Maximum length of a path in the log, in letters."""

log = logging.getLogger("schemas.http.access")


class Protected:
    """A wrapped ASGI application, created by `protect`."""

    def __init__(
        self,
        app: ASGI,
        hosts: AllowedHosts,
        policy: str,
        cacheable: tuple[str, ...],
        quiet: frozenset[str],
    ) -> None:
        """Keep the application and its policy, as described at `protect`."""
        self._app = app
        self._hosts = hosts
        self._defaults = {
            b"content-security-policy": policy.encode(),
            b"cache-control": b"no-store",
        }
        self._cacheable = cacheable
        self._quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, WebSocket or lifespan."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        status = size = 0
        storable = scope["path"].startswith(self._cacheable)

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._complete(
                    message.get("headers", ()), storable and status < 400
                )
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        try:
            if self._named(scope):
                await self._app(scope, receive, sending)
            else:
                await answer(sending, 421, WRONG_HOST)
        except Exception as error:
            logging.getLogger(__name__).error(
                "%s %s failed", scope["method"], _path(scope), exc_info=error
            )
            if status:
                raise  # Half an answer is sent: only closing the connection can mark it as failed.
            await answer(sending, 500, FAILED)
        finally:
            level = logging.DEBUG if status < 400 and scope["path"] in self._quiet else logging.INFO
            if log.isEnabledFor(level):
                spent = (time.perf_counter() - began) * 1000
                log.log(
                    level,
                    "%s %s %s %d B %.1f ms",
                    scope["method"],
                    _path(scope),
                    status or "gone",
                    size,
                    spent,
                )

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = time.perf_counter(), 403

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            if self._named(scope):
                await self._app(scope, receive, sending)
            else:
                await send({"type": "websocket.close", "code": 1008})
        finally:
            log.info("WEBSOCKET %s %d %.1f s", _path(scope), status, time.perf_counter() - began)

    def _named(self, scope: Scope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        return len(hosts) == 1 and self._hosts.allows(hosts[0])

    def _complete(
        self, headers: Iterable[tuple[bytes, bytes]], storable: bool
    ) -> list[tuple[bytes, bytes]]:
        """Return the headers of a response with the missing defaults.

        What the application states stays.
        """
        given = list(headers)
        names = {name.lower() for name, _ in given}
        given += [field for field in FIXED_HEADERS if field[0] not in names]
        for name, value in self._defaults.items():
            if name not in names and not (storable and name == b"cache-control"):
                given.append((name, value))
        return given


def protect(
    app: ASGI,
    hosts: AllowedHosts,
    *,
    policy: str = "frame-ancestors 'none'",
    cacheable: tuple[str, ...] = (),
    quiet: Iterable[str] = ("/healthz", "/readyz", "/metrics"),
) -> ASGI:
    """Return the application behind allowed hosts, response headers and an access log.

    Args:
        app: The application.
        hosts: The names that it answers to; 421 for others.
        policy: Content-Security-Policy of responses that state none.
        cacheable: Beginnings of paths whose successful responses may be stored (assets); all others
            get `no-store`.
        quiet: Paths whose successful requests are logged as DEBUG: probes request them every few
            seconds.
    """
    return Protected(app, hosts, policy, cacheable, frozenset(quiet))


async def answer(send: Send, status: int, text: str) -> None:
    """Send a whole response of plain text."""
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _path(scope: Scope) -> str:
    """Return the request's path for the log, percent-encoded, so that no line can be forged.

    The query is left out, as it may be personal.
    """
    raw = scope.get("raw_path") or b""
    return bytes(raw[:MAX_PATH]).decode("ascii", "replace")
