"""The names that a server answers to: a page of another site must not reach it by a name that leads here (DNS rebinding)."""

import ipaddress

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
WILDCARDS = frozenset({"", "0.0.0.0", "::"})


class AllowedHosts:
    """Names from `IOC_HOSTS`, the loopback names and the address that is listened on; any port."""

    def __init__(self, names: str, listening: str) -> None:
        """Args: `names`: comma separated, `*` for any name; `listening`: the address that the server is bound to."""
        named = {name.strip().lower().strip("[]").rstrip(".") for name in names.split(",")} - {""}
        self._any = "*" in named
        self._names = LOOPBACK | named | ({listening.lower()} - WILDCARDS)
        # Rebinding needs a name that its owner can turn: where every address of the machine is listened on, each may be asked for.
        self._addresses = listening in WILDCARDS

    def allows(self, host: bytes) -> bool:
        """Whether the value of a Host field is one of the names, with or without a port."""
        name = _name(host.decode("latin-1"))
        return self._any or name in self._names or (self._addresses and _is_address(name))


def _name(host: str) -> str:
    """The name in a Host field, without port, brackets and the final dot."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
