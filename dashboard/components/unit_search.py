"""Search of units and agencies by code and name, for the search page and the map."""

from collections.abc import Iterable

from dashboard.query.snapshot import ProvinceContext
from schemas import places
from schemas.places import Commune, Province, fold
from schemas.reference import Agency

MIN_LETTERS = 3
"""Number of characters from which on record numbers are searched by their beginning."""
WHOLE_COUNTRY = 100_000


def found_units(place: ProvinceContext, text: str) -> list[Province | Commune]:
    """Return the province and communes that match by code or name (tones ignored), best first."""
    return [
        one
        for one in places.find(text, WHOLE_COUNTRY, place.on)
        if one.code == place.code or one.code in place.names
    ]


def found_agencies(agencies: Iterable[Agency], text: str) -> list[Agency]:
    """Return agencies by code or by a word of their names in either language.

    Exact codes come first, then names that begin with the text, then those that contain it.
    """
    wanted = fold(text)
    hits = []
    for one in agencies if wanted else ():
        code, names = one.code.casefold(), [fold(one.vi), fold(one.en)]
        if code == wanted:
            rank = 0
        elif code.startswith(wanted) or any(name.startswith(wanted) for name in names):
            rank = 1
        elif any(f" {wanted}" in f" {name}" for name in names):
            rank = 2
        else:
            continue
        hits.append((rank, one.level != "province", one.vi, one.code, one))
    return [hit[-1] for hit in sorted(hits, key=lambda hit: hit[:-1])]
