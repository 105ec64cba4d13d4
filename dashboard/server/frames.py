"""Check WebSocket frames before Dash reads them: Dash takes any text for its own script's."""

import json
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_PUSHES, PUSHES_SECONDS = 60, 60.0
"""Most requests of a socket for the push within a minute: each opened tab makes one."""
POLICY = 1008
TYPES = ("callback_request", "get_props_response", "heartbeat")
log = logging.getLogger(__name__)


class FrameError(ValueError):
    """A frame that no page of ours sends; the message says why."""


class Frames:
    """ASGI middleware that ends a socket at its first invalid frame, with one line in the log.

    `is_push` tells whether a callback may be requested through a socket.
    """

    def __init__(self, app: ASGIApp, is_push: Callable[[str], bool]) -> None:
        self.app, self.is_push = app, is_push

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass frames on until an invalid one ends the socket."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        pushes: deque[float] = deque(maxlen=MAX_PUSHES)
        ended = False

        async def received() -> Message:
            nonlocal ended
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            try:
                self._check(message.get("text"), pushes)
            except FrameError as error:
                log.warning("a socket is ended: %s", error)
                ended = True
                await send({"type": "websocket.close", "code": POLICY})
                return {"type": "websocket.disconnect", "code": POLICY}
            return message

        async def sent(message: Message) -> None:
            if not ended:
                await send(message)

        await self.app(scope, received, sent)

    def _check(self, text: str | None, pushes: deque[float]) -> None:
        if text is None:
            raise FrameError("a frame is not text")
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            raise FrameError("a frame is no JSON") from None
        if not isinstance(message, dict) or message.get("type") not in TYPES:
            raise FrameError("a frame is no message")
        if not all(isinstance(message.get(name, ""), str) for name in ("requestId", "rendererId")):
            raise FrameError("a message has no number")
        if message["type"] == "callback_request":
            self._check_push(message.get("payload"), pushes)

    def _check_push(self, payload: Any, pushes: deque[float]) -> None:
        if (
            not isinstance(payload, dict)
            or not isinstance(payload.get("output"), str)
            or not self.is_push(payload["output"])
        ):
            raise FrameError("a message asks for what is not pushed")
        if any(payload.get(name) for name in ("inputs", "state", "changedPropIds")):
            raise FrameError("a push takes nothing")
        now = time.monotonic()
        if len(pushes) == MAX_PUSHES and now - pushes[0] < PUSHES_SECONDS:
            raise FrameError("the push is asked for too often")
        pushes.append(now)
