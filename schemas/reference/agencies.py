"""The agencies of a province and the contract of each of their feeds, derived from the places and the tables of bodies and feeds.

Codes: the province's organisation code (H57 for Huế; `P` and the province's code where it is not known), a point, and the
body's suffix (`H57.SYT`), the commune's code for its one-stop centre (`H57.19816`), or that with `.UB` for its People's Committee.
"""

from datetime import date
from functools import cache
from typing import Literal

import msgspec

from schemas import places
from schemas.reference.table import Dated, Named, rows

ROLES = Literal["centre", "office", "one-stop", "department", "police", "utility", "committee", "unknown"]


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """What an agency promised to send: a kind of event, at least every `rhythm_minutes` of working time.

    It is late after the rhythm, silent when `grace_minutes` more of working time have passed.
    """

    kind: str
    rhythm_minutes: int
    grace_minutes: int


class Agency(Named, frozen=True, kw_only=True):
    """An agency. `commune` is empty at the level of the province; `owner` and `telephone` answer for its data (invented)."""

    role: ROLES
    level: Literal["province", "commune"]
    commune: str = ""
    owner: str = ""
    telephone: str = ""
    feeds: tuple[Feed, ...] = ()
    known: bool = True

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds of event that it feeds."""
        return tuple(feed.kind for feed in self.feeds)

    def feed(self, kind: str) -> Feed | None:
        """Its contract for a kind, None where it made none."""
        return next((feed for feed in self.feeds if feed.kind == kind), None)


class Organisation(Dated, frozen=True, kw_only=True):
    """The organisation code of a province (MX of QCVN 102:2016)."""

    province: str
    prefix: str


class Body(Dated, frozen=True, kw_only=True):
    """A body that every province has, or (`province`) one. `{of}` in its words is the province's name."""

    suffix: str
    role: ROLES
    vi: str
    en: str
    province: str = ""


class Promise(Dated, frozen=True, kw_only=True):
    """The contract of a feed for all agencies of a role, or for the provincial body of that suffix."""

    role: str
    kind: str
    rhythm_minutes: int
    grace_minutes: int


@cache
def prefix(province: str) -> str:
    """The organisation code of a province: what the codes of its agencies begin with."""
    return next((row.prefix for row in rows("organisations", Organisation) if row.province == province), f"P{province}")


@cache
def agencies(province: str, on: date | None = None) -> tuple[Agency, ...]:
    """The agencies of a province on a day (by default today): provincial bodies, then centre and committee of each commune.

    Raises `schemas.places.UnknownPlaceError`, a KeyError, for an unknown province.
    """
    return (*_provincial(province, on), *_communal(province, on))


@cache
def agency(code: str) -> Agency:
    """The agency of today with that code; for a code that is not known, an agency with `known` false and words to show."""
    return _by_code().get(code) or Agency(
        code=code, vi=f"Cơ quan {code}", en=f"Agency {code}", role="unknown", level="province", known=False
    )


@cache
def _by_code() -> dict[str, Agency]:
    return {found.code: found for province in places.provinces() for found in agencies(province.code)}


@cache
def _feeds(role: ROLES, suffix: str, on: date | None) -> tuple[Feed, ...]:
    return tuple(
        Feed(kind=row.kind, rhythm_minutes=row.rhythm_minutes, grace_minutes=row.grace_minutes)
        for row in rows("feeds", Promise)
        if row.role in (role, suffix) and row.valid(on)
    )


def _provincial(province: str, on: date | None) -> list[Agency]:
    place = next((unit for unit in places.provinces(on) if unit.code == province), None) or places.province(province)
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
            source=body.source,
            verified=body.verified,
        )
        for number, body in enumerate(rows("bodies", Body))
        if body.province in ("", province) and body.valid(on)
    ]


def _communal(province: str, on: date | None) -> list[Agency]:
    found = []
    for number, commune in enumerate(places.communes(province, on)):
        of = commune.full_name[0].lower() + commune.full_name[1:]
        found += [
            Agency(
                code=f"{prefix(province)}.{commune.code}{ending}",
                vi=f"{vi} {of}",
                en=f"{en} of {commune.full_name_en}",
                role=role,
                level="commune",
                commune=commune.code,
                owner="Bộ phận dữ liệu",
                telephone=_telephone(100 + 2 * number + (role == "committee")),
                feeds=_feeds(role, "", on),
                valid_from=commune.valid_from or date.min,
                valid_to=commune.valid_to,
                source=commune.source,
                verified=False,
            )
            for ending, role, vi, en in _OF_COMMUNE
        ]
    return found


_OF_COMMUNE: tuple[tuple[str, ROLES, str, str], ...] = (
    ("", "one-stop", "Trung tâm Phục vụ hành chính công", "Public Administration Service Centre"),
    (".UB", "committee", "Ủy ban nhân dân", "People's Committee"),
)


def _telephone(number: int) -> str:
    """An invented number: no Vietnamese number begins with 000."""
    return f"0000 {number // 1000:03d} {number % 1000:03d}"
