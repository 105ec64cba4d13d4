"""Find the agency of today that took over from an agency, by the unit of the agency."""

from datetime import date
from functools import cache

from schemas import places
from schemas.places import restate
from schemas.reference.agencies import agency, prefix


@cache
def agency_today(code: str, on: date | None = None) -> str | None:
    """Return the code of the agency of today that took over from an agency of a day.

    The heirs of a commune's centre and committee are those of the commune that is its default
    successor. The heir of a provincial body is the same body of the province that its own province
    became part of. An agency of today, or one that is not known, is its own heir.

    Args:
        code: The code of the agency.
        on: The day; None is today.

    Returns:
        The code; None if there is no successor: for a district's bodies, whose work went to
        communes and provinces, and for a body that the province of today does not have.
    """
    organisation, _, rest = code.partition(".")
    unit, point, ending = rest.partition(".")
    found = agency(code, on)
    if not found.known or found.valid_to is None:
        return code
    if found.commune:
        heir = restate.today(unit, on)
        return f"{prefix(places.commune(heir).province)}.{heir}{point}{ending}"
    if found.level != "province":
        return None
    heir = f"{prefix(restate.province_today(_province_of()[organisation]))}.{rest}"
    return heir if agency(heir).known and agency(heir).valid_to is None else None


@cache
def _province_of() -> dict[str, str]:
    return {prefix(province.code): province.code for province in places.provinces(restate.EVE)}
