"""The keyboard's way through a page.

Where Tab goes, whether the eye can follow, whether what is reached has a name.
"""

from playwright.sync_api import Page

NAMELESS = """() => [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]')]
    .filter((e) => e.checkVisibility())
    .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() ||
        e.labels?.length || e.title))
    .map((e) => e.outerHTML.slice(0, 200))"""
_NUMBER = """() => {
    const usable =
        'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
    const wanted = [...document.querySelectorAll(usable)]
        .filter((e) => e.checkVisibility({ visibilityProperty: true }) &&
            !e.disabled && e.tabIndex >= 0);
    wanted.forEach((e, number) => { e.dataset.walked = number; });
    document.activeElement?.blur();
    getSelection().removeAllRanges();
    return wanted.map((e) => e.outerHTML.slice(0, 120));
}"""
_FOCUSED = """() => {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const at = document.elementFromPoint(box.left + box.width / 2,
        box.top + Math.min(box.height / 2, 12));
    /* The banner that says that the data stopped may cover anything. */
    const own = at === null || at.closest('#banner') || e.contains(at) || at.contains(e) ||
        at.closest('label')?.contains(e);
    const seen = box.bottom > 0 && box.top < innerHeight && Boolean(own);
    return [Number(e.dataset.walked ?? -1), outlined, seen, e.outerHTML.slice(0, 120)];
}"""


FIELDS = 7
"""Places of the keyboard within a field for a day and time."""


def nameless(page: Page) -> list[str]:
    """Return what can be used on the page that is open and has no name for a screen reader."""
    return [f"{page.url}: without a name: {one}" for one in page.evaluate(NAMELESS)]


def walk(page: Page) -> list[str]:
    """Press Tab from the beginning to the end.

    Tell what was not reached, came out of order, or was not seen to be reached.
    """
    wanted: list[str] = page.evaluate(_NUMBER)
    reached: list[str] = []
    found: list[str] = []
    for _ in range(
        len(wanted) + 3 + FIELDS * page.locator("#content input[type='datetime-local']").count()
    ):
        page.keyboard.press("Tab")
        said = page.evaluate(_FOCUSED)
        if said is None or (reached and said[0] == reached[0]):
            break
        number, outlined, seen, html = said
        if reached and number == reached[-1]:
            continue  # the fields of a date are within it
        reached.append(number)
        found += [] if outlined else [f"no outline: {html}"]
        found += [] if seen else [f"out of sight: {html}"]
    found += [
        f"not reached: {wanted[number]}" for number in range(len(wanted)) if number not in reached
    ]
    found += [] if reached == sorted(reached) else [f"out of order: {reached}"]
    return [f"{page.url}: {one}" for one in found]
