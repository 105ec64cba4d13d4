"""What every page owes everybody, whatever it shows.

With a keyboard, a screen reader, little motion, on a tablet, on paper, in both languages. A page
that is registered takes part (see `every_page`).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Error, Page, ViewportSize, expect

from dashboard.i18n.translator import sort_key
from dashboard.request.address import format_moment
from dashboard.request.view import SCENES
from dashboard.server.pages import PAGES
from schemas import places
from schemas.events.kinds import FEEDBACK, FILING
from tests.browser import judging, test_units
from tests.browser.axe import grave, small_targets
from tests.browser.conftest import System
from tests.browser.contrast import faint
from tests.browser.every_page import WALL, Names, spoken
from tests.browser.focus import nameless, walk
from tests.browser.foreign import foreign
from tests.browser.legible import over_each_other
from tests.browser.samples import report

pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.timeout(900)]
COMMUNE = places.communes("46")[5].code
NAMES = Names("46", COMMUNE, f"H57.{COMMUNE}-261101-0000001")
PAST = ("/wall?scene=overview", "/map", f"/unit/{COMMUNE}", "/replay")
PATIENCE = 60_000
"""How long a loaded machine may take to draw a page, in milliseconds."""
TABLETS = ((1024, 768), (768, 1024))
PAPER: ViewportSize = {"width": 794, "height": 1123}
"""A4, in px."""


@pytest.fixture(scope="module")
def filled(system: System) -> System:
    """Return a province with targets, scores, overdue filings and a burst of reports that calls."""
    judging.fill(system)
    before = datetime.now(UTC) - timedelta(days=19)
    overdue = [
        test_units.filing(f"H57.{COMMUNE}-261101-000000{number}", COMMUNE, 20 - number)
        for number in range(1, 5)
    ]
    system.post(FILING, *overdue, time=before)
    system.post(FEEDBACK, *(report(f"R{number}") for number in range(20)))
    return system


@pytest.fixture
def desk(page: Page) -> Iterator[Page]:
    """Yield a desk's screen."""
    page.set_viewport_size({"width": 1440, "height": 900})
    expect.set_options(timeout=PATIENCE)
    yield page
    expect.set_options(timeout=5_000)


def rewound(addresses: Iterable[str]) -> list[str]:
    """Return the same addresses as they were a minute ago."""
    moment = format_moment(datetime.now(UTC) - timedelta(minutes=1))
    return [spoken(address, moment=moment) for address in addresses]


def visit(page: Page, system: System, address: str, **parameters: str) -> None:
    page.goto(f"{system.url}{spoken(address, **parameters)}")
    expect(
        page.locator(".figure").first
        if address.startswith("/wall")
        else page.locator("#content h1").first
    ).to_be_visible()
    expect(page.locator("#clock")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))


def looked(
    page: Page, system: System, address: str, look: Callable[[], list[str]], **parameters: str
) -> list[str]:
    """Return what is found on a page.

    One that did not hear its server for long, on a loaded machine, opens itself anew: look again.
    """
    for _ in range(3):
        try:
            visit(page, system, address, **parameters)
            return look()
        except Error as error:
            if "navigation" not in error.message:
                raise
    return [f"{address} opens itself again and again"]


def test_a_page_without_an_example_is_noticed() -> None:
    assert {name for name, _ in NAMES.addresses()} == {"wall", *(page.name for page in PAGES)}


SWITCH = """theme => {
    const room = document.querySelector('.theme-light, .theme-dark');
    room.classList.remove('theme-light', 'theme-dark');
    room.classList.add(`theme-${theme}`);
    document.getAnimations().forEach((one) => one.finish());
    return getComputedStyle(room).backgroundColor;
}"""
"""Show the open page in a theme, as its address would; return its background colour."""


def in_both_themes(page: Page) -> list[str]:
    """What cannot be used or read in a lit or in a dim room: of one page, opened once."""
    found, grounds = [], set()
    for theme in ("light", "dark"):
        grounds.add(page.evaluate(SWITCH, theme))
        found += [f"{theme}: {one}" for one in (*grave(page), *faint(page))]
    assert len(grounds) == 2, "the themes differ"
    return found


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_page_can_be_used_and_read_by_everybody_in_both_themes(
    desk: Page, filled: System, lang: str
) -> None:
    found = []
    for address in (*(address for _, address in NAMES.addresses(SCENES)), *rewound(PAST)):
        found += looked(
            desk,
            filled,
            address,
            lambda: [*nameless(desk), *foreign(desk, lang), *in_both_themes(desk)],
            lang=lang,
        )
    assert found == []


