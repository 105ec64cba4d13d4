"""Run an ASGI application as a server of the centre: bounded, protected, with our log."""

import resource
import sys
from contextlib import suppress

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from schemas.http.connection import LINGERING_CONNECTIONS, bounded
from schemas.http.limits import Limits
from schemas.http.middleware import ASGI

OTHER_FILES = 256
"""File handles that a process needs besides its connections."""


def run(
    app: ASGI, *, host: str, port: int, limits: Limits = Limits(), graceful_seconds: int = 20
) -> None:
    """Serve until the process is told to stop.

    Call `schemas.logs.configure` before: uvicorn's own log handlers are not installed.

    Args:
        app: The application, as a rule from `schemas.http.middleware.protect`.
        host: The address to listen on.
        port: The port to listen on.
        limits: The bounds of the server.
        graceful_seconds: Time that requests in progress get to finish.
    """
    _allow_files(limits.connections + LINGERING_CONNECTIONS + OTHER_FILES)
    server = uvicorn.Server(
        config(app, host=host, port=port, limits=limits, graceful_seconds=graceful_seconds)
    )
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def config(
    app: ASGI, *, host: str, port: int, limits: Limits, graceful_seconds: int
) -> uvicorn.Config:
    """Return uvicorn's configuration for `run`."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=bounded(limits),
        ws_max_size=limits.websocket_bytes,
        # Frames are small, and a compressed one may expand to a thousand times its size.
        ws_per_message_deflate=False,
        timeout_keep_alive=limits.keep_alive_seconds,
        timeout_graceful_shutdown=graceful_seconds,
        access_log=False,
        server_header=False,
        log_config=None,
    )


def _allow_files(count: int) -> None:
    """Raise the process's limit of open files as far as allowed, as each connection needs one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
