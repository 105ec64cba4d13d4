"""Rights of the current caller: everything, or the wall only.

They are set for each request and checked where queries are answered.
"""

from contextvars import ContextVar
from typing import Literal

Right = Literal["none", "wall", "desk"]
"""`none`: probes, and the static files of pages. `wall`: the screens of the room, which run no
queries of their own. `desk`: every page.
"""
current: ContextVar[Right] = ContextVar("right", default="desk")
"""The right of the current caller; the server's own queries have `desk`."""


class NoRightsError(Exception):
    """The caller may not see this."""


def must_see_all() -> None:
    """Raise `NoRightsError` for a caller who may see the wall only."""
    if current.get() != "desk":
        raise NoRightsError
