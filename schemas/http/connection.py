"""Apply the limits to one HTTP connection before any application runs.

uvicorn's own protocol reads headers of any length, waits for headers and bodies for ever, and
accepts any number of connections. Its fast parser (httptools) stays: bytes are counted once per
chunk that the socket gives, not one by one.
"""

import asyncio
import logging
from typing import Any

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from schemas.http.limits import Limits
from schemas.http.memory import BodyMemory

LINGER_SECONDS, LINGER_BYTES = 2.0, 1 << 20
"""Bounds of reading on after a refusal.

The rest of the request is read and dropped, so that the client can read the reason: closing at once
would reset its connection.
"""
LINGERING_CONNECTIONS = 64
"""Connections beyond the limit that get a 503; further ones are reset."""
IDLE_SECONDS = 1.0
"""Idle time after which a connection may be closed to make room for another."""
RETRY_SECONDS = 2

log = logging.getLogger("schemas.http.refused")


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, with the limits of its class; `bounded` creates the class."""

    limits = Limits()
    memory = BodyMemory(limits.bodies_bytes)

    def __init__(self, *given: Any, **named: Any) -> None:
        """Create the connection with uvicorn's arguments."""
        super().__init__(*given, **named)
        # uvicorn's lines quote the client and the query string; `schemas.http.middleware` has its
        # own.
        self.access_log = False
        self._head_open = self._body_open = False
        self._refused = self._upgraded = False
        self._messages = self._head_size = self._fields = self._incomplete_bytes = 0
        self._body_size = self._fed = self._window_bytes = self._unfed_bytes = self._dropped = 0
        self._body_since = 0.0
        self._waits_since: float | None = None
        self._running: RequestResponseCycle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._body_timer: asyncio.TimerHandle | None = None

    # Called by the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for headers, or refuse the connection if there are too many."""
        full = len(self.connections) >= self.limits.connections and not self._make_room()
        if len(self.connections) >= self.limits.connections + LINGERING_CONNECTIONS:
            self._refused, self.transport = True, transport
            transport.abort()
            return
        super().connection_made(transport)
        if full:
            self._refuse(503, "The server has too many connections; try again in some seconds.")
            return
        self._waits_since = self.loop.time()
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel every timer of the connection, and release what it holds."""
        self._stop_timers()
        self._forget_pipeline()
        self._waits_since = None
        super().connection_lost(exc)
        # A request refers to its connection and the connection to its request, with as much of a
        # body as had arrived: 0.2 MB for each hostile one until garbage is collected, which a
        # gateway does seldom.
        self._refused = True
        self.cycle = self._running = None  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Parse a chunk, then check what is incomplete against the limits."""
        if self._refused:
            self._dropped += len(data)
            if self._dropped > LINGER_BYTES:
                self.transport.close()
            return
        between, before = not (self._head_open or self._body_open), self._messages
        self._fed = 0
        super().data_received(data)
        if self._refused or self._upgraded or self.transport.is_closing():
            return
        if self._head_open:
            # A chunk may contain the end of a body or a whole request before these headers; then it
            # is not counted, being bounded itself.
            if self._messages == before or (between and self._messages == before + 1):
                self._incomplete_bytes += len(data)
            self._check_head(self._incomplete_bytes)
            self._expect_headers()
        elif self._body_open:
            self._watch_body(len(data))
        elif self._answered():
            self._expect_headers()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection to the WebSocket protocol, which has limits of its own."""
        if not self._refused:
            self._upgraded = True
            self._stop_timers()
            super().handle_websocket_upgrade()

    # Called by the parser

    def on_message_begin(self) -> None:
        """Start the counts of a request."""
        self._messages += 1
        self._head_open = True
        self._head_size = self._fields = self._incomplete_bytes = self._body_size = 0
        if not self._refused:
            super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target, up to the limit."""
        if len(self.url) <= self.limits.target_bytes:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field (or a trailer), up to the limits."""
        self._fields += 1
        self._head_size += len(name) + len(value) + 4
        if (
            self._head_size <= self.limits.header_bytes
            and self._fields <= self.limits.header_fields
        ):
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the application, unless the headers exceed the limits."""
        self._head_open = False
        self._waits_since = None
        self._stop_timers()
        if not self._refused:
            self._check_head(self._head_size)
        if (
            not self._refused
            and self.limits.body_bytes is not None
            and self._announced() > self.limits.body_bytes
        ):
            self._refuse_body()
        if self._refused:
            return
        cycle = self.cycle
        super().on_headers_complete()
        self._body_open = True
        self._body_since, self._window_bytes, self._unfed_bytes = self.loop.time(), 0, 0
        if self.cycle is not cycle:
            # It has as much of a transport's interface as a cycle uses.
            self.cycle.transport = _LingeringTransport(self)  # type: ignore[assignment]
        if len(self.pipeline) > self.limits.pipelined_requests:
            self._refuse(503, "Too many requests were sent ahead of their answers.")

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body, if there is room for it."""
        self._fed += len(body)
        self._body_size += len(body)
        if self._refused:
            return
        if self.cycle is not None and not self.cycle.response_complete:
            if self.limits.body_bytes is not None and self._body_size > self.limits.body_bytes:
                self._refuse_body()
                return
            if not self.memory.take(self.cycle, len(body), self, self.loop.time()):
                self._refuse(
                    503,
                    "The server holds too many unfinished requests; send again in some seconds.",
                )
                return
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Continue with the next request."""
        self._body_open = False
        self._stop_timers()
        if not self._refused:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that is not HTTP."""
        self._refuse(400, msg)

    # Called by the application's side

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # Not when the connection ends: the application may hold the body of a client that
        # disconnected.
        async def releasing(
            scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
        ) -> None:
            try:
                await app(scope, receive, send)
            finally:
                self.memory.release(cycle)

        self._running = cycle
        super()._start_asgi_task(cycle, releasing)

    def on_response_complete(self) -> None:
        """Wait for the next request, or drop the rest of a body that was answered early."""
        if self._refused:
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._answered():
            self._waits_since = self.loop.time()
            if self._body_open:
                self._linger()

    def slow_since(self) -> float | None:
        """Return when the body that is arriving began; None if none is."""
        return self._body_since if self._body_open and not self._refused else None

    def give_up(self) -> None:
        """Refuse the request whose body is arriving, in favour of others."""
        self._refuse(
            503,
            "The body arrives too slowly while the server is busy; send again in some seconds.",
        )

    # Limits

    def _check_head(self, size: int) -> None:
        if len(self.url) > self.limits.target_bytes:
            self._refuse(414, f"The address is too long: at most {self.limits.target_bytes} bytes.")
        elif size > self.limits.header_bytes:
            self._refuse(
                431, f"The headers are too large: at most {self.limits.header_bytes} bytes."
            )
        elif self._fields > self.limits.header_fields:
            self._refuse(431, f"There are too many headers: at most {self.limits.header_fields}.")

    def _announced(self) -> int:
        for name, value in self.headers:
            if name == b"content-length":
                return int(value) if value.isdigit() else 0
        return 0

    def _refuse_body(self) -> None:
        self._refuse(413, f"The body is too large: at most {self.limits.body_bytes} bytes.")

    def _expect_headers(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.limits.header_seconds, self._headers_late)

    def _headers_late(self) -> None:
        self._timer = None
        if not self._answered() or self.flow.read_paused:
            self._expect_headers()  # It is we who keep the client waiting.
        elif self._head_open:
            self._refuse(
                408, f"The headers did not arrive within {self.limits.header_seconds:g} s."
            )
        else:
            self.transport.close()

    def _watch_body(self, size: int) -> None:
        # Bytes that are no body although a body is due: the frames of chunks, or trailers that
        # never end.
        self._unfed_bytes = 0 if self._fed else self._unfed_bytes + size
        if self._unfed_bytes > self.limits.header_bytes:
            self._refuse(
                431,
                "The framing or trailers of the body are too large: "
                f"at most {self.limits.header_bytes} bytes.",
            )
            return
        self._window_bytes += self._fed
        if self._body_timer is None:
            self._body_timer = self.loop.call_later(
                self.limits.body_grace_seconds, self._open_window
            )

    def _open_window(self) -> None:
        self._window_bytes = 0
        self._body_timer = self.loop.call_later(self.limits.body_window_seconds, self._close_window)

    def _close_window(self) -> None:
        minimum = self.limits.body_bytes_per_second * self.limits.body_window_seconds
        if self._window_bytes < minimum and not self.flow.read_paused:
            self._refuse(
                408,
                "The body arrived more slowly than "
                f"{self.limits.body_bytes_per_second} bytes a second.",
            )
        else:
            self._open_window()

    def _make_room(self) -> bool:
        """Close the connection that has been idle longest, if any has for long enough."""
        waiting = [
            (since, number, one)
            for number, one in enumerate(self.connections)
            if isinstance(one, BoundedConnection) and (since := one._waits_since) is not None
        ]
        since, _, oldest = min(waiting, default=(self.loop.time(), 0, self))
        if self.loop.time() - since < IDLE_SECONDS:
            return False
        self.connections.discard(oldest)
        oldest.transport.close()
        return True

    # Refusal and end
    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _forget_pipeline(self) -> None:
        """Release the bodies of requests whose turn never comes."""
        for cycle, _ in self.pipeline:
            self.memory.release(cycle)
        self.pipeline.clear()

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._body_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._body_timer = None

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer with one sentence, unless an answer is on its way, and read nothing more."""
        if self._refused:
            return
        log.info("%d %s", status, sentence)
        # An answer may be written only if none is due to an earlier request.
        if self._answered() or (
            self._body_open and not self.pipeline and not self.cycle.response_started
        ):
            self.transport.write(self._answer(status, sentence))
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        self._forget_pipeline()
        self._linger()

    def _answer(self, status: int, sentence: str) -> bytes:
        fields = [
            *self.server_state.default_headers,
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(sentence)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        if status == 503:
            fields.append((b"retry-after", b"%d" % RETRY_SECONDS))
        lines = b"".join(b"%s: %s\r\n" % field for field in fields)
        return STATUS_LINE[status] + lines + b"\r\n" + sentence.encode()

    def _linger(self) -> None:
        """Close, but let the client read the answer first; what it still sends is dropped."""
        self._refused = True
        self._waits_since = None
        self._stop_timers()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)


class _LingeringTransport:
    """The transport of a request; closing it before the body has arrived lingers."""

    def __init__(self, connection: BoundedConnection) -> None:
        self._connection = connection
        self.write = connection.transport.write
        self.is_closing = connection.transport.is_closing

    def close(self) -> None:
        connection = self._connection
        if connection._body_open and connection._answered():
            connection._linger()
        else:
            connection.transport.close()


def bounded(limits: Limits) -> type[BoundedConnection]:
    """Return a connection class with these limits, whose connections share one count of bodies."""
    return type(
        "Connection",
        (BoundedConnection,),
        {"limits": limits, "memory": BodyMemory(limits.bodies_bytes)},
    )
