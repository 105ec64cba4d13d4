"""Find units and agencies by their codes and names, for the search page and the map."""

from collections.abc import Iterable

from dashboard.query.snapshot import ProvinceContext
from schemas import places
from schemas.places import Commune, Province, fold
from schemas.reference import Agency

MIN_LETTERS = 3
"""Letters of a number from which on records are looked for by its beginning."""
WHOLE_COUNTRY = 100_000


def found_units(place: ProvinceContext, text: str) -> list[Province | Commune]:
    """The province and its communes by code or name, with or without tone marks, the best matches first."""
    return [
        one
        for one in places.find(text, WHOLE_COUNTRY, place.on)
        if one.code == place.code or one.code in place.names
    ]


def found_agencies(agencies: Iterable[Agency], text: str) -> list[Agency]:
    """Agencies by code or by a word of their names in either language: exact codes first, then beginnings, then words inside."""
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
