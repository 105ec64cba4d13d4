"""Slow senders and hostile requests at the gateway.

Memory stays flat, and agencies are answered as if nobody else were there.
"""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator

from tests.chaos.system import System

MOST_MEGABYTES = 400.0
"""What a gateway or a worker may take at most, whatever is sent."""
MOST_GROWTH_MEGABYTES = 150.0
"""By how much a gateway may grow once agencies have sent for a while."""
MOST_HELD_SECONDS = 20.0
"""How long an agency may wait for an answer meanwhile, on a machine that all of this shares."""
SLOW = 40
"""Connections that are held open by senders who hardly send."""
PIECE = b"x" * (64 << 10)
HEAD = b"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
EVENT = (
    b'{"specversion":"1.0","id":"b","source":"/bombs","type":"vn.ioc.filing.v1",'
    b'"time":"2026-11-02T00:00:00Z","data":'
)


def bomb(rng: random.Random) -> Iterator[bytes]:
    """Yield a hostile request, piece by piece.

    What makes a careless server hold, search or copy too much.
    """
    megabytes = rng.randint(2, 40)
    pieces = megabytes * (1 << 20) // len(PIECE)
    match rng.randrange(8):
        case 0:  # one endless header
            yield HEAD + b"X-Bomb: "
            yield from (PIECE for _ in range(pieces))
        case 1:  # endlessly many headers
            yield HEAD
            yield from (b"X-%d: y\r\n" % number * 500 for number in range(pieces))
        case 2:  # one endless line
            yield HEAD + b"Content-Length: %d\r\n\r\n" % (pieces * len(PIECE))
            yield from (PIECE for _ in range(pieces))
        case 3:  # a body without an end
            yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
            yield from (b"%x\r\n%b\r\n" % (len(PIECE), PIECE) for _ in range(pieces))
        case 4:  # nested ever deeper
            body = EVENT + b"[" * 200_000
            yield HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
        case 5:  # the same member again and again
            body = EVENT + b"{" + b'"reporter":"",' * 60_000 + b'"agency":"x"}}'
            yield HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
        case 6:  # ever so many lines of nothing
            body = b"{}\n" * 300_000
            yield HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
        case _:  # no HTTP at all
            yield rng.randbytes(1 << 16)


class Hostile:
    """Sends bombs one after the other, and holds slow connections, until it is told to finish."""

    def __init__(self, port: int, seed: str) -> None:
        self.sent = self.slow = 0
        self._port, self._seed = port, seed
        self._over = threading.Event()
        targets = [self._bomb, self._bomb, *[self._crawl] * SLOW]
        self._threads = [
            threading.Thread(target=one, args=(number,), daemon=True)
            for number, one in enumerate(targets)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Send no more."""
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _bomb(self, number: int) -> None:
        rng = random.Random(f"{self._seed}/{number}")
        while not self._over.is_set():
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self._port), 10) as one,
            ):
                for piece in bomb(rng):
                    one.sendall(piece)
                    if self._over.is_set():
                        break
                one.shutdown(socket.SHUT_WR)
                one.recv(1 << 16)
            self.sent += 1
            self._over.wait(0.1)

    def _crawl(self, number: int) -> None:
        """A body that is announced as large and comes byte by byte.

        Begun again whenever the gateway hangs up.
        """
        while not self._over.is_set():
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self._port), 10) as one,
            ):
                one.sendall(
                    HEAD if number % 2 else HEAD + b"Content-Length: 9000000\r\n\r\n" + PIECE * 8
                )
                self.slow += 1
                while not self._over.wait(0.5):
                    one.sendall(b"X-Slow: y\r\n" if number % 2 else b"x")
            self._over.wait(0.5)


def bombs(system: System, seconds: float) -> str:
    """Agencies send beside slow senders and hostile requests."""
    worker = system.start_worker()
    system.send(vandal=True)
    system.more(2_000)
    gateway = system.gateways[0]
    before, _ = gateway.megabytes()
    hostile = Hostile(system.gateway_ports[0], system.seed)
    hostile.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        system.more(200)
        system.say(
            f"gateway {gateway.megabytes()[0]:.0f} MB, worker {worker.megabytes()[0]:.0f} MB; "
            f"{hostile.sent} bombs"
        )
    hostile.finish()
    now, most = gateway.megabytes()
    held = max(agency.held.get("200", 0.0) for agency in system.agencies)
    assert gateway.process.poll() is None and worker.process.poll() is None
    _, most_of_worker = worker.megabytes()
    assert max(most, most_of_worker) < MOST_MEGABYTES, (
        f"gateway {most:.0f} MB, worker {most_of_worker:.0f} MB"
    )
    assert most - before < MOST_GROWTH_MEGABYTES, (
        f"the gateway grew from {before:.0f} to {most:.0f} MB"
    )
    assert held < MOST_HELD_SECONDS, f"an agency was held up for {held:.1f} s"
    return (
        f"{hostile.sent} bombs and {SLOW} slow connections (begun {hostile.slow} times): gateway "
        f"{before:.0f} → {now:.0f} MB, "
        f"at most {most:.0f}, worker at most {most_of_worker:.0f}; agencies held {held:.1f} s at "
        "most"
    )
