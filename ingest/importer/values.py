"""Parse the texts of a file as numbers, times and periods; refuse an ambiguous text.

A time knows its precision: one that is written without hours is a day, not the first second of it.
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
"""Formats of times that are seconds, or milliseconds, since 1970."""

_GROUPED = re.compile(r"[+-]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)(?:,\d+)?", re.ASCII)
_ONE_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:T.*)?", re.ASCII)
_DATE = re.compile(r"\d{4}(?:-?\d\d-?\d\d|-?W\d\d(?:-?\d)?)", re.ASCII)
"""The date that begins an ISO 8601 text; one letter, mostly T, separates it from the clock."""
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
    """Return the number that a text stands for.

    With a decimal comma, points may only group thousands. `73.125` is refused: one reader takes it
    for 73125, another for 73,125.

    Args:
        text: the text.
        decimal: the decimal sign.
        percent: allow a percent sign after it, which changes nothing: 73.5% is 73.5.

    Raises:
        ValueError: it is not a number, or an ambiguous one.
    """
    if text.endswith("%") and not percent:
        raise ValueError("a percentage does not belong here; see the unit of measure")
    digits = text.removesuffix("%").rstrip()
    if decimal == ",":
        if _ONE_GROUP.fullmatch(digits):
            whole, fraction = digits.replace(".", ""), digits.replace(".", ",")
            raise ValueError(f"it could be {whole} or {fraction}; write one of these")
        if not _GROUPED.fullmatch(digits):
            raise ValueError("numbers are written 1234,5 or 1.234,5 here")
        digits = digits.replace(".", "").replace(",", ".")
    found = float(digits)
    if not math.isfinite(found):
        raise ValueError("it is not finite")
    return found


def format_number(value: float, decimal: str = ".", *, hundredfold: bool = False) -> str:
    """Return a number as `number` reads it: 15 digits, as spreadsheets keep, and no exponent."""
    exact = Decimal(format(value, ".15g")) * (100 if hundredfold else 1)
    text = format(exact, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", decimal)


def column_name(text: str, wanted: Collection[str]) -> str:
    """Return a column's name: as it is if the mapping has it so, else composed, single-spaced."""
    if (name := text.strip()) in wanted:
        return name
    return " ".join(normalise(text).split())


class KnownMoment(NamedTuple):
    """A moment in UTC, and its precision.

    That of a day is the beginning of the day in Viet Nam, as in events.
    """

    at: datetime
    precision: Precision


@lru_cache(65_536)
def time(
    text: str, formats: tuple[str, ...], zone: ZoneInfo, precision: Precision | None = None
) -> KnownMoment:
    """Return the moment that a text stands for, as exact as its form, or as stated.

    Args:
        text: the text.
        formats: strptime formats, `epoch` or `epoch_ms`; ISO 8601 if none.
        zone: the time zone of a time without an offset.
        precision: overrides what the form tells.

    Raises:
        ValueError: it is of no such form, out of range, or was skipped by summer time.
    """
    moment, parsed_precision = _parsed(text, formats)
    if not EARLIEST.year <= moment.year < LATEST.year:
        raise ValueError(f"it is not between {EARLIEST.year} and {LATEST.year - 1}")
    precision = precision or parsed_precision
    local = moment.astimezone(zone) if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    if precision == "day":
        return KnownMoment(
            datetime(local.year, local.month, local.day, tzinfo=ZONE).astimezone(UTC), precision
        )
    at = local.astimezone(UTC)
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
    # A date in a spreadsheet's cell arrives as ISO 8601, whatever form the mapping has for texts.
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
    """Return how exact a time of a strptime format is."""
    has = {directive[1] for directive in re.findall(r"%.", form)}
    if not has & set("HIcXs"):
        return "day"
    return "second" if has & set("ScXsf") else "minute"


def period(text: str) -> str:
    """Return a period in its canonical form.

    Accepted are that form itself, `22/11/2026`, `11/2026`, `Tháng 11/2026`, `Quý IV/2026`, `Năm
    2026`.

    Raises:
        ValueError: it is none of these.
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
