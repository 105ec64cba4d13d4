"""A server holds its clients to the limits.

Raw sockets against a real one, with small limits so that it takes moments.
"""

import logging
import select
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from schemas.http.hosts import AllowedHosts
from schemas.http.limits import Limits
from schemas.http.middleware import protect
from schemas.http.server import config
from tests.running import wait_for

pytestmark = pytest.mark.slow

SMALL = Limits(
    header_seconds=0.6,
    body_grace_seconds=0.3,
    body_window_seconds=0.3,
    body_bytes_per_second=1000,
    body_bytes=200_000,
    bodies_bytes=400_000,
    connections=6,
    keep_alive_seconds=30,
)
GET = b"GET /here HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def app(
    scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Answers how long the body was; /early without reading it.

    A WebSocket says how long each message was.
    """
    if scope["type"] == "lifespan":
        return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": str(len(message["text"]))})
        return
    if scope["path"] == "/broken":
        raise RuntimeError("secret words")
    size, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"%d" % size
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"%d" % len(body))],
        }
    )
    await send({"type": "http.response.body", "body": body})


@contextmanager
def server(limits: Limits, names: str = "") -> Iterator[int]:
    chosen = config(
        protect(app, AllowedHosts(names, "127.0.0.1")),
        host="127.0.0.1",
        port=0,
        limits=limits,
        graceful_seconds=1,
    )
    chosen.lifespan = "off"
    running = uvicorn.Server(chosen)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    wait_for(lambda: running.started, 10)
    try:
        yield running.servers[0].sockets[0].getsockname()[1]
    finally:
        running.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with server(SMALL) as number:
        yield number


def open_to(port: int, sent: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=10)
    made.sendall(sent)
    return made


def answer(made: socket.socket) -> bytes:
    """Return all that the server says until it closes; fails if it leaves the connection open."""
    parts = []
    with suppress(ConnectionResetError):
        while part := made.recv(65536):
            parts.append(part)
    made.close()
    return b"".join(parts)


def status(said: bytes) -> int:
    return int(said.split()[1]) if said else 0


def post(size: int, path: bytes = b"/here") -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size


def test_a_request_is_answered_and_its_connection_kept(port: int) -> None:
    with open_to(port, post(3) + b"abc") as one:
        assert one.recv(4096).endswith(b"\r\n\r\n3")
        one.sendall(GET)
        assert one.recv(4096).endswith(b"\r\n\r\n0")


@pytest.mark.parametrize(
    ("head", "right"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 40_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 40_000, 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: 1\r\n" * 100 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: 1\r\n" * 100_000, 431),
        (b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /" + b"x" * 9_000, 414),
        (b"nonsense\r\n\r\n", 400),
        (post(200_001), 413),
        (
            b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"10000\r\n"
            + b"x" * 65536
            + b"\r\n",
            0,
        ),
    ],
)
def test_what_is_too_large_is_refused_with_one_sentence(port: int, head: bytes, right: int) -> None:
    if right == 0:  # More than the limit, but never announced.
        first, _, chunk = head.partition(b"\r\n\r\n")
        head, right = first + b"\r\n\r\n" + chunk * 4, 413
    said = answer(open_to(port, head))
    assert status(said) == right, said
    fields, _, sentence = said.partition(b"\r\n\r\n")
    assert sentence.strip() and b"\n" not in sentence.strip()
    assert b"nosniff" in fields and b"no-store" in fields and b"server:" not in fields.lower()


def test_as_much_as_is_allowed_is_taken(port: int) -> None:
    head = (
        b"GET /"
        + b"x" * 8_000
        + b" HTTP/1.1\r\nHost: localhost\r\n"
        + b"A: "
        + b"x" * 20_000
        + b"\r\n"
        + b"B: 1\r\n" * 90
    )
    with open_to(port, head + b"\r\n") as one:
        assert status(one.recv(4096)) == 200
        one.sendall(post(200_000) + b"x" * 200_000)
        assert one.recv(4096).endswith(b"200000")


def test_many_requests_of_one_connection_are_counted_one_by_one(port: int) -> None:
    with open_to(port, b"".join(post(600) + b"A: 1\r\n" * 100 for _ in range(50))) as one:
        said = b""
        while said.count(b"\r\n\r\n600") < 50:
            said += one.recv(65536)
        assert said.count(b"200 OK") == 50


def test_a_trailer_without_end_is_refused(port: int) -> None:
    head = (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1\r\nx\r\n0\r\nA: "
    )
    with open_to(port, head) as one:
        time.sleep(0.1)
        with suppress(OSError):
            for _ in range(20):
                one.sendall(b"x" * 8000)
                time.sleep(0.01)
        assert status(answer(one)) == 431


@pytest.mark.parametrize(
    "letters", [b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: 1\r\n" * 90, b"\r\n" * 200]
)
def test_headers_that_drip_are_cut_off(port: int, letters: bytes) -> None:
    began = time.monotonic()
    with open_to(port) as one, suppress(OSError):
        for letter in letters:
            one.sendall(bytes([letter]))
            time.sleep(0.02)
        pytest.fail("The server waited for all of it.")
    assert time.monotonic() - began < 5


def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    assert answer(open_to(port)) == b""


@pytest.mark.parametrize("path", [b"/here", b"/early"])
def test_a_body_that_drips_is_cut_off(port: int, path: bytes) -> None:
    with open_to(port, post(100_000, path)) as one:
        with suppress(OSError):
            for _ in range(300):
                one.sendall(b"x")
                time.sleep(0.02)
            pytest.fail("The server waited for all of it.")
        assert status(answer(one)) in (200 if path == b"/early" else 408, 0)


def test_a_body_that_stops_is_answered_408(port: int) -> None:
    assert status(answer(open_to(port, post(100_000) + b"x" * 50_000))) == 408


def test_a_slow_but_steady_body_is_taken(port: int) -> None:
    with open_to(port, post(4000)) as one:
        for _ in range(40):
            one.sendall(b"x" * 100)
            time.sleep(0.03)
        assert one.recv(4096).endswith(b"4000")


def test_who_is_answered_before_the_body_has_come_can_read_why(port: int) -> None:
    with open_to(port, post(150_000, b"/early") + b"x" * 1000) as one:
        time.sleep(0.2)
        with suppress(OSError):
            one.sendall(b"x" * 100_000)
        assert status(answer(one)) == 200


def test_bodies_in_flight_are_bounded_over_all_connections() -> None:
    with server(replace(SMALL, body_grace_seconds=30, connections=100)) as port:
        held = [open_to(port, post(200_000) + b"x" * 190_000) for _ in range(2)]
        time.sleep(0.3)
        said = answer(open_to(port, post(190_000) + b"x" * 190_000))
        assert status(said) == 503 and b"retry-after:" in said
        with open_to(port, post(3) + b"abc") as small:
            assert status(small.recv(4096)) == 200
        held[0].sendall(b"x" * 10_000)
        assert held[0].recv(4096).endswith(b"200000")
        with open_to(port, post(190_000) + b"x" * 190_000) as again:
            assert again.recv(4096).endswith(b"190000")


def test_connections_are_bounded_and_idle_ones_make_room() -> None:
    with server(replace(SMALL, header_seconds=30)) as port:
        idle = [open_to(port) for _ in range(6)]
        time.sleep(0.2)
        said = answer(open_to(port, GET))
        assert status(said) == 503 and b"retry-after:" in said
        time.sleep(1.2)
        with open_to(port, GET) as late:
            assert status(late.recv(4096)) == 200
        closed = select.select(idle, [], [], 5)[0]
        assert [one.recv(10) for one in closed] == [b""]


def test_names_that_the_server_does_not_have_are_refused(port: int) -> None:
    for host, right in (
        (b"evil.example", 421),
        (b"localhost:1234", 200),
        (b"127.0.0.1", 200),
        (b"[::1]:80", 200),
        (b"", 421),
    ):
        with open_to(port, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n") as one:
            assert status(one.recv(4096)) == right, host
    with open_to(port, b"GET / HTTP/1.0\r\n\r\n") as nameless:
        assert status(nameless.recv(4096)) == 421


def test_a_websocket_has_the_same_bounds(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/ws") as socket_:
        socket_.send("x" * 1000)
        assert socket_.recv(10) == "1000"
        socket_.send("x" * (SMALL.websocket_bytes + 1))
        with pytest.raises(ConnectionClosed):
            socket_.recv(10)
    for host in ("evil.example", "localhost"):
        try:
            with connect(f"ws://{host}:{port}/ws", sock=open_to(port)):
                taken = True
        except InvalidStatus as refused:
            taken, refusal = False, refused.response.status_code
            assert refusal == 403
        assert taken == (host == "localhost")


def test_a_malformed_frame_and_a_client_that_went_away_leave_no_traceback(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    def lines() -> list[str]:
        return [line for line in caplog.messages if line.startswith("WEBSOCKET /ws ")]

    def are(count: int) -> bool:
        return len(lines()) == count

    with caplog.at_level(logging.INFO):
        for number, frame in enumerate((b"\xff\xff\x00\x00nonsense", b"\x81\xfe\x00"), 1):
            wire = open_to(port)
            with connect(f"ws://localhost:{port}/ws?token=abc", sock=wire):
                wire.sendall(frame)  # Half a frame, or none; then it is gone.
                if number == 2:
                    wire.shutdown(socket.SHUT_RDWR)
            wait_for(partial(are, number), 10, "the line of the connection")
    assert not [record for record in caplog.records if record.exc_info]
    assert not any("token" in line for line in lines())


def test_a_response_has_the_headers_and_an_error_no_words_of_its_own(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.INFO),
        open_to(port, GET.replace(b"/here", b"/broken?token=abc")) as one,
    ):
        said = one.recv(4096).lower()
        wait_for(lambda: any(line.startswith("GET /broken 500 ") for line in caplog.messages), 5)
    assert status(said) == 500 and b"secret" not in said
    for field in (
        b"x-content-type-options: nosniff",
        b"referrer-policy:",
        b"frame-ancestors 'none'",
        b"cache-control: no-store",
    ):
        assert field in said
    assert b"\r\nserver:" not in said
    assert not any("token" in line or "127.0.0.1" in line for line in caplog.messages)
