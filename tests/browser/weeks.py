"""New York's requests played in Chromium.

What lists of them say, frame by frame, and what the file says.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pandas as pd
from playwright.sync_api import Page, expect

from dashboard.request.address import format_moment, moment_of
from tests.nyc311 import counted

STANDINGS = ("open", "closed")
WATCHED = """(content) => {
  window.drawn = {};
  const read = () => {
    for (const li of document.querySelectorAll('#choice-agency .choices li a')) {
      const asked = new URL(li.href).searchParams;
      (drawn[asked.get('moment')] ??= {})[asked.get('agency')] =
          Number(li.lastElementChild.textContent.replaceAll(',', ''));
    }
  };
  new MutationObserver(read).observe(content, {
      childList: true, subtree: true, characterData: true, attributes: true });
}"""


Drawn = dict[str, dict[datetime, dict[str, int]]]
"""Standing → moment → agency → how many requests stood so."""


def played(
    pages: Sequence[Page], url: str, since: datetime, until: datetime
) -> tuple[Drawn, timedelta]:
    """Play a period at 3,600x, a page for each standing side by side.

    Gives what they drew, and how long it took.
    """
    shown = dict(zip(STANDINGS, pages, strict=True))
    period = {
        "since": format_moment(since),
        "until": format_moment(until),
        "moment": format_moment(since),
        "speed": "3600",
        "picture": "corrected",
    }
    for standing, page in shown.items():
        page.goto(
            f"{url}/records/feedback?{urlencode({'lang': 'en', 'standing': standing, **period})}"
        )
        expect(page.locator("#replay-line rect.bar").first).to_be_attached()
        page.locator("#content").evaluate(WATCHED)
    began = time.monotonic()
    for page in shown.values():
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    for page in shown.values():
        long = 1000 * (60 + 4 * (until - since).total_seconds() / 3600)
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible(
            timeout=long
        )  # it stops at the end
    took = timedelta(seconds=time.monotonic() - began)
    return {
        standing: {
            moment_of(moment): agencies for moment, agencies in page.evaluate("drawn").items()
        }
        for standing, page in shown.items()
    }, took


def judged(drawn: Drawn, requests: pd.DataFrame, since: datetime, until: datetime) -> int:
    """Return how many frames were compared with the file.

    Raises `AssertionError` where one differs, or a day's end is none.
    """
    for number, (standing, frames) in enumerate(drawn.items()):

        def said(moment: datetime, which: int = number) -> dict[str, int]:
            return {
                agency: both[which]
                for agency, both in counted(requests, moment).items()
                if both[which]
            }

        ends = [
            end.to_pydatetime() for end in pd.date_range(since, until, freq="D", inclusive="right")
        ]
        missing = [
            end for end in ends if end not in frames and said(end)
        ]  # a list of nothing does not say of which moment
        assert not missing, f"{standing}: a day's end was not drawn"
        for moment, agencies in frames.items():
            assert {agency: count for agency, count in agencies.items() if count} == said(moment), (
                standing,
                moment,
            )
    return sum(map(len, drawn.values()))
