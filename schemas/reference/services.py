"""Read public-service procedures, their fields, and the categories of citizens' field reports."""

from datetime import date
from functools import cache
from typing import Literal

from schemas.events.codes import ServiceLevel, Urgency
from schemas.reference.table import Named, rows

DAY_HOURS = 7.5
"""Working hours of a working day, for deadlines given in days (07:30-11:30 and 13:30-17:00)."""


class Procedure(Named, frozen=True, kw_only=True):
    """An administrative procedure; `days` is its deadline in working days, `fee` is in đồng.

    `body` is the suffix of the provincial body that handles it, empty where communes do. `share` is
    its part of all filings, relative to the sum of the shares; `enterprise_share` (0 to 1) of its
    applicants are enterprises.
    """

    field: str
    level: Literal["commune", "province"]
    days: float
    service_level: ServiceLevel
    body: str = ""
    fee: int = 0
    share: float = 0
    enterprise_share: float = 0

    @property
    def hours(self) -> float:
        """Return the deadline in working hours."""
        return self.days * DAY_HOURS


class ServiceField(Named, frozen=True, kw_only=True):
    """A field of administration that procedures belong to."""


class Category(Named, frozen=True, kw_only=True):
    """A category of field reports, with its deadline in working hours and its routing.

    `body` is the body that handles it; empty: the commune.
    """

    hours: float
    urgency: Urgency
    body: str = ""


@cache
def procedures(on: date | None = None) -> tuple[Procedure, ...]:
    """Return the procedures valid on a day, by default today's."""
    return tuple(row for row in rows("procedures", Procedure) if row.valid(on))


@cache
def fields(on: date | None = None) -> tuple[ServiceField, ...]:
    """Return the fields valid on a day, by default today's."""
    return tuple(row for row in rows("fields", ServiceField) if row.valid(on))


@cache
def categories(on: date | None = None) -> tuple[Category, ...]:
    """Return the categories valid on a day, by default today's."""
    return tuple(row for row in rows("categories", Category) if row.valid(on))


@cache
def procedure(code: str) -> Procedure | None:
    """Return the procedure of that code, None if it is not listed."""
    return next((row for row in procedures() if row.code == code), None)


@cache
def category(code: str) -> Category | None:
    """Return the category of that code, None if it is not listed."""
    return next((row for row in categories() if row.code == code), None)


def procedure_label(code: str, language: str = "vi") -> str:
    """Return the label of a procedure's code; the code itself if it is not listed."""
    found = procedure(code)
    return found.label(language) if found else code


def category_label(code: str, language: str = "vi") -> str:
    """Return the label of a category's code; the code itself if it is not listed."""
    found = category(code)
    return found.label(language) if found else code
