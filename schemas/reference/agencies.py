"""Derive the agencies of a province and the contract of each feed from units, bodies and promises.

Codes: the province's organisation code (H57 for Huế; `P` and the province's code where it is not
known), a point, and the body's suffix (`H57.SYT`), the commune's code for its one-stop centre
(`H57.19816`), or that with `.UB` for its People's Committee. Before 2025-07-01 districts had both,
too (`H57.474`, `H57.474.UB`). As communes of today reuse former codes, so do their agencies: a code
has a meaning only with its day.
"""

from datetime import date
from functools import cache
from typing import Literal

import msgspec

from schemas import places
from schemas.places.restate import EVE
from schemas.reference.table import Dated, Named, rows

ROLES = Literal[
    "centre", "office", "one-stop", "department", "police", "utility", "committee", "unknown"
]


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """The contract of a feed: how often an agency agreed to send events of a kind.

    It sends events at least every `rhythm_minutes` of working time. It is late after the rhythm,
    silent when `grace_minutes` more of working time have passed.
    """

    kind: str
    rhythm_minutes: int
    grace_minutes: int


class Agency(Named, frozen=True, kw_only=True):
    """An agency, with the commune or district it belongs to.

    `owner` and `telephone` are the contact for its data (invented).
    """

    role: ROLES
    level: Literal["province", "district", "commune"]
    commune: str = ""
    district: str = ""
    owner: str = ""
    telephone: str = ""
    feeds: tuple[Feed, ...] = ()
    known: bool = True

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the names of the kinds of event that it feeds."""
        return tuple(feed.kind for feed in self.feeds)

    def feed(self, kind: str) -> Feed | None:
        """Return its contract for a kind, None if it has none."""
        return next((feed for feed in self.feeds if feed.kind == kind), None)


class Organisation(Dated, frozen=True, kw_only=True):
    """The organisation code of a province (MX of QCVN 102:2016)."""

    province: str
    prefix: str


class Body(Dated, frozen=True, kw_only=True):
    """A body that every province has, or only `province`.

    `{of}` in its names stands for the province's name.
    """

    suffix: str
    role: ROLES
    vi: str
    en: str
    province: str = ""


class Promise(Dated, frozen=True, kw_only=True):
    """The contract of a feed, for all agencies of a role or one provincial body.

    `role` is a role, or the suffix of the body.
    """

    role: str
    kind: str
    rhythm_minutes: int
    grace_minutes: int


@cache
def prefix(province: str) -> str:
    """Return the organisation code of a province, with which the codes of its agencies begin."""
    return next(
        (row.prefix for row in rows("organisations", Organisation) if row.province == province),
        f"P{province}",
    )


@cache
def agencies(province: str, on: date | None = None) -> tuple[Agency, ...]:
    """Return the agencies of a province on a day: provincial, then of districts, then of communes.

    A district (before 2025-07-01) and a commune have a one-stop centre and a committee each.
    Agencies of units that are no longer in force have a `valid_to`.

    Args:
        province: The code of the province.
        on: The day, by default today.

    Raises:
        schemas.places.UnknownUnitError: The province does not exist on that day.
    """
    return (*_provincial(province, on), *_of_units(province, on))


def agency(code: str, on: date | None = None) -> Agency:
    """Return the agency that a code means on a day (by default today).

    The units of that day are searched first, then those of the other side of the reform of
    2025-07-01. An unknown code gives an agency with `known` false and a name to show.
    """
    return _agency(code, on is not None and on <= EVE)


@cache  # cached by side of the reform, not by day: a replay needs every day
def _agency(code: str, before: bool) -> Agency:
    for side in (EVE, None) if before else (None, EVE):
        if found := _by_code(side).get(code):
            return found
    return Agency(
        code=code,
        vi=f"Cơ quan {code}",
        en=f"Agency {code}",
        role="unknown",
        level="province",
        known=False,
    )


@cache
def _by_code(on: date | None) -> dict[str, Agency]:
    return {
        found.code: found
        for province in places.provinces(on)
        for found in agencies(province.code, on)
    }


@cache
def _feeds(role: ROLES, suffix: str, on: date | None) -> tuple[Feed, ...]:
    return tuple(
        Feed(kind=row.kind, rhythm_minutes=row.rhythm_minutes, grace_minutes=row.grace_minutes)
        for row in rows("feeds", Promise)
        if row.role in (role, suffix) and row.valid(on)
    )


def _provincial(province: str, on: date | None) -> list[Agency]:
    place = next(
        (unit for unit in places.provinces(on) if unit.code == province), None
    ) or places.province(province)
    of, of_en = place.full_name[0].lower() + place.full_name[1:], place.full_name_en
    return [
        Agency(
            code=f"{prefix(province)}.{body.suffix}",
            vi=body.vi.format(of=of),
            en=body.en.format(of_en=of_en),
            role=body.role,
            level="province",
            owner="Bộ phận dữ liệu",
            telephone=_telephone(number),
            feeds=_feeds(body.role, body.suffix, on),
            valid_from=body.valid_from,
            valid_to=None if place.code in places.atlas().province_by_code else place.valid_to,
            source=body.source,
            verified=body.verified,
        )
        for number, body in enumerate(rows("bodies", Body))
        if body.province in ("", province) and body.valid(on)
    ]


def _of_units(province: str, on: date | None) -> list[Agency]:
    communes = places.communes(province, on)
    # An island district without communes is listed as a commune, too: its bodies are those of that.
    taken = {commune.code for commune in communes}
    units: list[places.District | places.Commune] = [
        *(one for one in places.districts(province, on) if one.code not in taken),
        *communes,
    ]
    found = []
    for number, unit in enumerate(units):
        of = unit.full_name[0].lower() + unit.full_name[1:]
        district = unit.code if isinstance(unit, places.District) else unit.district or ""
        commune = "" if isinstance(unit, places.District) else unit.code
        found += [
            Agency(
                code=f"{prefix(province)}.{unit.code}{ending}",
                vi=f"{vi} {of}",
                en=f"{en} of {unit.full_name_en}",
                role=role,
                level="commune" if commune else "district",
                commune=commune,
                district=district,
                owner="Bộ phận dữ liệu",
                telephone=_telephone(100 + 2 * number + (role == "committee")),
                feeds=_feeds(role, "", on),
                valid_from=unit.valid_from or date.min,
                valid_to=unit.valid_to,
                source=unit.source,
                verified=False,
            )
            for ending, role, vi, en in (_CENTRE if unit.valid_to is None else _DESK, _COMMITTEE)
        ]
    return found


_OfUnit = tuple[str, ROLES, str, str]
_CENTRE: _OfUnit = (
    "",
    "one-stop",
    "Trung tâm Phục vụ hành chính công",
    "Public Administration Service Centre",
)
_DESK: _OfUnit = ("", "one-stop", "Bộ phận Tiếp nhận và Trả kết quả", "One-stop Desk")
"""The predecessor of a commune's centre before 2025-07-01, in a district, too."""
_COMMITTEE: _OfUnit = (".UB", "committee", "Ủy ban nhân dân", "People's Committee")


def _telephone(number: int) -> str:
    """Return an invented number: no Vietnamese number begins with 000."""
    return f"0000 {number // 1000:03d} {number % 1000:03d}"
