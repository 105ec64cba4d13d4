"""A small province to judge.

What is far from its aim and what has met it, odd reports, communes with much and with little data,
and how its pages are opened and read.
"""

import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Locator, Page, expect

from dashboard.query.connection import Connection
from schemas import places
from schemas.events.codes import (
    Channel,
    Digitisation,
    FeedbackStatus,
    FilingStatus,
    Reuse,
    ServiceLevel,
)
from schemas.events.kinds import FEEDBACK, FILING, INDICATOR
from schemas.events.payloads import Feedback, Filing, Indicator
from schemas.reference import ZONE, target
from tests.browser.conftest import System
from tests.running import wait_for

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(ZONE).date()
BEST, SECOND, LAST = places.communes("46")[:3]
DUE = target("46", "tax.electronic").due  # type: ignore[union-attr]
FAILING = "Khó đạt" if TODAY <= DUE else "Không đạt"
"""How what is far from its aim stands.

The year in which the targets are due goes on while these tests do.
"""
HOSTILE = "=1+1"


def told(
    code: str,
    unit: str,
    period: str,
    value: float,
    measure_unit: str = "%",
    agency: str = "H57.THUE",
    at: datetime = NOW,
) -> Indicator:
    return Indicator(
        agency=agency,
        commune=unit if unit != "46" else "",
        indicator=code,
        unit=unit,
        period=period,
        value=value,
        measure_unit=measure_unit,
        reported_at=at,
    )


def indicators() -> list[Indicator]:
    """Return an e-tax rate that misses its aim, one account rate that is met, a target of the past,
    odd reports, a published index.
    """
    weeks = [TODAY - timedelta(days=7 * number) for number in (4, 3, 2, 1)]
    found = [
        told("tax.electronic", "46", f"{day}", 80.0 + number / 10)
        for number, day in enumerate(weeks)
    ]
    found += [
        told("tax.electronic", one.code, f"{weeks[-1]}", value)
        for one, value in ((BEST, 96.5), (SECOND, 88.0), (LAST, 71.0))
    ]
    found += [
        told("tax.electronic", "46", HOSTILE, 99.0),
        told("tax.electronic", "46", f"{TODAY}", 4_000.0, "hộ"),
    ]
    found += [told("identity.accounts", "46", f"{TODAY}", 96.0, agency="H57.CA")]
    found += [told("service.level34", "46", "2022-12", 70.0, agency="H57.HCC")]
    points = {"": 61.7, ".publicity": 11.3, ".progress": 17.1, ".satisfaction": 16.4}
    found += [
        told(f"service.index{name}", "46", f"{TODAY}", value, "điểm", "H57.VP")
        for name, value in points.items()
    ]
    ranks = {"rank": (51, "hạng"), "ranked": (63, "tỉnh"), "mean": (68.3, "điểm")}
    found += [
        told(f"service.index.{name}", "46", f"{TODAY}", value, of, "H57.VP")
        for name, (value, of) in ranks.items()
    ]
    monthly = ("procedure.published", "procedure.complete", "filing.synchronised")
    found += [
        told(code, BEST.code, f"{TODAY:%Y-%m}", 90.0, agency=f"H57.{BEST.code}.UB")
        for code in monthly
    ]
    return found


def filing(unit: str, number: int, **changes: Any) -> Filing:
    return Filing(
        agency=f"H57.{unit}",
        commune=unit,
        filing_id=f"{unit}-{number}",
        procedure="2.000635",
        status=FilingStatus.RETURNED,
        channel=Channel.ONLINE if number % 2 else Channel.IN_PERSON,
        service_level=ServiceLevel.FULL,
        registered_at=NOW - timedelta(minutes=30),
        finished_at=NOW - timedelta(minutes=5),
        fee=8_000,
        paid_online=True,
        digitisation=Digitisation.RECEIVED,
        reuse=Reuse.PROVINCE,
        satisfaction=5,
        **changes,
    )


def report(unit: str, number: int) -> Feedback:
    return Feedback(
        agency=f"H57.{unit}.UB",
        commune=unit,
        report_id=f"R-{unit}-{number}",
        category="water",
        status=FeedbackStatus.RATED,
        reported_at=NOW - timedelta(minutes=30),
        finished_at=NOW - timedelta(minutes=5),
        rating=5,
    )


def fill(system: System) -> None:
    """Send it all, and wait until it is counted, lived and shown."""
    system.post(INDICATOR, *indicators())
    system.post(
        FILING, *(filing(one.code, number) for one in (BEST, SECOND) for number in range(10))
    )
    system.post(FEEDBACK, *(report(BEST.code, number) for number in range(4)))
    connection = Connection(system.settings.clickhouse_url)

    def lived() -> bool:
        (row,) = connection.rows(
            "SELECT (SELECT count() FROM current_filing FINAL) AS filings, "
            "(SELECT count() FROM current_feedback FINAL) AS reports, "
            "(SELECT countIf(reported_at > now() - INTERVAL 1 DAY) FROM state_indicator FINAL) AS "
            "figures"
        )
        return bool(
            row["filings"] == 20 and row["reports"] == 4 and row["figures"] == len(indicators())
        )

    def shown() -> bool:
        with urllib.request.urlopen(f"{system.url}/export/targets.csv", timeout=10) as answer:
            return ",80.3," in answer.read().decode()

    wait_for(lived, 60, "every event and life")
    wait_for(shown, 30, "the dashboard's next tick")
    connection.close()


def opened(page: Page, system: System, address: str) -> Page:
    """Open an address and wait for its content."""
    page.goto(f"{system.url}{address}")
    expect(page.locator("#content > *").first).to_be_visible(timeout=20_000)
    return page


def rows(page: Page, section: str = "board") -> Locator:
    return page.locator(f"#{section} tbody tr:not(.group)")


def names(page: Page) -> list[str]:
    return page.locator("#board tbody .named").all_inner_texts()
