"""What whoever asks may see: all, or the wall only.

Set for each request, and checked where answers are given.
"""

from contextvars import ContextVar
from typing import Literal

Right = Literal["none", "wall", "desk"]
"""`none`: probes, and files that pages are drawn with. `wall`: the screens of the room, which ask
nothing by themselves. `desk`: every page."""
current: ContextVar[Right] = ContextVar("right", default="desk")
"""The right of who asks; the server's own questions are asked with all of them."""


class NoRightsError(Exception):
    """Who asks may not see it."""


def must_see_all() -> None:
    """Raise `NoRightsError` for somebody who may see the wall only."""
    if current.get() != "desk":
        raise NoRightsError
