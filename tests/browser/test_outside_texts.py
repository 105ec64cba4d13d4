"""Texts from outside on the screens.

Numbers of records that no path can hold, words that no card is wide enough for, controls of text
direction.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from dashboard.i18n.bidi import CONTROLS, MARKS, REPLACEMENT
from dashboard.query.connection import Connection
from schemas.events.codes import DocumentStatus, FeedbackStatus, MeetingState, Priority
from schemas.events.kinds import DOCUMENT, FEEDBACK, MEETING
from schemas.events.payloads import Document, Feedback, Meeting
from tests.browser import test_units
from tests.browser.conftest import System
from tests.browser.legible import over_each_other
from tests.browser.samples import COMMUNE
from tests.running import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.browser]
desk = test_units.desk
NUMBERS = (
    "A/B/",
    "A//B",
    "a/../b",
    "./c",
    "H#1",
    "Q?x=1&y=2",
    "P%2F",
    "%2E%2E",
    "C,om;ma",
    "~",
    "a\\b",
    "Số 1/QĐ",
)
STORED = (".", "..", "new\nline", "tab\there")
"""Numbers that are refused today, but may have been stored before."""
WORD = "W" * 64
OVERRIDE = "abc \u202efdp.exe\u2069 \u200fxyz"
WIDTHS = ((1280, 720), (1440, 900), (1920, 1080), (390, 844))
NOW = datetime.now(UTC)


def report(number: str, category: str = "water", **said: object) -> Feedback:
    return Feedback(
        agency="H57.IOC",
        commune=COMMUNE.code,
        report_id=number,
        category=category,
        status=FeedbackStatus.RECEIVED,
        reported_at=NOW - timedelta(minutes=1),
        lat=COMMUNE.lat,
        lon=COMMUNE.lon,
        **said,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def filled(system: System) -> Iterator[System]:
    """Yield reports of those numbers; twenty of a category of 64 letters, which raise an alarm.

    A document and a meeting of such.
    """
    system.post(
        FEEDBACK, *(report(number, description=OVERRIDE, address=WORD) for number in NUMBERS)
    )
    burst = [report(f"{number:064d}", WORD, description=f"{WORD} {WORD}") for number in range(20)]
    system.post(FEEDBACK, *burst)
    letter = Document(
        agency="H57.SYT",
        document_id=f"H57.VP,2026/11/24,{WORD}",
        from_organ=WORD,
        to_organ="H57.SYT",
        number="1",
        notation=WORD,
        subject=f"{WORD} {OVERRIDE}",
        status=DocumentStatus.ARRIVED,
        priority=Priority.FLASH,
        sent_at=NOW,
    )
    system.post(DOCUMENT, letter)
    sites = [f"{WORD[:60]}{number}" for number in range(4)]
    live = Meeting(
        agency=WORD,
        meeting_id="M1",
        title=f"{WORD} {OVERRIDE}",
        state=MeetingState.LIVE,
        starts_at=NOW,
        invited=sites,
    )
    system.post(MEETING, live)
    connection = Connection(system.settings.clickhouse_url)

    def count(sql: str) -> int:
        return int(connection.tuples(sql)[0][0])

    wait_for(
        lambda: count("SELECT count() FROM current_feedback FINAL") == len(NUMBERS) + len(burst),
        what="the reports",
    )
    wait_for(lambda: count("SELECT count() FROM current_meeting FINAL") == 1, what="the meeting")
    for identity, number in enumerate(STORED):
        for table in ("events", "current"):
            own = ", %(number)s AS report_id, %(identity)s AS identity" if table == "events" else ""
            one = f"(SELECT * FROM {table}_feedback WHERE entity_id = 'H#1')"
            renamed = (
                f"INSERT INTO {table}_feedback SELECT * REPLACE (%(number)s AS entity_id{own}) "
                f"FROM {one}"
            )
            connection.tuples(renamed, number=number, identity=identity)
    wait_for(
        lambda: (
            count("SELECT count() FROM alarm_steps WHERE rule = 'burst' AND raised_at IS NOT NULL")
            > 0
        ),
        90,
        what="an alarm",
    )
    connection.close()
    yield system


@pytest.mark.parametrize("number", [*NUMBERS, *STORED])
def test_a_record_is_opened_from_its_link_whatever_its_number_is(
    desk: Page, filled: System, number: str
) -> None:
    desk.goto(f"{filled.url}/records/feedback?size=50&category=water")
    spaced = re.compile(r"\s+".join(map(re.escape, re.split(r"\s", number))))
    desk.locator("td:first-child a").filter(
        has_text=re.compile(f"^{spaced.pattern}$")
    ).first.click()
    expect(desk.locator("h1")).to_have_text(spaced)
    expect(desk.locator("#facts")).to_contain_text(WORD)
    desk.reload()
    expect(desk.locator("h1")).to_have_text(spaced)


PAGES = (
    "/records/feedback",
    "/records/document",
    "/records/meeting",
    "/unit/46",
    f"/unit/{COMMUNE.code}?records=feedback.open",
    f"/record/feedback/{0:064d}",
    f"/record/document/H57.VP,2026/11/24,{WORD}/H57.SYT",
    f"/search?q={0:060d}",
    "/sources",
    "/map",
    f"/map?record=feedback/{0:064d}",
    "/map?kind=document&layers=flows,meetings,alarms",
)
_TOO_WIDE = """() => {
    const wide = document.documentElement.clientWidth, spills = (e, style = getComputedStyle(e)) =>
        e.scrollWidth > e.clientWidth + 1 && style.overflowX === 'visible' &&
            style.display !== 'inline';
    return [...document.querySelectorAll('.page *, .wall .alarm, .wall .alarm *')]
        .filter((e) => e.checkVisibility() &&
            !e.closest('.scroll, svg, canvas, .leaflet-container, .hidden, select, .menu'))
        .filter((e) => { const box = e.getBoundingClientRect();
            return box.width > 1 && (box.right > wide + 1 || spills(e)); })
        .map((e) => `${e.tagName}.${e.className}#${e.closest('[id]')?.id}: ` +
            e.textContent.slice(0, 30)).slice(0, 5);
}"""
"""Elements of which something reaches beyond themselves or the screen; a table may be scrolled."""


@pytest.mark.parametrize("path", PAGES)
def test_a_word_of_64_letters_leaves_no_place_that_it_stands_in(
    desk: Page, filled: System, path: str
) -> None:
    desk.goto(f"{filled.url}{path}")
    expect(desk.locator("h1").first).to_be_visible()
    desk.wait_for_timeout(1000)
    for width, height in WIDTHS:
        desk.set_viewport_size({"width": width, "height": height})
        assert desk.evaluate(_TOO_WIDE) == [], f"{path} at {width}"
        if width > 1000:
            # A text that is cut after two lines has its other lines below, out of sight.
            assert [pair for pair in over_each_other(desk) if pair[0] != pair[1]] == [], (
                f"{path} at {width}"
            )
        assert desk.evaluate("document.documentElement.scrollWidth") <= width, f"{path} at {width}"


@pytest.mark.parametrize("scene", ["overview", "feedback", "documents", "meetings"])
def test_a_word_of_64_letters_stays_within_its_card_on_the_wall(
    page: Page, filled: System, scene: str
) -> None:
    for width, height in WIDTHS[:3]:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{filled.url}/wall?scene={scene}&distance=2")
        expect(page.locator(".alarm", has_text="WWWW").first).to_be_visible(timeout=30_000)
        assert page.evaluate(_TOO_WIDE) == [], f"{scene} at {width}"
        card, seen = (
            page.locator(".alarm", has_text="WWWW").first.bounding_box(),
            page.locator(".calls").bounding_box(),
        )
        assert card and seen and card["x"] + card["width"] <= seen["x"] + seen["width"] + 1


_TURNED = f"""() => {{
    const found = [], bad = /[{CONTROLS}{MARKS}]/;
    for (const e of document.querySelectorAll('*')) {{
        for (const one of e.attributes) if (bad.test(one.value))
            found.push(`${{e.tagName}} ${{one.name}}`);
        for (const one of e.childNodes) if (one.nodeType === 3 && bad.test(one.data))
            found.push(`${{e.tagName}}: ${{one.data}}`);
    }}
    if (bad.test(document.title)) found.push('title');
    for (const one of window.ioc?.map?.state?.marks ?? [])
        if (bad.test(one.title + one.text)) found.push('mark');
    return found.slice(0, 5);
}}"""


@pytest.mark.parametrize(
    "path",
    [
        "/records/feedback",
        "/records/meeting",
        "/record/feedback/H%231",
        "/record/meeting/M1",
        "/map?kind=document",
        "/wall?scene=meetings",
    ],
)
def test_a_text_with_controls_of_direction_turns_nothing_beside_it(
    page: Page, filled: System, path: str
) -> None:
    page.goto(f"{filled.url}{path}")
    expect(page.get_by_text(re.compile(f"{REPLACEMENT}fdp")).first).to_be_attached(timeout=30_000)
    assert page.evaluate(_TURNED) == []
