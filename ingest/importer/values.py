"""Texts of a file as numbers, times and periods. A text that could be read in two ways is refused rather than guessed at."""

import math
import re
import unicodedata
from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from schemas.envelope import EARLIEST, LATEST
from schemas.periods import Period

_GROUPED = re.compile(r"[+-]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)(?:,\d+)?", re.ASCII)
_ONE_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:T.*)?", re.ASCII)
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4}
_PERIODS = (
    re.compile(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})", re.ASCII),
    re.compile(r"(?:tháng\s*)?(?P<month>\d{1,2})\s*[/-]\s*(?P<year>\d{4})", re.ASCII | re.IGNORECASE),
    re.compile(r"(?:quý\s*|q)(?P<quarter>[1-4]|IV|I{1,3})\s*[/-]\s*(?P<year>\d{4})", re.ASCII | re.IGNORECASE),
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
            raise ValueError(f"it could be {digits.replace('.', '')} or {digits.replace('.', ',')}; write one of these")
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
    return " ".join(unicodedata.normalize("NFC", text).split())


def time(text: str, formats: list[str], zone: ZoneInfo) -> datetime:
    """A moment in UTC. Raises `ValueError` also for one that its clock never showed (skipped by summer time)."""
    moment = _parsed(text, formats)
    if not EARLIEST.year <= moment.year < LATEST.year:
        raise ValueError(f"it is not between {EARLIEST.year} and {LATEST.year - 1}")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    there = moment.replace(tzinfo=zone).astimezone(UTC)
    if there.astimezone(zone).replace(tzinfo=None) != moment:
        raise ValueError(f"the clocks of {zone.key} skipped it")
    return there


def _parsed(text: str, formats: list[str]) -> datetime:
    for form in formats:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    # A date of a spreadsheet's cell comes as ISO 8601, whatever form the mapping has for dates in texts.
    if formats and not _ISO.fullmatch(text):
        raise ValueError(f"it is not of the form {' or '.join(formats)}")
    return datetime.fromisoformat(text)


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
                text = "-".join(part[name].zfill(2) for name in ("year", "month", "day") if part.get(name))
            break
    return Period.parse(text).text
