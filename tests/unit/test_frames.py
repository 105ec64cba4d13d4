"""Frames of a WebSocket that no page of ours sends end it, with one line in the log."""

import asyncio
import json
from typing import Any

import pytest

from dashboard.server.frames import MAX_PUSHES, POLICY, Frames

PUSH = {"output": "push", "outputs": [], "inputs": [], "changedPropIds": [], "state": []}


def request(**payload: Any) -> str:
    return json.dumps(
        {"type": "callback_request", "requestId": "1", "rendererId": "r", "payload": PUSH | payload}
    )


def heard(*frames: str | bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what the application is told of frames, and what the browser is sent."""
    told: list[dict[str, Any]] = []
    sent: list[dict[str, Any]] = []
    waiting = [
        {"type": "websocket.receive", "text" if isinstance(one, str) else "bytes": one}
        for one in frames
    ]

    async def receive() -> Any:
        return waiting.pop(0) if waiting else {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            told.append(json.loads(message["text"]))
        await send({"type": "websocket.send", "text": "still there"})

    asyncio.run(Frames(app, lambda output: output == "push")({"type": "websocket"}, receive, send))
    return told, sent


def test_what_pages_send_goes_through() -> None:
    answer = json.dumps({"type": "get_props_response", "requestId": "1", "payload": {"data": None}})
    told, _ = heard(request(), answer, '{"type": "heartbeat"}')
    assert [one["type"] for one in told] == ["callback_request", "get_props_response", "heartbeat"]


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '"x"',
        "{}",
        '{"type": "x"}',
        '{"type": ["heartbeat"]}',
        b"\x00",
        "[" * 60_000,
        '{"type": "callback_request"}',
        '{"type": "get_props_response", "requestId": {}}',
        request(output="content.data-content"),
        request(output=None),
        request(output=["push"]),
        request(inputs=[{"id": "x"}]),
        request(state={"a": 1}),
        request(changedPropIds=["a.b"]),
    ],
)
def test_what_no_page_sends_ends_the_socket_with_one_line(
    frame: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    told, sent = heard(frame, request())
    assert told == []
    assert sent == [{"type": "websocket.accept"}, {"type": "websocket.close", "code": POLICY}]
    assert [one.levelname for one in caplog.records] == ["WARNING"] and len(
        caplog.messages[0]
    ) < 100


def test_a_socket_that_asks_for_the_push_without_end_is_ended() -> None:
    told, sent = heard(*[request()] * (MAX_PUSHES + 5))
    assert len(told) == MAX_PUSHES and sent[-1]["type"] == "websocket.close"
