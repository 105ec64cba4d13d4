"""What is staged on top of ordinary life: a storm, an agency whose feed goes silent, a stuck flash document, more of everything.

Times are milliseconds since 1970. A scene changes only what arrives from its `since` on, so that one may be added to a run that has
come that far without changing its past.
"""

import msgspec


class Storm(msgspec.Struct, frozen=True, tag="storm"):
    """A flood of field reports: every `every` ms, for `length` ms, `reports` of them from `communes` low-lying communes."""

    since: int
    until: int
    every: int
    length: int
    reports: int
    communes: int


class Silence(msgspec.Struct, frozen=True, tag="silence"):
    """What an agency sends in that time is withheld and arrives in one burst at its end."""

    since: int
    until: int
    agency: str


class Stuck(msgspec.Struct, frozen=True, tag="stuck"):
    """A flash document that arrives at `since` and is never received by `agency`."""

    since: int
    agency: str


class Faster(msgspec.Struct, frozen=True, tag="faster"):
    """`factor` times as much happens as usual: of everything, or of one kind."""

    since: int
    until: int
    factor: int
    kind: str = ""


Scene = Storm | Silence | Stuck | Faster
FOREVER = 1 << 52
"""The end of a scene that has none yet, and the period of one that does not repeat."""
