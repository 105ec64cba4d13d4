"""Parse periods of reported values: `2026`, `2026-Q4`, `2026-11` or `2026-11-22`, nothing else."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

_FORM = re.compile(r"(\d{4})(?:-Q([1-4])|-(\d\d)(?:-(\d\d))?)?", re.ASCII)


@dataclass(frozen=True)
class ReportPeriod:
    """A span of whole days, including the last one."""

    text: str
    first: date
    last: date

    @classmethod
    def parse(cls, text: str) -> "ReportPeriod":
        """Parse a period.

        Raises:
            ValueError: The text is no period, such as `2026-13`, `2026-02-30`, `Q4 2026` or
                `2026-Q4 `.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(
                f"{text[:40]!r} is no period: write 2026, 2026-Q4, 2026-11 or 2026-11-22"
            )
        year, quarter, month, day = (int(part) if part else None for part in found.groups())
        assert year is not None
        try:
            if day and month:
                return cls(text, date(year, month, day), date(year, month, day))
            if found[4]:
                raise ValueError("day is out of range for month")
            first_month, months = (
                ((quarter - 1) * 3 + 1, 3)
                if quarter
                else (month, 1)
                if month is not None
                else (1, 12)
            )
            return cls(text, date(year, first_month, 1), _before(year, first_month + months))
        except ValueError as error:
            raise ValueError(f"{text!r} is no period: {error}") from None

    def point(self, reported: date) -> date:
        """Return the day that its value stands for.

        It is the last day, or for a period that was still running, the day of the report.
        """
        return max(self.first, min(self.last, reported))


def _before(year: int, month: int) -> date:
    """Return the day before the first of a month; month 13 is January of the next year.

    There is no such day after the year 9999.
    """
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1) - timedelta(days=1)
