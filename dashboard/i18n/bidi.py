"""Replace Unicode's direction controls, which would reorder the text around them.

A text from outside may hold them. They are replaced in everything that is sent to a screen, in the
one step where it becomes JSON (`dashboard.request.answers`, `dashboard.pages.wall.drawings`):
closing controls in such a text would end any isolation put around it. Style sheets isolate elements
as well, for letters that are written from right to left.
"""

import re

MARKS = "\u200e\u200f\u061c"
"""Marks that only take the direction of a letter.

Programs insert them into copied file names and telephone numbers.
"""
CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Embeddings, overrides and isolates, and the controls that end them."""
REPLACEMENT = "\ufffd"
_TABLE = dict.fromkeys(map(ord, MARKS), "") | dict.fromkeys(map(ord, CONTROLS), REPLACEMENT)
_CODES = "|".join(f"{ord(one):04x}" for one in MARKS + CONTROLS)
_ESCAPED = re.compile(rf"\\u(?:{_CODES})")
_ANY = re.compile(r"\\(?:u[0-9a-f]{4}|.)")


def without_controls(text: str) -> str:
    """Return the text without direction marks and with other direction controls made visible.

    Each of these becomes U+FFFD, which shows that there was one.
    """
    return text.translate(_TABLE) if not text.isascii() else text


def without_controls_json(text: str) -> str:
    """Apply `without_controls` to all texts of a JSON document.

    The document is ASCII, as `json.dumps` writes it. A page is scanned once, 2 ms per megabyte, and
    changed only if it has a control.
    """
    return _ANY.sub(_escape, text) if _ESCAPED.search(text) else text


def _escape(found: re.Match[str]) -> str:
    # One escape at a time: `u202e` after an escaped backslash is plain text.
    escape = found[0]
    if len(escape) < 6:
        return escape
    kept = _TABLE.get(int(escape[2:], 16))
    return escape if kept is None else "\\ufffd" if kept else ""
