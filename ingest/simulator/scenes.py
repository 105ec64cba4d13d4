"""Define what is staged on top of daily events: storms, silent agencies, stuck documents, rushes.

Times are milliseconds since 1970. A scene changes only what arrives from its `since` on, so that
one may be added to a run that has come that far without changing its past.
"""

import msgspec


class Storm(msgspec.Struct, frozen=True, tag="storm"):
    """A flood of field reports from low-lying communes.

    Every `every` ms, for `length` ms, `reports` of them come from `communes` communes.
    """

    since: int
    until: int
    every: int
    length: int
    reports: int
    communes: int


class Silence(msgspec.Struct, frozen=True, tag="silence"):
    """An agency's events are withheld in that time and arrive in one burst at its end."""

    since: int
    until: int
    agency: str


class Stuck(msgspec.Struct, frozen=True, tag="stuck"):
    """A flash document that arrives at `since` and is never received by `agency`."""

    since: int
    agency: str


class Faster(msgspec.Struct, frozen=True, tag="faster"):
    """`factor` times as many events as usual: of everything, or of one kind."""

    since: int
    until: int
    factor: int
    kind: str = ""


Scene = Storm | Silence | Stuck | Faster
FOREVER = 1 << 52
"""The end of a scene that has none yet, and the period of one that does not repeat."""
