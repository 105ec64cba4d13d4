"""The bounds that one HTTP server holds all its clients to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one server; each names its unit. What is beyond is answered with one sentence and the connection closed."""

    header_bytes: int = 32 << 10
    """Names and values of all fields of a request, its target included: 431 beyond."""
    header_fields: int = 100
    """Fields of a request: 431 beyond."""
    target_bytes: int = 8 << 10
    """Path and query string: 414 beyond."""
    header_seconds: float = 10.0
    """From the first byte of a request, or of a connection, to the end of its headers: 408 beyond."""
    body_grace_seconds: float = 10.0
    """How long a body may take as slow as it likes."""
    body_bytes_per_second: int = 1024
    """After the grace, the least rate of a body within each `body_window_seconds`: 408 below."""
    body_window_seconds: float = 5.0
    body_bytes: int | None = 64 << 10
    """Largest body of one request: 413 beyond. None: the application has a bound of its own and says it in its own words."""
    bodies_bytes: int = 64 << 20
    """Bytes of all bodies whose requests are not answered yet: 503 beyond, for the largest that is slow, else for the newest."""
    connections: int = 1000
    """Open connections, WebSockets included: beyond, the one that has been idle longest makes room, else 503."""
    keep_alive_seconds: int = 30
    """How long a connection may be idle between requests."""
    pipelined_requests: int = 64
    """Requests sent ahead of their answers on one connection: closed beyond."""
    websocket_bytes: int = 64 << 10
    """Largest WebSocket message that a client may send."""
