"""Units by code: the province, its communes of either side of the reform, agencies; with names."""

from dataclasses import dataclass

from dashboard.components.parts import Part, link
from dashboard.i18n.translator import Translator
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from schemas import places
from schemas.figures.aging import By
from schemas.places import Commune, restate
from schemas.places.units import Unit
from schemas.reference import Agency
from schemas.reference.unknown import is_agency


@dataclass(frozen=True)
class UnitRef:
    """A unit that has a page: a province or commune (`place`), or an agency (`agency`)."""

    code: str
    what: By
    place: Unit | None = None
    agency: Agency | None = None
    elsewhen: bool = False
    """Whether it belongs to the other side of the reform than the day shown."""

    @property
    def former(self) -> bool:
        """Whether it is no longer in force on the day shown."""
        return self.elsewhen and self.valid_to is not None

    @property
    def coming(self) -> bool:
        """Whether it is not yet in force on the day shown."""
        return self.elsewhen and self.valid_to is None

    @property
    def valid_to(self) -> object:
        """The first day on which it is no longer in force."""
        of = self.agency or self.place
        return of.valid_to if of else None

    @property
    def commune(self) -> str:
        """The commune that it is or belongs to; empty for the province and its bodies."""
        return self.code if self.what == "commune" else self.agency.commune if self.agency else ""

    def label(self, translator: Translator) -> str:
        """Return its name as a heading."""
        if self.agency is not None:
            return self.agency.label(translator.language)
        if isinstance(self.place, Commune):
            name = translator.unit(self.place, in_force=not self.former)
            return name[:1].upper() + name[1:]
        if self.place is not None:
            return self.place.full_name_en if translator.language == "en" else self.place.full_name
        return self.code


def resolve_unit(place: ProvinceContext, code: str) -> UnitRef | None:
    """Return the unit of a code as it is known on the day of `place`; None for an unknown code.

    A unit in force on that day goes before one of the same code from the other side of the reform:
    former communes that became part of this province or, before the reform, its communes of today.
    """
    if code == place.code:
        return UnitRef(code, "province", place.province)
    if (commune := place.commune(code)) is not None:
        return UnitRef(code, "commune", commune)
    if (unit := _of_the_other_side(place, code)) is not None:
        return UnitRef(code, "commune", unit, elsewhen=True)
    found = place.agency(code)
    if found.known and any(one.code == code for one in place.agencies):
        return UnitRef(code, "agency", agency=found)
    if found.known and found.commune and _of_the_other_side(place, found.commune):
        return UnitRef(code, "agency", agency=found, elsewhen=True)
    return None


def _of_the_other_side(place: ProvinceContext, code: str) -> Commune | None:
    unit = restate.meaning(code, place.on)
    if unit is None or place.commune(code) is not None:
        return None
    if place.units == "day":
        return unit if unit.province == place.code and unit.valid_to is None else None
    return unit if unit.valid_to is not None and restate.today(code) in place.names else None


def name(code: str, place: ProvinceContext, translator: Translator) -> str:
    """Return the name of a unit on screens; an unknown code is marked as such."""
    found = resolve_unit(place, code)
    if found is None:
        known = place.agency(code)
        if known.known:
            return known.label(translator.language)
        return code if is_agency(code) or not place.names else translator("unknown_code", code=code)
    return found.label(translator)


def commune_name(code: str, place: ProvinceContext, translator: Translator) -> str:
    """Return the name of a commune, with its province if that is another; mark unknown codes."""
    if not code or not place.names or resolve_unit(place, code) is not None:
        return name(code, place, translator)
    return commune_elsewhere(code, place, translator) or translator("unknown_code", code=code)


def commune_elsewhere(code: str, place: ProvinceContext, translator: Translator) -> str:
    """Return a commune of another province with that province's name; empty for an unknown code."""
    unit = restate.meaning(code, place.on)
    if unit is None:
        return ""
    of = places.atlas().province_by_code.get(unit.province) or places.atlas().former_provinces.get(
        unit.province
    )
    names = [
        (one.full_name_en if translator.language == "en" else one.full_name)
        for one in (unit, of)
        if one is not None
    ]
    return (
        translator("unit_elsewhere", unit=names[0], province=names[1])
        if len(names) == 2
        else names[0]
    )


def unit_link(request: PageRequest, place: ProvinceContext, code: str, text: Part = None) -> Part:
    """Link the name of a unit to its page; the plain name if it has no page."""
    words = text if text is not None else name(code, place, request.translator)
    return link(request, words, f"/unit/{code}") if resolve_unit(place, code) is not None else words
