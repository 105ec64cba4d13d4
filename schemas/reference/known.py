"""List the codes that the reference data knows, to check files that people fill in by hand."""

from datetime import date
from functools import cache
from typing import Literal

from schemas import places
from schemas.reference.agencies import agencies
from schemas.reference.services import Category, Procedure
from schemas.reference.table import rows
from schemas.reference.targets import IndicatorType

Known = Literal["indicators", "units", "procedures", "categories"]
_FOUR_LEVELS = date(2025, 6, 30)
"""Last day of the former units; figures for periods up to it refer to those units."""


@cache
def known(what: Known) -> frozenset[str]:
    """Return the known codes of any time.

    They are those of indicators, procedures, categories of reports; or of the units that a figure
    may be about: provinces, communes, agencies.
    """
    if what == "indicators":
        return frozenset(row.code for row in rows("indicators", IndicatorType))
    if what == "procedures":
        return frozenset(row.code for row in rows("procedures", Procedure))
    if what == "categories":
        return frozenset(row.code for row in rows("categories", Category))
    found = {one.code for province in places.provinces() for one in agencies(province.code)}
    for on in (None, _FOUR_LEVELS):
        for province in places.provinces(on):
            found.add(province.code)
            found.update(commune.code for commune in places.communes(province.code, on))
    return frozenset(found)
