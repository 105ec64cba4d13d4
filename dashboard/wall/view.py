"""What an address of the wall asks for, and what is remembered of a viewer."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from dashboard.speech import Language, Speech

Theme = Literal["light", "dark"]
Measure = Literal["overdue_rate", "overdue", "feedback", "filings", "on_time"]


@dataclass(frozen=True)
class View:
    """What decides the content of a wall's frames: viewers of one view share them."""

    language: Language
    measure: Measure = "overdue_rate"
    room: Literal["wall", "desk"] = "wall"
    """A desk's pages draw themselves: they are pushed the heartbeat only."""

    @property
    def speech(self) -> Speech:
        return Speech(self.language)


def language(asked: str | None, remembered: str | None, usual: str) -> Language:
    """The language: that of the address, or the one remembered, or the installation's."""
    return next(
        (one for one in get_args(Language) if one in (asked, remembered, usual) and one == (asked or remembered or usual)), "vi"
    )


def measure(asked: str | None) -> Measure:
    """The measure that colours the map."""
    return next((one for one in get_args(Measure) if one == asked), "overdue_rate")


def theme(asked: str | None) -> Theme:
    """Light for a lit room, dark for a dim one."""
    return "dark" if asked == "dark" else "light"


def view(data: Any) -> View:
    """The view that a page says it is (the data of its store)."""
    said = data if isinstance(data, dict) else {}
    if said.get("room") == "desk":
        return View(language(said.get("language"), None, "vi"), room="desk")
    return View(language(said.get("language"), None, "vi"), measure(said.get("measure")))
