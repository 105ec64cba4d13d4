"""Who a code is: the province, one of its communes (of today or former), or an agency; with the words for it."""

from dataclasses import dataclass
from typing import Literal

from dashboard.desk.asked import Asked
from dashboard.desk.parts import Part, link
from dashboard.snapshot import Place
from dashboard.speech import Speech
from schemas import places
from schemas.places import Commune, restate
from schemas.places.units import Unit
from schemas.reference import Agency, agency

What = Literal["province", "commune", "agency"]


@dataclass(frozen=True)
class Who:
    """A unit that has a page. `place` is its province or commune in the places, `agency` its row in the reference data."""

    code: str
    what: What
    place: Unit | None = None
    agency: Agency | None = None

    @property
    def former(self) -> bool:
        """Whether it is no longer in force."""
        return self.valid_to is not None

    @property
    def valid_to(self) -> object:
        """The first day on which it is no longer in force."""
        of = self.agency or self.place
        return of.valid_to if of else None

    @property
    def commune(self) -> str:
        """The commune that it is, or belongs to; empty for the province and its bodies."""
        return self.code if self.what == "commune" else self.agency.commune if self.agency else ""

    def words(self, speech: Speech) -> str:
        """Its name as a heading."""
        if self.agency is not None:
            return self.agency.words(speech.language)
        if isinstance(self.place, Commune):
            name = speech.unit(self.place)
            return name[:1].upper() + name[1:]
        if self.place is not None:
            return self.place.full_name_en if speech.language == "en" else self.place.full_name
        return self.code


def who(place: Place, code: str) -> Who | None:
    """The unit of a code as this installation knows it; None for a code of nobody here.

    A commune of today goes before a former one of the same code. Former communes are those that became part of this province.
    """
    if code == place.code:
        return Who(code, "province", places.province(code) if place.known else None)
    if code in place.names:
        return Who(code, "commune", places.commune(code))
    unit = restate.meaning(code)
    if unit is not None and unit.valid_to is not None and restate.today(code) in place.names:
        return Who(code, "commune", unit)
    found = agency(code)
    if found.known and any(one.code == code for one in place.agencies):
        return Who(code, "agency", agency=found)
    commune = found.commune if found.known else ""
    if commune and restate.is_former(commune) and restate.today(commune) in place.names:
        return Who(code, "agency", agency=found)
    return None


def name(code: str, place: Place, speech: Speech) -> str:
    """What a screen calls the unit of a code; the code itself where nobody knows it."""
    found = who(place, code)
    if found is None:
        known = agency(code)
        return known.words(speech.language) if known.known else code
    return found.words(speech)


def unit_link(asked: Asked, place: Place, code: str, text: Part = None) -> Part:
    """A link to the page of a unit, by its name; only the name of one that has no page."""
    words = text if text is not None else name(code, place, asked.speech)
    return link(asked, words, f"/unit/{code}") if who(place, code) is not None else words