def on_tablets(page: Page, address: str) -> list[str]:
    found = []
    for width, height in TABLETS:
        page.set_viewport_size({"width": width, "height": height})
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"{address} is {wide} px wider than {width}"] if wide > 0 else []
        found += [
            f"{address} at {width}: {one!r} lies over {other!r}"
            for one, other in over_each_other(page)
        ]
        found += small_targets(page)
    return found


def test_on_a_tablet_nothing_is_wider_than_the_screen_and_everything_can_be_touched(
    desk: Page, filled: System
) -> None:
    found = []
    for address in (*(address for _, address in NAMES.addresses()), *rewound(PAST)):
        if address.startswith("/wall"):
            continue  # nobody touches it
        found += looked(desk, filled, address, lambda address=address: on_tablets(desk, address))  # type: ignore[misc]
    assert found == []


def test_the_keyboard_reaches_everything_in_order_and_is_always_seen(
    desk: Page, filled: System
) -> None:
    found = []
    for _, address in NAMES.addresses():
        found += looked(desk, filled, address, lambda: walk(desk))
    assert found == []


def test_the_keyboard_skips_to_the_content_and_has_its_keys_told(
    desk: Page, filled: System
) -> None:
    visit(desk, filled, "/sources")
    desk.keyboard.press("Tab")
    expect(desk.locator(".skip")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.locator("#content")).to_be_focused()
    desk.keyboard.press("Tab")
    assert desk.evaluate("document.activeElement.closest('#content') !== null"), "on from there"
    desk.keyboard.press("?")
    expect(desk.locator("#keys")).to_be_visible()
    expect(desk.get_by_role("dialog", name="Phím tắt")).to_be_visible()
    for _ in range(20):
        desk.keyboard.press("Tab")
        assert desk.evaluate(
            "!document.activeElement.closest('#wall') || document.activeElement.closest('#keys') "
            "!== null"
        )
    desk.keyboard.press("Escape")
    expect(desk.locator("#keys")).to_be_hidden()
    desk.locator("#help").focus()
    desk.keyboard.press("Space")
    expect(desk.locator("#keys")).to_be_visible()
    assert grave(desk) == [] and faint(desk) == []
    desk.locator("#keys").get_by_role("button", name="Đóng").press("Enter")
    expect(desk.locator("#keys")).to_be_hidden()
    expect(desk.locator("#help")).to_be_focused()


def test_keys_lead_to_the_search_and_to_every_page_but_are_letters_where_somebody_types(
    desk: Page, filled: System
) -> None:
    visit(desk, filled, "/sources", lang="en", theme="dark")
    desk.evaluate("window.sameLife = true")
    desk.keyboard.press("/")
    expect(desk.get_by_role("searchbox")).to_be_focused()
    desk.keyboard.type("g?/t")
    expect(desk.get_by_role("searchbox")).to_have_value("g?/t")
    expect(desk.locator("#keys")).to_be_hidden()
    desk.locator("#content").focus()
    desk.keyboard.press("Control+k")
    expect(desk.get_by_role("searchbox")).to_be_focused()
    desk.locator("#content").focus()
    desk.keyboard.press("g")
    desk.keyboard.press("t")
    desk.wait_for_url("**/targets?lang=en&theme=dark")
    expect(desk.locator("h1")).to_have_text("Targets")
    assert desk.evaluate("window.sameLife") is True, "as a click on the navigation does"
    desk.keyboard.press("t")
    desk.keyboard.press("?")
    desk.keyboard.press("g")
    desk.keyboard.press("w")
    desk.wait_for_url("**/wall?lang=en&theme=dark")


