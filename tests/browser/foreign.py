"""Words of the other language on a page.

What the words of the screens have in one language must not be read in the other.
"""

import re
from functools import cache

from playwright.sync_api import Page

from dashboard.i18n.catalogue import catalogue

LETTERS = 5
"""A piece of a text that has fewer letters may be in either language by chance."""
_TEXTS = """() => {
    const page = document.querySelector('#wall'), lang = page.lang, found = [];
    const own = (e) => (e.closest('[lang]')?.lang ?? lang) === lang;
    const walker = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode());)
        if (own(node.parentElement) && !node.parentElement.closest('pre')) found.push(node.data);
    for (const e of page.querySelectorAll('[aria-label], [title], [placeholder], [alt]'))
        if (own(e)) for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
            found.push(e.getAttribute(name) ?? '');
    return [...new Set([document.title, ...found].map((one) => one.trim()).filter(Boolean))];
}"""


def foreign(page: Page, language: str) -> list[str]:
    """Return the texts of the page that is open in which words of the other language stand."""
    texts: list[str] = page.evaluate(_TEXTS)
    assert len(texts) > 10
    return [
        f"{page.url}: {piece!r} in {text[:80]!r}"
        for text in texts
        if (piece := _said(text, language))
    ]


def _said(text: str, language: str) -> str | None:
    found = _pieces(language).search(text)
    return found[0] if found else None


@cache
def _pieces(language: str) -> "re.Pattern[str]":
    """Return what the other language has and this one has not.

    The words of the screens between their places.
    """
    other = "vi" if language == "en" else "en"
    known = "\n".join(catalogue(language).values()).lower()
    pieces = {
        piece.strip(" .,:;()%/·–−≥≤")
        for text in catalogue(other).values()
        for piece in re.split(r"\{\w+\}", text)
    }
    theirs = {
        one for one in pieces if sum(map(str.isalpha, one)) >= LETTERS and one.lower() not in known
    }
    return re.compile(
        r"(?<![\w-])("
        + "|".join(sorted(map(re.escape, theirs), key=len, reverse=True))
        + r")(?![\w-])"
    )
