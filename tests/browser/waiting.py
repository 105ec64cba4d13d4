"""Wait for what a page's scripts say.

Playwright's own way evaluates text in the page, which its security policy forbids.
"""

import time
from typing import Any

from playwright.sync_api import Error, Page

POLL_MS = 50


def wait_until(page: Page, expression: str, arg: Any = None, timeout: float = 30_000) -> None:
    """Wait until a JavaScript expression, or a function of `arg`, gives something true.

    Args:
        timeout: milliseconds; `AssertionError` after them, with what it gave last.
    """
    deadline, last = time.monotonic() + timeout / 1000, None
    while time.monotonic() < deadline:
        try:
            if last := page.evaluate(expression, arg):
                return
        except Error as error:  # The page may be on its way, or not have the object yet.
            last = error
        page.wait_for_timeout(POLL_MS)
    raise AssertionError(f"{expression} did not come about in {timeout / 1000:g} s; last: {last!r}")
