"""Declare the bounds that an HTTP server applies to all its clients."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one server; each names its unit.

    Whatever exceeds one is answered with one sentence, and the connection is closed.
    """

    header_bytes: int = 32 << 10
    """Names and values of all fields of a request, including its target; 431 beyond."""
    header_fields: int = 100
    """Number of fields of a request; 431 beyond."""
    target_bytes: int = 8 << 10
    """Path and query string; 414 beyond."""
    header_seconds: float = 10.0
    """Time from the first byte of a request, or of a connection, to the end of its headers.

    408 beyond.
    """
    body_grace_seconds: float = 10.0
    """Time for which a body may be arbitrarily slow."""
    body_bytes_per_second: int = 1024
    """Minimum rate of a body within each `body_window_seconds` after the grace; 408 below."""
    body_window_seconds: float = 5.0
    body_bytes: int | None = 64 << 10
    """Largest body of one request; 413 beyond.

    None: the application has a bound of its own, with its own message.
    """
    bodies_bytes: int = 64 << 20
    """Bytes of all bodies whose requests are not answered yet; 503 beyond.

    The largest body that is slow is refused, else the newest.
    """
    connections: int = 1000
    """Open connections, including WebSockets.

    Beyond, the one that has been idle longest is closed; if none is idle, the new one gets 503.
    """
    keep_alive_seconds: int = 30
    """Time for which a connection may be idle between requests."""
    pipelined_requests: int = 64
    """Requests sent ahead of their answers on one connection; it is closed beyond."""
    websocket_bytes: int = 64 << 10
    """Largest WebSocket message that a client may send."""
