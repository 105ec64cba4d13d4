"""Determine how old a figure is and whether it may be shown as current.

The rule is the same for every screen:

- The age of a figure is that of the newest event that it counts. One silent source among forty
  does not make a count old that changed a moment ago; that source's own age is shown where the
  source is listed.
- Whether a figure may be shown as current depends on its sources, not on its age: it is stale when
  more than `TOLERATED` of those with a contract are dead. At night nothing arrives and the figure
  is old, yet not stale.
- Sources that are dead but tolerated are not hidden from the reader: their number is shown with the
  figure (`Reading.silent`), on the wall in the strip along its foot.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from schemas.figures.reading import Reading
from schemas.sources.freshness import DEAD, Source, SourceState

TOLERATED = 0.1
"""Share of a unit's feeds that may be dead before a figure over all of them is stale.

An agency's own figure depends on a single feed, and is stale as soon as that is dead.
"""
TIMELY = "source.timely"
By = Literal["province", "commune", "agency"]
UNITS: tuple[By, ...] = ("commune", "agency")
"""Kinds of units of a province."""


def aged(readings: Mapping[str, Reading], sources: Iterable[Source]) -> dict[str, Reading]:
    """Return a unit's readings with their age, staleness and number of dead sources.

    For the province, pass all sources; for another unit, its own (`of_units`). A figure's kind is
    the first part of its code; its sources are all feeds of that kind.
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
    """Return the sources of each commune and of each agency.

    Those of a commune are those of its own agencies.
    """
    found: dict[tuple[By, str], list[Source]] = {}
    for one in sources:
        found.setdefault(("commune", one.commune), []).append(one)
        found.setdefault(("agency", one.agency), []).append(one)
    return found


def newest(sources: Iterable[Source]) -> datetime | None:
    """Return the arrival of the newest event of some sources; None if none ever sent one.

    It is the age of a figure that counts their events.
    """
    return max((one.received_at for one in sources if one.received_at is not None), default=None)


def timely(sources: Iterable[Source]) -> Reading:
    """Return the share of a unit's feeds with a contract that keep it.

    A feed keeps it if it is on time, or if nothing is expected now.
    """
    its = [one for one in sources if one.promised and one.state is not SourceState.NEVER]
    good = sum(one.state in (SourceState.LIVE, SourceState.QUIET) for one in its)
    return Reading(
        100 * good / len(its) if its else None,
        good,
        len(its),
        newest(its),
        silent=sum(one.state in DEAD for one in its),
    )
