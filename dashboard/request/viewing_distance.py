"""How large letters must be, from how far they are read (NUREG-0700): at least 16 minutes of arc, 20 preferred."""

from dataclasses import dataclass
from math import radians, tan

MIN_ARC_MINUTES = 16.0
CAPITAL = 0.7
"""Height of a capital letter of Noto Sans as a share of its font size."""


@dataclass(frozen=True)
class ViewingDistance:
    """A screen as it is seen."""

    distance: float
    """Metres from the eye to the screen."""
    pitch: float
    """Millimetres from one pixel of the panel to the next."""

    def pixels(self, arc_minutes: float = MIN_ARC_MINUTES) -> float:
        """The font size, in pixels of the panel, whose capitals are that high."""
        millimetres = self.distance * 1000 * tan(radians(arc_minutes / 60))
        return millimetres / self.pitch / CAPITAL


def sight(distance: str | None, pitch: str | None, usual: ViewingDistance) -> ViewingDistance:
    """The sight that an address asks for; what is missing or impossible is as usual."""
    return ViewingDistance(
        _between(distance, 0.3, 50, usual.distance), _between(pitch, 0.05, 10, usual.pitch)
    )


def _between(text: str | None, low: float, high: float, otherwise: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return otherwise
    return value if low <= value <= high else otherwise
