"""How old the news is that figures rest on: every figure knows its oldest source, and is stale when too much of it is silent."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from schemas.figures.reading import Reading
from schemas.freshness import DEAD, Source, State, oldest

TOLERATED = 0.1
"""The part of a unit's feeds that may be dead before a figure over all of them is stale. One agency's own figure has one feed."""
TIMELY = "source.timely"
By = Literal["province", "commune", "agency"]


def aged(readings: Mapping[str, Reading], sources: Iterable[Source], by: By = "province", unit: str = "") -> dict[str, Reading]:
    """Readings of a unit with the age of the feed that was not heard of for longest, and whether they are stale.

    A figure's kind is the first part of its code. Where no feed was promised nothing is known of its age.
    """
    known = list(sources)
    age = {kind: _age(known, kind, by, unit) for kind in {code.partition(".")[0] for code in readings}}
    return {
        code: replace(reading, as_of=found[0].received_at if found[0] else None, stale=found[1])
        for code, reading in readings.items()
        for found in (age[code.partition(".")[0]],)
    }


def _age(sources: list[Source], kind: str, by: By, unit: str) -> tuple[Source | None, bool]:
    its = [one for one in sources if one.promised and one.kind == kind and _of(one, by, unit)]
    dead = sum(one.state in DEAD for one in its)
    return oldest(its, kind), bool(its) and dead > TOLERATED * len(its)


def timely(sources: Iterable[Source], by: By = "province", unit: str = "") -> Reading:
    """The share of a unit's promised feeds that are as they were promised: heard of in time, or not expected now."""
    its = [one for one in sources if one.promised and one.state is not State.NEVER and _of(one, by, unit)]
    good = sum(one.state in (State.LIVE, State.QUIET) for one in its)
    heard = [one.received_at for one in its if one.received_at is not None]
    return Reading(100 * good / len(its) if its else None, good, len(its), max(heard, default=None))


def _of(source: Source, by: By, unit: str) -> bool:
    return by == "province" or unit == (source.commune if by == "commune" else source.agency)
