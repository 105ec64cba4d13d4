"""Define a step of an entity as its agency's system knows it, before any fault of its delivery."""

from typing import NamedTuple

from schemas.events.payloads import Event


class SimulatedStep(NamedTuple):
    """What happened at `occurred` (ms since 1970), to be sent by `agency` as the event `id`."""

    occurred: int
    id: str
    agency: str
    event: Event


def source(agency: str) -> str:
    """Return the CloudEvents source of what an agency sends."""
    return f"urn:vn:{agency}"
