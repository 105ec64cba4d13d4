"""Hand open entities over to successor agencies on 2025-07-01, under the units of today.

A step before that day has the codes of its day. From then on the same entity, under the same
number, is with the agency that `schemas.reference.agency_today` names and in the commune that its
own is restated to. A district has no such successor: what its desk held for a commune goes to that
commune's centre, and a document to its committee goes to the office of the province's committee
(real handovers were settled case by case; this much is invented).
"""

from collections.abc import Iterator

import msgspec

from ingest.simulator.clock import REFORMED
from ingest.simulator.steps import SimulatedStep
from ingest.simulator.world import World
from schemas import places
from schemas.events.payloads import Meeting
from schemas.places import restate
from schemas.reference import agency_today, prefix

OFFICE = "VP"


def hand_over(world: World, steps: Iterator[SimulatedStep]) -> Iterator[SimulatedStep]:
    """Yield the steps of a world's histories, those after its units ended at the successors.

    Draws no chances.
    """
    if world.on is None:
        return steps
    return (_hand_over_step(world, step) if step.occurred >= REFORMED else step for step in steps)


def _hand_over_step(world: World, step: SimulatedStep) -> SimulatedStep:
    event = step.event
    commune = restate.today(event.commune, world.on)
    agency = agency_today(event.agency, world.on) or _instead_of_district(world, commune)
    changes: dict[str, object] = {"agency": agency, "commune": commune}
    if isinstance(event, Meeting):
        changes |= {
            "invited": _sites(world, event.invited),
            "connected": _sites(world, event.connected),
        }
    return step._replace(agency=agency, event=msgspec.structs.replace(event, **changes))


def _instead_of_district(world: World, commune: str) -> str:
    if commune:
        return f"{prefix(places.commune(commune).province)}.{commune}"
    return f"{prefix(restate.province_today(world.province))}.{OFFICE}"


def _sites(world: World, sites: list[str]) -> list[str]:
    """Return the sites of today: those that were merged are one, and districts are no more."""
    heirs = (agency_today(site, world.on) for site in sites)
    return list(dict.fromkeys(heir for heir in heirs if heir))
