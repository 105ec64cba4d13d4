"""A province as the simulator knows it: who is there, how much happens, who is slow; all of it from the places and a seed.

A world is that of today's units; `World.of` a moment before 2025-07-01 is that of the units of then, in which as much happens in as
many more places, and districts stand between the province and its communes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from math import cos, pi, radians, sin, sqrt

from ingest.simulator.clock import DAY, HOUR, REFORMED, WorkClock, midnight, moment, work_clock
from ingest.simulator.dice import Choice, Dice
from ingest.simulator.scenes import Scene
from schemas import places
from schemas.places import Commune, Province, restate
from schemas.reference import Agency, agencies, prefix

COMMUNES_OF_HUE = 40
"""Volumes are stated for Huế; another province has as much more as it has communes."""
LOW_LYING = {"46": ("19753", "19777", "19867", "19885", "19900", "19918", "19942", "20014")}
"""Communes of the lowland by the lagoon, which floods; in other provinces a sixth of the communes is drawn."""
INSIDE = 0.6
"""Points lie within that part of the radius of a disc of the commune's area, to stay inside an outline of another shape."""
KM_PER_DEGREE = 111.2


@dataclass(frozen=True)
class World:
    """One province, one seed, and the scenes that are staged in it. Everything that happens follows from these."""

    province: str
    seed: int = 7
    scenes: tuple[Scene, ...] = field(default=())
    beginning: int = 0
    """Nothing is born before that moment (ms since 1970). A late one spares a run the look-back into what it never shows."""
    on: date | None = None
    """The day whose units it has; None: those of today."""

    def dice(self, *words: object) -> Dice:
        """A stream of chance for some purpose."""
        return Dice(self.seed, self.province, *words)

    def staging(self, *scenes: Scene) -> "World":
        """The same world with more scenes."""
        return replace(self, scenes=(*self.scenes, *scenes))

    def of(self, at: int) -> "World | None":
        """The world as it is at a moment (ms since 1970); None from the day on which its province became part of another."""
        if at < REFORMED:
            return self.before
        return self if self.province in places.atlas().province_by_code else None

    @cached_property
    def before(self) -> "World":
        """The world of the units of before the reform; of a place that the reform did not touch, itself."""
        return (
            replace(self, on=restate.EVE)
            if self.province in places.atlas().former_provinces
            else self
        )

    @cached_property
    def place(self) -> Province:
        """The province. Raises `schemas.places.UnknownUnitError` where its day does not know it."""
        found = next((one for one in places.provinces(self.on) if one.code == self.province), None)
        return found or places.province(self.province)

    @cached_property
    def clock(self) -> WorkClock:
        """Its working clock."""
        return work_clock(self.province)

    @cached_property
    def communes(self) -> tuple[Commune, ...]:
        """Its communes."""
        return tuple(places.communes(self.province, self.on))

    @cached_property
    def districts(self) -> tuple[str, ...]:
        """Codes of the districts that its communes lie in: none today. An island district without communes is a commune."""
        return tuple(
            sorted(
                {one.district for one in self.communes if one.district}
                - {one.code for one in self.communes}
            )
        )

    @cached_property
    def scale(self) -> float:
        """How much happens, as a multiple of Huế: by communes of today, so that a province was as busy before the reform."""
        return len(self._shares) / COMMUNES_OF_HUE

    @cached_property
    def _shares(self) -> Counter[str]:
        """Of how many of its communes each commune of today is the heir."""
        return Counter(restate.today(one.code, self.on) for one in self.communes)

    @cached_property
    def prefix(self) -> str:
        """What the codes of its agencies begin with."""
        return prefix(self.province)

    def body(self, suffix: str) -> str:
        """The code of a provincial body."""
        return f"{self.prefix}.{suffix}"

    def centre(self, commune: Commune) -> str:
        """The code of a commune's one-stop centre."""
        return f"{self.prefix}.{commune.code}"

    def committee(self, commune: Commune) -> str:
        """The code of a commune's People's Committee."""
        return f"{self.prefix}.{commune.code}.UB"

    def district_centre(self, district: str) -> str:
        """The code of a district's one-stop desk."""
        return f"{self.prefix}.{district}"

    def district_committee(self, district: str) -> str:
        """The code of a district's People's Committee."""
        return f"{self.prefix}.{district}.UB"

    @cached_property
    def crowd(self) -> Choice[Commune]:
        """Where people are: more in wards than in rural communes."""
        dice = self.dice("crowd")
        return Choice(
            self.communes,
            [
                (1.7 if one.type == "phường" else 1.0) * dice.between(0.6, 1.4)
                for one in self.communes
            ],
        )

    @cached_property
    def offices(self) -> tuple[Agency, ...]:
        """Provincial bodies that exchange documents."""
        return tuple(
            one
            for one in agencies(self.province, self.on)
            if one.level == "province" and "document" in one.kinds
        )

    @cached_property
    def slow(self) -> frozenset[str]:
        """Agencies that are late with a third of their work: two or three communes and one department."""
        dice = self.dice("slow")
        communes = [dice.choose(self.communes) for _ in range(3)]
        department = dice.choose(("SNNMT", "SXD", "SNV"))
        return frozenset(
            (*map(self.centre, communes), *map(self.committee, communes), self.body(department)),
        )

    @cached_property
    def tardy(self) -> frozenset[str]:
        """Agencies whose system sends its events only after half an hour or so."""
        dice = self.dice("tardy")
        return frozenset(self.centre(dice.choose(self.communes)) for _ in range(2))

    def lateness(self, agency: str) -> float:
        """The part of its work that an agency does not finish in time."""
        return 0.33 if agency in self.slow else 0.025

    @cached_property
    def lowland(self) -> tuple[Commune, ...]:
        """The communes that a storm floods, in the order in which bursts come to them."""
        if known := LOW_LYING.get(self.province):
            return tuple(one for one in self.communes if restate.today(one.code, self.on) in known)
        dice = self.dice("lowland")
        drawn = sorted(self.communes, key=lambda _: dice.random())
        return tuple(drawn[: max(1, len(drawn) // 6)])

    def point(self, commune: Commune, dice: Dice, spread: float = INSIDE) -> tuple[float, float]:
        """Latitude and longitude of a place in a commune, within `spread` of its radius from its centre."""
        far = spread * sqrt(self._area(commune) / pi) * sqrt(dice.random()) / KM_PER_DEGREE
        angle = 2 * pi * dice.random()
        return (
            round(commune.lat + far * sin(angle), 6),
            round(commune.lon + far * cos(angle) / cos(radians(commune.lat)), 6),
        )

    def _area(self, commune: Commune) -> float:
        """The area in km²; of a former unit, whose own is not recorded, an equal share of its heir's."""
        heir = restate.today(commune.code, self.on)
        return (places.commune(heir).area_km2 or 20.0) / self._shares[heir]

    def lull(self, at: int) -> float:
        """How much less happens in the days around Tết, where at least three weekdays are off: a factor of 1 or less."""
        off = sum(
            not self.clock.is_working_day(day)
            for day in range(midnight(at) - 5 * DAY, midnight(at) + 6 * DAY, DAY)
            if moment(day).weekday() < 5
        )
        return 0.45 if off >= 3 else 1.0

    def expected(self, at: int, per_day: float, profile: Sequence[float], weekend: float) -> float:
        """How many happenings an hour brings: `per_day` on a working day, its hours by `profile`, `weekend` as much on others."""
        here = moment(at)
        busy = (
            WEEKDAYS[min(here.weekday(), 4)] * self._lull_of_day(midnight(at))
            if self.clock.is_working_day(at)
            else weekend
        )
        return per_day * self.scale * busy * profile[here.hour]

    def _lull_of_day(self, day: int) -> float:
        found = self._lulls.get(day)
        if found is None:
            found = self._lulls[day] = self.lull(day)
        return found

    @cached_property
    def _lulls(self) -> dict[int, float]:
        return {}


WEEKDAYS = (1.22, 1.06, 1.0, 0.94, 0.86)
"""Monday has the most, Friday the least."""


def profile(*shares: float) -> tuple[float, ...]:
    """The share of each of the 24 hours of a day in it; they sum up to 1."""
    assert len(shares) == DAY // HOUR
    return tuple(share / sum(shares) for share in shares)


AT_THE_COUNTER = profile(
    0, 0, 0, 0, 0, 0, 0, 7, 20, 19, 14, 5, 0, 6, 13, 11, 6, 0, 0, 0, 0, 0, 0, 0
)
ONLINE = profile(2, 1, 0.5, 0.3, 0.3, 1, 2, 5, 13, 13, 11, 6, 4, 7, 11, 10, 7, 4, 4, 6, 7, 6, 4, 3)
OUTDOORS = profile(2, 1, 1, 1, 2, 5, 9, 12, 11, 9, 8, 7, 5, 5, 7, 8, 10, 11, 9, 7, 6, 5, 4, 3)
IN_OFFICES = profile(
    0.1, 0, 0, 0, 0, 0, 0.5, 5, 16, 18, 15, 6, 1, 6, 13, 14, 10, 2, 1, 0.7, 0.5, 0.4, 0.2, 0.1
)
