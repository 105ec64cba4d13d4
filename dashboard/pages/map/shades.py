"""Five classes of communes by a measure: fixed breaks where they are known, else quantiles.

With fixed breaks a shade always means the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.components.outlines import BREAKS, FIGURES
from dashboard.request.view import Measure
from schemas.figures import Figure, MeasureUnit, Reading

CLASSES = 5
OF_WALL: tuple[Measure, ...] = ("overdue", "feedback", "on_time", "documents")
FIXED: Mapping[str, Sequence[float]] = {FIGURES[measure]: BREAKS[measure] for measure in OF_WALL}
"""The wall's breaks, by figure."""


@dataclass(frozen=True)
class Shades:
    """Classes of a measure: ascending breaks, each commune's class, whether breaks are `fixed`."""

    breaks: tuple[float, ...]
    steps: Mapping[str, int]
    fixed: bool
    worst_first: bool = False
    """Whether the lowest class needs attention, and so has the strongest shade."""

    def counts(self) -> list[int]:
        """Return how many communes each class has."""
        found = list(self.steps.values())
        return [found.count(number) for number in range(len(self.breaks) + 1)]

    def shade(self, step: int) -> int:
        """Return the shade of a class, 0 (weak) to 4 (strong); few classes are spread over all."""
        last = max(len(self.breaks), 1)
        found = round(step * (CLASSES - 1) / last)
        return CLASSES - 1 - found if self.worst_first else found


def shades(figure: Figure, readings: Mapping[str, Reading]) -> Shades:
    """Classify communes by their readings; unknown ones have no class."""
    values = {code: one.value for code, one in readings.items() if one.value is not None}
    fixed = figure.code in FIXED
    breaks = (
        tuple(FIXED[figure.code])
        if fixed
        else quantiles(list(values.values()), figure.unit is MeasureUnit.COUNT)
    )
    steps = {code: sum(value >= limit for limit in breaks) for code, value in values.items()}
    return Shades(breaks, steps, fixed, figure.better == "up")


def quantiles(values: Sequence[float], whole: bool) -> tuple[float, ...]:
    """Return distinct breaks between fifths, above the least value; `whole` numbers stay whole."""
    ordered = sorted(values)
    if not ordered:
        return ()
    cuts = [
        ordered[min(len(ordered) - 1, len(ordered) * number // CLASSES)]
        for number in range(1, CLASSES)
    ]
    rounded = [float(round(one)) if whole else round(one, 1) for one in cuts]
    return tuple(one for one in dict.fromkeys(rounded) if one > ordered[0])
