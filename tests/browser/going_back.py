"""What tests of the past ask of a page: its address, its moment, a figure."""

from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page

from dashboard.request.address import moment_of


def asked(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def at(page: Page) -> datetime:
    return moment_of(asked(page)["moment"])


def overdue(page: Page) -> Locator:
    return page.locator(
        ".cards.key .card", has=page.get_by_role("link", name="Hồ sơ quá hạn", exact=True)
    )
