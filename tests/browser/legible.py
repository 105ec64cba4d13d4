"""Whether words on a page can be read: none lies over another, no table is cut off at its side."""

from typing import Any

from playwright.sync_api import Page

SCREENS = ((1440, 900), (1920, 1080))
"""px of the screens that desks have."""

_WORDS = """() => {
    const walker = document.createTreeWalker(
        document.querySelector('#content, .wall'), NodeFilter.SHOW_TEXT), found = [];
    // The visible part of a box: without what lies outside of ancestors that clip it.
    const clipped = (box, e) => {
        const seen = { left: box.left, top: box.top, right: box.right, bottom: box.bottom };
        for (; e && e !== document.body; e = e.parentElement) {
            if (getComputedStyle(e).overflow === 'visible') continue;
            const edge = e.getBoundingClientRect();
            seen.left = Math.max(seen.left, edge.left);
            seen.right = Math.min(seen.right, edge.right);
            seen.top = Math.max(seen.top, edge.top);
            seen.bottom = Math.min(seen.bottom, edge.bottom);
        }
        return seen;
    };
    for (let node; (node = walker.nextNode());) {
        const parent = node.parentElement;
        if (!node.data.trim() || !parent.checkVisibility()) continue;
        if (parent.closest('.hidden, .plot, option, svg, .wall .reading, .wall #banner')) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const whole of range.getClientRects()) {
            const box = clipped(whole, parent);
            if (box.right - box.left > 1 && box.bottom > box.top)
                found.push([
                    node.data.trim().slice(0, 40), box.left, box.top, box.right, box.bottom]);
        }
    }
    return found;
}"""
_CUT = """() => [...document.querySelectorAll('#content .scroll, #content .part')]
    .filter((e) => e.scrollWidth > e.clientWidth + 1)
    .map((e) => `${e.closest('[id]')?.id ?? e.className}: ${e.scrollWidth - e.clientWidth} px`)"""
SHARED = 3.0
"""px of both width and height that two texts must share to lie over each other.

Line boxes of a dense page touch.
"""


def illegible(page: Page) -> list[str]:
    """Return what cannot be read of the open page, on any of the screens that desks have."""
    found = []
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        found += [
            f"{page.url} at {width}: {one!r} lies over {other!r}"
            for one, other in over_each_other(page)
        ]
        found += [f"{page.url} at {width}: cut off {section}" for section in cut_off(page)]
    return found


def over_each_other(page: Page) -> list[tuple[str, str]]:
    """Return pairs of texts of a page's content of which one lies over the other."""
    boxes: list[list[Any]] = sorted(page.evaluate(_WORDS), key=lambda box: box[2])
    found = []
    for number, (words, left, top, right, bottom) in enumerate(boxes):
        for other, o_left, o_top, o_right, o_bottom in boxes[number + 1 :]:
            if o_top >= bottom - SHARED:
                break
            if (
                min(right, o_right) - max(left, o_left) > SHARED
                and min(bottom, o_bottom) - max(top, o_top) > SHARED
            ):
                found.append((words, other))
    return found


def cut_off(page: Page) -> list[str]:
    """Return the sections of a page of which something at the side is out of sight."""
    found: list[str] = page.evaluate(_CUT)
    return found
