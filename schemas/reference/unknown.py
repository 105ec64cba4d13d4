"""Find codes of an event that the reference data does not know.

The sender is notified, and `/sources` lists them. The event itself is kept and counted.
"""

from functools import lru_cache
from typing import Any

from schemas import places
from schemas.events.kinds import FEEDBACK, INDICATOR, MEETING, Kind
from schemas.reference.agencies import Organisation
from schemas.reference.known import known
from schemas.reference.table import rows

MAX_REMEMBERED_CODES = 100_000


def unknown_codes(kind: Kind, event: Any) -> list[tuple[str, str]]:
    """Return (field, code) of each code in an event that the reference data does not know.

    The commune is checked, the agency if its code begins like one of a province (`H57.`), the unit
    and the indicator of a value, the category of a report, and the sites of a meeting. Procedures
    are not checked: the list of those with a deadline is not complete.

    Args:
        kind: The kind of the event.
        event: The `data` of a `Read`.
    """
    found = []
    if event.commune and not is_commune(event.commune):
        found.append(("commune", event.commune))
    if not is_agency(event.agency):
        found.append(("agency", event.agency))
    if kind is FEEDBACK and event.category not in known("categories"):
        found.append(("category", event.category))
    elif kind is INDICATOR:
        found += [("unit", event.unit)] * (not is_unit(event.unit))
        found += [("indicator", event.indicator)] * (event.indicator not in known("indicators"))
    elif kind is MEETING:
        found += [
            (name, code)
            for name in ("invited", "connected")
            for code in getattr(event, name)
            if not is_unit(code)
        ]
    return found


@lru_cache(MAX_REMEMBERED_CODES)
def is_unit(code: str) -> bool:
    """Return whether a province, commune or agency has that code, today or before 2025-07-01."""
    return code in places.atlas().commune_by_code or code in known("units")


@lru_cache(MAX_REMEMBERED_CODES)
def is_commune(code: str) -> bool:
    """Return whether a commune has that code, today or before 2025-07-01.

    False for the code of a province or an agency, whose events count in no commune.
    """
    atlas = places.atlas()
    return code in atlas.commune_by_code or code in atlas.former_communes


@lru_cache(MAX_REMEMBERED_CODES)
def is_agency(code: str) -> bool:
    """Return whether an agency has that code.

    True for a code that does not begin like one of a province.
    """
    prefix, point, _ = code.partition(".")
    return not point or prefix not in _prefixes() or code in known("units")


@lru_cache(1)
def _prefixes() -> frozenset[str]:
    return frozenset(row.prefix for row in rows("organisations", Organisation))
