"""How far the words of a page stand out from what they stand on.

WCAG's contrast of every visible text, measured in the browser.
"""

from typing import Any

from playwright.sync_api import Page

LEAST = 7.0
"""What text has to have, on the wall and at the desk."""
CONTRASTS = r"""() => {
    const texts = [...document.querySelectorAll('#wall *')].filter((e) => e.checkVisibility() &&
        e.getBoundingClientRect().width > 1
        && [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()));
    const colours = (text) => (text.match(/rgba?\([^)]*\)/g) ?? []).map((one) => {
        const [r, g, b, a = 1] = one.match(/[\d.]+/g).map(Number);
        return { rgb: [r, g, b], a };
    });
    const over = (one, under) => one.rgb.map((v, i) => v * one.a + under[i] * (1 - one.a));
    /* What may lie under a text: each colour of the nearest ground, of a hatch all of them,
        with what shines through. */
    const grounds = (e) => {
        if (!e) return [[255, 255, 255]];
        const style = getComputedStyle(e), plain = colours(style.backgroundColor),
            drawn = colours(style.backgroundImage);
        const below = plain.some((one) => one.a === 1) && !drawn.length ?
            [] : grounds(e.parentElement);
        const base = plain[0]?.a === 1 ? [plain[0].rgb] :
            plain[0]?.a ? below.map((one) => over(plain[0], one)) : below;
        return drawn.length ? drawn.flatMap((one) => base.map((under) => over(one, under))) : base;
    };
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * linear(r / 255) +
        0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
    const between = (one, other) => {
        const [more, less] = [light(one), light(other)].sort((x, y) => y - x);
        return (more + 0.05) / (less + 0.05);
    };
    return texts.map((e) => {
        const [ink] = colours(getComputedStyle(e).color);
        const least = Math.min(...grounds(e).map((ground) => between(over(ink, ground), ground)));
        return [String(e.className || e.tagName), e.textContent.trim().slice(0, 40), least];
    });
}"""


def faint(page: Page) -> list[str]:
    """Return the words of the page that is open that do not stand out enough, each with its
    contrast.
    """
    found: list[Any] = page.evaluate(CONTRASTS)
    assert len(found) > 10, "the page has words"
    return [
        f"{page.url}: {name} {words!r} {contrast:.1f}"
        for name, words, contrast in found
        if contrast < LEAST
    ]
