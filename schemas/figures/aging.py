"""How old a figure is. The rule, for every screen:

- Its age is that of the newest event that it counts: how old the number is that a reader sees. One silent source among forty does
  not make a count old that changed a moment ago, and the age of that source is told where the source stands.
- Whether it may be shown as of now is told by its sources, not by its age: it is stale when more than `TOLERATED` of the promised
  ones are dead. At night nothing arrives and the figure is old, yet not stale.
- Sources that are dead but tolerated are not kept from the reader: their number stands with the figure (`Reading.silent`), on the
  wall in the strip along its foot.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from schemas.figures.reading import Reading
from schemas.sources.freshness import DEAD, Source, SourceState

TOLERATED = 0.1
"""The part of a unit's feeds that may be dead before a figure over all of them is stale. One agency's own figure has one feed."""
TIMELY = "source.timely"
By = Literal["province", "commune", "agency"]
UNITS: tuple[By, ...] = ("commune", "agency")
"""What units of a province there are."""


def aged(readings: Mapping[str, Reading], sources: Iterable[Source]) -> dict[str, Reading]:
    """Readings of a unit with their age, whether they are stale, and how many of their sources are dead: those of all for the
    province, for another unit its own (`of_units`).

    A figure's kind is the first part of its code; its sources are all feeds of that kind.
    """
    known = list(sources)
    found = {}
    for kind in {code.partition(".")[0] for code in readings}:
        its = [one for one in known if one.kind == kind]
        promised = [one for one in its if one.promised]
        silent = sum(one.state in DEAD for one in promised)
        found[kind] = (newest(its), silent > TOLERATED * len(promised), silent)
    return {
        code: Reading(reading.value, reading.part, reading.whole, as_of, stale, silent)
        for code, reading in readings.items()
        for as_of, stale, silent in (found[code.partition(".")[0]],)
    }


def of_units(sources: Iterable[Source]) -> Mapping[tuple[By, str], Sequence[Source]]:
    """The sources of each commune, which are those of its own agencies, and of each agency."""
    found: dict[tuple[By, str], list[Source]] = {}
    for one in sources:
        found.setdefault(("commune", one.commune), []).append(one)
        found.setdefault(("agency", one.agency), []).append(one)
    return found


def newest(sources: Iterable[Source]) -> datetime | None:
    """When the newest event of some sources arrived: the age of what is counted of them. None where none ever spoke."""
    return max((one.received_at for one in sources if one.received_at is not None), default=None)


def timely(sources: Iterable[Source]) -> Reading:
    """The share of a unit's promised feeds that are as they were promised: heard of in time, or not expected now."""
    its = [one for one in sources if one.promised and one.state is not SourceState.NEVER]
    good = sum(one.state in (SourceState.LIVE, SourceState.QUIET) for one in its)
    return Reading(
        100 * good / len(its) if its else None,
        good,
        len(its),
        newest(its),
        silent=sum(one.state in DEAD for one in its),
    )
