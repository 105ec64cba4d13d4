"""Restrict the host names that a server answers to.

A page of another site must not reach it by a name that resolves to it (DNS rebinding).
"""

import ipaddress

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
WILDCARDS = frozenset({"", "0.0.0.0", "::"})


class AllowedHosts:
    """Names from `IOC_HOSTS`, the loopback names and the address listened on, with any port."""

    def __init__(self, names: str, listening: str) -> None:
        """Collect the names.

        Args:
            names: Comma separated; `*` for any name.
            listening: The address that the server is bound to.
        """
        named = {name.strip().lower().strip("[]").rstrip(".") for name in names.split(",")} - {""}
        self._any = "*" in named
        self._names = LOOPBACK | named | ({listening.lower()} - WILDCARDS)
        # Rebinding needs a name whose owner can repoint it; a server that listens on every address
        # answers to each of them by number.
        self._addresses = listening in WILDCARDS

    def allows(self, host: bytes) -> bool:
        """Return whether the value of a Host field is one of the names, with or without a port."""
        name = _name(host.decode("latin-1"))
        return self._any or name in self._names or (self._addresses and _is_address(name))


def _name(host: str) -> str:
    """Return the name in a Host field, without port, brackets and the final dot."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
