"""Choose free ports on loopback."""

import contextlib
import random
import socket
from collections.abc import Collection

from stack import StackError

OTHERS = range(20_000, 32_000)


def choose_port(wanted: int | None = None, taken: Collection[int] = ()) -> int:
    """Return `wanted` when nobody listens there and it is not in `taken`, else a free port.

    The free one lies below the range from which systems give ports to outgoing connections: above,
    a client that tries to reach a server which is down gets that server's own port sooner or later,
    and then the server cannot come back.

    Raises:
        StackError: none of a hundred random ports is free.
    """
    candidates = random.sample(OTHERS, 100)
    for port in candidates if wanted is None else [wanted, *candidates]:
        if port in taken:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise StackError("This machine has no free port on 127.0.0.1.")
