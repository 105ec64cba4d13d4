"""Texts of a file as numbers, times and periods. A text that could be read in two ways is refused rather than guessed at.

A time knows how exact it is: one that is written without hours is a day, not the first second of it.
"""

import math
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from schemas.events.envelope import EARLIEST, LATEST
from schemas.reference import ZONE
from schemas.scores.periods import ReportPeriod
from schemas.text import normalise

Precision = Literal["day", "minute", "second"]
EPOCH, EPOCH_MS = ("epoch", "%s"), ("epoch_ms",)
"""Forms of times that are seconds, or milliseconds, since 1970."""

_GROUPED = re.compile(r"[+-]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)(?:,\d+)?", re.ASCII)
_ONE_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:T.*)?", re.ASCII)
_DATE = re.compile(r"\d{4}(?:-?\d\d-?\d\d|-?W\d\d(?:-?\d)?)", re.ASCII)
"""The date that a text of ISO 8601 begins with; one letter, mostly T, is between it and the clock."""
_COUNT = re.compile(r"-?\d{1,15}(?:\.\d+)?", re.ASCII)
_SECONDS = re.compile(r"\d\d:?\d\d:?\d\d", re.ASCII)
_OFFSET = re.compile(r"(?:Z|[+-]\d\d(?::?\d\d)?)$", re.ASCII)
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4}
_PERIODS = (
    re.compile(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})", re.ASCII),
    re.compile(
        r"(?:tháng\s*)?(?P<month>\d{1,2})\s*[/-]\s*(?P<year>\d{4})", re.ASCII | re.IGNORECASE
    ),
    re.compile(
        r"(?:quý\s*|q)(?P<quarter>[1-4]|IV|I{1,3})\s*[/-]\s*(?P<year>\d{4})",
        re.ASCII | re.IGNORECASE,
    ),
    re.compile(r"năm\s*(?P<year>\d{4})", re.ASCII | re.IGNORECASE),
)


def number(text: str, decimal: str = ".", *, percent: bool = False) -> float:
    """A number; `percent` allows a sign after it, which changes nothing: 73.5% is 73.5. Raises `ValueError`.

    With a decimal comma, points may only group thousands. `73.125` is refused: it is 73125 to one reader and 73,125 to another.
    """
    if text.endswith("%") and not percent:
        raise ValueError("a percentage does not belong here; see the unit of measure")
    digits = text.removesuffix("%").rstrip()
    if decimal == ",":
        if _ONE_GROUP.fullmatch(digits):
            raise ValueError(
                f"it could be {digits.replace('.', '')} or {digits.replace('.', ',')}; write one of these"
            )
        if not _GROUPED.fullmatch(digits):
            raise ValueError("numbers are written 1234,5 or 1.234,5 here")
        digits = digits.replace(".", "").replace(",", ".")
    found = float(digits)
    if not math.isfinite(found):
        raise ValueError("it is not finite")
    return found


def written(value: float, decimal: str = ".", *, hundredfold: bool = False) -> str:
    """A number as `number` reads it: 15 digits, which is what spreadsheets keep, and no exponent."""
    exact = Decimal(format(value, ".15g")) * (100 if hundredfold else 1)
    text = format(exact, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", decimal)


def column_name(text: str, wanted: Collection[str]) -> str:
    """The name of a column: as it stands if it is wanted so, else with composed letters and single spaces."""
    if (name := text.strip()) in wanted:
        return name
    return " ".join(normalise(text).split())


class KnownMoment(NamedTuple):
    """A moment in UTC, and how exactly it is known. That of a day is the beginning of the day in Viet Nam, as events have it."""

    at: datetime
    precision: Precision


@lru_cache(65_536)
def time(
    text: str, formats: tuple[str, ...], zone: ZoneInfo, precision: Precision | None = None
) -> KnownMoment:
    """A moment, as exact as its form, or as is said.

    Raises `ValueError` also for one that its clock never showed (skipped by summer time).
    """
    moment, known = _parsed(text, formats)
    if not EARLIEST.year <= moment.year < LATEST.year:
        raise ValueError(f"it is not between {EARLIEST.year} and {LATEST.year - 1}")
    precision = precision or known
    there = moment.astimezone(zone) if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    if precision == "day":
        return KnownMoment(
            datetime(there.year, there.month, there.day, tzinfo=ZONE).astimezone(UTC), precision
        )
    at = there.astimezone(UTC)
    if moment.tzinfo is None and at.astimezone(zone).replace(tzinfo=None) != moment:
        raise ValueError(f"the clocks of {zone.key} skipped it")
    return KnownMoment(at, precision)


def _parsed(text: str, formats: tuple[str, ...]) -> tuple[datetime, Precision]:
    for form in formats:
        try:
            if form in EPOCH or form in EPOCH_MS:
                return _since_1970(text, 1_000 if form in EPOCH_MS else 1), "second"
            return datetime.strptime(text, form), exactness(form)
        except (ValueError, OverflowError):
            continue
    # A date of a spreadsheet's cell comes as ISO 8601, whatever form the mapping has for dates in texts.
    if formats and not _ISO.fullmatch(text):
        raise ValueError(f"it is not of the form {' or '.join(formats)}")
    clock = _OFFSET.sub("", _DATE.sub("", text, count=1)[1:])
    known: Precision = "day" if not clock else "second" if _SECONDS.match(clock) else "minute"
    return datetime.fromisoformat(text), known


def _since_1970(text: str, per_second: int) -> datetime:
    if not _COUNT.fullmatch(text):
        raise ValueError("it is no number of seconds")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=round(Decimal(text) * 1_000_000 / per_second)
    )


@cache
def exactness(form: str) -> Precision:
    """How exact a time of a strptime format is."""
    has = {directive[1] for directive in re.findall(r"%.", form)}
    if not has & set("HIcXs"):
        return "day"
    return "second" if has & set("ScXsf") else "minute"


def period(text: str) -> str:
    """A period in its one form: that itself, or `22/11/2026`, `11/2026`, `Tháng 11/2026`, `Quý IV/2026`, `Năm 2026`.

    Raises `ValueError`.
    """
    for form in _PERIODS:
        if found := form.fullmatch(text):
            part = found.groupdict()
            if quarter := part.get("quarter"):
                text = f"{part['year']}-Q{_ROMAN.get(quarter.upper(), quarter)}"
            else:
                text = "-".join(
                    part[name].zfill(2) for name in ("year", "month", "day") if part.get(name)
                )
            break
    return ReportPeriod.parse(text).text