def test_who_wants_no_motion_gets_none(desk: Page, filled: System) -> None:
    blinking = """() => {
        document.querySelector('#wall').classList.remove('stopped'); // then nothing blinks anyway
        return document.getAnimations().length;
    }"""
    visit(desk, filled, WALL)
    desk.locator("#figures").evaluate(
        "e => e.insertAdjacentHTML('afterend', '<div class=\"alarm p1\"><i "
        'class="shape"></i></div>\')'
    )
    assert desk.evaluate(blinking) > 0, "a grave alarm blinks"
    desk.emulate_media(reduced_motion="reduce")
    assert desk.evaluate(blinking) == 0
    moving = """() => [...document.querySelectorAll('*')]
        .flatMap((e) => [null, '::before', '::after'].map((part) => getComputedStyle(e, part)))
        .filter((s) => s.animationName !== 'none' ||
            s.transitionDuration.split(', ').some((time) => parseFloat(time) > 0))
        .length"""
    for _, address in NAMES.addresses():
        assert looked(desk, filled, address, lambda: ["moves"] * desk.evaluate(moving)) == [], (
            address
        )


def test_a_tab_tells_where_it_is_and_how_many_alarms_are_open(desk: Page, filled: System) -> None:
    icon = desk.locator("link[rel='icon']")
    for address, heading in (
        ("/targets", "Chỉ tiêu – "),
        (f"/unit/{COMMUNE}", "Phường"),
        (WALL, ""),
    ):
        visit(desk, filled, address)
        expect(desk).to_have_title(re.compile(rf"^\(\d+\) {heading}"))
        expect(icon).to_have_attribute("data-says", re.compile(r"^[123]?:\d+$"))
        expect(icon).to_have_attribute("href", re.compile("^data:image/svg"))
    count = desk.title().partition(")")[0].strip("(")
    assert (icon.get_attribute("data-says") or "").endswith(f":{count}")
    filled.watch.stop()
    expect(icon).to_have_attribute("data-says", "?", timeout=60_000)
    filled.start_watch()
    expect(icon).to_have_attribute("data-says", re.compile(r":\d+$"), timeout=60_000)


@pytest.mark.parametrize(
    "address", [f"/unit/{COMMUNE}", "/unit/46", "/index", f"/index?unit={COMMUNE}"]
)
def test_on_paper_pages_are_whole_dark_on_light_and_without_what_only_a_screen_needs(
    desk: Page, filled: System, address: str
) -> None:
    visit(desk, filled, address, theme="dark")
    rows = desk.locator("#content tbody tr").count()
    desk.emulate_media(media="print")
    desk.set_viewport_size(PAPER)
    for hidden in (".bar nav", ".bar form", ".skip", "#help", "#keys"):
        expect(desk.locator(hidden).first).to_be_hidden()
    assert faint(desk) == []
    assert (
        desk.evaluate("getComputedStyle(document.querySelector('.desk')).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    assert desk.locator("#content tbody tr:visible").count() == rows
    cut = """() => [...document.querySelectorAll('#content *')].filter(
        (e) => e.checkVisibility() && !e.closest('.hidden'))
        .filter((e) => /auto|scroll|hidden|clip/.test(
            getComputedStyle(e).overflowX + getComputedStyle(e).overflowY))
        .filter((e) => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)
        .map((e) => `${e.closest('[id]').id} ${e.className} ${e.scrollWidth}/${e.clientWidth}`)"""
    assert desk.evaluate(cut) == []
    assert desk.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (
        "all columns are on the paper"
    )
    assert desk.pdf(format="A4").startswith(b"%PDF")


def test_units_stand_in_the_order_of_vietnamese_dictionaries_and_numbers_are_written_so(
    desk: Page, filled: System
) -> None:
    for address, listed in (
        ("/unit/46?units_sort=name", "#units tbody tr td:first-child"),
        ("/index?sort=unit", "#league tbody tr td:nth-child(2)"),
        ("/targets", "#unit option:not(:first-child)"),
    ):
        visit(desk, filled, address)
        names = desk.locator(listed).all_text_contents()
        assert len(names) == len(places.communes("46")) and names == sorted(names, key=sort_key), (
            address
        )
        bare = [
            name.rpartition("ường ")[2].removeprefix("xã ").removeprefix("Xã ") for name in names
        ]
        assert bare.index("Dương Nỗ") < bare.index("Đan Điền") or address != "/targets", (
            "Đ comes after D"
        )
    visit(desk, filled, "/unit/46")
    english = desk.evaluate("document.querySelector('#content').innerText").split()
    assert [one for one in english if re.fullmatch(r"\d+\.\d{1,2}%|\d{1,3}(,\d{3})+", one)] == []
