"""What an address of the wall asks for, and what is remembered of a viewer."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from dashboard.i18n.translator import Language, Translator

Theme = Literal["light", "dark"]
Measure = Literal["overdue_rate", "overdue", "feedback", "filings", "on_time", "documents"]
Scene = Literal[
    "overview", "filings", "feedback", "documents", "meetings", "targets", "index", "sources"
]
SCENES: tuple[Scene, ...] = get_args(Scene)
"""The scenes, in the order in which they come."""
MIN_SCENE_SECONDS, MAX_SCENE_SECONDS = 5, 3600
"""Seconds for which a scene may be asked to stay."""


@dataclass(frozen=True)
class WallView:
    """What decides the content of a wall's frames: viewers of one view share them."""

    language: Language
    measure: Measure | None = None
    """What colours the map; None for what the scene is about."""
    room: Literal["wall", "desk"] = "wall"
    """A desk's pages draw themselves, as does a wall that shows the past: they are pushed the heartbeat only."""
    scenes: tuple[Scene, ...] = ("overview",)
    """The scenes that take turns; one alone stays."""
    rotate: int = 30
    """For how many seconds each of several stays."""

    @property
    def translator(self) -> Translator:
        return Translator(self.language)


def choose_language(asked: str | None, remembered: str | None, usual: str) -> Language:
    """The language: that of the address, or the one remembered, or the installation's."""
    return next(
        (
            one
            for one in get_args(Language)
            if one in (asked, remembered, usual) and one == (asked or remembered or usual)
        ),
        "vi",
    )


def measure(asked: str | None) -> Measure | None:
    """The measure that colours the map, None where none was asked for that is known."""
    return next((one for one in get_args(Measure) if one == asked), None)


def theme(asked: str | None) -> Theme:
    """Light for a lit room, dark for a dim one."""
    return "dark" if asked == "dark" else "light"


def scenes(asked: str | None, rotate: str | None, usual: int) -> tuple[tuple[Scene, ...], int]:
    """The scenes that an address asks for (`filings,feedback`, `all`, nothing), and for how many seconds each of several stays.

    Names that no scene has are left out (`strange` tells them); without any, all scenes take turns, unless they are told not to
    (`rotate=0`): then the first stays.
    """
    named = (asked or "").split(",")
    chosen = (
        tuple(dict.fromkeys(one for name in named for one in SCENES if one == name.strip()))
        or SCENES
    )
    seconds = int(rotate) if rotate and rotate.isdecimal() else usual
    if seconds == 0:
        return chosen[:1], usual or MIN_SCENE_SECONDS
    return chosen, min(max(seconds, MIN_SCENE_SECONDS), MAX_SCENE_SECONDS)


def strange(asked: str | None) -> tuple[str, ...]:
    """The names in an address that no scene has."""
    names = (name.strip() for name in (asked or "").split(","))
    return tuple(name for name in names if name and name != "all" and name not in SCENES)


def view(data: Any) -> WallView:
    """The view that a page says it is (the data of its store)."""
    said = data if isinstance(data, dict) else {}
    language = choose_language(said.get("language"), None, "vi")
    if said.get("room") == "desk" or said.get("past"):
        return WallView(language, room="desk")
    asked = said.get("scenes") or ()
    chosen, rotate = scenes(
        ",".join(map(str, asked)) if isinstance(asked, list) else None, str(said.get("rotate")), 30
    )
    return WallView(language, measure(said.get("measure")), scenes=chosen, rotate=rotate)
