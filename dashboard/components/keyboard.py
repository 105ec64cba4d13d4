"""Keyboard shortcuts of the desk, declared once for the help that "?" opens and for the scripts.

"g" and a letter lead to a page of the navigation: the first letter of its name that no page before
it has taken.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from dash import html

from dashboard.components.parts import Part, labelled
from dashboard.i18n.translator import Translator
from dashboard.request.address import PageRequest

HELP = "keys"
"""The id of the help dialog."""
WALL = "wall"


def letters(names: Iterable[str]) -> dict[str, str]:
    """Return the letter after "g" by page name, for pages in their order with the wall first."""
    found: dict[str, str] = {}
    for name in (WALL, *names):
        found[name] = next((letter for letter in name if letter not in found.values()), "")
    return found


def opener(translator: Translator) -> html.Button:
    """Build the button that opens the help without a keyboard."""
    opens: dict[str, Any] = {"data-opens": HELP, "aria-haspopup": "dialog"}
    return html.Button(
        "?",
        id="help",
        type="button",
        title=translator("keys"),
        **labelled(translator("keys")),
        **opens,
    )


def dialog(request: PageRequest, pages: Sequence[tuple[str, str, str]]) -> html.Dialog:
    """Build the help: a native dialog, which keeps the focus inside and closes on Escape.

    Args:
        request: the page's address.
        pages: name, label and address of each page of the navigation.
    """
    translator = request.translator
    by = letters(name for name, _, _ in pages)
    places = [(WALL, translator("nav_wall"), request.link("/wall")), *pages]
    rows: list[Part] = [
        *_row([["/"], ["Ctrl", "K"]], translator("keys_search"), translator),
        *_row([["Tab"], ["Shift", "Tab"]], translator("keys_walk"), translator),
        *_row([["Enter"]], translator("keys_open"), translator),
        *[
            part
            for name, words, href in places
            if by[name]
            for part in _row(
                [["g", by[name]]],
                html.A(words, href=href, **_goes(by[name])),
                translator,
                together=" ",
            )
        ],
        *_row([["?"]], translator("keys"), translator),
        *_row([["Esc"]], translator("close"), translator),
    ]
    return html.Dialog(
        [
            html.H2(translator("keys"), id=f"{HELP}-title"),
            html.Dl(rows),
            html.Form(html.Button(translator("close"), type="submit"), method="dialog"),
        ],
        id=HELP,
        **{"aria-labelledby": f"{HELP}-title"},  # type: ignore[arg-type]
    )


def _goes(letter: str) -> dict[str, Any]:
    return {"data-goes": letter}


def _row(
    ways: Sequence[Sequence[str]], does: Part, translator: Translator, together: str = "+"
) -> list[Part]:
    """Build a row of the help: alternative shortcuts of one or more keys, and what they do."""
    parts: list[Part] = []
    for number, keys in enumerate(ways):
        parts += [" ", translator("or"), " "] if number else []
        for each, key in enumerate(keys):
            parts += [together] if each else []
            parts.append(html.Kbd(key))
    return [html.Dt(parts), html.Dd(does)]
