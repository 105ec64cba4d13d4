"""Font sizes by viewing distance (NUREG-0700: at least 16 minutes of arc, 20 preferred)."""

from dataclasses import dataclass
from math import radians, tan

MIN_ARC_MINUTES = 16.0
CAPITAL = 0.7
"""Height of a capital letter in Noto Sans as a share of its font size."""


@dataclass(frozen=True)
class ViewingDistance:
    """A screen and the eye that reads it."""

    distance: float
    """Metres from the eye to the screen."""
    pitch: float
    """Millimetres from one pixel of the panel to the next."""

    def pixels(self, arc_minutes: float = MIN_ARC_MINUTES) -> float:
        """Return the font size in panel pixels whose capitals span `arc_minutes`."""
        millimetres = self.distance * 1000 * tan(radians(arc_minutes / 60))
        return millimetres / self.pitch / CAPITAL


def viewing_distance(
    distance: str | None, pitch: str | None, default: ViewingDistance
) -> ViewingDistance:
    """Return the viewing distance in an address; missing or impossible values are the default's."""
    return ViewingDistance(
        _between(distance, 0.3, 50, default.distance), _between(pitch, 0.05, 10, default.pitch)
    )


def _between(text: str | None, low: float, high: float, otherwise: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return otherwise
    return value if low <= value <= high else otherwise
