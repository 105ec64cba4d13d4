"""Reports of an indicator, as tests of targets make them, and the moment of the tests."""

from datetime import UTC, datetime

from schemas.scores import IndicatorReport

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def report(
    period: str,
    value: float,
    at: str = "2026-11-20",
    code: str = "payment.cashless",
    unit: str = "%",
) -> IndicatorReport:
    return IndicatorReport(
        code, "46", period, value, unit, "H57.STC", datetime.fromisoformat(f"{at}T09:00:00+07:00")
    )
