"""Turn a value into points by the four rules of `schemas.reference.criteria`.

The functions are pure.
"""

from schemas.reference.criteria import Criterion


def points(item: Criterion, value: float) -> float | None:
    """Return the points, 0 to `item.points`, that a value gives; None for an impossible value.

    A percentage outside 0 to 100, or more points than there are, is a mistake of its source. It
    counts as unknown: it must give neither full points nor none.
    """
    match item.rule:
        case "share":
            if not 0 <= value <= 100:
                return None
            return item.points * (value if item.direction == "up" else 100 - value) / 100
        case "linear":
            zero, full = item.zero or 0.0, item.full or 0.0
            return item.points * min(max((value - zero) / (full - zero), 0.0), 1.0)
        case "steps":
            reached = (
                given
                for level, given in item.levels
                if (value >= level if item.direction == "up" else value <= level)
            )
            return next(reached, 0.0)
        case "reported":
            return reported(item.points, value)


def reported(most: float, value: float) -> float | None:
    """Return points that another body gave; None for more than `most`, or less than 0."""
    return value if 0 <= value <= most else None
