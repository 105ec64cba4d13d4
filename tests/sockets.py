"""Which sockets processes listen on, as the kernel tells it. Linux only."""

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LISTENS = "0A"
BOUND = "07"
"""Of UDP: a socket that is bound."""


@dataclass(frozen=True)
class Socket:
    """A socket that takes what others send: its protocol, address and port."""

    protocol: str
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Return whether only this machine reaches it."""
        address = ipaddress.ip_address(self.host)
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return (mapped or address).is_loopback


def listening(pid: int) -> set[Socket]:
    """Return the TCP sockets, of IPv4 and IPv6, that a process listens on, and the UDP ones that it
    has bound.
    """
    mine = set(_inodes(pid))
    found = set()
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{protocol}").read_text().splitlines()[1:]:
            fields = line.split()
            host, _, port = fields[1].partition(":")
            waits = fields[3] == (LISTENS if protocol.startswith("tcp") else BOUND)
            if fields[9] in mine and waits and int(port, 16):
                found.add(Socket(protocol, _host(host), int(port, 16)))
    return found


def descendants(pid: int) -> set[int]:
    """Return a process, its children, theirs, and so on."""
    found = {pid}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in (task / "children").read_text().split():
                found |= descendants(int(child))
    return found


def _inodes(pid: int) -> Iterator[str]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            target = str(entry.readlink())
            if target.startswith("socket:["):
                yield target[len("socket:[") : -1]


def _host(text: str) -> str:
    """Return an address as the kernel writes it: words of 32 bits in the machine's order."""
    words = [int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8)]
    return str(ipaddress.ip_address(b"".join(words)))
