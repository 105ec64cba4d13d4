"""Replace Unicode's controls of text direction, which would turn what stands beside them.

A text from outside may hold them. They are replaced in all that a screen is sent, in the one step
where it becomes JSON (`dashboard.request.answers`, `dashboard.pages.wall.drawings`): the closing
controls of such a text would end any isolation that is put around it. Style sheets isolate elements
besides, for letters that are written from right to left.
"""

import re

MARKS = "\u200e\u200f\u061c"
"""Marks that only take the direction of a letter.

Programs put them into copied file names and telephone numbers.
"""
CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Embeddings, overrides and isolates, and what ends them."""
REPLACEMENT = "\ufffd"
_TABLE = dict.fromkeys(map(ord, MARKS), "") | dict.fromkeys(map(ord, CONTROLS), REPLACEMENT)
_CODES = "|".join(f"{ord(one):04x}" for one in MARKS + CONTROLS)
_ESCAPED = re.compile(rf"\\u(?:{_CODES})")
_ANY = re.compile(r"\\(?:u[0-9a-f]{4}|.)")


def without_controls(text: str) -> str:
    """Return the text without marks of direction.

    Every other control of direction becomes U+FFFD, which shows that there was one.
    """
    return text.translate(_TABLE) if not text.isascii() else text


def without_controls_json(text: str) -> str:
    """Return JSON whose texts are as `without_controls` gives them.

    It is ASCII, as `json.dumps` writes it. A page is looked through once, 2 ms per megabyte, and
    left as it is unless it has a control.
    """
    return _ANY.sub(_escape, text) if _ESCAPED.search(text) else text


def _escape(found: re.Match[str]) -> str:
    # One by one: an escaped backslash before the letters u202e is no escape of theirs.
    escape = found[0]
    if len(escape) < 6:
        return escape
    kept = _TABLE.get(int(escape[2:], 16))
    return escape if kept is None else "\\ufffd" if kept else ""
