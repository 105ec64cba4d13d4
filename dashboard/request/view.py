"""Parameters in an address of the wall, and what is remembered of a viewer."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from dashboard.i18n.translator import Language, Translator

Theme = Literal["light", "dark"]
Measure = Literal["overdue_rate", "overdue", "feedback", "filings", "on_time", "documents"]
Scene = Literal[
    "overview", "filings", "feedback", "documents", "meetings", "targets", "index", "sources"
]
SCENES: tuple[Scene, ...] = get_args(Scene)
"""The scenes in the order of their rotation."""
MIN_SCENE_SECONDS, MAX_SCENE_SECONDS = 5, 3600
"""Bounds of the seconds that a scene stays."""


@dataclass(frozen=True)
class WallView:
    """All that decides the content of a wall's frames, which viewers of one view share."""

    language: Language
    measure: Measure | None = None
    """The measure that colours the map; None for the scene's own."""
    room: Literal["wall", "desk"] = "wall"
    """Desk pages and a wall of the past render themselves: only heartbeats are pushed to them."""
    scenes: tuple[Scene, ...] = ("overview",)
    """The scenes of the rotation; a single one stays."""
    rotate: int = 30
    """Seconds that each of several scenes stays."""

    @property
    def translator(self) -> Translator:
        """The translator to the view's language."""
        return Translator(self.language)


def choose_language(asked: str | None, remembered: str | None, usual: str) -> Language:
    """Return the language of the address, the remembered one or the installation's."""
    return next(
        (
            one
            for one in get_args(Language)
            if one in (asked, remembered, usual) and one == (asked or remembered or usual)
        ),
        "vi",
    )


def measure(asked: str | None) -> Measure | None:
    """Return the measure named in an address; None if it is missing or unknown."""
    return next((one for one in get_args(Measure) if one == asked), None)


def theme(asked: str | None) -> Theme:
    """Return the theme named in an address: light (a lit room) unless it says dark (a dim one)."""
    return "dark" if asked == "dark" else "light"


def scenes(asked: str | None, rotate: str | None, usual: int) -> tuple[tuple[Scene, ...], int]:
    """Return the scenes named in an address, and the seconds that each of several stays.

    Args:
        asked: the names, as `filings,feedback`; all scenes for `all` and for nothing. Unknown names
            are ignored (`unknown_scenes` returns them).
        rotate: seconds per scene; 0 stops the rotation at the first scene.
        usual: seconds per scene where `rotate` is missing or no number.
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


def unknown_scenes(asked: str | None) -> tuple[str, ...]:
    """Return the names in an address that no scene has."""
    names = (name.strip() for name in (asked or "").split(","))
    return tuple(name for name in names if name and name != "all" and name not in SCENES)


def view(data: Any) -> WallView:
    """Return the view described by the data of a page's store."""
    stored = data if isinstance(data, dict) else {}
    language = choose_language(stored.get("language"), None, "vi")
    if stored.get("room") == "desk" or stored.get("past"):
        return WallView(language, room="desk")
    asked = stored.get("scenes") or ()
    chosen, rotate = scenes(
        ",".join(map(str, asked)) if isinstance(asked, list) else None,
        str(stored.get("rotate")),
        30,
    )
    return WallView(language, measure(stored.get("measure")), scenes=chosen, rotate=rotate)
