"""Texts, numbers and times in the viewer's language; times are those of Asia/Ho_Chi_Minh."""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import Literal

from babel.dates import format_date
from babel.numbers import format_decimal

from dashboard.i18n.catalogue import text
from dashboard.query.store import HERE
from schemas.places import Commune
from schemas.reference import DAY_HOURS

Language = Literal["vi", "en"]
LOCALES = {"vi": "vi", "en": "en_GB"}
MILLISECOND = timedelta(milliseconds=1)
EDGE = timedelta(milliseconds=100)
"""How far from the start or end of a day a moment may be and still stand for the whole day."""
MINUS = "\N{MINUS SIGN}"
LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
"""Letters in the order of Vietnamese dictionaries."""
TONES = dict.fromkeys(map(ord, "\u0300\u0301\u0303\u0309\u0323"))


def sort_key(name: str) -> tuple[list[int], str]:
    """Return the key by which texts are sorted as in a Vietnamese dictionary.

    Letters come in its order (đ after d, not after z); tones decide only where all letters are
    alike.
    """
    bare = unicodedata.normalize("NFC", unicodedata.normalize("NFD", name.lower()).translate(TONES))
    return [LETTERS.find(letter) for letter in bare], name


def _is_day(at: datetime) -> bool:
    local = at.astimezone(HERE)
    return (local + EDGE).date() != (local - EDGE).date()


@dataclass(frozen=True)
class Translator:
    """Write texts, numbers and times in one language."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of a key with its placeholders filled; see `dashboard.i18n.catalogue`."""
        return text(key, self.language, **values)

    def number(self, value: float, digits: int = 0) -> str:
        """Write a number: 1.284 or 94,1 in Vietnamese."""
        shape = "#,##0" + ("." + "0" * digits if digits else "")
        return str(format_decimal(value, format=shape, locale=LOCALES[self.language])).replace(
            "-", MINUS
        )

    def share(self, part: float, whole: float) -> str | None:
        """Write a share in percent; None if `whole` is 0."""
        return f"{self.number(100 * part / whole, 1)}%" if whole else None

    def exact(self, percent: float | None) -> str | None:
        """Write a percentage to a tenth; None if it is not known."""
        return None if percent is None else f"{self.number(percent, 1)}%"

    def percent(self, value: float) -> str:
        """Write a percentage, with a tenth only where it has one."""
        return f"{self.number(value, 0 if value == round(value) else 1)}%"

    def change(self, value: float, digits: int = 0) -> str:
        """Write a difference with its sign."""
        written = self.number(abs(value), digits)
        return f"+{written}" if value > 0 else f"{MINUS}{written}" if value < 0 else "±0"

    def time(self, at: datetime) -> str:
        """Write the time of day, to the minute."""
        return at.astimezone(HERE).strftime("%H:%M")

    def moment(self, at: datetime, now: datetime) -> str:
        """Write the time of a moment of today; with day and month for another day."""
        local = at.astimezone(HERE)
        if local.date() == now.astimezone(HERE).date():
            return self.time(at)
        return local.strftime("%H:%M %d/%m")

    def full(self, at: datetime) -> str:
        """Write day and time in full: 22/11/2026 14:05."""
        return at.astimezone(HERE).strftime("%d/%m/%Y %H:%M")

    def known(self, at: datetime, *, to_the_day: bool = False) -> str:
        """Write day and time as exactly as they are known: without an hour if only the day is.

        Unless `to_the_day` is given, the first and last moments of a day stand for the day: sources
        that know no hours send the first, and steps known to the day are placed among these moments
        (`schemas.clickhouse.ordering`).
        """
        return self.day(at.astimezone(HERE)) if to_the_day or _is_day(at) else self.full(at)

    def known_moment(self, at: datetime, now: datetime) -> str:
        """Write a moment in short, as `moment` does; day and month alone if no hour is known."""
        return at.astimezone(HERE).strftime("%d/%m") if _is_day(at) else self.moment(at, now)

    def due(self, at: datetime) -> str:
        """Write when something is due; what is due on a day is due at the end of it."""
        local = at.astimezone(HERE)
        ends = (local + MILLISECOND).time() == clock_time.min
        return self("end_of_day", day=self.day(local)) if ends else self.full(at)

    def day(self, day: date) -> str:
        """Write a day: 22/11/2026."""
        return f"{day:%d/%m/%Y}"

    def weekday(self, at: datetime) -> str:
        """Write the day of the week, such as thứ Hai."""
        word = str(format_date(at.astimezone(HERE).date(), "EEEE", locale=LOCALES[self.language]))
        return word[0].lower() + word[1:] if self.language == "vi" else word

    def unit(self, unit: Commune, *, in_force: bool = False) -> str:
        """Write a commune with its type, a former one with its last day.

        `phường Phú Hội (đến 30/06/2025)`; without the day if `in_force`, as on pages of its time.
        """
        name = (
            unit.full_name_en
            if self.language == "en"
            else unit.full_name[0].lower() + unit.full_name[1:]
        )
        if in_force or unit.valid_to is None:
            return name
        return self("unit_until", unit=name, day=f"{unit.valid_to - timedelta(days=1):%d/%m/%Y}")

    def span(self, length: timedelta) -> str:
        """Write a length of time in its largest unit, hours with their minutes."""
        minutes = max(0, int(length.total_seconds() // 60))
        if minutes < 1:
            return self("seconds", n=int(length.total_seconds()))
        if minutes < 60:
            return self("minutes", n=minutes)
        if minutes < 24 * 60:
            hours, rest = divmod(minutes, 60)
            return self("hours_minutes", h=hours, m=rest) if rest else self("hours", n=hours)
        return self("days", n=minutes // (24 * 60))

    def clock_span(self, length: timedelta, around: bool = False) -> str:
        """Write a length on a record's clock.

        As `span` if the clock runs `around` the clock; else as working time, in working days from
        one working day on.
        """
        if around:
            return self.span(length)
        days = length / timedelta(hours=DAY_HOURS)
        return (
            self("working_days", n=self.number(days, 1))
            if days >= 1
            else self("working_span", span=self.span(length))
        )
