"""Describe a province to the simulator, from its units and a seed: agencies, volumes, slow offices.

A world has today's units; `World.of` a moment before 2025-07-01 has the units of that time: the
same volume is spread over more of them, and districts stand between the province and its communes.
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
"""Volumes are stated for Huế; those of another province are in proportion to its communes."""
LOW_LYING = {"46": ("19753", "19777", "19867", "19885", "19900", "19918", "19942", "20014")}
"""Communes of the lowland by the lagoon, which floods; elsewhere a sixth of them is drawn."""
INSIDE = 0.6
"""Points lie within that part of the radius of a disc of the commune's area.

So they stay inside an outline of another shape.
"""
KM_PER_DEGREE = 111.2


@dataclass(frozen=True)
class World:
    """One province, one seed, and the staged scenes. Everything that happens follows from these."""

    province: str
    seed: int = 7
    scenes: tuple[Scene, ...] = field(default=())
    beginning: int = 0
    """Nothing is created before this moment (ms since 1970).

    A late moment saves a run from generating a look-back that it never shows.
    """
    on: date | None = None
    """The day whose units it has; None: those of today."""

    def dice(self, *words: object) -> Dice:
        """Return a stream of chance for some purpose."""
        return Dice(self.seed, self.province, *words)

    def staging(self, *scenes: Scene) -> "World":
        """Return the same world with more scenes."""
        return replace(self, scenes=(*self.scenes, *scenes))

    def of(self, at: int) -> "World | None":
        """Return the world as it is at a moment (ms since 1970).

        None from the day on which its province became part of another.
        """
        if at < REFORMED:
            return self.before
        return self if self.province in places.atlas().province_by_code else None

    @cached_property
    def before(self) -> "World":
        """Return the world of the units before the reform; itself if that did not affect it."""
        return (
            replace(self, on=restate.EVE)
            if self.province in places.atlas().former_provinces
            else self
        )

    @cached_property
    def place(self) -> Province:
        """Return the province.

        Raises `schemas.places.UnknownUnitError` if its day does not know it.
        """
        found = next((one for one in places.provinces(self.on) if one.code == self.province), None)
        return found or places.province(self.province)

    @cached_property
    def clock(self) -> WorkClock:
        """Return its working clock."""
        return work_clock(self.province)

    @cached_property
    def communes(self) -> tuple[Commune, ...]:
        """Return its communes."""
        return tuple(places.communes(self.province, self.on))

    @cached_property
    def districts(self) -> tuple[str, ...]:
        """Return the codes of the districts that its communes lie in: none today.

        An island district without communes is a commune.
        """
        return tuple(
            sorted(
                {one.district for one in self.communes if one.district}
                - {one.code for one in self.communes}
            )
        )

    @cached_property
    def scale(self) -> float:
        """Return the volume as a multiple of that of Huế.

        It counts the communes of today, so that a province was as busy before the reform.
        """
        return len(self._shares) / COMMUNES_OF_HUE

    @cached_property
    def _shares(self) -> Counter[str]:
        """Return, for each commune of today, how many of its communes it succeeds."""
        return Counter(restate.today(one.code, self.on) for one in self.communes)

    @cached_property
    def prefix(self) -> str:
        """Return the prefix of its agencies' codes."""
        return prefix(self.province)

    def body(self, suffix: str) -> str:
        """Return the code of a provincial body."""
        return f"{self.prefix}.{suffix}"

    def centre(self, commune: Commune) -> str:
        """Return the code of a commune's one-stop centre."""
        return f"{self.prefix}.{commune.code}"

    def committee(self, commune: Commune) -> str:
        """Return the code of a commune's People's Committee."""
        return f"{self.prefix}.{commune.code}.UB"

    def district_centre(self, district: str) -> str:
        """Return the code of a district's one-stop desk."""
        return f"{self.prefix}.{district}"

    def district_committee(self, district: str) -> str:
        """Return the code of a district's People's Committee."""
        return f"{self.prefix}.{district}.UB"

    @cached_property
    def crowd(self) -> Choice[Commune]:
        """Return where people are, as a choice of communes: more in wards than in rural ones."""
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
        """Return the provincial bodies that exchange documents."""
        return tuple(
            one
            for one in agencies(self.province, self.on)
            if one.level == "province" and "document" in one.kinds
        )

    @cached_property
    def slow(self) -> frozenset[str]:
        """Return the agencies late with a third of their work: some communes and one department."""
        dice = self.dice("slow")
        communes = [dice.choose(self.communes) for _ in range(3)]
        department = dice.choose(("SNNMT", "SXD", "SNV"))
        return frozenset(
            (*map(self.centre, communes), *map(self.committee, communes), self.body(department)),
        )

    @cached_property
    def tardy(self) -> frozenset[str]:
        """Return agencies whose system sends its events only after half an hour or so."""
        dice = self.dice("tardy")
        return frozenset(self.centre(dice.choose(self.communes)) for _ in range(2))

    def lateness(self, agency: str) -> float:
        """Return the share of its work that an agency does not finish in time."""
        return 0.33 if agency in self.slow else 0.025

    @cached_property
    def lowland(self) -> tuple[Commune, ...]:
        """Return the communes that a storm floods, in the order in which bursts hit them."""
        if known := LOW_LYING.get(self.province):
            return tuple(one for one in self.communes if restate.today(one.code, self.on) in known)
        dice = self.dice("lowland")
        drawn = sorted(self.communes, key=lambda _: dice.random())
        return tuple(drawn[: max(1, len(drawn) // 6)])

    def point(self, commune: Commune, dice: Dice, spread: float = INSIDE) -> tuple[float, float]:
        """Draw latitude and longitude of a point in a commune, within `spread` of its radius."""
        far = spread * sqrt(self._area(commune) / pi) * sqrt(dice.random()) / KM_PER_DEGREE
        angle = 2 * pi * dice.random()
        return (
            round(commune.lat + far * sin(angle), 6),
            round(commune.lon + far * cos(angle) / cos(radians(commune.lat)), 6),
        )

    def _area(self, commune: Commune) -> float:
        """Return the area in km²; that of a former unit is an equal share of its successor's.

        Its own is not recorded.
        """
        heir = restate.today(commune.code, self.on)
        return (places.commune(heir).area_km2 or 20.0) / self._shares[heir]

    def lull(self, at: int) -> float:
        """Return the factor, 1 or less, by which volumes fall in the days around Tết.

        These are days with at least three weekdays off around them.
        """
        off = sum(
            not self.clock.is_working_day(day)
            for day in range(midnight(at) - 5 * DAY, midnight(at) + 6 * DAY, DAY)
            if moment(day).weekday() < 5
        )
        return 0.45 if off >= 3 else 1.0

    def expected(self, at: int, per_day: float, profile: Sequence[float], weekend: float) -> float:
        """Return the expected number of events in an hour.

        Args:
            at: the hour.
            per_day: the number on a working day, in Huế.
            profile: the share of each hour.
            weekend: the factor on other days.
        """
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
"""Factors from Monday, which has the most, to Friday, which has the least."""


def profile(*shares: float) -> tuple[float, ...]:
    """Return the share of each of the 24 hours of a day; they sum up to 1."""
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
